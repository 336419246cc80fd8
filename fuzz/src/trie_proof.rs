//! Proofs of the state trie.

use touchmark_wire::state::StateKey;
use touchmark_wire::trie::{ProofIndex, TrieProof};

/// A proof has one root, is a proof of that root alone, and shows what it lists.
pub fn target(data: &[u8]) {
    let Ok(root) = TrieProof::root(data) else { return };
    let proof = TrieProof::verify(data, &root).expect("it is a proof of its own root");
    let mut other = root;
    other.0[0] ^= 1;
    assert!(TrieProof::verify(data, &other).is_err(), "a proof of two roots");
    for (key, value) in proof.entries() {
        // An entry in the wrong place is not found; one that is found has its own value.
        if let Ok(Some(found)) = proof.get(&key) {
            assert!(
                found == value || proof.entries().filter(|(known, _)| *known == key).count() > 1
            );
        }
    }
    let mut key = [0; 32];
    let length = data.len().min(32);
    key[..length].copy_from_slice(&data[data.len() - length..]);
    let key = StateKey(key);
    let index = ProofIndex::new(&proof);
    let found = index.find(&key).map(|place| place.map(|place| index.entries()[place].1));
    assert_eq!(found, proof.get(&key), "two ways through one proof");
}
