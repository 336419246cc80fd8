//! Certificates of batches, for a node that is given both by others.
//!
//! ```text
//! certificate   height (8)  ->  the engine's certificate of that batch
//! ```
//! A certificate covers the batches before it up to the one before. Of the present term and the one
//! before it all are here that were kept; of earlier terms those of the last batch.

use crate::database::{Table, Write};
use crate::error::Error;
use crate::number;
use crate::snapshot::Snapshot;
use crate::store::Store;
use std::ops::Bound;
use touchmark_wire::ids::Height;
use touchmark_wire::limits::TERM;

impl Store {
    /// Keeps the certificate of a batch that is about to be committed: a snapshot with the batch
    /// has its certificate, also after a crash.
    pub fn keep_certificate(&self, height: Height, certificate: &[u8]) -> Result<(), Error> {
        let mut write = self.begin_write();
        write.put(Table::Certificate, number::bytes(height.0), certificate);
        if height.ends_term() {
            self.thin_out(&mut write, height)?;
        }
        // On the disk with the batch: the commits of one database end up there in their order.
        write.commit_lazily()
    }

    /// Of the term before the one that ends at `last`, leaves only what proves its end.
    fn thin_out(&self, write: &mut Write<'_>, last: Height) -> Result<(), Error> {
        let Some(end) = last.0.checked_sub(TERM) else { return Ok(()) };
        let bounds = [(end + 1).saturating_sub(TERM), end].map(number::bytes);
        let bounds = (Bound::Included(&bounds[0][..]), Bound::Excluded(&bounds[1][..]));
        for row in self.snapshot().database().range(Table::Certificate, bounds) {
            write.remove(Table::Certificate, row?.0);
        }
        Ok(())
    }
}

impl Snapshot {
    /// The nearest certificate of a batch at or above `height`, and of which.
    pub fn certificate(&self, height: Height) -> Result<Option<(Height, Vec<u8>)>, Error> {
        let from = number::bytes(height.0);
        let bounds = (Bound::Included(&from[..]), Bound::Unbounded);
        let Some(row) = self.database().range(Table::Certificate, bounds).next() else {
            return Ok(None);
        };
        let (key, certificate) = row?;
        let height = number::read(&key).ok_or(Error::Corrupt("list of certificates"))?;
        Ok(Some((Height(height), certificate.to_vec())))
    }
}
