//! A log's tree, read from tiles and believed only as far as they lead to a certified root.
//!
//! The tiles at the right edge have the hashes of all complete subtrees that make up the log, so
//! they alone lead to its root. Every other tile is whole: its own root stands in the tile above it.

use super::{ShownError, Source};
use std::rc::Rc;
use touchmark_api::tile::{LEVELS, Row, Tile, WIDTH};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{LeafIndex, TreeSize};
use touchmark_wire::merkle::{self, Frontier};
use touchmark_wire::ratchet::Position;

/// The certified log of a source.
pub struct Tree<'s> {
    source: &'s Source,
    size: TreeSize,
    /// By level: the hashes of the last, partial tile.
    edge: Vec<Rc<[Digest]>>,
    /// By level: the whole tile that was read last.
    recent: Vec<Option<(u64, Rc<[Digest]>)>>,
}

/// Leaves of one entry bundle.
pub struct Entries {
    /// The first of them.
    pub first: LeafIndex,
    /// The leaves, in order.
    pub leaves: Vec<Vec<u8>>,
    /// Their hashes.
    pub hashes: Vec<Digest>,
}

impl<'s> Tree<'s> {
    /// Reads the right edge of the log that was certified as `as_of`.
    pub fn open(source: &'s Source, as_of: &Position) -> Result<Self, ShownError> {
        let size = as_of.size;
        let mut edge = Vec::new();
        for level in levels(size) {
            let (index, width) = end(size, level);
            let hashes = match width {
                0 => Vec::new(),
                _ => source.hashes(Tile { row: Row::Hashes(level), index, width })?,
            };
            edge.push(Rc::from(hashes));
        }
        let recent = vec![None; edge.len()];
        let mut tree = Self { source, size, edge, recent };
        if tree.root_at(size)? == as_of.root {
            Ok(tree)
        } else {
            Err(source.is_false("its tiles do not lead to the root that was certified"))
        }
    }

    /// How many leaves it has.
    pub const fn size(&self) -> TreeSize {
        self.size
    }

    /// Root of the log when it had `size` leaves, at least one and no more than there are.
    pub fn root_at(&mut self, size: TreeSize) -> Result<Digest, ShownError> {
        let mut peaks = Vec::new();
        for level in levels(size).rev() {
            let (index, width) = end(size, level);
            if width > 0 {
                let hashes = self.hashes(level, index)?;
                peaks.extend(tree_of(&hashes[..width as usize]).peaks());
            }
        }
        let frontier = Frontier::from_peaks(size, peaks);
        Ok(frontier.expect("a tile has a hash for each bit of its part of the size").root())
    }

    /// The hashes of a tile: all, or those that the log has.
    pub fn hashes(&mut self, level: u8, index: u64) -> Result<Rc<[Digest]>, ShownError> {
        let place = usize::from(level);
        if index == end(self.size, level).0 {
            return Ok(self.edge[place].clone());
        }
        if let Some((known, hashes)) = &self.recent[place]
            && *known == index
        {
            return Ok(hashes.clone());
        }
        let expected = self.whole(level, index)?;
        let tile = Tile { row: Row::Hashes(level), index, width: WIDTH };
        let hashes: Rc<[Digest]> = Rc::from(self.source.hashes(tile)?);
        if tree_of(&hashes).root() != expected {
            return Err(self.source.is_false(format!("{tile} is not what the one above it says")));
        }
        self.recent[place] = Some((index, hashes.clone()));
        Ok(hashes)
    }

    /// The leaves of an entry bundle: 256, or those that the log has.
    pub fn entries(&mut self, index: u64) -> Result<Entries, ShownError> {
        let (last, width) = end(self.size, 0);
        let width = if index == last { width } else { WIDTH };
        let entries = Entries::of(index, self.source.leaves(index, width)?);
        if self.holds(index, &entries)? {
            return Ok(entries);
        }
        let tile = Tile { row: Row::Entries, index, width };
        Err(self.source.is_false(format!("{tile} has other leaves than those that were certified")))
    }

    /// Whether these are the leaves of the bundle.
    pub fn holds(&mut self, index: u64, entries: &Entries) -> Result<bool, ShownError> {
        if index == end(self.size, 0).0 {
            return Ok(*self.edge[0] == entries.hashes[..]);
        }
        let expected = self.whole(0, index)?;
        Ok(entries.hashes.len() as u64 == WIDTH && tree_of(&entries.hashes).root() == expected)
    }

    /// How many leaves two logs begin with alike, by halving; both have at least `until`, of which
    /// they are known to differ.
    pub fn common(
        &mut self,
        other: &mut Tree<'_>,
        until: TreeSize,
    ) -> Result<TreeSize, ShownError> {
        let (mut same, mut differ) = (0, until.0);
        while same + 1 < differ {
            let middle = TreeSize(same + (differ - same) / 2);
            if self.root_at(middle)? == other.root_at(middle)? {
                same = middle.0;
            } else {
                differ = middle.0;
            }
        }
        Ok(TreeSize(same))
    }

    /// Root of a whole tile, from the one above it.
    fn whole(&mut self, level: u8, index: u64) -> Result<Digest, ShownError> {
        let above = self.hashes(level + 1, index / WIDTH)?;
        Ok(above[(index % WIDTH) as usize])
    }
}

impl Entries {
    pub(crate) fn of(index: u64, leaves: Vec<Vec<u8>>) -> Self {
        let hashes = leaves.iter().map(|leaf| merkle::leaf_hash(leaf)).collect();
        Self { first: LeafIndex(index * WIDTH), leaves, hashes }
    }
}

/// The levels at which a log of `size` leaves has tiles.
pub(crate) fn levels(size: TreeSize) -> std::ops::Range<u8> {
    let count = (u64::BITS - size.0.leading_zeros()).div_ceil(LEVELS);
    0..count as u8
}

/// How many whole tiles a level has, which is the number of the partial one behind them, and how
/// many hashes that one has.
pub(crate) fn end(size: TreeSize, level: u8) -> (u64, u64) {
    let hashes = size.0 >> (u32::from(level) * LEVELS);
    (hashes / WIDTH, hashes % WIDTH)
}

fn tree_of(hashes: &[Digest]) -> Frontier {
    let mut frontier = Frontier::new();
    for hash in hashes {
        frontier.append(*hash);
    }
    frontier
}

#[cfg(test)]
mod tests;
