//! The seam between the order engine and the ledger.

use crate::Batch;
use std::sync::Arc;
use touchmark_wire::genesis::Committee;
use touchmark_wire::ids::{Height, Timestamp};

/// What the order engine asks of the ledger. Every call is synchronous; the engine runs it where
/// its own scheduler can see it, so that a simulation's seed decides everything.
///
/// *Ancestry* is the list of batches above the finalized height that the call builds on, oldest
/// first, the parent last; it is empty when the parent is the last finalized batch. A batch of the
/// ancestry may have been finalized and delivered meanwhile: its height tells.
pub trait Application: Send + Sync + 'static {
    /// The batch of height 0: no leaves, the same on every node of a network.
    fn genesis(&self) -> Arc<Batch>;

    /// The last batch that [`Self::deliver`] made durable (at first the genesis).
    fn finalized(&self) -> Height;

    /// Who certifies the batch of `height`. Known up to the end of the term that the next batch is
    /// in, `None` beyond: the committee of a term follows from the last batch of the term before.
    fn committee(&self, height: Height) -> Option<Arc<Committee>>;

    /// Who certifies from the next term on, if the committee changes then.
    fn appointed(&self) -> Option<Arc<Committee>>;

    /// How much waits to be proposed. Decides the pace: an empty backlog earns a slow heartbeat.
    fn backlog(&self) -> Backlog;

    /// Builds the next batch on `proposal`'s parent. `None` when this node can't propose now (for
    /// example while it stops); the engine then lets the view pass.
    fn propose(&self, proposal: Proposal<'_>) -> Option<Batch>;

    /// Executes `batch` on its ancestry and compares every result with its header and leaves. That
    /// a batch is invalid is said for good: never for a reason that could pass with time. The engine
    /// itself holds back a batch whose time lies in the future.
    fn check(&self, ancestry: &[Arc<Batch>], batch: &Batch) -> Result<(), CheckError>;

    /// Makes a finalized batch durable; returns after the sync. Called in height order, possibly
    /// again for the same height after a crash (then it does nothing). An error stops the node.
    fn deliver(&self, batch: Arc<Batch>) -> Result<(), Halt>;

    /// Encoded leaves that were submitted to this node, wait, and were not passed on in this `turn`
    /// yet: for those who propose next. At most `limit` bytes, counting two more for each. Turns
    /// only grow; in each, what still waits is passed on once more.
    fn pass_on(&self, turn: u64, limit: usize) -> Vec<Vec<u8>>;

    /// Takes encoded leaves that another member passed on, as far as there is room for it. The
    /// member answers to whoever submitted them, and passes them on again if they are not logged.
    fn receive(&self, from: Member, leaves: Vec<Vec<u8>>);

    /// A batch this node proposed lost its view for good: what it carried may be proposed again.
    fn discarded(&self, batch: &Batch);
}

/// A validator's place in its committee, from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Member(pub u16);

/// What to build a batch on.
#[derive(Clone, Copy, Debug)]
pub struct Proposal<'a> {
    /// Opaque engine context for the header.
    pub context: &'a [u8],
    /// The batch to build on (also the last of `ancestry`, if that is not empty).
    pub parent: &'a Batch,
    /// See [`Application`].
    pub ancestry: &'a [Arc<Batch>],
    /// The proposer's clock; the batch's time is the later of this and the parent's.
    pub now: Timestamp,
    /// Longest body, bytes.
    pub body_limit: usize,
}

/// What waits to be proposed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Backlog {
    /// Statements and evidence in the queue and not in an unfinalized batch.
    pub items: usize,
    /// Their size, bytes.
    pub bytes: usize,
}

/// Why a batch was not found to be good.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CheckError {
    /// The batch is to blame, on every node and at any time.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// This node cannot tell, and stops: what it said of a good batch would stand for ever.
    #[error(transparent)]
    Halt(#[from] Halt),
}

/// A batch whose content is wrong, in one sentence.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("invalid batch: {0}")]
pub struct Invalid(pub String);

/// The ledger cannot go on (disk full, failing sync, diverged state), in one sentence.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the ledger stops: {0}")]
pub struct Halt(pub String);
