//! Against a naive implementation that follows the recursive definitions of RFC 9162 §2.1.

use super::*;
use proptest::prelude::*;
use std::vec::Vec;

/// Largest power of two below `n`.
fn split(n: usize) -> usize {
    n.next_power_of_two() / 2
}

/// MTH(D_n), §2.1.1, over leaf hashes.
fn naive_root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(&naive_root(left), &naive_root(right))
        }
    }
}

/// PATH(m, D_n), §2.1.3.1.
fn naive_inclusion(m: usize, leaves: &[Digest]) -> Vec<Digest> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut path, sibling) = if m < k {
        (naive_inclusion(m, left), naive_root(right))
    } else {
        (naive_inclusion(m - k, right), naive_root(left))
    };
    path.push(sibling);
    path
}

/// SUBPROOF(m, D_n, b), §2.1.4.1.
fn naive_consistency(m: usize, leaves: &[Digest], whole: bool) -> Vec<Digest> {
    if m == leaves.len() {
        return if whole { Vec::new() } else { Vec::from([naive_root(leaves)]) };
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut path, sibling) = if m <= k {
        (naive_consistency(m, left, whole), naive_root(right))
    } else {
        (naive_consistency(m - k, right, false), naive_root(left))
    };
    path.push(sibling);
    path
}

fn leaves(count: usize) -> Vec<Digest> {
    (0..count as u64).map(|n| leaf_hash(&n.to_be_bytes())).collect()
}

fn size(count: usize) -> TreeSize {
    TreeSize(count as u64)
}

#[test]
fn every_position_of_every_small_tree() {
    for n in 0..=40 {
        let tree = leaves(n);
        let root = naive_root(&tree);
        let mut frontier = Frontier::new();
        for leaf in &tree {
            frontier.append(*leaf);
        }
        assert_eq!((frontier.size(), frontier.root()), (size(n), root));
        assert_eq!(Frontier::from_peaks(size(n), frontier.peaks().copied()), Some(frontier));
        for (m, leaf) in tree.iter().enumerate() {
            let path = naive_inclusion(m, &tree);
            let index = LeafIndex(m as u64);
            assert_eq!(verify_inclusion(leaf, index, size(n), path, &root), Ok(()));
        }
        for m in 1..=n {
            let path = naive_consistency(m, &tree, true);
            let old_root = naive_root(&tree[..m]);
            assert_eq!(verify_consistency(size(m), &old_root, size(n), &root, path), Ok(()));
        }
    }
}

#[test]
fn sizes_that_leave_nothing_to_prove() {
    let (root, other, none) = (leaf_hash(b"a"), leaf_hash(b"b"), [] as [Digest; 0]);
    let check = |old, old_root: &Digest, new, new_root: &Digest| {
        verify_consistency(TreeSize(old), old_root, TreeSize(new), new_root, none)
    };
    assert_eq!(check(1, &root, 1, &root), Ok(()));
    assert_eq!(check(1, &root, 1, &other), Err(ProofError::RootMismatch));
    assert_eq!(check(0, &empty_root(), 1, &root), Err(ProofError::OutOfRange));
    assert_eq!(check(0, &empty_root(), 0, &empty_root()), Err(ProofError::OutOfRange));
    assert_eq!(check(2, &root, 1, &root), Err(ProofError::OutOfRange));
    assert_eq!(check(3, &root, 4, &root), Err(ProofError::PathTooShort));
    let long = verify_consistency(TreeSize(1), &root, TreeSize(1), &root, [other]);
    assert_eq!(long, Err(ProofError::PathTooLong));
    let outside = root_from_inclusion(&root, LeafIndex(1), TreeSize(1), none);
    assert_eq!(outside, Err(ProofError::OutOfRange));
    let empty = root_from_inclusion(&root, LeafIndex(0), TreeSize(0), none);
    assert_eq!(empty, Err(ProofError::OutOfRange));
}

#[test]
fn the_largest_sizes_do_not_overflow() {
    let path = [Digest::default(); 65];
    for index in [0, 1, u64::MAX / 2, u64::MAX - 1] {
        let climbed =
            root_from_inclusion(&Digest::default(), LeafIndex(index), TreeSize(u64::MAX), path);
        assert_eq!(climbed, Err(ProofError::PathTooLong));
    }
    for old in [1, 2, 1 << 63, u64::MAX - 1] {
        let root = Digest::default();
        let checked = verify_consistency(TreeSize(old), &root, TreeSize(u64::MAX), &root, path);
        assert_eq!(checked, Err(ProofError::PathTooLong));
    }
}

/// A change of a path that must not be accepted.
#[derive(Clone, Copy, Debug)]
enum Damage {
    Drop,
    Repeat,
    Flip,
    Swap,
}

fn damaged(mut path: Vec<Digest>, damage: Damage, place: usize) -> Option<Vec<Digest>> {
    let place = place.checked_rem(path.len())?;
    match damage {
        Damage::Drop => drop(path.remove(place)),
        Damage::Repeat => path.insert(place, path[place]),
        Damage::Flip => path[place].0[place % 32] ^= 1,
        Damage::Swap if place > 0 => path.swap(place, place - 1),
        Damage::Swap => return None,
    }
    Some(path)
}

proptest! {
    #[test]
    fn damaged_paths_are_refused(
        n in 1usize..300,
        at in any::<prop::sample::Index>(),
        place in any::<usize>(),
        damage in prop::sample::select(&[Damage::Drop, Damage::Repeat, Damage::Flip, Damage::Swap]),
    ) {
        let tree = leaves(n);
        let root = naive_root(&tree);
        let m = at.index(n);
        let index = LeafIndex(m as u64);
        let path = naive_inclusion(m, &tree);
        prop_assert_eq!(verify_inclusion(&tree[m], index, size(n), path.clone(), &root), Ok(()));
        if let Some(path) = damaged(path, damage, place) {
            prop_assert!(verify_inclusion(&tree[m], index, size(n), path, &root).is_err());
        }
        let (old, old_root) = (size(m + 1), naive_root(&tree[..=m]));
        let path = naive_consistency(m + 1, &tree, true);
        prop_assert_eq!(verify_consistency(old, &old_root, size(n), &root, path.clone()), Ok(()));
        if let Some(path) = damaged(path, damage, place) {
            prop_assert!(verify_consistency(old, &old_root, size(n), &root, path).is_err());
        }
    }
}
