//! The log's tree in tiles (C2SP tlog-tiles): 256 hashes of subtrees with 256^level leaves each.
//!
//! Stored are *runs*: the hashes that one batch adds to one tile.
//!
//! ```text
//! key    level (1) ‖ index of the first hash on its level (8, big-endian)
//! value  one or more hashes (32 each), all of the same tile
//! ```

use crate::database::{Table, Write};
use crate::error::Error;
use crate::snapshot::Snapshot;
use std::ops::{Bound, Range};
use std::sync::Arc;
use touchmark_ledger::Node;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{LeafIndex, TreeSize};
use touchmark_wire::merkle::{empty_root, node_hash};

/// Hashes of a full tile.
pub const TILE_WIDTH: u64 = 256;
/// Levels of the tree that a tile spans.
const TILE_LEVELS: u8 = 8;

/// Which tile: level and number on that level, both from 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct TilePlace {
    level: u8,
    number: u64,
}

/// A tile with every complete subtree inside of it.
pub(crate) struct Tile {
    /// At place `n` the roots of the subtrees of 2^n hashes, in order.
    levels: Vec<Vec<Digest>>,
}

impl Tile {
    fn new(hashes: Vec<Digest>) -> Self {
        let mut levels = vec![hashes];
        while let Some(below) = levels.last().filter(|below| below.len() > 1) {
            let above = below.as_chunks::<2>().0.iter().map(|[left, right]| node_hash(left, right));
            levels.push(above.collect());
        }
        Self { levels }
    }

    /// How many hashes it has.
    pub(crate) fn width(&self) -> usize {
        self.levels[0].len()
    }
}

/// Writes what a batch adds: the hashes of its leaves from `first` on, and the subtrees at
/// multiples of 8 levels that it completes.
pub(crate) fn write(
    write: &mut Write<'_>,
    first: LeafIndex,
    leaf_hashes: &[Digest],
    nodes: &[Node],
) {
    write_runs(write, 0, first.0, leaf_hashes);
    let mut levels: Vec<u8> = nodes.iter().map(|node| node.level).collect();
    levels.sort_unstable();
    levels.dedup();
    for level in levels {
        let own = || nodes.iter().filter(|node| node.level == level);
        let hashes: Vec<Digest> = own().map(|node| node.hash).collect();
        let first = own().map(|node| node.index).next().unwrap_or_default();
        write_runs(write, level / TILE_LEVELS, first, &hashes);
    }
}

fn write_runs(write: &mut Write<'_>, level: u8, mut first: u64, mut hashes: &[Digest]) {
    while !hashes.is_empty() {
        let room = (TILE_WIDTH - first % TILE_WIDTH) as usize;
        let (run, rest) = hashes.split_at(room.min(hashes.len()));
        let value: Vec<u8> = run.iter().flat_map(|hash| hash.0).collect();
        write.put(Table::Tile, run_key(level, first).to_vec(), value);
        first += run.len() as u64;
        hashes = rest;
    }
}

fn run_key(level: u8, first: u64) -> [u8; 9] {
    let mut key = [level; 9];
    key[1..].copy_from_slice(&first.to_be_bytes());
    key
}

impl Snapshot {
    /// The first `width` hashes (1 to 256) of a tile, concatenated, as C2SP tlog-tiles serves them.
    pub fn tile(&self, level: u8, number: u64, width: u16) -> Result<Vec<u8>, Error> {
        let width = u64::from(width);
        let first = number.checked_mul(TILE_WIDTH).ok_or(Error::NoTile)?;
        let end = first.checked_add(width).ok_or(Error::NoTile)?;
        let shift = u32::from(level) * u32::from(TILE_LEVELS);
        let hashes = self.size().0.checked_shr(shift).unwrap_or_default();
        if width == 0 || width > TILE_WIDTH || end > hashes {
            return Err(Error::NoTile);
        }
        let tile = self.load_tile(TilePlace { level, number }, width as usize)?;
        Ok(tile.levels[0][..width as usize].iter().flat_map(|hash| hash.0).collect())
    }

    /// Root of the log when it had `size` leaves (RFC 9162 §2.1.1).
    pub fn root(&self, size: TreeSize) -> Result<Digest, Error> {
        self.require_size(size)?;
        if size.0 == 0 { Ok(empty_root()) } else { self.subtree(0, size.0) }
    }

