//! What waits to be proposed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use touchmark_core::admission::Submission;
use touchmark_core::refusal::{Outcome, Refusal};
use touchmark_wire::hash::Digest;
use touchmark_wire::registry::RefusalCode;

/// Called once with what became of a submission.
pub type Ticket = Box<dyn FnOnce(Outcome) + Send>;

/// A submission with those who wait for it.
struct Pending {
    submission: Arc<Submission>,
    tickets: Vec<Ticket>,
    place: PendingPlace,
}

/// Where a submission is that is not decided yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum PendingPlace {
    /// In the queue.
    Waiting,
    /// In a batch, proposed or in the making.
    Proposed,
}

/// Submissions in order of arrival, each once, and those in proposed batches. They are told apart by
/// the hash of their bytes: a copy with fewer signatures must not stand in for the full statement.
pub(crate) struct Pool {
    limit: usize,
    /// In order; some may be settled meanwhile, by a batch of another node.
    waiting: VecDeque<Digest>,
    /// By batch, in the order in which they were proposed.
    proposed: Vec<(Digest, Vec<Digest>)>,
    pending: BTreeMap<Digest, Pending>,
    waiting_items: usize,
    waiting_bytes: usize,
    pending_bytes: usize,
}

impl Pool {
    /// A pool that holds at most `limit` bytes of submissions.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            waiting: VecDeque::new(),
            proposed: Vec::new(),
            pending: BTreeMap::new(),
            waiting_items: 0,
            waiting_bytes: 0,
            pending_bytes: 0,
        }
    }

    /// Takes a submission; gives the ticket back with the refusal when there is no room.
    pub(crate) fn push(
        &mut self,
        submission: Submission,
        ticket: Ticket,
    ) -> Result<(), (Ticket, Refusal)> {
        let id = submission.leaf_hash();
        if let Some(known) = self.pending.get_mut(&id) {
            known.tickets.push(ticket);
            return Ok(());
        }
        let bytes = submission.leaf_bytes().len();
        if self.pending_bytes + bytes > self.limit {
            let cause = "the node has as much waiting as it takes";
            return Err((ticket, Refusal::new(RefusalCode::OVERLOADED, cause)));
        }
        self.pending_bytes += bytes;
        self.waiting_items += 1;
        self.waiting_bytes += bytes;
        self.waiting.push_back(id);
        let pending = Pending {
            submission: Arc::new(submission),
            tickets: vec![ticket],
            place: PendingPlace::Waiting,
        };
        self.pending.insert(id, pending);
        Ok(())
    }

    /// Bytes that it can still take.
    pub(crate) fn room(&self) -> usize {
        self.limit.saturating_sub(self.pending_bytes)
    }

    /// The oldest waiting submission.
    pub(crate) fn pop(&mut self) -> Option<Arc<Submission>> {
        while let Some(id) = self.waiting.pop_front() {
            let Some(pending) = self.pending.get_mut(&id) else { continue };
            if pending.place == PendingPlace::Waiting {
                pending.place = PendingPlace::Proposed;
                let submission = pending.submission.clone();
                self.waiting_items -= 1;
                self.waiting_bytes -= submission.leaf_bytes().len();
                return Some(submission);
            }
        }
        None
    }

    /// Puts back what was popped last, the first of it foremost.
    pub(crate) fn push_back(&mut self, popped: impl DoubleEndedIterator<Item = Digest>) {
        popped.rev().for_each(|id| self.wait_again(id));
    }

    /// The front of the queue is where a submission comes back to.
    fn wait_again(&mut self, id: Digest) {
        let Some(pending) = self.pending.get_mut(&id) else { return };
        if pending.place == PendingPlace::Proposed {
            pending.place = PendingPlace::Waiting;
            self.waiting_items += 1;
            self.waiting_bytes += pending.submission.leaf_bytes().len();
            self.waiting.push_front(id);
        }
    }

    /// Remembers which submissions a proposed batch carries.
    pub(crate) fn propose(&mut self, batch: Digest, ids: Vec<Digest>) {
        self.proposed.push((batch, ids));
    }

    /// Removes a submission that is decided; returns who waits for it.
    pub(crate) fn settle(&mut self, id: &Digest) -> Vec<Ticket> {
        let Some(pending) = self.pending.remove(id) else {
            return Vec::new();
        };
        let bytes = pending.submission.leaf_bytes().len();
        self.pending_bytes -= bytes;
        if pending.place == PendingPlace::Waiting {
            self.waiting_items -= 1;
            self.waiting_bytes -= bytes;
        }
        pending.tickets
    }

    /// Forgets a finalized batch; what it carried was settled.
    pub(crate) fn finalized(&mut self, batch: &Digest) {
        self.take_proposed(batch);
    }

    /// Puts the submissions of a batch that will not be finalized back to the front.
    pub(crate) fn discarded(&mut self, batch: &Digest) {
        let ids = self.take_proposed(batch);
        self.push_back(ids.into_iter());
    }

    /// Puts back what is in proposed batches, but for those that satisfy `carries`: what one branch
    /// carries does not wait on another. Should both come to be proposed, one is final at most.
    pub(crate) fn give_back_unless(&mut self, carries: impl Fn(&Digest) -> bool) {
        let abandoned: Vec<_> =
            self.proposed.iter().map(|(batch, _)| *batch).filter(|batch| !carries(batch)).collect();
        for batch in abandoned.iter().rev() {
            self.discarded(batch);
        }
    }

    fn take_proposed(&mut self, batch: &Digest) -> Vec<Digest> {
        let place = self.proposed.iter().position(|(known, _)| known == batch);
        place.map(|place| self.proposed.remove(place).1).unwrap_or_default()
    }

    /// Waiting submissions and their bytes.
    pub(crate) fn backlog(&self) -> touchmark_batch::Backlog {
        touchmark_batch::Backlog { items: self.waiting_items, bytes: self.waiting_bytes }
    }
}
