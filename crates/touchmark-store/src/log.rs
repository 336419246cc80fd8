//! The log's leaves and the batches that brought them.
//!
//! ```text
//! leaf    a run ([`crate::run`]) of leaves
//! batch   height (8)      ->  log size before the batch (8) ‖ encoded header
//! size    log size (8)    ->  height of the first batch that ends there (8)
//! ```
//! Numbers are big-endian. A batch's body is its leaves. Leaves that are sealed are elsewhere
//! ([`crate::sealed`]), and read here as if they were not.

use crate::bundle::Bundle;
use crate::database::{DatabaseView, Table, Write};
use crate::error::Error;
use crate::number;
use crate::run;
use crate::sealed::{self, Sealed};
use crate::snapshot::Snapshot;
use crate::tile::TILE_WIDTH;
use std::ops::{Bound, Range};
use std::sync::Arc;
use touchmark_batch::{Batch, BatchLimits};
use touchmark_wire::header::BatchHeader;
use touchmark_wire::ids::{Height, LeafIndex, TreeSize};

/// A stored batch without its body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredBatch {
    first: TreeSize,
    header: Vec<u8>,
}

impl StoredBatch {
    /// Log size before the batch: the index of its first leaf, if it has any.
    pub const fn first_leaf(&self) -> TreeSize {
        self.first
    }

    /// The encoded header, which certificates sign.
    pub fn header_bytes(&self) -> &[u8] {
        &self.header
    }

    /// The header's fields.
    pub fn header(&self) -> BatchHeader<'_> {
        BatchHeader::decode(&self.header).expect("the header was decoded when it was read")
    }

    fn decode(stored: &[u8]) -> Result<Self, Error> {
        let (first, header) = stored.split_first_chunk().ok_or(Error::Corrupt("batch"))?;
        BatchHeader::decode(header).map_err(|_| Error::Corrupt("batch"))?;
        Ok(Self { first: TreeSize(u64::from_be_bytes(*first)), header: header.to_vec() })
    }
}

/// Writes a batch; of its leaves not those below `sealed` that are kept elsewhere.
pub(crate) fn write(write: &mut Write<'_>, batch: &Batch, sealed: u64) {
    let first = batch.first_leaf();
    let height = number::bytes(batch.height().0);
    let mut stored = first.0.to_be_bytes().to_vec();
    stored.extend_from_slice(batch.header_bytes());
    write.put(Table::Batch, height, stored);
    if batch.size() > first || batch.height() == Height(0) {
        write.put(Table::Size, number::bytes(batch.size().0), height);
    }
    let here = |(index, leaf): &(u64, &[u8])| *index >= sealed || sealed::stays(leaf);
    run::write(write, Table::Leaf, (first.0..).zip(batch.leaves()).filter(here));
}

impl Snapshot {
    /// A leaf of the log.
    pub fn leaf(&self, index: LeafIndex) -> Result<Vec<u8>, Error> {
        self.require_leaf(index)?;
        self.log().leaf(index.0)
    }

    /// Leaves in order, those of `range` that the log has.
    pub fn leaves(
        &self,
        range: Range<LeafIndex>,
    ) -> impl Iterator<Item = Result<(LeafIndex, Vec<u8>), Error>> {
        let end = range.end.0.min(self.size().0);
        self.log().leaves(range.start.0..end)
    }

    /// The first `width` (1 to 256) leaves of a bundle as C2SP tlog-tiles serves them: each a
    /// big-endian u16 length and that many bytes.
    pub fn entry_bundle(&self, number: u64, width: u16) -> Result<Vec<u8>, Error> {
        let first = number.checked_mul(TILE_WIDTH).ok_or(Error::NoTile)?;
        let end = first.checked_add(width.into()).ok_or(Error::NoTile)?;
        if width == 0 || u64::from(width) > TILE_WIDTH || end > self.size().0 {
            return Err(Error::NoTile);
        }
        self.log().entry_bundle(number, width)
    }

    /// A batch's header and place; `None` above the tip.
    pub fn batch(&self, height: Height) -> Result<Option<StoredBatch>, Error> {
        self.database().stored_batch(height)
    }

    /// A batch with its body; `None` above the tip.
    pub fn whole_batch(&self, height: Height) -> Result<Option<Batch>, Error> {
        self.log().batch(height)
    }

    /// A batch's leaves, each after its length, as in a C2SP entry bundle.
    pub fn body(&self, batch: &StoredBatch) -> Result<Vec<u8>, Error> {
        self.log().body(batch.first.0..batch.header().size.0)
    }

    /// All batches above `after`, in order.
    pub fn batches(&self, after: Height) -> impl Iterator<Item = Result<Batch, Error>> + '_ {
        (after.0 + 1..=self.height().0).map(|height| {
            self.whole_batch(Height(height))
                .and_then(|batch| batch.ok_or(Error::Corrupt("list of batches")))
        })
    }

    /// The batch that a leaf is in.
    pub fn batch_of_leaf(&self, leaf: LeafIndex) -> Result<StoredBatch, Error> {
        self.require_leaf(leaf)?;
        let next = number::bytes(leaf.0 + 1);
        let bounds = (Bound::Included(&next[..]), Bound::Unbounded);
        let (_, height) = self
            .database()
            .range(Table::Size, bounds)
            .next()
            .ok_or(Error::Corrupt("list of sizes"))??;
        self.batch_at(&height)
    }

    /// The first batch after which the log had `size` leaves; `None` for a size in the middle of
    /// a batch, which is never certified.
    pub fn batch_of_size(&self, size: TreeSize) -> Result<Option<StoredBatch>, Error> {
        let height = self.database().get(Table::Size, &number::bytes(size.0))?;
        height.map(|height| self.batch_at(&height)).transpose()
    }

    pub(crate) fn require_leaf(&self, leaf: LeafIndex) -> Result<(), Error> {
        let size = self.size();
        if leaf.0 < size.0 { Ok(()) } else { Err(Error::NoLeaf { leaf, size }) }
    }

    fn log(&self) -> Log<'_> {
        Log { view: self.database(), sealed: self.sealed(), tree: Some(self) }
    }

    fn batch_at(&self, height: &[u8]) -> Result<StoredBatch, Error> {
        let height = number::read(height).ok_or(Error::Corrupt("list of sizes"))?;
        self.batch(Height(height))?.ok_or(Error::Corrupt("list of batches"))
    }
}

