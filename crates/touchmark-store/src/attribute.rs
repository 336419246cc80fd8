//! Search for things by their present attributes: exact, or by the beginning of the value.
//!
//! ```text
//! attribute   1 ‖ value ‖ end ‖ name ‖ end ‖ thing (20)                      ->  nothing
//!             2 ‖ controller (20) ‖ value ‖ end ‖ name ‖ end ‖ thing (20)    ->  nothing
//! ```
//! Rows 2 are of things that the controller registered. `end` is 00 01 and a zero byte of a text is
//! 00 ff, so texts sort and none is taken for another.

use crate::catalog;
use crate::database::{Table, Write};
use crate::error::Error;
use crate::order::{self, Order};
use crate::snapshot::Snapshot;
use std::collections::{BTreeMap, BTreeSet};
use touchmark_core::entry::Entry;
use touchmark_core::event::Event;
use touchmark_ledger::Execution;
use touchmark_wire::ids::ThingId;
use touchmark_wire::registry::EntryKind;
use touchmark_wire::state::StateKey;

/// What to look for; upper and lower case differ.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Search<'a> {
    /// This text.
    pub value: Value<'a>,
    /// Among the things that this one registered; among all of them without it.
    pub controller: Option<ThingId>,
}

/// A text to look for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value<'a> {
    /// The whole value of any attribute.
    Exact(&'a str),
    /// The whole value of the attribute of this name.
    Of {
        /// The name.
        name: &'a str,
        /// The value.
        value: &'a str,
    },
    /// The beginning of the value of any attribute.
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

/// A part of the index: of all things, or of those of one controller.
#[derive(Clone, Copy)]
struct Part(Option<ThingId>);

impl Part {
    fn prefix(self) -> Vec<u8> {
        match self {
            Self(None) => vec![1],
            Self(Some(controller)) => [&[2], &controller.0[..]].concat(),
        }
    }

    fn key(self, name: &str, value: &str, thing: ThingId) -> Vec<u8> {
        let mut key = self.prefix();
        write_whole(&mut key, value);
        write_whole(&mut key, name);
        key.extend_from_slice(&thing.0);
        key
    }

    fn read(self, key: &[u8]) -> Option<Match> {
        let (rest, thing) = key.split_last_chunk()?;
        let mut rest = rest.get(self.prefix().len()..)?;
        let (value, name) = (read_text(&mut rest)?, read_text(&mut rest)?);
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

fn write_whole(key: &mut Vec<u8>, text: &str) {
    write_text(key, text);
    key.extend_from_slice(END);
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
        let stored = if catalog::comes_with(before, execution, thing) {
            None
        } else {
            before.load_entry(&key).ok().flatten()
        };
        let (old, new) =
            (texts(stored.as_deref()), texts(execution.entries.get(&key).map(AsRef::as_ref)));
        let word = catalog::word(before, execution, thing).map(|word| word.controller);
        for part in [None].into_iter().chain(word.map(Some)).map(Part) {
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
    /// Things whose present attributes match, sorted by value, name and id, beyond `after`, at
    /// most `limit`.
    pub fn find(
        &self,
        search: Search<'_>,
        after: Option<&Match>,
        limit: usize,
    ) -> Result<Vec<Match>, Error> {
        let part = Part(search.controller);
        let mut prefix = part.prefix();
        match search.value {
            Value::Exact(value) => write_whole(&mut prefix, value),
            Value::Of { name, value } => {
                write_whole(&mut prefix, value);
                write_whole(&mut prefix, name);
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
