//! What was seen of the members, and what of it must not be.

use crate::chain;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use touchmark_batch::{Batch, Member};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Height, LeafIndex};
use touchmark_wire::merkle;

/// A property that does not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Violation {
    /// Two honest members finalized different batches of one height.
    Forked(Height, Member, Member),
    /// A member's log is shorter than it was.
    Shrank(Member, Height),
    /// An acknowledged statement is not in a member's log.
    Lost(Member, Digest),
    /// A statement is in the log more than once.
    Doubled(Member, Digest),
    /// A statement with a bad signature is in a member's log.
    Forged(Member, Digest),
    /// An acknowledged statement is not where its submitter was told.
    Misplaced(Digest, LeafIndex),
    /// Executing the log again leads elsewhere.
    Diverged(Member, String),
    /// After everything was mended no new batch was finalized within so many views.
    Stalled(u64),
    /// A member was told that what it writes to failed, and went on.
    Unmoved(Member),
    /// The next committee did not take office.
    Kept,
    /// A member of the committee in office does not vote in the end.
    Silent(Member),
    /// What a member shows does not lead a reader from the genesis to this batch.
    Unproven(Member, Height, String),
    /// An honest member did not catch up after everything was mended.
    LeftBehind(Member),
    /// What was submitted is not in the log at the end.
    Unlogged(Digest),
    /// An honest member stopped by itself.
    Stopped(Member, String),
    /// A part of a member panicked.
    Panicked(String),
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forked(height, one, other) => {
                write!(f, "members {} and {} differ at height {height}", one.0, other.0)
            }
            Self::Shrank(member, height) => {
                write!(f, "member {} went back from height {height}", member.0)
            }
            Self::Lost(member, id) => {
                write!(f, "member {} lacks the acknowledged statement {id}", member.0)
            }
            Self::Doubled(member, id) => {
                write!(f, "member {} has the statement {id} more than once", member.0)
            }
            Self::Forged(member, id) => {
                write!(f, "member {} has logged the forged statement {id}", member.0)
            }
            Self::Misplaced(id, leaf) => {
                write!(f, "the statement {id} is not at leaf {leaf}, as it was acknowledged")
            }
            Self::Diverged(member, reason) => {
                write!(f, "member {}'s log replays to another state: {reason}", member.0)
            }
            Self::Stalled(views) => {
                write!(f, "no new batch within {views} views after everything was mended")
            }
            Self::Unmoved(member) => {
                write!(f, "member {} was told that its storage failed, and went on", member.0)
            }
            Self::Kept => f.write_str("the next committee did not take office"),
            Self::Silent(member) => write!(f, "member {} is in office and does not vote", member.0),
            Self::Unproven(member, height, reason) => {
                write!(f, "member {} cannot prove the batch of height {height}: {reason}", member.0)
            }
            Self::LeftBehind(member) => {
                write!(f, "member {} did not catch up after everything was mended", member.0)
            }
            Self::Unlogged(id) => write!(f, "the submitted statement {id} was never logged"),
            Self::Stopped(member, reason) => write!(f, "member {} stopped: {reason}", member.0),
            Self::Panicked(reason) => write!(f, "a member panicked: {reason}"),
        }
    }
}

/// The finalized batches that the honest members have shown, and what submitters were told.
#[derive(Default)]
pub(crate) struct Record {
    /// By height: the first that was seen, and who showed it.
    batches: Vec<(Arc<Batch>, Member)>,
    /// Batches that each member has shown.
    shown: BTreeMap<Member, usize>,
    /// Acknowledged statements, by their hash.
    acknowledged: BTreeMap<Digest, Option<LeafIndex>>,
    pub(crate) violations: Vec<Violation>,
}

impl Record {
    pub(crate) fn violate(&mut self, violation: Violation) {
        if !self.violations.contains(&violation) {
            self.violations.push(violation);
        }
    }

    /// How many batches a member has shown.
    pub(crate) fn shown(&self, member: Member) -> usize {
        self.shown.get(&member).copied().unwrap_or_default()
    }

    /// A member has `count` batches now; `batches` are those that it had not shown.
    pub(crate) fn see(&mut self, member: Member, count: usize, batches: Vec<Arc<Batch>>) {
        let before = self.shown(member);
        if count < before {
            self.violate(Violation::Shrank(member, Height(before as u64 - 1)));
        }
        for batch in batches {
            let place = batch.height().0 as usize;
            match self.batches.get(place) {
                None => self.batches.push((batch, member)),
                Some((known, other)) if known.digest() != batch.digest() => {
                    let violation = Violation::Forked(batch.height(), *other, member);
                    self.violate(violation);
                }
                Some(_) => {}
            }
        }
        self.shown.insert(member, count);
    }

    /// The batches of the log from a height on.
    pub(crate) fn batches(&self, from: usize) -> impl Iterator<Item = &Arc<Batch>> {
        self.batches.iter().skip(from).map(|(batch, _)| batch)
    }

    /// The number of batches that any honest member has.
    pub(crate) fn longest(&self) -> usize {
        self.batches.len()
    }

