//! Proofs of the state trie: whatever bytes come, the decoder ends, and what it takes is a tree.

use proptest::prelude::*;
use touchmark_wire::hash::Digest;
use touchmark_wire::limits;
use touchmark_wire::state::StateKey;
use touchmark_wire::trie::{
    EMPTY, ProofError, ProofIndex, ProofWriter, TrieProof, branch_hash, leaf_hash,
};

fn key(first: u8, last: u8) -> StateKey {
    let mut key = [0; 32];
    (key[0], key[31]) = (first, last);
    StateKey(key)
}

/// Two entries of one thing, another thing's, and a cut-off half.
fn proof() -> (Vec<u8>, Digest) {
    let (a, b, c) = (key(0x00, 1), key(0x00, 2), key(0x40, 1));
    let cut = Digest([9; 32]);
    let mut writer = ProofWriter::default();
    writer.branch(0);
    writer.branch(1);
    writer.branch(254);
    writer.leaf(&a, b"a");
    writer.leaf(&b, b"");
    writer.leaf(&c, b"ccc");
    writer.cut(&cut);
    let things = branch_hash(254, &leaf_hash(&a, b"a"), &leaf_hash(&b, b""));
    let left = branch_hash(1, &things, &leaf_hash(&c, b"ccc"));
    (writer.finish(), branch_hash(0, &left, &cut))
}

/// As [`TrieProof::get`].
fn found<'a>(index: &ProofIndex<'a>, key: &StateKey) -> Result<Option<&'a [u8]>, ProofError> {
    index.find(key).map(|place| place.map(|place| index.entries()[place].1))
}

#[test]
fn a_proof_shows_entries_absences_and_what_it_does_not_cover() {
    let (nodes, root) = proof();
    let proof = TrieProof::verify(&nodes, &root).unwrap();
    let cases = [
        (key(0x00, 1), Ok(Some(&b"a"[..]))),
        (key(0x00, 2), Ok(Some(&b""[..]))),
        (key(0x00, 3), Ok(None)),
        (key(0x01, 1), Ok(None)),
        (key(0x40, 1), Ok(Some(&b"ccc"[..]))),
        (key(0x7f, 1), Ok(None)),
        (key(0x80, 1), Err(ProofError::NotCovered)),
    ];
    let index = ProofIndex::new(&proof);
    for (key, expected) in cases {
        assert_eq!(proof.get(&key), expected, "{key:?}");
        assert_eq!(found(&index, &key), expected, "{key:?}");
    }
    let shown: Vec<_> = proof.entries().map(|(_, value)| value).collect();
    assert_eq!(shown, [&b"a"[..], b"", b"ccc"]);
    assert_eq!(TrieProof::verify(&nodes, &EMPTY).unwrap_err(), ProofError::OtherRoot);
    let empty = TrieProof::verify(&[], &EMPTY).unwrap();
    assert_eq!(empty.get(&key(0, 1)), Ok(None));
    assert_eq!(ProofIndex::new(&empty).find(&key(0, 1)), Ok(None));
}

#[test]
fn a_changed_byte_never_proves_the_same_root() {
    let (nodes, root) = proof();
    for at in 0..nodes.len() {
        for difference in 1..=255 {
            let mut changed = nodes.clone();
            changed[at] ^= difference;
            assert!(TrieProof::verify(&changed, &root).is_err(), "byte {at}");
        }
        assert_eq!(TrieProof::root(&nodes[..at]).is_ok(), at == 0, "cut at {at}");
    }
    let longer = [&nodes[..], &[0]].concat();
    assert_eq!(TrieProof::root(&longer), Err(ProofError::Malformed));
}

#[test]
fn branches_decide_on_ever_later_bits() {
    for (above, below, fits) in [(3, 4, true), (3, 3, false), (4, 3, false), (255, 0, false)] {
        let mut writer = ProofWriter::default();
        writer.branch(above);
        writer.cut(&EMPTY);
        writer.branch(below);
        writer.cut(&EMPTY);
        writer.cut(&EMPTY);
        assert_eq!(TrieProof::root(&writer.finish()).is_ok(), fits, "{below} below {above}");
    }
}

/// A path with as many branches as `levels`, in the way `deep` goes.
fn path(levels: usize, deep_side: usize) -> Vec<u8> {
    let mut writer = ProofWriter::default();
    for depth in 0..levels {
        writer.branch(depth as u8);
        if deep_side == 1 {
            writer.cut(&EMPTY);
        }
    }
    writer.cut(&EMPTY);
    if deep_side == 0 {
        (0..levels).for_each(|_| writer.cut(&EMPTY));
    }
    writer.finish()
}

#[test]
fn paths_have_a_bound() {
    for side in [0, 1] {
        assert!(TrieProof::root(&path(limits::TRIE_LEVELS, side)).is_ok());
        let over = path(limits::TRIE_LEVELS + 1, side);
        assert_eq!(TrieProof::root(&over), Err(ProofError::Malformed));
    }
}

#[test]
fn values_have_a_bound() {
    for (length, fits) in [(limits::STATE_VALUE, true), (limits::STATE_VALUE + 1, false)] {
        let mut writer = ProofWriter::default();
        writer.leaf(&key(0, 1), &vec![0; length]);
        assert_eq!(TrieProof::root(&writer.finish()).is_ok(), fits);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_end(nodes in prop::collection::vec(0u8..4, 0..400), asked in any::<[u8; 32]>()) {
        if let Ok(root) = TrieProof::root(&nodes) {
            let proof = TrieProof::verify(&nodes, &root).unwrap();
            let index = ProofIndex::new(&proof);
            prop_assert_eq!(found(&index, &StateKey(asked)), proof.get(&StateKey(asked)));
            prop_assert!(proof.entries().eq(index.entries().iter().copied()));
            prop_assert!(index.entries().len() <= nodes.len());
        }
    }

    #[test]
    fn changed_proofs_never_show_other_values(
        at in any::<prop::sample::Index>(), cut in 0usize..9,
        insert in prop::collection::vec(any::<u8>(), 0..9),
    ) {
        let (nodes, root) = proof();
        let at = at.index(nodes.len() + 1);
        let end = (at + cut).min(nodes.len());
        let changed = [&nodes[..at], &insert, &nodes[end..]].concat();
        prop_assert!(changed == nodes || TrieProof::verify(&changed, &root).is_err());
    }
}
