//! The part of the log that is not here: leaves in full entry bundles, kept in object storage.
//!
//! ```text
//! sealed   "leaves"  ->  how many leaves of the log, from the first, are sealed (8, big-endian)
//! ```
//! A bundle is sealed in this order: it is written, read back and compared, and then one durable
//! commit says that it is sealed and removes its leaves here. A crash in between repeats what was
//! done. What comes back later is compared with the hashes in the log's tree, which stays here, so
//! nobody needs to trust whoever keeps it.
//!
//! Statements that appoint committees stay here as well: every proof begins with them.

use crate::bundle::{self, Bundle, Bundles};
use crate::database::{DatabaseView, Table, Write};
use crate::error::Error;
use crate::number;
use crate::run;
use crate::snapshot::Snapshot;
use crate::store::Store;
use crate::tile::TILE_WIDTH;
use std::ops::{Bound, Range};
use std::sync::Arc;
use touchmark_core::view::View as _;
use touchmark_ledger::StateView as _;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::LeafIndex;
use touchmark_wire::leaf::Leaf;
use touchmark_wire::registry::StatementKind;
use touchmark_wire::statement::Statement;

/// Where full entry bundles are kept beside the store.
///
/// A bundle is what C2SP tlog-tiles serves under its number: 256 leaves, each a big-endian u16 length
/// and that many bytes. An error is a reason in a sentence.
pub trait SealedLog: Send + Sync {
    /// Reads bundles by their numbers; what became of each, in order.
    fn read(&self, bundles: &[u64]) -> Vec<Result<Vec<u8>, String>>;

    /// Writes bundles, each with its number; returns when all of them are kept.
    fn write(&self, bundles: Vec<(u64, Vec<u8>)>) -> Result<(), String>;

    /// Does `work`, which waits for [`Self::read`]: where a thread must not wait, out of its way.
    fn aside(&self, work: &mut dyn FnMut()) {
        work();
    }
}

/// How it goes with the sealed part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealedStatus {
    /// How many leaves are sealed, from the first.
    pub leaves: u64,
    /// Bundles that were read since the start.
    pub read: u64,
    /// Bundles that could not be read, or not be written, since the start.
    pub failed: u64,
    /// Bundles that were not what they have to be, since the start.
    pub wrong: u64,
    /// Why the last try failed, if it did.
    pub fault: Option<String>,
}

/// How far a log is sealed, and where that part is read.
#[derive(Clone)]
pub(crate) struct Sealed {
    /// How many leaves, from the first: a multiple of a bundle's.
    pub(crate) leaves: u64,
    pub(crate) bundles: Arc<Bundles>,
}

impl Sealed {
    /// What a database says of itself.
    pub(crate) fn of(view: &DatabaseView, bundles: Arc<Bundles>) -> Result<Self, Error> {
        let stored = view.get(Table::Sealed, KEY)?;
        let leaves = stored.map_or(Some(0), |stored| decode(&stored));
        Ok(Self { leaves: leaves.ok_or(Error::Corrupt("sealed size"))?, bundles })
    }
}

/// The only key of its table.
const KEY: &[u8] = b"leaves";

/// How many leaves are sealed, as it is stored.
pub(crate) fn decode(stored: &[u8]) -> Option<u64> {
    number::read(stored).filter(|leaves| leaves.is_multiple_of(TILE_WIDTH))
}

/// Says how many leaves are sealed.
pub(crate) fn write(write: &mut Write<'_>, leaves: u64) {
    write.put(Table::Sealed, KEY, number::bytes(leaves));
}

/// Whether a leaf stays here though it is sealed.
pub(crate) fn stays(leaf: &[u8]) -> bool {
    let Ok(Leaf::Accepted(statement)) = Leaf::decode(leaf) else { return false };
    Statement::parse(statement).is_ok_and(|it| it.protected().link.kind == StatementKind::APPOINT)
}

/// Most bundles of a step, and most bytes but for the last of them.
const STEP: (u64, usize) = (64, 8 << 20);

impl Store {
    /// Says where sealed bundles are kept; the first word counts.
    pub fn keep_sealed_in(&self, kept: Arc<dyn SealedLog>) {
        self.snapshot().sealed().bundles.keep_in(kept);
    }

    /// How it goes with the sealed part.
    pub fn sealed(&self) -> SealedStatus {
        let snapshot = self.snapshot();
        snapshot.sealed().bundles.status(snapshot.sealed().leaves)
    }

    /// Seals the next bundles that are older than the last `tail` leaves; how many. Zero: there are
    /// none. On an error nothing is sealed, and the next call begins with the same ones.
    pub fn seal(&self, tail: u64) -> Result<u64, Error> {
        let snapshot = self.snapshot();
        let sealed = snapshot.sealed();
        let kept = sealed.bundles.kept()?;
        let first = sealed.leaves / TILE_WIDTH;
        // The last batch is read at every start.
        let end = snapshot.tip().batch.first_leaf().0.min(snapshot.size().0.saturating_sub(tail));
        let mut step: Vec<(u64, Vec<u8>)> = Vec::new();
        let mut bytes = 0;
        for number in (first..end / TILE_WIDTH).take(STEP.0 as usize) {
            let bundle = snapshot.entry_bundle(number, TILE_WIDTH as u16)?;
            bytes += bundle.len();
            step.push((number, bundle));
            if bytes >= STEP.1 {
                break;
            }
        }
        let Some((last, _)) = step.last() else { return Ok(0) };
        let (end, count) = (last + 1, step.len() as u64);
        let numbers: Vec<u64> = step.iter().map(|(number, _)| *number).collect();
        let unkept = |reason| sealed.bundles.failed(first, reason);
        kept.write(step.clone()).map_err(unkept)?;
        for ((number, bundle), back) in step.into_iter().zip(bundle::read(kept.as_ref(), &numbers))
        {
            let back = back.map_err(|reason| sealed.bundles.failed(number, reason))?;
            // What is here is of no use either, if it is not what the tree says.
            Bundle::checked(bundle, Some(&snapshot.leaf_hashes(number)?))
                .ok_or(Error::Corrupt("log"))
                .and_then(|own| {
                    if own.bytes() == back { Ok(()) } else { Err(sealed.bundles.wrong(number)) }
                })?;
        }
        sealed.bundles.worked();
        self.take_for_sealed(first * TILE_WIDTH..end * TILE_WIDTH)?;
        Ok(count)
    }

