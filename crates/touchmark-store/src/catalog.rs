//! Lists of things, in the order of their registration.
//!
//! ```text
//! catalog   list ‖ first leaf (8)        ->  for each thing: leaf − first leaf (4) ‖ thing (20)
//!           list: 0 | 1 ‖ kind (1) | 2 ‖ controller (20) | 3 ‖ controller (20) ‖ kind (1)
//!           4 ‖ controller (20) ‖ status (1) ‖ leaf (8) ‖ thing (20)    ->  nothing
//! ```
//! What a batch adds to one of the lists 0 to 3 stands in runs of at least [`RUN`] things, as far as
//! it goes; things that one leaf registered are in one run. The lists of a status have those things
//! that are not active: few, which change.
//!
//! A thing is in the lists of a controller that registered it. What merely names somebody as its
//! controller is not: that is no word of the controller's, and anybody can say it.

use crate::database::{DatabaseView, Table, Write};
use crate::error::Error;
use crate::number;
use crate::order::{self, Order};
use crate::snapshot::Snapshot;
use fjall::Slice;
use std::collections::BTreeMap;
use std::ops::Bound;
use touchmark_core::entry::{Entry, Thing};
use touchmark_core::event::Event;
use touchmark_ledger::{Execution, Happened, StateView as _};
use touchmark_wire::ids::{LeafIndex, ThingId};
use touchmark_wire::registry::{EntryKind, Status, ThingKind};
use touchmark_wire::state::StateKey;

/// Things of a run, after which the next one begins.
const RUN: usize = 32;
/// Bytes of a thing in a run.
const PART: usize = 24;

/// Which things.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Listing {
    /// All.
    All,
    /// Those that stand for something of this kind.
    Kind(ThingKind),
    /// Those that this thing registered, as their controller.
    Controller(ThingId),
    /// Those of them that stand for something of this kind.
    ControllerKind(ThingId, ThingKind),
    /// Those of them that have this status now, which is not *active*: nothing lists those.
    ControllerStatus(ThingId, Status),
}

/// A thing and the leaf that registered it; also the cursor of a listing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ListedThing {
    /// The leaf that registered it.
    pub created: LeafIndex,
    /// The thing.
    pub thing: ThingId,
}

impl Listing {
    fn prefix(self) -> Vec<u8> {
        match self {
            Self::All => vec![0],
            Self::Kind(kind) => vec![1, kind.0],
            Self::Controller(controller) => [&[2], &controller.0[..]].concat(),
            Self::ControllerKind(controller, kind) => [&[3], &controller.0[..], &[kind.0]].concat(),
            Self::ControllerStatus(controller, status) => {
                [&[4], &controller.0[..], &[status.0]].concat()
            }
        }
    }

    /// The row of a thing in the list of a status.
    fn key(self, listed: ListedThing) -> Slice {
        number::join(&[&self.prefix(), &number::bytes(listed.created.0), &listed.thing.0])
    }
}

/// Writes all lists; returns how many things are new.
pub(crate) fn write(write: &mut Write<'_>, before: &Snapshot, execution: &Execution) -> u64 {
    let mut lists: BTreeMap<Vec<u8>, Vec<ListedThing>> = BTreeMap::new();
    let mut registered = 0;
    for happened in &execution.happened {
        for event in &happened.events {
            match event {
                Event::ThingRegistered { thing, kind, controller } => {
                    let listed = ListedThing { created: happened.leaf, thing: *thing };
                    let word = controller.filter(|controller| registers(happened, *controller));
                    let of = word.into_iter().flat_map(|controller| {
                        [
                            Listing::Controller(controller),
                            Listing::ControllerKind(controller, *kind),
                        ]
                    });
                    for list in [Listing::All, Listing::Kind(*kind)].into_iter().chain(of) {
                        lists.entry(list.prefix()).or_default().push(listed);
                    }
                    list_status(write, before, execution, *thing);
                    registered += 1;
                }
                Event::StatusChanged { thing, .. } => {
                    list_status(write, before, execution, *thing);
                }
                _ => {}
            }
        }
    }
    for (list, mut things) in lists {
        things.sort_unstable();
        for run in runs(&things) {
            write.put(Table::Catalog, run_key(&list, run[0].created), encode(run));
        }
    }
    registered
}

/// Parts of at least [`RUN`] things, as far as they go, none of which ends within a leaf.
fn runs(mut things: &[ListedThing]) -> impl Iterator<Item = &[ListedThing]> {
    std::iter::from_fn(move || {
        let full = things.get(RUN - 1).map(|last| last.created);
        let end = full.map_or(things.len(), |full| things.partition_point(|it| it.created <= full));
        let (run, rest) = things.split_at(end);
        things = rest;
        (!run.is_empty()).then_some(run)
    })
}

