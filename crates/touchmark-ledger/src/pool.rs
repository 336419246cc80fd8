//! What waits to be proposed.

mod lanes;

use crate::standing::Standing;
use lanes::{Lane, Lanes, Origin};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use touchmark_batch::{Backlog, Member};
use touchmark_core::admission::Submission;
use touchmark_core::refusal::{Outcome, Refusal};
use touchmark_wire::hash::Digest;
use touchmark_wire::registry::RefusalCode;

/// Called once with what became of a submission.
pub type Ticket = Box<dyn FnOnce(Outcome) + Send>;

/// Most submissions of new things in a batch, as long as known ones write, too: it is soon full and
/// the next one begins.
const NEW_IN_BATCH: usize = 128;
/// And the part of the room that they have then: a quarter.
const NEW_PART: usize = 4;
/// Known things count as writing until so many batches were made here without them.
const WRITING: u32 = 256;

/// A submission with those who wait for it.
struct Pending {
    submission: Arc<Submission>,
    lane: Lane,
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

/// Bounds of what is pending, bytes.
#[derive(Clone, Copy)]
pub(crate) struct PoolLimits {
    /// All of it.
    pub(crate) all: usize,
    /// Of it, what one other member passed on.
    pub(crate) member: usize,
}

/// Submissions in order of arrival, each once, and those in proposed batches. They are told apart by
/// the hash of their bytes: a copy with fewer signatures must not stand in for the full statement.
pub(crate) struct Pool {
    limits: PoolLimits,
    /// Some may be settled meanwhile, by a batch of another node.
    waiting: Lanes,
    /// Of those that were submitted here, what was not passed on in this turn yet.
    outgoing: Outgoing,
    /// `None` as long as nobody asks for what to pass on.
    turn: Option<u64>,
    /// By batch, in the order in which they were proposed.
    proposed: Vec<(Digest, Vec<Digest>)>,
    pending: BTreeMap<Digest, Pending>,
    waiting_items: usize,
    waiting_bytes: usize,
    pending_bytes: usize,
    /// Of it, what is of new things.
    new_bytes: usize,
    /// Of it, what each other member passed on.
    shares: BTreeMap<Member, usize>,
    /// How many submissions of new things the batch in the making can still take.
    new_left: usize,
    /// Batches until known things count as silent.
    writing: u32,
}

/// What is to be passed on.
#[derive(Default)]
struct Outgoing {
    known: VecDeque<Digest>,
    new: VecDeque<Digest>,
}

impl Outgoing {
    fn of(&mut self, standing: Standing) -> &mut VecDeque<Digest> {
        match standing {
            Standing::Known => &mut self.known,
            Standing::New => &mut self.new,
        }
    }
}

impl Pool {
    /// An empty pool.
    pub(crate) fn new(limits: PoolLimits) -> Self {
        Self {
            limits,
            waiting: Lanes::default(),
            outgoing: Outgoing::default(),
            turn: None,
            proposed: Vec::new(),
            pending: BTreeMap::new(),
            waiting_items: 0,
            waiting_bytes: 0,
            pending_bytes: 0,
            new_bytes: 0,
            shares: BTreeMap::new(),
            new_left: usize::MAX,
            writing: 0,
        }
    }

    /// Takes a submission that was made here; gives the ticket back with the refusal when there is
    /// no room.
    pub(crate) fn push(
        &mut self,
        submission: Submission,
        standing: Standing,
        ticket: Ticket,
    ) -> Result<(), (Ticket, Refusal)> {
        let id = submission.leaf_hash();
        if let Some(known) = self.pending.get_mut(&id) {
            known.tickets.push(ticket);
            self.adopt(id);
            return Ok(());
        }
        if !self.has_room(submission.leaf_bytes().len(), standing) {
            let cause = "the node has as much waiting as it takes";
            return Err((ticket, Refusal::new(RefusalCode::OVERLOADED, cause)));
        }
        self.add(submission, Lane { standing, origin: Origin::Here }, vec![ticket]);
        Ok(())
    }

    /// Takes a submission that another member passed on, unless there is no room for it: that
    /// member answers for it.
    pub(crate) fn take(&mut self, submission: Submission, standing: Standing, from: Member) {
        let bytes = submission.leaf_bytes().len();
        let share = self.shares.get(&from).copied().unwrap_or_default();
        let room = self.has_room(bytes, standing) && share + bytes <= self.limits.member;
        if room && !self.holds(&submission.leaf_hash()) {
            let lane = Lane { standing, origin: Origin::Member(from) };
            self.add(submission, lane, Vec::new());
        }
    }

    fn has_room(&self, bytes: usize, standing: Standing) -> bool {
        let crowded = standing == Standing::New
            && self.writing > 0
            && self.new_bytes + bytes > self.limits.all / NEW_PART;
        !crowded && self.pending_bytes + bytes <= self.limits.all
    }

