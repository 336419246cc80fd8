//! Applications that are a ledger but for a few calls: liars, and the broken ones of controls.

use std::sync::Arc;
use touchmark_batch::{Application, Backlog, Batch, CheckError, Halt, Member, Proposal};
use touchmark_ledger::Ledger;
use touchmark_wire::genesis::Committee;
use touchmark_wire::ids::Height;

/// What differs from the ledger; whatever is not written anew is as the ledger does it.
pub trait Deviation: Send + Sync + 'static {
    /// The ledger.
    fn ledger(&self) -> &Ledger;

    /// See [`Application::committee`].
    fn committee(&self, height: Height) -> Option<Arc<Committee>> {
        self.ledger().committee(height)
    }

    /// See [`Application::propose`].
    fn propose(&self, proposal: Proposal<'_>) -> Option<Batch> {
        self.ledger().propose(proposal)
    }

    /// See [`Application::check`].
    fn check(&self, ancestry: &[Arc<Batch>], batch: &Batch) -> Result<(), CheckError> {
        self.ledger().check(ancestry, batch)
    }

    /// See [`Application::deliver`].
    fn deliver(&self, batch: Arc<Batch>) -> Result<(), Halt> {
        self.ledger().deliver(batch)
    }

    /// See [`Application::pass_on`].
    fn pass_on(&self, turn: u64, limit: usize) -> Vec<Vec<u8>> {
        self.ledger().pass_on(turn, limit)
    }
}

/// The application that a deviation makes of its ledger.
pub struct Deviating<D>(pub D);

impl<D: Deviation> Application for Deviating<D> {
    fn genesis(&self) -> Arc<Batch> {
        self.0.ledger().genesis()
    }

    fn finalized(&self) -> Height {
        self.0.ledger().finalized()
    }

    fn committee(&self, height: Height) -> Option<Arc<Committee>> {
        self.0.committee(height)
    }

    fn appointed(&self) -> Option<Arc<Committee>> {
        self.0.ledger().appointed()
    }

    fn backlog(&self) -> Backlog {
        self.0.ledger().backlog()
    }

    fn propose(&self, proposal: Proposal<'_>) -> Option<Batch> {
        self.0.propose(proposal)
    }

    fn check(&self, ancestry: &[Arc<Batch>], batch: &Batch) -> Result<(), CheckError> {
        self.0.check(ancestry, batch)
    }

    fn deliver(&self, batch: Arc<Batch>) -> Result<(), Halt> {
        self.0.deliver(batch)
    }

    fn pass_on(&self, turn: u64, limit: usize) -> Vec<Vec<u8>> {
        self.0.pass_on(turn, limit)
    }

    fn receive(&self, from: Member, leaves: Vec<Vec<u8>>) {
        self.0.ledger().receive(from, leaves);
    }

    fn discarded(&self, batch: &Batch) {
        self.0.ledger().discarded(batch);
    }
}