    /// A submitter was told that its statement is in the log.
    pub(crate) fn acknowledge(&mut self, statement: &[u8], leaf: Option<LeafIndex>) {
        let id = merkle::leaf_hash(statement);
        let known = self.acknowledged.entry(id).or_insert(leaf);
        match (*known, leaf) {
            (None, leaf) => *known = leaf,
            (Some(known), Some(leaf)) if known != leaf => {
                self.violate(Violation::Misplaced(id, leaf));
            }
            _ => {}
        }
    }

    pub(crate) fn acknowledged(&self) -> usize {
        self.acknowledged.len()
    }

    /// Compares a member's whole log, which is to have all up to the place `end`, with what was
    /// acknowledged, and with what was forged.
    pub(crate) fn compare(
        &mut self,
        member: Member,
        log: &[Arc<Batch>],
        end: LeafIndex,
        forged: &BTreeSet<Digest>,
    ) {
        let mut found: BTreeMap<Digest, Vec<u64>> = BTreeMap::new();
        for (place, submission) in log.iter().flat_map(|batch| chain::submissions(batch)) {
            found.entry(merkle::leaf_hash(submission)).or_default().push(place);
        }
        let doubled: Vec<_> =
            found.iter().filter(|(_, places)| places.len() > 1).map(|(id, _)| *id).collect();
        for id in found.keys().filter(|id| forged.contains(id)) {
            self.violate(Violation::Forged(member, *id));
        }
        for id in doubled {
            self.violate(Violation::Doubled(member, id));
        }
        for (id, leaf) in self.acknowledged.clone() {
            match (found.get(&id), leaf) {
                (None, Some(leaf)) if leaf >= end => {}
                (None, _) => self.violate(Violation::Lost(member, id)),
                (Some(places), Some(leaf)) if !places.contains(&leaf.0) => {
                    self.violate(Violation::Misplaced(id, leaf));
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchmark_batch::BatchLimits;
    use touchmark_wire::codec;
    use touchmark_wire::header::BatchHeader;
    use touchmark_wire::ids::{Epoch, Timestamp, TreeSize};
    use touchmark_wire::leaf::{BareEvidence, Leaf};
    use touchmark_wire::registry::EvidenceFormat;

    const ONE: Member = Member(0);
    const OTHER: Member = Member(1);

    fn leaf() -> Vec<u8> {
        Leaf::Evidence(BareEvidence { format: EvidenceFormat::CARD_URL, bytes: b"x", mark: None })
            .encode_to_vec()
    }

    /// A batch of one leaf at this place of the log.
    fn batch(height: u64, place: u64) -> Arc<Batch> {
        let leaf = leaf();
        let header = BatchHeader {
            context: &[],
            parent: Digest::default(),
            height: Height(height),
            time: Timestamp(0),
            epoch: Epoch(0),
            data_root: BatchHeader::data_root(&[merkle::leaf_hash(&leaf)]),
            size: TreeSize(place + 1),
            root: Digest::default(),
            next: Digest::default(),
        };
        let length = u16::try_from(leaf.len()).unwrap().to_be_bytes();
        let body = [&length[..], &leaf].concat();
        let limits = BatchLimits { body: 1_000, leaves: 1 };
        Arc::new(Batch::from_parts(codec::encode(&header), body, limits).unwrap())
    }

    fn compared(log: &[Arc<Batch>], told: u64) -> Vec<Violation> {
        let mut record = Record::default();
        record.acknowledge(&leaf(), Some(LeafIndex(told)));
        record.compare(ONE, log, LeafIndex(9), &BTreeSet::new());
        record.violations
    }

    #[test]
    fn a_log_is_compared_with_what_was_acknowledged() {
        let id = merkle::leaf_hash(&leaf());
        assert_eq!(compared(&[batch(1, 0)], 0), []);
        assert_eq!(compared(&[], 0), [Violation::Lost(ONE, id)]);
        assert_eq!(compared(&[batch(1, 0), batch(2, 1)], 1), [Violation::Doubled(ONE, id)]);
        assert_eq!(compared(&[batch(1, 5)], 0), [Violation::Misplaced(id, LeafIndex(0))]);
        assert_eq!(compared(&[], 8), [Violation::Lost(ONE, id)]);
        assert_eq!(compared(&[], 9), [], "who left has nothing of what came later");
    }

    #[test]
    fn what_two_submitters_are_told_is_the_same() {
        let mut record = Record::default();
        let id = merkle::leaf_hash(&leaf());
        for place in [None, Some(LeafIndex(3)), None, Some(LeafIndex(3))] {
            record.acknowledge(&leaf(), place);
        }
        assert_eq!(record.violations, []);
        record.acknowledge(&leaf(), Some(LeafIndex(4)));
        assert_eq!(record.violations, [Violation::Misplaced(id, LeafIndex(4))]);
    }

    #[test]
    fn members_show_the_same_batches_and_never_fewer_than_before() {
        let mut record = Record::default();
        record.see(ONE, 2, vec![batch(0, 0), batch(1, 1)]);
        record.see(OTHER, 1, vec![batch(0, 0)]);
        record.see(ONE, 2, Vec::new());
        assert_eq!(record.violations, []);
        record.see(OTHER, 2, vec![batch(1, 2)]);
        record.see(ONE, 1, Vec::new());
        let expected =
            [Violation::Forked(Height(1), ONE, OTHER), Violation::Shrank(ONE, Height(1))];
        assert_eq!(record.violations, expected);
    }
}
