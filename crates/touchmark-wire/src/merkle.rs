//! The log's Merkle tree (RFC 9162 §2.1): hashing, inclusion, consistency and the append-only
//! frontier. Needs no allocator; paths are iterators, so that they can be read from their encoding.

use crate::hash::Digest;
use crate::ids::{LeafIndex, TreeSize};
use core::cmp::Ordering;
use core::fmt;

mod frontier;

pub use frontier::Frontier;

/// Most hashes in an inclusion path: one per bit of a size.
pub const INCLUSION_LIMIT: usize = 64;

/// Most hashes in a consistency path: an inclusion path's and the node that it starts from.
pub const CONSISTENCY_LIMIT: usize = 65;

/// Hash of a leaf: SHA-256(0x00 ‖ leaf) (RFC 9162 §2.1.1).
pub fn leaf_hash(leaf: &[u8]) -> Digest {
    Digest::of(&[&[0x00], leaf])
}

/// Hash of an inner node: SHA-256(0x01 ‖ left ‖ right) (RFC 9162 §2.1.1).
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    Digest::of(&[&[0x01], &left.0, &right.0])
}

/// Root of the empty tree: SHA-256 of nothing (RFC 9162 §2.1.1).
pub fn empty_root() -> Digest {
    Digest::of(&[])
}

/// The root that `path` leads to from the leaf at `index` of a tree of `size` leaves
/// (RFC 9162 §2.1.3.2, up to the comparison).
///
/// The result proves nothing before it is compared with a certified root of the same size.
pub fn root_from_inclusion(
    leaf_hash: &Digest,
    index: LeafIndex,
    size: TreeSize,
    path: impl IntoIterator<Item = Digest>,
) -> Result<Digest, ProofError> {
    if index.0 >= size.0 {
        return Err(ProofError::OutOfRange);
    }
    let mut climb = Climb { node: index.0, last: size.0 - 1 };
    let mut root = *leaf_hash;
    for sibling in path {
        root = match climb.step()? {
            Side::Left => node_hash(&sibling, &root),
            Side::Right => node_hash(&root, &sibling),
        };
    }
    climb.arrived().map(|()| root)
}

/// Checks that the leaf is at `index` of the tree of `size` leaves with `root`
/// (RFC 9162 §2.1.3.2).
pub fn verify_inclusion(
    leaf_hash: &Digest,
    index: LeafIndex,
    size: TreeSize,
    path: impl IntoIterator<Item = Digest>,
    root: &Digest,
) -> Result<(), ProofError> {
    expect_root(&root_from_inclusion(leaf_hash, index, size, path)?, root)
}

/// Checks that the tree of `old` leaves is the beginning of the tree of `new` leaves
/// (RFC 9162 §2.1.4.2). Equal sizes need equal roots and an empty path. There is nothing to prove
/// about the empty tree, with which every tree begins: `old` is at least 1.
pub fn verify_consistency(
    old: TreeSize,
    old_root: &Digest,
    new: TreeSize,
    new_root: &Digest,
    path: impl IntoIterator<Item = Digest>,
) -> Result<(), ProofError> {
    let mut path = path.into_iter();
    if old.0 == 0 || old > new {
        return Err(ProofError::OutOfRange);
    }
    if old == new {
        return match path.next() {
            Some(_) => Err(ProofError::PathTooLong),
            None => expect_root(old_root, new_root),
        };
    }
    // The largest complete subtree that ends the old tree; where it is the whole old tree, its
    // root is known and left out of the path.
    let start = if old.0.is_power_of_two() {
        *old_root
    } else {
        path.next().ok_or(ProofError::PathTooShort)?
    };
    let skip = (old.0 - 1).trailing_ones();
    let mut climb = Climb { node: (old.0 - 1) >> skip, last: (new.0 - 1) >> skip };
    let (mut old_climbed, mut new_climbed) = (start, start);
    for sibling in path {
        match climb.step()? {
            Side::Left => {
                old_climbed = node_hash(&sibling, &old_climbed);
                new_climbed = node_hash(&sibling, &new_climbed);
            }
            Side::Right => new_climbed = node_hash(&new_climbed, &sibling),
        }
    }
    climb.arrived()?;
    expect_root(&old_climbed, old_root)?;
    expect_root(&new_climbed, new_root)
}

/// How two logs, each its size and root, stand to each other: which one is larger, or that they are
/// equal. `None` where they have one size and two roots, so neither continues the other. Of logs of
/// different sizes only a consistency proof says that one is the beginning of the other.
pub fn order(one: (TreeSize, &Digest), other: (TreeSize, &Digest)) -> Option<Ordering> {
    match one.0.cmp(&other.0) {
        Ordering::Equal if one.1 != other.1 => None,
        ordering => Some(ordering),
    }
}

fn expect_root(actual: &Digest, expected: &Digest) -> Result<(), ProofError> {
    if actual == expected { Ok(()) } else { Err(ProofError::RootMismatch) }
}

/// A walk to the root: `fn` and `sn` of RFC 9162 §2.1.3.2.
struct Climb {
    /// Index of the node on its level.
    node: u64,
    /// Index of the last node on that level.
    last: u64,
}

/// Where the next hash of a path belongs.
enum Side {
    Left,
    Right,
}

impl Climb {
    /// Step 4: takes one hash of the path and goes up to the node that it makes.
    fn step(&mut self) -> Result<Side, ProofError> {
        if self.last == 0 {
            return Err(ProofError::PathTooLong);
        }
        let side = if self.node & 1 == 1 || self.node == self.last {
            // The last node of its level may be left without a sibling for some levels.
            let alone = self.node.trailing_zeros();
            self.node >>= alone;
            self.last >>= alone;
            Side::Left
        } else {
            Side::Right
        };
        self.node >>= 1;
        self.last >>= 1;
        Ok(side)
    }

    fn arrived(&self) -> Result<(), ProofError> {
        if self.last == 0 { Ok(()) } else { Err(ProofError::PathTooShort) }
    }
}

/// Why a Merkle path proves nothing; always the fault of who sent it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ProofError {
    /// The index is not below the size, or the old size is 0 or above the new one.
    OutOfRange,
    /// Fewer hashes than the position needs.
    PathTooShort,
    /// More hashes than the position needs.
    PathTooLong,
    /// The path leads to another root.
    RootMismatch,
}

impl fmt::Display for ProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutOfRange => "the position is outside of the tree",
            Self::PathTooShort => "the Merkle path is too short",
            Self::PathTooLong => "the Merkle path is too long",
            Self::RootMismatch => "the Merkle path leads to another root",
        })
    }
}

impl core::error::Error for ProofError {}

#[cfg(test)]
mod tests;
