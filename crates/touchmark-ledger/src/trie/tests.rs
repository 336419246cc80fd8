use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use touchmark_wire::trie::{EMPTY, ProofIndex, TrieProof, leaf_hash};

#[derive(Default)]
struct Memory(BTreeMap<PagePath, Arc<Page>>);

impl Pages for Memory {
    fn page(&self, path: &PagePath) -> Result<Option<Arc<Page>>, Unreadable> {
        Ok(self.0.get(path).cloned())
    }
}

impl Memory {
    fn apply(&mut self, entries: &BTreeMap<StateKey, Vec<u8>>) -> Digest {
        let hashes: Vec<_> =
            entries.iter().map(|(key, value)| (*key, leaf_hash(key, value))).collect();
        let updated = update(self, &hashes).unwrap();
        self.0.extend(updated.pages);
        updated.root
    }
}

/// The definition, with no pages: split at the first bit that differs.
fn naive_root(entries: &[(StateKey, Vec<u8>)]) -> Digest {
    match entries {
        [] => EMPTY,
        [(key, value)] => leaf_hash(key, value),
        _ => {
            let depth = (0..=255)
                .find(|bit| entries.iter().any(|(key, _)| key.bit(*bit) != entries[0].0.bit(*bit)))
                .unwrap();
            let (ones, zeros): (Vec<_>, Vec<_>) =
                entries.iter().cloned().partition(|(key, _)| key.bit(depth));
            branch_hash(depth, &naive_root(&zeros), &naive_root(&ones))
        }
    }
}

/// Keys that share prefixes often: few distinct first bytes, and neighbours in the last byte.
fn key() -> impl Strategy<Value = StateKey> {
    (0u8..6, any::<u8>(), 0u8..4, 0u8..5).prop_map(|(first, second, middle, last)| {
        let mut key = [0; 32];
        (key[0], key[1], key[15], key[31]) = (first * 37, second, middle, last);
        StateKey(key)
    })
}

fn entries(most: usize) -> impl Strategy<Value = BTreeMap<StateKey, Vec<u8>>> {
    prop::collection::btree_map(key(), prop::collection::vec(any::<u8>(), 0..8), 0..most)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn paged_root_is_that_of_the_definition(
        batches in prop::collection::vec(entries(150), 1..5),
    ) {
        let mut memory = Memory::default();
        let mut all = BTreeMap::new();
        for batch in batches {
            let root = memory.apply(&batch);
            all.extend(batch);
            let list: Vec<_> = all.clone().into_iter().collect();
            prop_assert_eq!(root, naive_root(&list));
        }
    }

    #[test]
    fn proofs_show_what_is_there_and_what_is_not(
        present in entries(300),
        asked in prop::collection::vec(key(), 1..6),
    ) {
        let mut memory = Memory::default();
        let root = memory.apply(&present);
        let value = |key: &StateKey| present.get(key).cloned().ok_or(Unreadable);
        let nodes = prove(&memory, &value, &asked).unwrap();
        let proof = TrieProof::verify(&nodes, &root).unwrap();
        let index = ProofIndex::new(&proof);
        for key in asked.iter().chain(present.keys()) {
            let found = index.find(key).map(|place| place.map(|place| index.entries()[place].1));
            prop_assert_eq!(&found, &proof.get(key));
            if asked.contains(key) {
                prop_assert_eq!(found, Ok(present.get(key).map(Vec::as_slice)));
            }
        }
    }

    #[test]
    fn a_changed_proof_proves_nothing_else(
        present in entries(80),
        asked in key(),
        place in any::<prop::sample::Index>(),
        flip in 1u8..,
    ) {
        let mut memory = Memory::default();
        let root = memory.apply(&present);
        let value = |key: &StateKey| present.get(key).cloned().ok_or(Unreadable);
        let mut nodes = prove(&memory, &value, &[asked]).unwrap();
        prop_assume!(!nodes.is_empty());
        let place = place.index(nodes.len());
        nodes[place] ^= flip;
        if let Ok(proof) = TrieProof::verify(&nodes, &root) {
            prop_assert_eq!(proof.get(&asked), Ok(present.get(&asked).map(Vec::as_slice)));
        }
    }
}

#[test]
fn stored_pages_read_back() {
    let mut memory = Memory::default();
    let entries = (0u8..200).map(|n| {
        let key = StateKey(Digest::of(&[&[n]]).0);
        (key, vec![n])
    });
    memory.apply(&entries.collect());
    assert!(memory.0.len() > 1, "200 leaves do not fit one page");
    for page in memory.0.values() {
        assert_eq!(Page::decode(&page.encode_to_vec()).as_ref(), Ok(page.as_ref()));
    }
    assert_eq!(Page::decode(&[]), Err(InvalidPage));
    assert_eq!(Page::decode(&[2]), Err(InvalidPage));
    assert_eq!(Page::decode(&[0; 64]), Err(InvalidPage));
}
