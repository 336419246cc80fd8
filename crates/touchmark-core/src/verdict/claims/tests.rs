//! A verdict takes time with the bundle's bytes, not with bytes times claims. Bundles are those of a
//! log that certifies whatever makes them dear.

use super::*;
use crate::entry::Head;
use crate::verdict::CheckResult;
use core::time::Duration;
use std::time::Instant;
use touchmark_wire::bundle::{Handovers, Hashes, ProvedLeaf};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::TreeSize;
use touchmark_wire::merkle;
use touchmark_wire::registry::EntryKind;
use touchmark_wire::trie::ProofWriter;

const THING: ThingId = ThingId([1; 20]);

/// Encoded claims take a few bytes each, so these are nothing beside what they speak of.
const CLAIMS: usize = Bundle::CLAIMS;

/// Judges claims on a certified state; gives the checks and the shortest of some runs.
fn examined(leaves: &[ProvedLeaf<'_>], state: &[u8], claims: &[Claim]) -> (Vec<Check>, Duration) {
    let size = TreeSize(leaves.len() as u64 + 1);
    let state_root = TrieProof::root(state).unwrap();
    let foundation = Foundation {
        network: Some(NetworkId::default()),
        as_of: Some(AsOf { size, ..AsOf::default() }),
        ..Foundation::default()
    };
    let bundle = Bundle {
        version: Bundle::VERSION,
        genesis: &[],
        headers: Vec::new(),
        certificate: None,
        batch: ProvedLeaf { index: LeafIndex(0), leaf: &[], path: Hashes::NONE },
        state,
        leaves: leaves.to_vec(),
        claims: claims.to_vec(),
        freshness: None,
        note: None,
        handovers: Handovers::default(),
        anchor: None,
    };
    let proof = TrieProof::verify(state, &state_root).unwrap();
    let run = |_| {
        let (mut checks, start) = (Vec::new(), Instant::now());
        examine(&bundle, &foundation, &proof, &mut checks);
        (checks, start.elapsed())
    };
    (0..3).map(run).min_by_key(|(_, took)| *took).unwrap()
}

/// That many claims take a small part of that many times as long as one: what is long in the bundle
/// is gone through once.
fn take_little_more_than_one(leaves: &[ProvedLeaf<'_>], state: &[u8], claim: &Claim) {
    let claims = |count| alloc::vec![claim.clone(); count];
    let (checks, one) = examined(leaves, state, &claims(1));
    assert_eq!(checks[0].result, CheckResult::Pass, "{:?}", checks[0]);
    let (checks, all) = examined(leaves, state, &claims(CLAIMS));
    assert_eq!(checks.iter().filter(|check| check.result == CheckResult::Pass).count(), CLAIMS);
    assert!(all < one * (CLAIMS / 32) as u32, "one takes {one:?}, {CLAIMS} take {all:?}");
}

#[test]
fn a_leaf_is_hashed_once_however_many_claims_list_it() {
    let leaf = alloc::vec![7; touchmark_wire::limits::LEAF];
    let leaves: Vec<_> = (0..32)
        .map(|index| ProvedLeaf { index: LeafIndex(index), leaf: &leaf, path: Hashes::NONE })
        .collect();
    let mut head = Head::new(NetworkId(Digest::default()));
    for shown in &leaves {
        head.history.extend(shown.index, &merkle::leaf_hash(shown.leaf));
    }
    let mut state = ProofWriter::default();
    let key = StateKey::thing(THING, EntryKind::HEAD);
    state.leaf(&key, &Entry::Head(head).encode_to_vec());
    let claim = Claim::Complete(THING, leaves.iter().map(|shown| shown.index).collect());
    take_little_more_than_one(&leaves, &state.finish(), &claim);
}

#[test]
fn an_absence_is_found_without_a_look_through_the_proof() {
    let mut state = ProofWriter::default();
    let right = |thing: &ThingId| StateKey::thing(*thing, EntryKind::THING).bit(0);
    let mut things = (0..=u8::MAX).map(|n| ThingId([n; 20])).filter(right);
    let [shown, absent] = [(); 2].map(|()| things.next().unwrap());
    // All that is long stands before the half of the trie that tells.
    state.branch(0);
    cut(&mut state, 1);
    state.leaf(&StateKey::thing(shown, EntryKind::THING), b"v");
    take_little_more_than_one(&[], &state.finish(), &Claim::Absent(absent));
}

#[test]
fn an_entry_is_decoded_once_however_many_claims_read_it() {
    let attributes =
        crate::entry::Attributes((0..32).map(|n| (format!("name {n}"), "x".repeat(200))).collect());
    let mut state = ProofWriter::default();
    let key = StateKey::thing(THING, EntryKind::ATTRIBUTES);
    state.leaf(&key, &Entry::Attributes(attributes).encode_to_vec());
    let state = state.finish();
    let proof = TrieProof::verify(&state, &TrieProof::root(&state).unwrap()).unwrap();
    let state = State::new(&proof);
    let [one, other] = [(); 2].map(|()| state.entry(&key).unwrap().unwrap());
    assert!(alloc::sync::Arc::ptr_eq(&one, &other));
}

/// Writes a subtree with 65,536 subtrees cut off.
fn cut(proof: &mut ProofWriter, depth: u8) {
    if depth > 16 {
        return proof.cut(&Digest::default());
    }
    proof.branch(depth);
    cut(proof, depth + 1);
    cut(proof, depth + 1);
}
