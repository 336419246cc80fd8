//! Finalized batches on their way to the ledger.

use crate::block::Block;
use crate::error::Error;
use crate::keys::Scheme;
use crate::proposals::Proposals;
use crate::status::{Monitor, Phase};
use commonware_actor::Feedback;
use commonware_consensus::Reporter;
use commonware_consensus::marshal::Update;
use commonware_consensus::marshal::core::Mailbox;
use commonware_consensus::marshal::standard::Standard;
use commonware_consensus::types::Height as EngineHeight;
use commonware_runtime::{Handle, Spawner};
use commonware_utils::Acknowledgement as _;
use commonware_utils::acknowledgement::Exact;
use commonware_utils::channel::mpsc;
use std::future::pending;
use std::sync::Arc;
use touchmark_batch::{Application, Batch};
use touchmark_wire::ids::Height;

/// The store and exchange of finalized blocks.
pub(crate) type Marshal = Mailbox<Scheme, Standard<Block>>;

/// A finalized batch and the receipt for it.
type Parcel = (Arc<Batch>, Exact);

/// Takes finalized blocks from marshal. Bounded by marshal, which sends no more than a few
/// without a receipt.
#[derive(Clone)]
pub(crate) struct Dispatch {
    parcels: mpsc::UnboundedSender<Parcel>,
    monitor: Arc<Monitor>,
}

impl Reporter for Dispatch {
    type Activity = Update<Block>;

    fn report(&mut self, update: Update<Block>) -> Feedback {
        match update {
            Update::Tip(_, height, _) => {
                self.monitor.finalized(Height(height.get()));
                Feedback::Ok
            }
            Update::Block(block, receipt) => {
                match self.parcels.send((Arc::clone(block.inner().batch()), receipt)) {
                    Ok(()) => Feedback::Ok,
                    Err(_) => Feedback::Closed,
                }
            }
        }
    }
}

/// Hands finalized batches to the ledger, in height order and without gaps.
pub(crate) struct Delivery {
    parcels: mpsc::UnboundedReceiver<Parcel>,
    application: Arc<dyn Application>,
    proposals: Arc<Proposals>,
    monitor: Arc<Monitor>,
}

impl Delivery {
    pub(crate) fn new(
        application: Arc<dyn Application>,
        proposals: Arc<Proposals>,
        monitor: Arc<Monitor>,
    ) -> (Self, Dispatch) {
        let (sender, parcels) = mpsc::unbounded_channel();
        let dispatch = Dispatch { parcels: sender, monitor: Arc::clone(&monitor) };
        (Self { parcels, application, proposals, monitor }, dispatch)
    }

    /// Brings a ledger that fell behind marshal (an older backup, a rebuild) up to `height`,
    /// which marshal holds and will not send again.
    pub(crate) async fn catch_up(&self, marshal: &Marshal, height: Height) -> Result<(), Error> {
        while self.application.finalized() < height {
            let next = Height(self.application.finalized().0 + 1);
            let block = marshal.get_block(EngineHeight::new(next.0)).await;
            let block = block.ok_or(Error::Missing(next))?;
            self.deliver(block.inner().batch())?;
            if self.application.finalized() < next {
                return Err(Error::Ledger("it accepted a batch and forgot it"));
            }
        }
        self.monitor.delivered(self.application.finalized());
        Ok(())
    }

    /// Delivers what marshal dispatches, until the ledger stops; on a thread of its own, because
    /// the ledger waits for its disk there.
    pub(crate) fn start<E: Spawner>(self, context: E, marshal: Marshal) -> Handle<()> {
        context.dedicated().spawn(move |_| self.run(marshal))
    }

    async fn run(mut self, marshal: Marshal) {
        while let Some((batch, receipt)) = self.parcels.recv().await {
            if let Err(error) = self.take(&marshal, &batch).await {
                self.monitor.end(Phase::Failed(error));
                // Without its receipt marshal would fail too, with a worse message.
                let _kept = receipt;
                return pending().await;
            }
            receipt.acknowledge();
            self.monitor.ordered(batch.height());
        }
    }

    async fn take(&self, marshal: &Marshal, batch: &Arc<Batch>) -> Result<(), Error> {
        // Marshal starts with the genesis, which every ledger has.
        let Some(before) = batch.height().0.checked_sub(1) else {
            return Ok(());
        };
        self.catch_up(marshal, Height(before)).await?;
        self.deliver(batch)?;
        self.monitor.delivered(batch.height());
        Ok(())
    }

    fn deliver(&self, batch: &Arc<Batch>) -> Result<(), Error> {
        self.application.deliver(Arc::clone(batch))?;
        for lost in self.proposals.settle(batch.height(), batch.digest()) {
            self.application.discarded(&lost);
        }
        Ok(())
    }
}
