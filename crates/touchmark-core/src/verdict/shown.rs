//! What a bundle shows, laid out so that no claim looks through all of it: a few bytes make a
//! claim, and a verdict must not take longer than the bundle is long.

use super::Finding;
use crate::entry::{Entry, Head, KeyState, Purposes, Thing};
use crate::refusal::Unreadable;
use crate::view::{Held, Read};
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use touchmark_wire::bundle::ProvedLeaf;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{KeyNumber, LeafIndex, ThingId};
use touchmark_wire::merkle;
use touchmark_wire::registry::EntryKind;
use touchmark_wire::state::StateKey;
use touchmark_wire::trie::{ProofIndex, TrieProof};

/// The leaves that the bundle shows, each hashed once, however many claims list it.
pub(super) struct Leaves<'a>(Vec<Shown<'a>>);

/// A leaf of the bundle.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a> {
    pub(super) proved: &'a ProvedLeaf<'a>,
    /// RFC 9162 hash of the leaf.
    pub(super) hash: Digest,
}

impl<'a> Leaves<'a> {
    /// `leaves` stand by index, as in a bundle.
    pub(super) fn new(leaves: &'a [ProvedLeaf<'a>]) -> Self {
        let hashed =
            |proved: &'a ProvedLeaf<'a>| Shown { proved, hash: merkle::leaf_hash(proved.leaf) };
        Self(leaves.iter().map(hashed).collect())
    }

    pub(super) fn at(&self, index: LeafIndex) -> Result<Shown<'a>, Finding> {
        match self.0.binary_search_by_key(&index, |shown| shown.proved.index) {
            Ok(place) => Ok(self.0[place]),
            Err(_) => {
                Err(Finding::fail("TM-NOT-COVERED", format!("leaf {index} is not in the bundle")))
            }
        }
    }
}

/// The entries that the bundle shows, each decoded once.
pub(super) struct State<'a> {
    index: ProofIndex<'a>,
    /// In the order of the index; `None` for what is malformed.
    entries: Vec<Option<Arc<Entry>>>,
    /// Those of ended keys.
    ended: Vec<(StateKey, KeyState)>,
}

impl<'a> State<'a> {
    pub(super) fn new(proof: &TrieProof<'a>) -> Self {
        let index = ProofIndex::new(proof);
        let decoded = |(key, value): &(StateKey, &[u8])| Entry::decode(key, value).ok();
        let entries: Vec<_> =
            index.entries().iter().map(|shown| decoded(shown).map(Arc::new)).collect();
        let ended = index.entries().iter().zip(&entries);
        let ended = ended.filter_map(|((key, _), entry)| match entry.as_deref() {
            Some(Entry::ClosedKey(ended)) => Some((*key, ended.clone())),
            _ => None,
        });
        Self { ended: ended.collect(), index, entries }
    }

    pub(super) fn entry(&self, key: &StateKey) -> Result<Option<Arc<Entry>>, Finding> {
        match self.index.find(key) {
            Ok(None) => Ok(None),
            Ok(Some(place)) => {
                let malformed = || Finding::fail("TM-MALFORMED", "a state entry is malformed");
                self.entries[place].clone().map(Some).ok_or_else(malformed)
            }
            Err(error) => Err(Finding::unknown("TM-NOT-COVERED", format!("{error}"))),
        }
    }

    pub(super) fn thing(&self, id: ThingId) -> Result<Option<Held<Thing>>, Finding> {
        Ok(self.entry(&StateKey::thing(id, EntryKind::THING))?.and_then(Held::thing))
    }

    pub(super) fn registered(&self, id: ThingId) -> Result<Held<Thing>, Finding> {
        let missing = || Finding::fail("TM-UNKNOWN-THING", format!("{id} is not registered"));
        self.thing(id)?.ok_or_else(missing)
    }

    pub(super) fn head(&self, id: ThingId) -> Result<Head, Finding> {
        match self.entry(&StateKey::thing(id, EntryKind::HEAD))?.as_deref() {
            Some(Entry::Head(head)) => Ok(head.clone()),
            _ => Err(Finding::fail("TM-UNKNOWN-THING", format!("{id} has no history"))),
        }
    }

    /// The key with this number, as it was valid for a leaf at `position`.
    pub(super) fn key_at(
        &self,
        id: ThingId,
        number: KeyNumber,
        position: LeafIndex,
    ) -> Result<KeyState, Finding> {
        let thing = self.registered(id)?;
        let key = match thing.key(number) {
            Some(key) => Some(key.clone()),
            None => match self.entry(&StateKey::closed_key(id, number))?.as_deref() {
                Some(Entry::ClosedKey(key)) => Some(key.clone()),
                _ => None,
            },
        };
        // A leaf that brings a key may be signed by it: inception and rotation.
        let counts = |key: &KeyState| key.is_valid_at(position) || key.from == position;
        key.filter(counts).ok_or_else(|| {
            let reason = format!("key {number} of {id} was not valid at leaf {position}");
            Finding::fail("TM-KEY-NOT-VALID", reason)
        })
    }

    /// The key of a thing that counted for its evidence in a leaf at `position`, or, where none
    /// did, the last one before: evidence that was known before is read again after its key ended.
    /// A bundle shows the one that it needs of all that the thing ever had; that none counted is
    /// known when all are shown.
    pub(super) fn evidence_key(
        &self,
        id: ThingId,
        position: LeafIndex,
    ) -> Result<EvidenceKey, Finding> {
        let thing = self.registered(id)?;
        let is_its =
            |(entry, key): &&(StateKey, KeyState)| *entry == StateKey::closed_key(id, key.number);
        let ended = self.ended.iter().filter(is_its).map(|(_, key)| key);
        let shown: Vec<&KeyState> = thing.keys.iter().chain(ended).collect();
        let chosen = shown
            .iter()
            .filter(|key| key.purposes.contains(Purposes::EVIDENCE) && key.from < position)
            .max_by_key(|key| (key.is_valid_at(position), key.number));
        let counts = chosen.is_some_and(|key| key.is_valid_at(position));
        // Numbers ascend with leaves, and of several keys that count the highest is the one.
        let later = shown.iter().filter(|key| key.from >= position).map(|key| key.number.0);
        let end = later.min().unwrap_or(thing.next_number.0);
        let first = chosen.filter(|_| counts).map_or(0, |key| key.number.0.saturating_add(1));
        let rivals = first..end;
        let is_sure =
            shown.iter().filter(|key| rivals.contains(&key.number.0)).count() == rivals.len();
        match chosen {
            Some(key) if counts || is_sure => {
                Ok(EvidenceKey { key: KeyState::clone(key), is_sure })
            }
            None if is_sure => {
                let reason = format!("{id} had no key for evidence at leaf {position}");
                Err(Finding::fail("TM-KEY-NOT-VALID", reason))
            }
            _ => Err(EvidenceKey::not_shown(id, position)),
        }
    }
}

/// The key that a bundle shows for a leaf of evidence.
pub(super) struct EvidenceKey {
    pub(super) key: KeyState,
    /// No key that is not shown can be the one instead.
    pub(super) is_sure: bool,
}

impl EvidenceKey {
    pub(super) fn not_shown(id: ThingId, position: LeafIndex) -> Finding {
        let reason = format!("not all keys of {id} that may count at leaf {position} are shown");
        Finding::unknown("TM-NOT-COVERED", reason)
    }
}

impl Read for State<'_> {
    /// What is not shown, or malformed, cannot be read.
    fn read(&self, key: &StateKey) -> Result<Option<Arc<Entry>>, Unreadable> {
        self.entry(key).map_err(|_| Unreadable)
    }
}