fn run_key(list: &[u8], first: LeafIndex) -> Slice {
    number::join(&[list, &number::bytes(first.0)])
}

fn encode(run: &[ListedThing]) -> Vec<u8> {
    let first = run[0].created.0;
    let mut bytes = Vec::with_capacity(run.len() * PART);
    for listed in run {
        // Leaves of one batch.
        bytes.extend_from_slice(&((listed.created.0 - first) as u32).to_be_bytes());
        bytes.extend_from_slice(&listed.thing.0);
    }
    bytes
}

fn decode(key: &[u8], run: &[u8]) -> Result<Vec<ListedThing>, Error> {
    const CORRUPT: Error = Error::Corrupt("list of things");
    let (_, first) = key.split_last_chunk().ok_or(CORRUPT)?;
    let (parts, []) = run.as_chunks::<PART>() else { return Err(CORRUPT) };
    let listed = |part: &[u8; PART]| {
        let (offset, thing) = part.split_first_chunk()?;
        let created = u64::from_be_bytes(*first).checked_add(u32::from_be_bytes(*offset).into())?;
        Some(ListedThing { created: LeafIndex(created), thing: ThingId(thing.try_into().ok()?) })
    };
    parts.iter().map(|part| listed(part).ok_or(CORRUPT)).collect()
}

/// Whether it is `controller` that registered what a leaf registers: such a leaf is also about its
/// issuer or actor, and a thing that presents itself is alone in it.
fn registers(happened: &Happened, controller: ThingId) -> bool {
    happened.about.contains(&controller)
}

/// Moves a thing from the list of its status before the batch to that of the one after it. Where
/// the state before cannot be read, the old row stays: the index never holds up the log.
fn list_status(write: &mut Write<'_>, before: &Snapshot, execution: &Execution, id: ThingId) {
    let Some(new) = changed(execution, id) else { return };
    let old = if is_new(before, new) {
        None
    } else {
        before.load_entry(&StateKey::thing(id, EntryKind::THING)).ok().flatten()
    };
    let old = match old.as_deref() {
        Some(Entry::Thing(thing)) => Some(thing.status()),
        _ => None,
    };
    let listed = |status: &Status| *status != Status::ACTIVE;
    let (old, new) = (old.filter(listed), Some(new.status()).filter(listed));
    // Of one key a batch has either a removal or a value.
    if old == new {
        return;
    }
    let Some(word) = word(before, execution, id) else { return };
    let thing = ListedThing { created: word.created, thing: id };
    let row = |status| Listing::ControllerStatus(word.controller, status).key(thing);
    if let Some(old) = old {
        write.remove(Table::Catalog, row(old));
    }
    if let Some(new) = new {
        write.put(Table::Catalog, row(new), []);
    }
}

/// A thing as a batch left it, if it changed it.
fn changed(execution: &Execution, id: ThingId) -> Option<&Thing> {
    match execution.entries.get(&StateKey::thing(id, EntryKind::THING)).map(AsRef::as_ref) {
        Some(Entry::Thing(thing)) => Some(thing),
        _ => None,
    }
}

/// Whether it came with this batch.
fn is_new(before: &Snapshot, thing: &Thing) -> bool {
    thing.created.0 >= before.tip().frontier.size().0
}

/// Whether a batch registered a thing: nothing about it was stored before.
pub(crate) fn comes_with(before: &Snapshot, execution: &Execution, id: ThingId) -> bool {
    changed(execution, id).is_some_and(|thing| is_new(before, thing))
}

/// That a controller registered a thing, and where.
pub(crate) struct Word {
    pub(crate) controller: ThingId,
    created: LeafIndex,
}

/// Whose thing `id` is by its controller's own word, in this batch or before it.
pub(crate) fn word(before: &Snapshot, execution: &Execution, id: ThingId) -> Option<Word> {
    let key = StateKey::thing(id, EntryKind::THING);
    let known = match execution.entries.get(&key) {
        Some(entry) => Some(entry.clone()),
        None => before.load_entry(&key).ok().flatten(),
    };
    let Some(Entry::Thing(thing)) = known.as_deref() else { return None };
    let word = Word { controller: thing.controller?, created: thing.created };
    let happened = &execution.happened;
    let place = happened.binary_search_by_key(&word.created, |happened| happened.leaf);
    let holds = if let Ok(place) = place {
        registers(&happened[place], word.controller)
    } else {
        let listed = ListedThing { created: word.created, thing: id };
        let list = Listing::Controller(word.controller).prefix();
        before.database().has_listed(&list, listed).unwrap_or_default()
    };
    holds.then_some(word)
}

