//! Admission and rules on a ledger with some things in it. Signatures are taken as valid, so that
//! mutants reach the rules; what is admitted otherwise must not depend on that.

use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use touchmark_core::admission::{Check, OneByOne, Submission, Verifier, admit};
use touchmark_core::entry::Entry;
use touchmark_core::refusal::Unreadable;
use touchmark_core::rules::{Decision, Effect, decide};
use touchmark_core::view::{Position, View};
use touchmark_wire::genesis::Committee;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{
    ChannelId, EvidenceId, Height, LeafIndex, NetworkId, Sequence, StatementId, ThingId, Timestamp,
};
use touchmark_wire::leaf::Leaf;
use touchmark_wire::limits;
use touchmark_wire::state::StateKey;

/// Statements that lead to the ledger, and to the first inputs.
pub(crate) const VECTORS: &str = include_str!("../../spec/vectors/statements.json");

static NETWORK: LazyLock<NetworkId> = LazyLock::new(|| {
    let vectors: Value = serde_json::from_str(VECTORS).expect("vectors are JSON");
    NetworkId(Digest(hex(&vectors["network"]).try_into().expect("a network id has 32 bytes")))
});

static COMMITTEE: LazyLock<Arc<Committee>> = LazyLock::new(|| {
    let vectors: Value = serde_json::from_str(VECTORS).expect("vectors are JSON");
    Arc::new(Committee::decode(&hex(&vectors["committee"])).expect("a committee is one"))
});

static LEDGER: LazyLock<Ledger> = LazyLock::new(Ledger::of_vectors);

/// Says yes.
pub(crate) struct Credulous;

impl Verifier for Credulous {
    fn verify(&self, checks: &[Check<'_>]) -> Vec<bool> {
        vec![true; checks.len()]
    }
}

/// What is admitted is decided without a panic, and every effect is one that can be stored.
pub fn target(data: &[u8]) {
    let ledger = &*LEDGER;
    let honest = admit(vec![data.to_vec()], ledger, &OneByOne).remove(0);
    let admitted = admit(vec![data.to_vec()], ledger, &Credulous).remove(0);
    assert!(honest.is_err() || admitted.is_ok(), "refused although its signatures hold");
    let Ok(submission) = admitted else { return };
    assert_eq!(submission.leaf_bytes(), data);
    match ledger.decide(&submission) {
        Decision::Append(effect) => check(&effect, ledger),
        Decision::Known(leaf) | Decision::KnownFork(leaf, _) => assert!(leaf < ledger.size),
        Decision::Refuse(refusal) => assert!(refusal.code.name().is_some()),
        Decision::Outdated => panic!("nothing has changed since"),
    }
}

fn check(effect: &Effect, ledger: &Ledger) {
    assert!(effect.leaf.len() <= limits::LEAF);
    let leaf = Leaf::decode(&effect.leaf).expect("a leaf is one");
    assert_eq!(leaf.encode_to_vec(), effect.leaf);
    assert_eq!(effect.outcome.leaf(), Some(ledger.size));
    for (key, entry) in &effect.changes {
        let value = entry.encode_to_vec();
        assert_eq!(Entry::decode(key, &value).as_ref(), Ok(&**entry), "an entry that is lost");
    }
}

/// Leaves as the rules decide on them, in memory.
pub(crate) struct Ledger {
    network: NetworkId,
    pub(crate) size: LeafIndex,
    entries: BTreeMap<StateKey, Arc<Entry>>,
    places: BTreeMap<(ThingId, Option<ChannelId>, Sequence), (LeafIndex, StatementId)>,
    evidence: BTreeMap<EvidenceId, LeafIndex>,
}

impl Ledger {
    /// That of the vectors' network, before the first leaf.
    pub(crate) fn empty() -> Self {
        Self {
            network: *NETWORK,
            size: LeafIndex(0),
            entries: BTreeMap::new(),
            places: BTreeMap::new(),
            evidence: BTreeMap::new(),
        }
    }

    fn of_vectors() -> Self {
        let vectors: Value = serde_json::from_str(VECTORS).expect("vectors are JSON");
        let mut ledger = Self::empty();
        for case in vectors["accepted"].as_array().expect("there are some") {
            let admitted = admit(vec![hex(&case["bytes"])], &ledger, &OneByOne).remove(0);
            match ledger.decide(&admitted.expect("vectors are admitted")) {
                Decision::Append(effect) => ledger.append(*effect),
                other => panic!("{} gave {other:?}", case["name"]),
            }
        }
        ledger
    }

    pub(crate) fn decide(&self, submission: &Submission) -> Decision {
        let position = Position { leaf: self.size, height: Height(1), time: Timestamp(0) };
        decide(self, submission, position).expect("memory is readable")
    }

    pub(crate) fn append(&mut self, effect: Effect) {
        self.entries.extend(effect.changes);
        if let Some(place) = effect.place {
            let key = (place.issuer, place.channel, place.sequence);
            self.places.insert(key, (self.size, place.id));
        }
        self.evidence.extend(effect.evidence.map(|id| (id, self.size)));
        self.size = LeafIndex(self.size.0 + 1);
    }
}

pub(crate) fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().expect("bytes are text");
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal");
    (0..text.len()).step_by(2).map(byte).collect()
}

impl View for Ledger {
    fn network(&self) -> NetworkId {
        self.network
    }

    fn genesis_committee(&self) -> Result<Arc<Committee>, Unreadable> {
        Ok(COMMITTEE.clone())
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
