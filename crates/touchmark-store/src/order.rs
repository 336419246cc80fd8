//! Lists that are read page by page.

use crate::database::{DatabaseView, Table};
use crate::error::Error;
use crate::number;
use fjall::Slice;
use std::ops::Bound;
use touchmark_wire::ids::LeafIndex;

/// From which end a list is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// From the first on.
    OldestFirst,
    /// From the last back.
    NewestFirst,
}

/// Rows of `table` whose key begins with `prefix`, beyond the key `after` in the given order.
pub(crate) fn rows(
    database: &DatabaseView,
    table: Table,
    prefix: &[u8],
    order: Order,
    after: Option<&[u8]>,
) -> impl Iterator<Item = Result<(Slice, Slice), Error>> + use<> {
    let end = successor(prefix);
    let mut lower = Bound::Included(prefix);
    let mut upper = end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
    // A cursor from elsewhere must not lead out of the list.
    if let Some(after) = after.filter(|after| after.starts_with(prefix)) {
        match order {
            Order::OldestFirst => lower = Bound::Excluded(after),
            Order::NewestFirst => upper = Bound::Excluded(after),
        }
    }
    directed(database.range(table, (lower, upper)), order)
}

/// What is sorted, from that end.
pub(crate) fn directed<T>(
    mut sorted: impl DoubleEndedIterator<Item = T>,
    order: Order,
) -> impl Iterator<Item = T> {
    std::iter::from_fn(move || match order {
        Order::OldestFirst => sorted.next(),
        Order::NewestFirst => sorted.next_back(),
    })
}

/// A page of a list of leaves, whose keys are a prefix and the leaf index (8).
#[derive(Clone, Copy)]
pub(crate) struct LeafPage {
    pub(crate) order: Order,
    /// The leaf that it begins beyond.
    pub(crate) after: Option<LeafIndex>,
    /// Most leaves of it.
    pub(crate) limit: usize,
}

impl LeafPage {
    /// The first one, the oldest first.
    pub(crate) const fn first(limit: usize) -> Self {
        Self { order: Order::OldestFirst, after: None, limit }
    }

    pub(crate) fn read(
        self,
        database: &DatabaseView,
        table: Table,
        prefix: &[u8],
    ) -> Result<Vec<LeafIndex>, Error> {
        let after = self.after.map(|leaf| number::join(&[prefix, &leaf.0.to_be_bytes()]));
        rows(database, table, prefix, self.order, after.as_deref())
            .take(self.limit)
            .map(|row| {
                let (key, _) = row?;
                let (_, leaf) = key.split_last_chunk().ok_or(Error::Corrupt("history"))?;
                Ok(LeafIndex(u64::from_be_bytes(*leaf)))
            })
            .collect()
    }

    /// The page of a list that is kept in two parts, of their pages.
    pub(crate) fn merge(
        self,
        mut leaves: Vec<LeafIndex>,
        others: Vec<LeafIndex>,
    ) -> Vec<LeafIndex> {
        leaves.extend(others);
        leaves.sort_unstable();
        if self.order == Order::NewestFirst {
            leaves.reverse();
        }
        leaves.truncate(self.limit);
        leaves
    }
}

/// The first key after all that begin with `prefix`.
pub(crate) fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte < 0xff)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}
