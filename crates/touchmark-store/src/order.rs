//! Lists that are read page by page.

use crate::database::{DatabaseView, Table};
use crate::error::Error;
use fjall::Slice;
use std::ops::Bound;

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
    let mut rows = database.range(table, (lower, upper));
    std::iter::from_fn(move || match order {
        Order::OldestFirst => rows.next(),
        Order::NewestFirst => rows.next_back(),
    })
}

/// The first key after all that begin with `prefix`.
fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte < 0xff)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}
