//! How the log's Merkle tree grows by a batch: the second way to its root.
//!
//! [`touchmark_wire::merkle::Frontier`] appends leaf by leaf. Here the definition of RFC 9162 §2.1.1
//! is followed from the top down, with the old tree's peaks in place of what they cover. Before a
//! root is signed both must agree. On its way this path meets every subtree that the batch
//! completes, of which the tiles need those at multiples of 8 levels.

use touchmark_wire::hash::Digest;
use touchmark_wire::merkle::{self, Frontier};

/// A complete subtree: `index`-th of those with 2^`level` leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Node {
    /// Its height.
    pub level: u8,
    /// Its place among the subtrees of that height.
    pub index: u64,
    /// Its hash.
    pub hash: Digest,
}

/// Root of the log after `leaf_hashes` are appended to the tree of `before`, and the subtrees of
/// 2^8, 2^16, … leaves that this completes, in order.
pub(crate) fn grow(before: &Frontier, leaf_hashes: &[Digest]) -> (Digest, Vec<Node>) {
    let old_size = before.size().0;
    let size = old_size + leaf_hashes.len() as u64;
    if size == 0 {
        return (merkle::empty_root(), Vec::new());
    }
    let mut tree = Tree { old_size, peaks: peaks_of(before), leaf_hashes, completed: Vec::new() };
    let root = tree.hash(0, size);
    (root, tree.completed)
}

/// The perfect subtrees of the old tree: first leaf, end, hash.
fn peaks_of(frontier: &Frontier) -> Vec<(u64, u64, Digest)> {
    let size = frontier.size().0;
    let mut start = 0;
    let widths = (0..u64::BITS).rev().map(|level| 1u64 << level).filter(|width| size & width != 0);
    widths
        .zip(frontier.peaks())
        .map(|(width, hash)| {
            let peak = (start, start + width, *hash);
            start += width;
            peak
        })
        .collect()
}

struct Tree<'a> {
    old_size: u64,
    peaks: Vec<(u64, u64, Digest)>,
    leaf_hashes: &'a [Digest],
    completed: Vec<Node>,
}

impl Tree<'_> {
    /// Hash of the tree over the leaves `start..end`, at least one.
    fn hash(&mut self, start: u64, end: u64) -> Digest {
        if end <= self.old_size
            && let Some(peak) = self.peaks.iter().find(|peak| (peak.0, peak.1) == (start, end))
        {
            return peak.2;
        }
        let width = end - start;
        if width == 1 {
            return self.leaf_hashes[(start - self.old_size) as usize];
        }
        let middle = start + (width.next_power_of_two() / 2);
        let left = self.hash(start, middle);
        let right = self.hash(middle, end);
        let hash = merkle::node_hash(&left, &right);
        let level = width.trailing_zeros();
        if width.is_power_of_two() && level.is_multiple_of(8) {
            self.completed.push(Node { level: level as u8, index: start >> level, hash });
        }
        hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn both_ways_to_the_root_agree(old in 0u64..700, new in 0u64..700) {
            let leaf = |n: u64| merkle::leaf_hash(&n.to_be_bytes());
            let mut frontier = Frontier::new();
            (0..old).for_each(|n| frontier.append(leaf(n)));
            let leaf_hashes: Vec<_> = (old..old + new).map(leaf).collect();
            let (root, completed) = grow(&frontier, &leaf_hashes);
            for hash in &leaf_hashes {
                frontier.append(*hash);
            }
            prop_assert_eq!(root, frontier.root());
            let complete: Vec<_> = completed.iter().map(|node| (node.level, node.index)).collect();
            let expected: Vec<_> = (old / 256..(old + new) / 256).map(|index| (8, index)).collect();
            prop_assert_eq!(complete, expected);
        }
    }
}
