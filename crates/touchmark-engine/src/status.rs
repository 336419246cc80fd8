//! How the engine is doing: what its parts report and what its owner asks.

use crate::ceremony::PeerKey;
use crate::error::Error;
use crate::keys::Standing;
use crate::signal::Signal;
use crate::term::Term;
use std::sync::{Mutex, MutexGuard, PoisonError};
use touchmark_wire::ids::Height;

/// A look at the engine.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Status {
    /// The term that consensus is in.
    pub term: u64,
    /// The view that it is in; views begin anew in each term.
    pub view: u64,
    /// Members of the committee of the term.
    pub members: usize,
    /// Whether this node is one of them.
    pub votes: bool,
    /// Last batch known to be finalized; it may not have arrived yet.
    pub finalized: Height,
    /// Last batch that the ledger made durable.
    pub height: Height,
    /// Connected peers, without this node: members, and those who follow.
    pub peers: Vec<PeerKey>,
    /// Whether the engine runs, and why not.
    pub phase: Phase,
}

/// Where the engine is in its life.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Phase {
    /// Orders, or tries to.
    #[default]
    Running,
    /// Was asked to stop.
    Stopping,
    /// Was asked to stop and did.
    Stopped,
    /// Stopped by itself.
    Failed(Error),
}

/// Where the parts of the engine write their [`Status`].
#[derive(Debug, Default)]
pub(crate) struct Monitor {
    status: Mutex<Status>,
    /// Last batch that came out of the order, whether the ledger had it already or not.
    ordered: Mutex<Height>,
    changed: Signal,
}

impl Monitor {
    pub(crate) fn status(&self) -> Status {
        self.lock().clone()
    }

    /// Consensus begins anew.
    pub(crate) fn entered(&self, term: Term, standing: &Standing) {
        let mut status = self.lock();
        (status.term, status.view) = (term.0, 0);
        (status.members, status.votes) = (standing.members.len(), standing.votes);
    }

    /// A certificate moved consensus past `view`.
    pub(crate) fn passed(&self, term: Term, view: u64) {
        let mut status = self.lock();
        if status.term == term.0 {
            status.view = status.view.max(view.saturating_add(1));
        }
    }

    /// The batch of `height` came out of the order.
    pub(crate) fn ordered(&self, height: Height) {
        *self.ordered.lock().unwrap_or_else(PoisonError::into_inner) = height;
        self.changed.notify();
    }

    /// Waits until the batch of `height` has come out of the order.
    pub(crate) async fn over(&self, height: Height) {
        self.changed.until(|| self.is_over(height).then_some(())).await;
    }

    /// Whether the batch of `height` has come out of the order.
    pub(crate) fn is_over(&self, height: Height) -> bool {
        *self.ordered.lock().unwrap_or_else(PoisonError::into_inner) >= height
    }

    pub(crate) fn finalized(&self, height: Height) {
        let mut status = self.lock();
        status.finalized = status.finalized.max(height);
    }

    /// The ledger is at `height`.
    pub(crate) fn delivered(&self, height: Height) {
        {
            let mut status = self.lock();
            status.height = status.height.max(height);
            status.finalized = status.finalized.max(height);
        }
        self.changed.notify();
    }

    /// Waits until the ledger is at `height` or beyond.
    pub(crate) async fn reached(&self, height: Height) {
        self.changed.until(|| (self.lock().height >= height).then_some(())).await;
    }

    /// What parts do from now on is no failure.
    pub(crate) fn stopping(&self) {
        let mut status = self.lock();
        if status.phase == Phase::Running {
            status.phase = Phase::Stopping;
        }
    }

    /// The engine is over; the first reason counts.
    pub(crate) fn end(&self, phase: Phase) {
        {
            let mut status = self.lock();
            let counts = match status.phase {
                Phase::Running => true,
                Phase::Stopping => phase == Phase::Stopped,
                Phase::Stopped | Phase::Failed(_) => false,
            };
            if counts {
                status.phase = phase;
            }
        }
        self.changed.notify();
    }

    /// Waits until the engine is over.
    pub(crate) async fn ended(&self) -> Phase {
        self.changed
            .until(|| match &self.lock().phase {
                Phase::Running | Phase::Stopping => None,
                over @ (Phase::Stopped | Phase::Failed(_)) => Some(over.clone()),
            })
            .await
    }

    fn lock(&self) -> MutexGuard<'_, Status> {
        // Every change is one assignment, so a panic elsewhere leaves nothing half done.
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
