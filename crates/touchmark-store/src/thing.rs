//! Lists of things, and of the leaves in the history of a thing or that mention it.
//!
//! ```text
//! history   thing (20) ‖ leaf index (8)                        ->  nothing
//! mention   thing (20) ‖ leaf index (8)                        ->  nothing
//! catalog   list ‖ leaf that registered it (8) ‖ thing (20)    ->  nothing
//!           list: 0 | 1 ‖ kind (1) | 2 ‖ controller (20)
//!               | 3 ‖ controller (20) ‖ kind (1) | 4 ‖ controller (20) ‖ status (1)
//! ```
//! A thing is in the lists of a controller that registered it. What merely names somebody as its
//! controller is not: that is no word of the controller's, and anybody can say it.

use crate::database::{Table, Write};
use crate::error::Error;
use crate::number;
use crate::order::{self, LeafPage, Order};
use crate::snapshot::Snapshot;
use fjall::Slice;
use touchmark_core::entry::Entry;
use touchmark_core::event::Event;
use touchmark_ledger::{Execution, Happened};
use touchmark_wire::ids::{LeafIndex, ThingId};
use touchmark_wire::registry::{EntryKind, Status, ThingKind};
use touchmark_wire::state::StateKey;

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
    /// Those of them that have this status now.
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

    fn key(self, listed: ListedThing) -> Slice {
        number::join(&[&self.prefix(), &listed.created.0.to_be_bytes(), &listed.thing.0])
    }
}

/// Writes all lists; returns how many things are new.
pub(crate) fn write(write: &mut Write<'_>, before: &Snapshot, execution: &Execution) -> u64 {
    let mut registered = 0;
    for happened in &execution.happened {
        let lists = [(Table::History, &happened.about), (Table::Mention, &happened.mentioned)];
        for (table, things) in lists {
            for thing in things {
                let key = number::join(&[&thing.0, &happened.leaf.0.to_be_bytes()]);
                write.put(table, key, []);
            }
        }
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
                        write.put(Table::Catalog, list.key(listed), []);
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
    registered
}

/// Whether it is `controller` that registered what a leaf registers: such a leaf is also about its
/// issuer or actor, and a thing that presents itself is alone in it.
fn registers(happened: &Happened, controller: ThingId) -> bool {
    happened.about.contains(&controller)
}

/// Moves a thing from the list of its status before the batch to that of the one after it. Where
/// the state before cannot be read, the old row stays: the index never holds up the log.
fn list_status(write: &mut Write<'_>, before: &Snapshot, execution: &Execution, id: ThingId) {
    let Some(word) = word(before, execution, id) else { return };
    let key = StateKey::thing(id, EntryKind::THING);
    let listed = ListedThing { created: word.created, thing: id };
    let row = |entry: Option<&Entry>| match entry {
        Some(Entry::Thing(thing)) => {
            Some(Listing::ControllerStatus(word.controller, thing.status()).key(listed))
        }
        _ => None,
    };
    let old = row(before.load_entry(&key).ok().flatten().as_deref());
    let new = row(execution.entries.get(&key).map(AsRef::as_ref));
    // Of one key a batch has either a removal or a value.
    if old != new {
        if let Some(old) = old {
            write.remove(Table::Catalog, old);
        }
        if let Some(new) = new {
            write.put(Table::Catalog, new, []);
        }
    }
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
        let row = Listing::Controller(word.controller).key(listed);
        before.database().get(Table::Catalog, &row).ok().flatten().is_some()
    };
    holds.then_some(word)
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

    /// Things in the order of their registration, beyond `after`, at most `limit`.
    pub fn things(
        &self,
        listing: Listing,
        order: Order,
        after: Option<ListedThing>,
        limit: usize,
    ) -> Result<Vec<ListedThing>, Error> {
        let after = after.map(|listed| listing.key(listed));
        order::rows(self.database(), Table::Catalog, &listing.prefix(), order, after.as_deref())
            .take(limit)
            .map(|row| {
                let (key, _) = row?;
                read(&key).ok_or(Error::Corrupt("list of things"))
            })
            .collect()
    }
}

fn read(key: &[u8]) -> Option<ListedThing> {
    let (rest, thing) = key.split_last_chunk()?;
    let (_, created) = rest.split_last_chunk()?;
    Some(ListedThing { created: LeafIndex(u64::from_be_bytes(*created)), thing: ThingId(*thing) })
}