impl DatabaseView {
    /// The run of a list in which a leaf's things would be.
    fn run_of(&self, list: &[u8], leaf: LeafIndex) -> Result<Option<(Slice, Slice)>, Error> {
        let last = run_key(list, leaf);
        let bounds = (Bound::Included(list), Bound::Included(&last[..]));
        self.range(Table::Catalog, bounds).next_back().transpose()
    }

    fn has_listed(&self, list: &[u8], listed: ListedThing) -> Result<bool, Error> {
        let Some((key, run)) = self.run_of(list, listed.created)? else { return Ok(false) };
        Ok(decode(&key, &run)?.contains(&listed))
    }
}

impl Snapshot {
    /// Things in the order of their registration, beyond `after`, at most `limit`.
    pub fn things(
        &self,
        listing: Listing,
        order: Order,
        after: Option<ListedThing>,
        limit: usize,
    ) -> Result<Vec<ListedThing>, Error> {
        if matches!(listing, Listing::ControllerStatus(..)) {
            let after = after.map(|listed| listing.key(listed));
            let prefix = listing.prefix();
            let rows =
                order::rows(self.database(), Table::Catalog, &prefix, order, after.as_deref());
            return rows.take(limit).map(|row| read(&row?.0)).collect();
        }
        let (list, mut things) = (listing.prefix(), Vec::new());
        for row in self.runs(&list, order, after)? {
            let (key, run) = row?;
            let mut run = decode(&key, &run)?;
            if order == Order::NewestFirst {
                run.reverse();
            }
            things.extend(run.into_iter().filter(|listed| {
                after.is_none_or(|after| match order {
                    Order::OldestFirst => *listed > after,
                    Order::NewestFirst => *listed < after,
                })
            }));
            if things.len() >= limit {
                things.truncate(limit);
                break;
            }
        }
        Ok(things)
    }

    /// The runs of a list, from the one on that `after` would be in.
    fn runs(
        &self,
        list: &[u8],
        order: Order,
        after: Option<ListedThing>,
    ) -> Result<impl Iterator<Item = Result<(Slice, Slice), Error>> + use<>, Error> {
        let (mut first, mut last) = (list.to_vec(), order::successor(list));
        match (order, after) {
            (Order::OldestFirst, Some(after)) => {
                let run = self.database().run_of(list, after.created)?;
                first = run.map_or(first, |(key, _)| key.to_vec());
            }
            (Order::NewestFirst, Some(after)) => {
                last = order::successor(&run_key(list, after.created));
            }
            (_, None) => {}
        }
        let end = last.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let rows = self.database().range(Table::Catalog, (Bound::Included(&first[..]), end));
        Ok(order::directed(rows, order))
    }
}

fn read(key: &[u8]) -> Result<ListedThing, Error> {
    let parts = || {
        let (rest, thing) = key.split_last_chunk()?;
        let (_, created) = rest.split_last_chunk()?;
        Some(ListedThing {
            created: LeafIndex(u64::from_be_bytes(*created)),
            thing: ThingId(*thing),
        })
    };
    parts().ok_or(Error::Corrupt("list of things"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A thing for each leaf, in order.
    fn listed(leaves: impl IntoIterator<Item = u64>) -> Vec<ListedThing> {
        let thing = |(place, leaf): (usize, u64)| ListedThing {
            created: LeafIndex(leaf),
            thing: ThingId([place as u8; 20]),
        };
        leaves.into_iter().enumerate().map(thing).collect()
    }

    #[test]
    fn runs_are_full_and_none_ends_within_a_leaf() {
        let sizes = |leaves: Vec<u64>| -> Vec<usize> {
            let things = listed(leaves);
            let found: Vec<_> = runs(&things).map(<[_]>::len).collect();
            assert_eq!(runs(&things).flatten().copied().collect::<Vec<_>>(), things);
            found
        };
        assert!(sizes(vec![]).is_empty());
        assert_eq!(sizes(vec![7]), [1]);
        assert_eq!(sizes((0..64).collect()), [RUN, RUN]);
        assert_eq!(sizes((0..65).collect()), [RUN, RUN, 1]);
        // The 32nd and the nine after it were registered by one leaf.
        assert_eq!(sizes((0..31).chain([40; 10]).chain(50..53).collect()), [41, 3]);
    }

    #[test]
    fn a_run_is_read_as_it_was_written_and_nothing_else_is() {
        let things = listed([1 << 40, 1 << 40, (1 << 40) + 5_000_000]);
        let (key, run) = (run_key(&Listing::All.prefix(), things[0].created), encode(&things));
        assert_eq!(decode(&key, &run).unwrap(), things);
        assert!(decode(&key, &run[..run.len() - 1]).is_err());
        assert!(decode(&key[..7], &run).is_err());
        let last = run_key(&Listing::All.prefix(), LeafIndex(u64::MAX));
        assert!(decode(&last, &run).is_err(), "beyond the last leaf that there can be");
    }
}