    /// Proves a leaf in the tree of `size` leaves (RFC 9162 §2.1.3.1).
    pub fn inclusion_path(&self, leaf: LeafIndex, size: TreeSize) -> Result<Vec<Digest>, Error> {
        self.require_size(size)?;
        if leaf.0 >= size.0 {
            return Err(Error::NoLeaf { leaf, size });
        }
        let (_, mut path) = self.descend(leaf, size, |subtree| subtree.end - subtree.start == 1)?;
        path.reverse();
        Ok(path)
    }

    /// Proves that the tree of `old` leaves is the beginning of that of `new` (RFC 9162
    /// §2.1.4.1). Equal sizes have an empty path. About the empty tree, with which every tree begins,
    /// there is nothing to prove, and the RFC defines no path: it is refused, as verifiers do.
    pub fn consistency_path(&self, old: TreeSize, new: TreeSize) -> Result<Vec<Digest>, Error> {
        self.require_size(new)?;
        if old > new {
            return Err(Error::NoTree { asked: old, size: new });
        }
        if old.0 == 0 {
            return Err(Error::EmptyTree);
        }
        if old == new {
            return Ok(Vec::new());
        }
        let last = LeafIndex(old.0 - 1);
        let (subtree, mut path) = self.descend(last, new, |subtree| subtree.end == old.0)?;
        if subtree.start > 0 {
            path.push(self.subtree(subtree.start, subtree.end)?);
        }
        path.reverse();
        Ok(path)
    }

    /// The first subtree that is the one, on the way from the root to `leaf`, and those beside that
    /// way.
    fn descend(
        &self,
        leaf: LeafIndex,
        size: TreeSize,
        is_it: impl Fn(&Range<u64>) -> bool,
    ) -> Result<(Range<u64>, Vec<Digest>), Error> {
        let mut subtree = 0..size.0;
        let mut beside = Vec::new();
        while !is_it(&subtree) {
            let middle = split(subtree.start, subtree.end);
            if leaf.0 < middle {
                beside.push(self.subtree(middle, subtree.end)?);
                subtree.end = middle;
            } else {
                beside.push(self.subtree(subtree.start, middle)?);
                subtree.start = middle;
            }
        }
        Ok((subtree, beside))
    }

    fn require_size(&self, asked: TreeSize) -> Result<(), Error> {
        let size = self.size();
        if asked <= size { Ok(()) } else { Err(Error::NoTree { asked, size }) }
    }

    /// Hash of the tree over the leaves `start..end`, at least one, that a walk from the root
    /// meets.
    fn subtree(&self, start: u64, end: u64) -> Result<Digest, Error> {
        let width = end - start;
        if width.is_power_of_two() {
            return self.complete(width.trailing_zeros() as u8, start / width);
        }
        let middle = split(start, end);
        Ok(node_hash(&self.subtree(start, middle)?, &self.subtree(middle, end)?))
    }

    /// Root of the `index`-th complete subtree of 2^`level` leaves.
    fn complete(&self, level: u8, index: u64) -> Result<Digest, Error> {
        let inside = level % TILE_LEVELS;
        let first = index << inside;
        let place = TilePlace { level: level / TILE_LEVELS, number: first / TILE_WIDTH };
        let offset = first % TILE_WIDTH;
        let tile = self.load_tile(place, (offset + (1 << inside)) as usize)?;
        Ok(tile.levels[usize::from(inside)][(offset >> inside) as usize])
    }

    /// A tile with at least `width` hashes.
    fn load_tile(&self, place: TilePlace, width: usize) -> Result<Arc<Tile>, Error> {
        if let Some(tile) = self.caches().tile(place, width) {
            return Ok(tile);
        }
        let first = run_key(place.level, place.number * TILE_WIDTH);
        let last = run_key(place.level, place.number * TILE_WIDTH + TILE_WIDTH - 1);
        let bounds = (Bound::Included(&first[..]), Bound::Included(&last[..]));
        let mut hashes = Vec::new();
        for run in self.database().range(Table::Tile, bounds) {
            let (_, run) = run?;
            let (run, []) = run.as_chunks::<32>() else {
                return Err(Error::Corrupt("tile"));
            };
            hashes.extend(run.iter().copied().map(Digest));
        }
        if hashes.len() < width || hashes.len() > TILE_WIDTH as usize {
            return Err(Error::Corrupt("tile"));
        }
        let tile = Arc::new(Tile::new(hashes));
        self.caches().fill_tile(place, tile.clone());
        Ok(tile)
    }
}

/// Where the tree over the leaves `start..end`, at least two, divides: after the largest power of
/// two that leaves something.
fn split(start: u64, end: u64) -> u64 {
    start + (end - start).next_power_of_two() / 2
}