    fn add(&mut self, submission: Submission, lane: Lane, tickets: Vec<Ticket>) {
        let (id, bytes) = (submission.leaf_hash(), submission.leaf_bytes().len());
        self.pending_bytes += bytes;
        self.waiting_items += 1;
        self.waiting_bytes += bytes;
        self.waiting.push_back(lane, id);
        match lane.standing {
            Standing::Known => self.writing = WRITING,
            Standing::New => self.new_bytes += bytes,
        }
        match lane.origin {
            Origin::Member(from) => *self.shares.entry(from).or_default() += bytes,
            Origin::Here if self.turn.is_some() => self.outgoing.of(lane.standing).push_back(id),
            Origin::Here => {}
        }
        let (submission, place) = (Arc::new(submission), PendingPlace::Waiting);
        self.pending.insert(id, Pending { submission, lane, tickets, place });
    }

    /// What another member passed on was submitted here, too: it must not wait among what that
    /// member brought.
    fn adopt(&mut self, id: Digest) {
        let Some(pending) = self.pending.get_mut(&id) else { return };
        if let Origin::Member(from) = pending.lane.origin {
            pending.lane.origin = Origin::Here;
            let (lane, bytes) = (pending.lane, pending.submission.leaf_bytes().len());
            self.give_back_share(from, bytes);
            // Its other place in the lanes is passed over when this one was served.
            self.waiting.push_back(lane, id);
        }
    }

    fn give_back_share(&mut self, member: Member, bytes: usize) {
        if let Some(share) = self.shares.get_mut(&member) {
            *share -= bytes;
            if *share == 0 {
                self.shares.remove(&member);
            }
        }
    }

    /// Bytes that it can still take.
    pub(crate) fn room(&self) -> usize {
        self.limits.all.saturating_sub(self.pending_bytes)
    }

    /// Whether a submission with these bytes is pending.
    pub(crate) fn holds(&self, id: &Digest) -> bool {
        self.pending.contains_key(id)
    }

    /// The pending submission with these bytes, whose signatures were checked.
    pub(crate) fn checked(&self, id: &Digest) -> Option<Arc<Submission>> {
        self.pending.get(id).map(|pending| pending.submission.clone())
    }

    /// What was submitted here, waits, and was not passed on in this turn yet; see
    /// [`touchmark_batch::Application::pass_on`]. What is of known things comes first, and leaves a
    /// quarter to new ones.
    pub(crate) fn pass_on(&mut self, turn: u64, limit: usize) -> Vec<Vec<u8>> {
        if self.turn != Some(turn) {
            self.turn = Some(turn);
            for standing in [Standing::Known, Standing::New] {
                let lane = Lane { standing, origin: Origin::Here };
                *self.outgoing.of(standing) = self.waiting.of(lane).copied().collect();
            }
        }
        let kept = if self.outgoing.new.is_empty() { 0 } else { limit / NEW_PART };
        let (mut passed, mut left) = (Vec::new(), limit - kept);
        self.pass(Standing::Known, &mut left, &mut passed);
        left += kept;
        self.pass(Standing::New, &mut left, &mut passed);
        passed
    }

    fn pass(&mut self, standing: Standing, left: &mut usize, passed: &mut Vec<Vec<u8>>) {
        /// What a leaf takes beside its bytes.
        const PREFIX: usize = 2;
        let outgoing = self.outgoing.of(standing);
        while let Some(id) = outgoing.front() {
            let waits = |pending: &&Pending| pending.place == PendingPlace::Waiting;
            if let Some(pending) = self.pending.get(id).filter(waits) {
                let leaf = pending.submission.leaf_bytes();
                let Some(rest) = left.checked_sub(PREFIX + leaf.len()) else { break };
                *left = rest;
                passed.push(leaf.to_vec());
            }
            outgoing.pop_front();
        }
    }

    /// A batch is about to be made.
    pub(crate) fn begin(&mut self) {
        self.new_left = if self.writing > 0 { NEW_IN_BATCH } else { usize::MAX };
        self.writing = self.writing.saturating_sub(1);
    }

    /// The next submission for the batch in the making: the oldest of those whose turn it is.
    pub(crate) fn pop(&mut self) -> Option<Arc<Submission>> {
        while let Some(id) = self.waiting.pop(self.new_left > 0) {
            let Some(pending) = self.pending.get_mut(&id) else { continue };
            if pending.place == PendingPlace::Waiting {
                pending.place = PendingPlace::Proposed;
                if pending.lane.standing == Standing::New {
                    self.new_left -= 1;
                }
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
            self.waiting.push_front(pending.lane, id);
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
        if pending.lane.standing == Standing::New {
            self.new_bytes -= bytes;
        }
        if let Origin::Member(from) = pending.lane.origin {
            self.give_back_share(from, bytes);
        }
        // Where others propose, nobody else takes it out of its lane.
        self.waiting.shed(pending.lane, |id| !self.pending.contains_key(id));
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
    pub(crate) fn backlog(&self) -> Backlog {
        Backlog { items: self.waiting_items, bytes: self.waiting_bytes }
    }
}