/// The log's leaves, wherever they are.
#[derive(Clone, Copy)]
pub(crate) struct Log<'a> {
    pub(crate) view: &'a DatabaseView,
    pub(crate) sealed: &'a Sealed,
    /// Knows the hashes of sealed leaves; without it, whoever reads checks.
    pub(crate) tree: Option<&'a Snapshot>,
}

impl<'a> Log<'a> {
    fn leaf(self, index: u64) -> Result<Vec<u8>, Error> {
        // Some sealed ones are here as well.
        if let Some(leaf) = self.view.in_run(Table::Leaf, index)? {
            return Ok(leaf);
        }
        if index >= self.sealed.leaves {
            return Err(Error::Corrupt("log"));
        }
        Ok(self.bundle(index / TILE_WIDTH)?.leaf(index % TILE_WIDTH).to_vec())
    }

    fn leaves(
        self,
        range: Range<u64>,
    ) -> impl Iterator<Item = Result<(LeafIndex, Vec<u8>), Error>> + use<'a> {
        let border = self.sealed.leaves.min(range.end).max(range.start);
        let sealed = range.start..border;
        let bundles = if sealed.is_empty() {
            0..0
        } else {
            sealed.start / TILE_WIDTH..sealed.end.div_ceil(TILE_WIDTH)
        };
        let elsewhere = bundles.flat_map(move |number| match self.bundle(number) {
            Ok(bundle) => {
                let first = number * TILE_WIDTH;
                let own = sealed.start.max(first)..sealed.end.min(first + TILE_WIDTH);
                own.map(|index| Ok((LeafIndex(index), bundle.leaf(index - first).to_vec())))
                    .collect()
            }
            Err(error) => vec![Err(error)],
        });
        elsewhere.chain(self.view.leaves(border..range.end))
    }

    /// Leaves as in an entry bundle and in a batch's body.
    fn body(self, leaves: Range<u64>) -> Result<Vec<u8>, Error> {
        body(leaves.end - leaves.start, self.leaves(leaves))
    }

    fn entry_bundle(self, number: u64, width: u16) -> Result<Vec<u8>, Error> {
        let first = number * TILE_WIDTH;
        if first < self.sealed.leaves {
            return Ok(self.bundle(number)?.first(width).to_vec());
        }
        self.body(first..first + u64::from(width))
    }

    /// A batch with its body.
    pub(crate) fn batch(self, height: Height) -> Result<Option<Batch>, Error> {
        self.view.batch_with(height, |leaves| self.body(leaves))
    }

    fn bundle(self, number: u64) -> Result<Arc<Bundle>, Error> {
        let hashes = |number| self.tree.map(|tree| tree.leaf_hashes(number)).transpose();
        self.sealed.bundles.get(number, hashes)
    }
}

/// So many leaves, each after its length.
fn body(
    mut missing: u64,
    leaves: impl Iterator<Item = Result<(LeafIndex, Vec<u8>), Error>>,
) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    for leaf in leaves {
        let (_, leaf) = leaf?;
        let length = u16::try_from(leaf.len()).map_err(|_| Error::Corrupt("log"))?;
        body.extend_from_slice(&length.to_be_bytes());
        body.extend_from_slice(&leaf);
        missing -= 1;
    }
    if missing == 0 { Ok(body) } else { Err(Error::Corrupt("log")) }
}

impl DatabaseView {
    fn leaves(
        &self,
        range: Range<u64>,
    ) -> impl Iterator<Item = Result<(LeafIndex, Vec<u8>), Error>> + use<> {
        let stored = self.runs_from(Table::Leaf, range.start);
        // Each is where it is expected, or is asked for and missing.
        range.zip(stored).map(|(expected, stored)| {
            let (index, leaf) = stored?;
            if index == expected {
                Ok((LeafIndex(index), leaf))
            } else {
                Err(Error::Corrupt("log"))
            }
        })
    }

    fn stored_batch(&self, height: Height) -> Result<Option<StoredBatch>, Error> {
        let stored = self.get(Table::Batch, &number::bytes(height.0))?;
        stored.map(|stored| StoredBatch::decode(&stored)).transpose()
    }

    /// A batch with its body, all of which is here.
    pub(crate) fn batch(&self, height: Height) -> Result<Option<Batch>, Error> {
        self.batch_with(height, |leaves| body(leaves.end - leaves.start, self.leaves(leaves)))
    }

    fn batch_with(
        &self,
        height: Height,
        body: impl FnOnce(Range<u64>) -> Result<Vec<u8>, Error>,
    ) -> Result<Option<Batch>, Error> {
        let Some(stored) = self.stored_batch(height)? else {
            return Ok(None);
        };
        let body = body(stored.first.0..stored.header().size.0)?;
        // The batch was within its limits when it was made.
        let limits = BatchLimits { body: usize::MAX, leaves: usize::MAX };
        let batch = Batch::from_parts(stored.header, body, limits);
        batch.map(Some).map_err(|_| Error::Corrupt("batch"))
    }
}
