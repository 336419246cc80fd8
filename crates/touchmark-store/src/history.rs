//! The leaves in the history of a thing, and those that mention it.
//!
//! ```text
//! history   thing (20) ‖ leaf index (8)   ->  nothing
//! mention   thing (20) ‖ leaf index (8)   ->  nothing
//! ```

use crate::database::{Table, Write};
use crate::error::Error;
use crate::number;
use crate::order::{LeafPage, Order};
use crate::snapshot::Snapshot;
use touchmark_ledger::Execution;
use touchmark_wire::ids::{LeafIndex, ThingId};

pub(crate) fn write(write: &mut Write<'_>, execution: &Execution) {
    for happened in &execution.happened {
        let lists = [(Table::History, &happened.about), (Table::Mention, &happened.mentioned)];
        for (table, things) in lists {
            for thing in things {
                let key = number::join(&[&thing.0, &happened.leaf.0.to_be_bytes()]);
                write.put(table, key, []);
            }
        }
    }
}

impl Snapshot {
    /// The leaves in the history of a thing and those that mention it, beyond `after`, at most
    /// `limit`. Their number is `count` and `mentions` of the thing's head.
    pub fn history(
        &self,
        thing: ThingId,
        order: Order,
        after: Option<LeafIndex>,
        limit: usize,
    ) -> Result<Vec<LeafIndex>, Error> {
        let page = LeafPage { order, after, limit };
        let history = page.read(self.database(), Table::History, &thing.0)?;
        let mentions = page.read(self.database(), Table::Mention, &thing.0)?;
        Ok(page.merge(history, mentions))
    }

    /// The leaves that the thing's `count` and running hash are of, the oldest first, at most
    /// `limit`: what others say of it is not among them.
    pub fn complete_history(&self, thing: ThingId, limit: usize) -> Result<Vec<LeafIndex>, Error> {
        LeafPage::first(limit).read(self.database(), Table::History, &thing.0)
    }

    /// The leaves in which others mention the thing, the oldest first, at most `limit`: those of
    /// its `mentions` and their running hash.
    pub fn mentions(&self, thing: ThingId, limit: usize) -> Result<Vec<LeafIndex>, Error> {
        LeafPage::first(limit).read(self.database(), Table::Mention, &thing.0)
    }
}
