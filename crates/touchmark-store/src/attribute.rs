//! Search for things by their present attributes: exact, or by the beginning of the value.
//!
//! ```text
//! attribute   1 ‖ name ‖ end ‖ value ‖ end ‖ thing (20)                      ->  nothing
//!             2 ‖ value ‖ end ‖ name ‖ end ‖ thing (20)                      ->  nothing
//!             3 ‖ controller (20) ‖ name ‖ end ‖ value ‖ end ‖ thing (20)    ->  nothing
//!             4 ‖ controller (20) ‖ value ‖ end ‖ name ‖ end ‖ thing (20)    ->  nothing
//! ```
//! Rows 3 and 4 are of things that the controller registered. `end` is 00 01 and a zero byte of a text is 00 ff, so texts sort and none is taken for another.

use crate::database::{Table, Write};
use crate::error::Error;
use crate::order::{self, Order};
use crate::snapshot::Snapshot;
use crate::thing;
use std::collections::{BTreeMap, BTreeSet};
use touchmark_core::entry::Entry;
use touchmark_core::event::Event;
use touchmark_ledger::Execution;
use touchmark_wire::ids::ThingId;
use touchmark_wire::registry::EntryKind;
use touchmark_wire::state::StateKey;

/// What to look for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Search<'a> {
    /// In this attribute; in all of them without a name.
    pub name: Option<&'a str>,
    /// This value.
    pub value: Value<'a>,
    /// Among the things that this one registered; among all of them without it.
    pub controller: Option<ThingId>,
}

/// A value to look for; upper and lower case differ.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value<'a> {
    /// The whole value.
    Exact(&'a str),
    /// Its beginning.
    Prefix(&'a str),
}

/// A thing with an attribute that matches; also the cursor of a search.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Match {
    /// The attribute.
    pub name: String,
    /// Its whole value.
    pub value: String,
    /// The thing.
    pub thing: ThingId,
}

/// Which text of a row comes first.
#[derive(Clone, Copy)]
enum Side {
    Name,
    Value,
}

/// A part of the index: one side, of all things or of those of one controller.
#[derive(Clone, Copy)]
struct Part {
    side: Side,
    controller: Option<ThingId>,
}

impl Part {
    fn prefix(self) -> Vec<u8> {
        let mark = match (self.side, self.controller) {
            (Side::Name, None) => 1,
            (Side::Value, None) => 2,
            (Side::Name, Some(_)) => 3,
            (Side::Value, Some(_)) => 4,
        };
        let mut prefix = vec![mark];
        prefix.extend(self.controller.iter().flat_map(|controller| controller.0));
        prefix
    }

    fn key(self, name: &str, value: &str, thing: ThingId) -> Vec<u8> {
        let (first, second) = match self.side {
            Side::Name => (name, value),
            Side::Value => (value, name),
        };
        let mut key = self.prefix();
        for text in [first, second] {
            write_text(&mut key, text);
            key.extend_from_slice(END);
        }
        key.extend_from_slice(&thing.0);
        key
    }

    fn read(self, key: &[u8]) -> Option<Match> {
        let (rest, thing) = key.split_last_chunk()?;
        let mut rest = rest.get(self.prefix().len()..)?;
        let (first, second) = (read_text(&mut rest)?, read_text(&mut rest)?);
        let (name, value) = match self.side {
            Side::Name => (first, second),
            Side::Value => (second, first),
        };
        Some(Match { name, value, thing: ThingId(*thing) })
    }
}

const END: &[u8] = &[0, 1];

fn write_text(key: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        key.push(byte);
        if byte == 0 {
            key.push(0xff);
        }
    }
}

fn read_text(bytes: &mut &[u8]) -> Option<String> {
    let mut text = Vec::new();
    loop {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        if *byte == 0 {
            let (next, rest) = bytes.split_first()?;
            *bytes = rest;
            if *next == END[1] {
                return String::from_utf8(text).ok();
            }
        }
        text.push(*byte);
    }
}

/// Brings the index up to date with the attributes that a batch changed. Where the attributes
/// before cannot be read, the index keeps what it has: it never holds up the log.
pub(crate) fn write(write: &mut Write<'_>, before: &Snapshot, execution: &Execution) {
    let events = execution.happened.iter().flat_map(|happened| &happened.events);
    let changed: BTreeSet<ThingId> = events
        .filter_map(|event| match event {
            Event::AttributesChanged { thing, .. } => Some(*thing),
            _ => None,
        })
        .collect();
    for thing in changed {
        let key = StateKey::thing(thing, EntryKind::ATTRIBUTES);
        let stored = before.load_entry(&key).ok().flatten();
        let (old, new) =
            (texts(stored.as_deref()), texts(execution.entries.get(&key).map(AsRef::as_ref)));
        let word = thing::word(before, execution, thing).map(|word| word.controller);
        let scopes = std::iter::once(None).chain(word.map(Some));
        let parts = scopes
            .flat_map(|controller| [Side::Name, Side::Value].map(|side| Part { side, controller }));
        for part in parts {
            for (name, value) in old.iter().filter(|(name, value)| new.get(*name) != Some(value)) {
                write.remove(Table::Attribute, part.key(name, value, thing));
            }
            for (name, value) in new.iter().filter(|(name, value)| old.get(*name) != Some(value)) {
                write.put(Table::Attribute, part.key(name, value, thing), []);
            }
        }
    }
}

fn texts(entry: Option<&Entry>) -> BTreeMap<&str, &str> {
    match entry {
        Some(Entry::Attributes(attributes)) => {
            attributes.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
        }
        _ => BTreeMap::new(),
    }
}

impl Snapshot {
    /// Things whose present attributes match, sorted by name (if one is given), value and id,
    /// beyond `after`, at most `limit`.
    pub fn find(
        &self,
        search: Search<'_>,
        after: Option<&Match>,
        limit: usize,
    ) -> Result<Vec<Match>, Error> {
        let side = if search.name.is_some() { Side::Name } else { Side::Value };
        let part = Part { side, controller: search.controller };
        let mut prefix = part.prefix();
        if let Some(name) = search.name {
            write_text(&mut prefix, name);
            prefix.extend_from_slice(END);
        }
        match search.value {
            Value::Exact(value) => {
                write_text(&mut prefix, value);
                prefix.extend_from_slice(END);
            }
            Value::Prefix(start) => write_text(&mut prefix, start),
        }
        let after = after.map(|last| part.key(&last.name, &last.value, last.thing));
        let order = Order::OldestFirst;
        order::rows(self.database(), Table::Attribute, &prefix, order, after.as_deref())
            .take(limit)
            .map(|row| {
                let (key, _) = row?;
                part.read(&key).ok_or(Error::Corrupt("index of attributes"))
            })
            .collect()
    }
}
