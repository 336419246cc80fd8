//! How a node learns that no more batches come.

use crate::order::Order;
use std::io;
use std::sync::Arc;
use std::thread;
use tokio::sync::watch;
use touchmark_core::refusal::Refusal;
use touchmark_engine::Phase;
use touchmark_wire::registry::RefusalCode;

/// Why nothing is taken any more, once that is so.
#[derive(Clone, Debug)]
pub(crate) struct Ending(watch::Receiver<Option<Refusal>>);

impl Ending {
    /// Waits for the end of the order on a thread of its own. Nothing starts it again: after a
    /// write or sync that failed, only what a new start reads from the disk can be trusted.
    pub(crate) fn of(order: &Arc<Order>) -> io::Result<Self> {
        let (tell, ending) = watch::channel(None);
        let order = order.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let wait = move || {
            let refusal = match runtime.block_on(order.ended()) {
                Phase::Failed(error) => {
                    tracing::error!(%error, "the node takes nothing until it is started again");
                    let cause = "the node's disk or order engine failed, and it takes nothing; its \
                                 /health/ready says why";
                    Refusal::new(RefusalCode::STORAGE, cause)
                }
                _ => Refusal::new(RefusalCode::NOT_READY, "the node stops"),
            };
            tell.send_replace(Some(refusal));
        };
        thread::Builder::new().name("ending".into()).spawn(wait)?;
        Ok(Self(ending))
    }

    /// Why, if it is so now.
    pub(crate) fn now(&self) -> Option<Refusal> {
        self.0.borrow().clone()
    }

    /// Waits until it is so; `None` if nobody will say any more.
    pub(crate) async fn come(&mut self) -> Option<Refusal> {
        self.0.wait_for(Option::is_some).await.ok()?.clone()
    }
}
