//! A small ledger in memory, one leaf after the other, that checks each effect as it takes it.

mod history;
mod write;

pub(crate) use write::*;

use std::collections::BTreeMap;
use std::sync::Arc;
use touchmark_core::admission::{self, OneByOne, Submission};
use touchmark_core::entry::{Entry, Head, Thing};
use touchmark_core::event::Event;
use touchmark_core::refusal::{Outcome, Refusal, Unreadable};
use touchmark_core::rules::{self, Decision, Effect};
use touchmark_core::view::{Position, Read, View};
use touchmark_wire::genesis::{CertificateKey, Committee};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{
    ChannelId, Epoch, EvidenceId, Height, LeafIndex, NetworkId, Sequence, StatementId, ThingId,
    Timestamp,
};
use touchmark_wire::leaf::Leaf;
use touchmark_wire::limits;
use touchmark_wire::merkle;
use touchmark_wire::registry::RefusalCode;
use touchmark_wire::state::StateKey;

/// What became of a submission, short enough for tables.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Seen {
    Accepted,
    Denied(RefusalCode),
    Sighted(RefusalCode),
    Forked,
    Known(u64),
    Refused(RefusalCode),
}

impl From<&Outcome> for Seen {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Accepted(_) => Self::Accepted,
            Outcome::Denied(_, refusal) => Self::Denied(refusal.code),
            Outcome::Sighted(_, refusal) => Self::Sighted(refusal.code),
            Outcome::Forked(_, refusal) => {
                assert_eq!(refusal.code, RefusalCode::FORK);
                Self::Forked
            }
            Outcome::Known(leaf) => Self::Known(leaf.0),
            Outcome::Refused(refusal) => Self::Refused(refusal.code),
        }
    }
}

#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Ledger {
    network: NetworkId,
    committee: Arc<Committee>,
    /// Of the batch in which the next leaf stands.
    pub(crate) height: Height,
    pub(crate) entries: BTreeMap<StateKey, Arc<Entry>>,
    places: BTreeMap<(ThingId, Option<ChannelId>, Sequence), (LeafIndex, StatementId)>,
    evidence: BTreeMap<EvidenceId, LeafIndex>,
    pub(crate) leaves: Vec<Vec<u8>>,
    /// Of each leaf.
    pub(crate) events: Vec<Vec<Event>>,
}

impl View for Ledger {
    fn network(&self) -> NetworkId {
        self.network
    }

    fn genesis_committee(&self) -> Result<Arc<Committee>, Unreadable> {
        Ok(self.committee.clone())
    }

    fn entry(&self, key: &StateKey) -> Result<Option<Arc<Entry>>, Unreadable> {
        Ok(self.entries.get(key).cloned())
    }

    fn statement_at(
        &self,
        issuer: ThingId,
        channel: Option<ChannelId>,
        sequence: Sequence,
    ) -> Result<Option<(LeafIndex, StatementId)>, Unreadable> {
        Ok(self.places.get(&(issuer, channel, sequence)).copied())
    }

