//! The right edge of a growing tree.

use super::{empty_root, node_hash};
use crate::hash::Digest;
use crate::ids::TreeSize;

/// What must be kept of a tree to append to it and know its root: one root per complete subtree,
/// one subtree per set bit of the size. No allocator.
#[derive(Clone)]
pub struct Frontier {
    size: u64,
    /// At place `level` the root of the complete subtree of 2^level leaves, where bit `level` of
    /// the size is set.
    peaks: [Digest; 64],
}

impl Default for Frontier {
    fn default() -> Self {
        Self::new()
    }
}

impl Frontier {
    /// The frontier of the empty tree.
    pub const fn new() -> Self {
        Self { size: 0, peaks: [Digest([0; 32]); 64] }
    }

    /// The frontier of a tree of `size` leaves from its complete subtrees' roots, largest first.
    /// `None` if their number is not the number of set bits of `size`.
    pub fn from_peaks(size: TreeSize, peaks: impl IntoIterator<Item = Digest>) -> Option<Self> {
        let mut frontier = Self { size: size.0, ..Self::new() };
        let mut peaks = peaks.into_iter();
        for level in levels(size.0).rev() {
            frontier.peaks[level] = peaks.next()?;
        }
        peaks.next().is_none().then_some(frontier)
    }

    /// The complete subtrees' roots, largest first: what [`Self::from_peaks`] takes.
    pub fn peaks(&self) -> impl Iterator<Item = &Digest> {
        levels(self.size).rev().map(|level| &self.peaks[level])
    }

    /// Number of leaves.
    pub const fn size(&self) -> TreeSize {
        TreeSize(self.size)
    }

    /// Appends a leaf by its hash.
    pub fn append(&mut self, leaf_hash: Digest) {
        let level = self.size.trailing_ones() as usize;
        let complete = &self.peaks[..level];
        let peak = complete.iter().fold(leaf_hash, |right, left| node_hash(left, &right));
        self.peaks[level] = peak;
        self.size += 1;
    }

    /// Root of the tree (RFC 9162 §2.1.1).
    pub fn root(&self) -> Digest {
        levels(self.size)
            .map(|level| self.peaks[level])
            .reduce(|right, left| node_hash(&left, &right))
            .unwrap_or_else(empty_root)
    }
}

impl PartialEq for Frontier {
    /// Compares the subtrees that exist.
    fn eq(&self, other: &Self) -> bool {
        self.size == other.size && self.peaks().eq(other.peaks())
    }
}

impl Eq for Frontier {}

impl core::fmt::Debug for Frontier {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Frontier({}, {})", self.size, self.root())
    }
}

/// Levels of the complete subtrees, smallest first.
fn levels(size: u64) -> impl DoubleEndedIterator<Item = usize> {
    (0..64).filter(move |level| size >> level & 1 == 1)
}