    /// Reads the last sealed bundle where it is kept, if there is one: to know whether that works.
    pub fn look_at_sealed(&self) -> Result<(), Error> {
        let snapshot = self.snapshot();
        let sealed = snapshot.sealed();
        let Some(last) = (sealed.leaves / TILE_WIDTH).checked_sub(1) else { return Ok(()) };
        sealed.bundles.read_again(last, &snapshot.leaf_hashes(last)?)
    }

    /// Removes leaves that are kept elsewhere, and says so, at once.
    fn take_for_sealed(&self, leaves: Range<u64>) -> Result<(), Error> {
        if leaves.start == 0 {
            self.database().mark_sealed(self.snapshot().network())?;
        }
        let snapshot = self.snapshot();
        let mut write = self.begin_write();
        self::write(&mut write, leaves.end);
        // No commit changes these rows, so none has to wait for this.
        let bounds = [leaves.start, leaves.end].map(number::bytes);
        let bounds = (Bound::Included(&bounds[0][..]), Bound::Excluded(&bounds[1][..]));
        for row in snapshot.database().range(Table::Leaf, bounds) {
            let (key, run) = row?;
            let first = number::read(&key).ok_or(Error::Corrupt("log"))?;
            let mut staying = Vec::new();
            for part in run::parts(first, &run) {
                let (leaf, content) = part.ok_or(Error::Corrupt("log"))?;
                if stays(&run[content.clone()]) {
                    staying.push((leaf, &run[content]));
                }
            }
            // One write has one word about a key.
            if staying.first().is_none_or(|(leaf, _)| *leaf != first) {
                write.remove(Table::Leaf, key);
            }
            run::write(&mut write, Table::Leaf, staying);
        }
        let _one_at_a_time = self.lock_writing();
        // Somebody else was faster, perhaps by more than this.
        if self.snapshot().sealed().leaves != leaves.start {
            return Ok(());
        }
        write.commit()?;
        self.show_sealed(leaves.end);
        Ok(())
    }

    /// Begins a store whose first leaves are sealed already.
    pub(crate) fn begin_sealed(&self, leaves: u64) -> Result<(), Error> {
        let _one_at_a_time = self.lock_writing();
        let mut write = self.begin_write();
        self::write(&mut write, leaves);
        write.commit_lazily()?;
        self.show_sealed(leaves);
        Ok(())
    }

    /// Gives the room of removed leaves back to the file system. It reads what is left of them, so it
    /// is worth it after many.
    pub fn reclaim(&self) -> Result<(), Error> {
        self.database().reclaim(Table::Leaf)
    }
}

impl Snapshot {
    /// The hashes of a full bundle's leaves.
    pub(crate) fn leaf_hashes(&self, bundle: u64) -> Result<Vec<Digest>, Error> {
        self.first_hashes(bundle, TILE_WIDTH)
    }

    /// A leaf's hash in the log's tree, which is here wherever the leaf is.
    pub fn leaf_hash(&self, leaf: LeafIndex) -> Result<Digest, Error> {
        self.require_leaf(leaf)?;
        let hashes = self.first_hashes(leaf.0 / TILE_WIDTH, leaf.0 % TILE_WIDTH + 1)?;
        hashes.last().copied().ok_or(Error::Corrupt("tile"))
    }

    /// The hashes of the first `width` leaves of a bundle.
    fn first_hashes(&self, bundle: u64, width: u64) -> Result<Vec<Digest>, Error> {
        let tile = self.tile(0, bundle, width as u16)?;
        let (hashes, []) = tile.as_chunks() else { return Err(Error::Corrupt("tile")) };
        Ok(hashes.iter().copied().map(Digest).collect())
    }

    /// Leaves that [`Self::fetch`] looks at.
    pub const FETCHED: usize = 64;

    /// Reads the sealed bundles that hold the first [`Self::FETCHED`] of these leaves, many at a
    /// time, for whoever asks for the leaves next. What cannot be read is said when it is asked for.
    pub fn fetch(&self, leaves: &[LeafIndex]) {
        let sealed = self.sealed();
        let own = leaves.iter().take(Self::FETCHED).filter(|leaf| leaf.0 < sealed.leaves);
        let mut numbers: Vec<u64> = own.map(|leaf| leaf.0 / TILE_WIDTH).collect();
        numbers.sort_unstable();
        numbers.dedup();
        sealed.bundles.fetch(numbers, |number| self.leaf_hashes(number));
    }
}