    fn evidence(&self, id: EvidenceId) -> Result<Option<LeafIndex>, Unreadable> {
        Ok(self.evidence.get(&id).copied())
    }
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self::of(NetworkId(Digest([0xaa; 32])))
    }

    /// The empty ledger of a network in which nobody certifies.
    pub(crate) fn of(network: NetworkId) -> Self {
        let (epoch, certificate_key) = (Epoch(0), CertificateKey([0; 96]));
        let validators = Vec::new();
        let committee =
            Committee { epoch, certificate_key, validators, threshold: 1, note_key: None };
        Self::begun_by(network, committee)
    }

    /// The empty ledger of a network with this committee.
    pub(crate) fn begun_by(network: NetworkId, committee: Committee) -> Self {
        Self {
            network,
            committee: Arc::new(committee),
            height: Height(1),
            entries: BTreeMap::new(),
            places: BTreeMap::new(),
            evidence: BTreeMap::new(),
            leaves: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Submits alone.
    pub(crate) fn submit(&mut self, bytes: &[u8]) -> Outcome {
        self.submit_all(&[bytes.to_vec()]).remove(0)
    }

    /// Submits alone; the outcome in short.
    pub(crate) fn see(&mut self, bytes: &[u8]) -> Seen {
        Seen::from(&self.submit(bytes))
    }

    /// Submits in one call of `admit`, then executes in order.
    pub(crate) fn submit_all(&mut self, inputs: &[Vec<u8>]) -> Vec<Outcome> {
        let admitted = admission::admit(inputs.to_vec(), self, &OneByOne);
        assert_eq!(admitted.len(), inputs.len());
        admitted
            .into_iter()
            .map(|admitted| match admitted {
                Ok(submission) => self.execute(&submission),
                Err(refusal) => Outcome::Refused(refusal),
            })
            .collect()
    }

    /// Lets the rules decide and takes the effect; what is outdated is admitted anew.
    pub(crate) fn execute(&mut self, submission: &Submission) -> Outcome {
        let leaf = LeafIndex(self.leaves.len() as u64);
        match self.decide(submission) {
            Decision::Append(effect) => {
                let outcome = effect.outcome.clone();
                assert_eq!(outcome.leaf(), Some(leaf), "an outcome names its leaf");
                self.append(leaf, *effect);
                self.check_histories();
                outcome
            }
            Decision::Outdated => match self.admit(submission.leaf_bytes()) {
                Ok(anew) => {
                    assert!(!matches!(self.decide(&anew), Decision::Outdated));
                    self.execute(&anew)
                }
                Err(refusal) => Outcome::Refused(refusal),
            },
            decision => decision.into_outcome(),
        }
    }

    /// What the rules say at the next place.
    pub(crate) fn decide(&self, submission: &Submission) -> Decision {
        let leaf = LeafIndex(self.leaves.len() as u64);
        let time = Timestamp(1_700_000_000_000 + leaf.0);
        let position = Position { leaf, height: self.height, time };
        rules::decide(self, submission, position).unwrap()
    }

    /// Admits alone.
    pub(crate) fn admit(&self, bytes: &[u8]) -> Result<Submission, Refusal> {
        admission::admit(vec![bytes.to_vec()], self, &OneByOne).remove(0)
    }

    fn append(&mut self, leaf: LeafIndex, effect: Effect) {
        check_leaf(&effect);
        assert!(effect.changes.is_sorted_by(|a, b| a.0 < b.0), "changes are in key order");
        for (key, entry) in effect.changes {
            let value = entry.encode_to_vec();
            assert!(value.len() <= limits::STATE_VALUE, "{} bytes of {key:?}", value.len());
            assert_eq!(Entry::decode(&key, &value).as_ref(), Ok(&*entry));
            self.entries.insert(key, entry);
        }
        if let Some(place) = effect.place {
            let key = (place.issuer, place.channel, place.sequence);
            let taken = self.places.insert(key, (leaf, place.id));
            assert_eq!(taken, None, "a place of a chain is taken once");
        }
        if let Some(evidence) = effect.evidence {
            assert_eq!(self.evidence.insert(evidence, leaf), None, "evidence is first once");
        }
        self.leaves.push(effect.leaf);
        self.events.push(effect.events);
    }

    /// A registered thing.
    pub(crate) fn state_of(&self, id: ThingId) -> Thing {
        self.thing(id).unwrap().unwrap().copied()
    }

    /// A thing's chain and history, begun or not.
    pub(crate) fn head_of(&self, id: ThingId) -> Head {
        self.head(id).unwrap().unwrap_or_else(|| Head::new(self.network))
    }

    /// What happened in the last leaf.
    pub(crate) fn last_events(&self) -> &[Event] {
        self.events.last().unwrap()
    }
}

/// The leaf is of the kind that its outcome says, and hashed as RFC 9162 does.
fn check_leaf(effect: &Effect) {
    assert!(effect.leaf.len() <= limits::LEAF);
    assert_eq!(effect.leaf_hash, merkle::leaf_hash(&effect.leaf));
    let leaf = Leaf::decode(&effect.leaf).unwrap();
    assert_eq!(leaf.encode_to_vec(), effect.leaf);
    match (&effect.outcome, leaf) {
        (Outcome::Accepted(_), Leaf::Accepted(_) | Leaf::Evidence(_)) => {}
        (Outcome::Denied(_, refusal), Leaf::Denied { code, .. })
        | (Outcome::Sighted(_, refusal), Leaf::Sighting { code, .. }) => {
            assert_eq!(refusal.code.0, code);
        }
        (Outcome::Forked(..), Leaf::Fork { .. }) => assert_eq!(effect.place, None),
        (outcome, leaf) => panic!("{outcome:?} as {leaf:?}"),
    }
}
