//! The smallest log: one leaf, which closes a batch, and a state of one thing.

use touchmark_core::entry::{StatusChange, Thing};
use touchmark_wire::codec;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Height, KeyNumber, LeafIndex, ThingId, Timestamp};
use touchmark_wire::leaf::{BatchLeaf, Leaf};
use touchmark_wire::merkle;
use touchmark_wire::registry::{EntryKind, Status, ThingKind};
use touchmark_wire::state::StateKey;
use touchmark_wire::trie::{ProofWriter, TrieProof};

/// The only thing of the state: an active card without keys.
pub const THING: ThingId = ThingId([9; 20]);

/// The thing's entry, encoded.
pub fn entry() -> Vec<u8> {
    codec::encode(&thing())
}

/// An active card without keys, registered in the first leaf.
pub(crate) fn thing() -> Thing {
    Thing {
        kind: ThingKind::CARD,
        controller: None,
        threshold: 1,
        keys: Vec::new(),
        next_number: KeyNumber(0),
        next: None,
        owners: None,
        statuses: vec![StatusChange { status: Status::ACTIVE, at: LeafIndex(0), reason: None }],
        created: LeafIndex(0),
        evidence_key: None,
        threshold_from: LeafIndex(0),
        confirmed: None,
        taken: Vec::new(),
    }
}

/// Trie proof that shows the thing.
pub fn state() -> Vec<u8> {
    let mut state = ProofWriter::default();
    state.leaf(&StateKey::thing(THING, EntryKind::THING), &entry());
    state.finish()
}

/// The log's only leaf, of a batch at `time`.
pub fn batch_leaf(time: Timestamp) -> Vec<u8> {
    let state_root = TrieProof::root(&state()).expect("a proof of one leaf has a root");
    Leaf::Batch(BatchLeaf { height: Height(1), time, state_root }).encode_to_vec()
}

/// The log's root.
pub fn root(time: Timestamp) -> Digest {
    merkle::leaf_hash(&batch_leaf(time))
}
