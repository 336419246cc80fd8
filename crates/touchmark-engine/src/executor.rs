//! Consensus asks, the ledger answers: building and checking batches.

use crate::block::Block;
use crate::context::{self, Context};
use crate::error::Error;
use crate::keys::Scheme;
use crate::pacing::{self, Pacing};
use crate::proposals::Proposals;
use crate::signal::Signal;
use crate::status::{Monitor, Phase};
use commonware_consensus::Application as Automaton;
use commonware_consensus::marshal::ancestry::Ancestry;
use commonware_cryptography::{Digested, Digestible as _};
use commonware_runtime::{Clock, Metrics, Spawner};
use futures::StreamExt as _;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use touchmark_batch::{Application, Batch, CheckError, Proposal};
use touchmark_wire::ids::Height;

/// How far ahead of the local clock a batch may be before it has to wait.
const TOLERATED_LEAD: Duration = Duration::from_secs(2);
/// How many batches may be built on the last delivered one. Consensus can run ahead of a ledger
/// with a slow disk; this keeps what the ledger must hold in memory bounded.
const LONGEST_BRANCH: u64 = 16;

/// Runs the ledger for consensus.
#[derive(Clone)]
pub(crate) struct Executor {
    pub(crate) application: Arc<dyn Application>,
    pub(crate) pacing: Pacing,
    pub(crate) body_limit: usize,
    pub(crate) proposals: Arc<Proposals>,
    pub(crate) monitor: Arc<Monitor>,
    pub(crate) woken: Arc<Signal>,
}

impl<E: Clock + Metrics + Spawner> Automaton<E> for Executor {
    type SigningScheme = Scheme;
    type Context = Context;
    type Block = Block;
    type Input = ();

    async fn propose(
        &mut self,
        (runtime, context): (E, Context),
        mut ancestry: impl Ancestry<Block>,
        _input: (),
    ) -> Option<Digested<Block>> {
        let Some(parent) = ancestry.next().await else {
            return pending().await;
        };
        let parent = parent.inner_shared();
        let time = parent.batch().time();
        self.pacing.wait(&runtime, time, &*self.application, &self.woken).await;
        let branch = self.branch(&parent, ancestry).await;
        let this = self.clone();
        // A cancelled proposal is still built to its end and recorded, so the ledger hears of
        // its fate.
        runtime
            .shared(true)
            .spawn(move |runtime| async move { this.build(&runtime, &context, &parent, &branch) })
            .await
            .ok()
            .flatten()
    }

    async fn verify(
        &mut self,
        (runtime, context): (E, Context),
        mut ancestry: impl Ancestry<Block>,
    ) -> bool {
        let Some(block) = ancestry.next().await else {
            return pending().await;
        };
        let Some(parent) = ancestry.next().await else {
            return pending().await;
        };
        let (block, parent) = (block.inner_shared(), parent.inner_shared());
        if !follows(&block, &parent, &context) {
            return false;
        }
        let lead =
            pacing::instant(block.batch().time()).and_then(|time| time.checked_sub(TOLERATED_LEAD));
        match lead {
            Some(due) if due > runtime.current() => runtime.sleep_until(due).await,
            Some(_) => {}
            // No clock ever reaches such a time.
            None => return pending().await,
        }
        let branch = self.branch(&parent, ancestry).await;
        let application = Arc::clone(&self.application);
        let verdict = runtime
            .shared(true)
            .spawn(move |_| async move { application.check(&branch, block.batch()) })
            .await;
        match verdict {
            Ok(Ok(())) => true,
            Ok(Err(CheckError::Invalid(invalid))) => {
                tracing::warn!(%invalid, round = %context.round, "refused a batch");
                false
            }
            Ok(Err(CheckError::Halt(halt))) => {
                self.monitor.end(Phase::Failed(halt.into()));
                pending().await
            }
            // The runtime is shutting down: no verdict.
            Err(_) => pending().await,
        }
    }
}

impl Executor {
    /// `newest` and its ancestors that the ledger has not finalized, oldest first. Waits for what
    /// is missing: consensus cancels what it no longer needs.
    async fn branch(
        &self,
        newest: &Arc<Block>,
        mut ancestry: impl Ancestry<Block>,
    ) -> Vec<Arc<Batch>> {
        self.monitor
            .reached(Height(newest.batch().height().0.saturating_sub(LONGEST_BRANCH)))
            .await;
        let mut branch = Vec::new();
        let mut next = Arc::clone(newest);
        while next.batch().height() > self.application.finalized() {
            branch.push(Arc::clone(next.batch()));
            let Some(parent) = ancestry.next().await else {
                return pending().await;
            };
            next = parent.inner_shared();
        }
        branch.reverse();
        branch
    }

    fn build(
        &self,
        clock: &impl Clock,
        context: &Context,
        parent: &Block,
        branch: &[Arc<Batch>],
    ) -> Option<Digested<Block>> {
        let batch = Arc::new(self.application.propose(Proposal {
            context: &context::encode(context),
            parent: parent.batch(),
            ancestry: branch,
            now: pacing::now(clock),
            body_limit: self.body_limit,
        })?);
        self.proposals.add(Arc::clone(&batch));
        match Block::new(batch) {
            Ok(block) if follows(&block, parent, context) && self.fits(&block) => {
                let digest = block.digest();
                Some(Digested::precomputed(block, digest))
            }
            _ => {
                let reason = "it proposed a batch that is not of this context, parent and size";
                self.monitor.end(Phase::Failed(Error::Ledger(reason)));
                None
            }
        }
    }

    fn fits(&self, block: &Block) -> bool {
        block.batch().body_bytes().len() <= self.body_limit
    }
}

/// Whether `block` is a child of `parent`, proposed in `context`.
fn follows(block: &Block, parent: &Block, context: &Context) -> bool {
    use commonware_consensus::CertifiableBlock as _;
    block.context() == *context
        && block.batch().parent() == parent.batch().digest()
        && Some(block.batch().height().0) == parent.batch().height().0.checked_add(1)
}
