//! A place in the stream of events, and the next page from there.

use std::fmt;
use std::str::FromStr;
use touchmark_api::EventView;
use touchmark_store::{Error, Order, Snapshot};
use touchmark_wire::ids::{ChannelId, LeafIndex, ThingId};

/// Most leaves of a page.
const PAGE: usize = 64;

/// The first event that was not told yet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Cursor {
    leaf: u64,
    index: u32,
}

/// The address of an event, or of the end of its leaf: what a listener has heard last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Heard {
    leaf: u64,
    index: u16,
}

impl Cursor {
    /// Before the first event of a leaf.
    pub(super) const fn before(leaf: u64) -> Self {
        Self { leaf, index: 0 }
    }

    /// What was told last; `None` before the first leaf.
    pub(super) fn last(self) -> Option<Heard> {
        match self.index.checked_sub(1) {
            Some(index) => {
                Some(Heard { leaf: self.leaf, index: u16::try_from(index).unwrap_or(u16::MAX) })
            }
            None => Some(Heard { leaf: self.leaf.checked_sub(1)?, index: u16::MAX }),
        }
    }
}

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.leaf, self.index)
    }
}

impl FromStr for Cursor {
    type Err = ();

    /// After the event that a listener has heard last, `leaf.index`.
    fn from_str(heard: &str) -> Result<Self, ()> {
        let (leaf, index) = heard.split_once('.').ok_or(())?;
        let leaf: u64 = leaf.parse().map_err(|_| ())?;
        let index: u16 = index.parse().map_err(|_| ())?;
        if leaf == u64::MAX {
            return Err(());
        }
        Ok(match index {
            u16::MAX => Self::before(leaf + 1),
            _ => Self { leaf, index: u32::from(index) + 1 },
        })
    }
}

/// Of what a listener hears.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scope {
    /// Everything.
    Log,
    /// The history of a thing, and its mentions.
    Thing(ThingId),
    /// What is about or in a channel.
    Channel(ChannelId),
}

/// Events from a cursor on.
pub(super) struct Page {
    pub(super) events: Vec<EventView>,
    /// Where to go on.
    pub(super) next: Cursor,
    /// Whether there is nothing beyond it now.
    pub(super) complete: bool,
}

impl Scope {
    pub(super) fn page(self, reader: &Snapshot, from: Cursor) -> Result<Page, Error> {
        let (before, order) = (from.leaf.checked_sub(1).map(LeafIndex), Order::OldestFirst);
        let listed = match self {
            Self::Log => None,
            Self::Thing(thing) => Some(reader.history(thing, order, before, PAGE)?),
            Self::Channel(channel) => Some(reader.channel_leaves(channel, order, before, PAGE)?),
        };
        let happened = |leaf| reader.happened(leaf)?.ok_or(Error::Corrupt("list of events"));
        let leaves: Vec<_> = match listed {
            Some(listed) => listed.into_iter().map(happened).collect::<Result<_, _>>()?,
            None => {
                reader.happened_from(LeafIndex(from.leaf)).take(PAGE).collect::<Result<_, _>>()?
            }
        };
        let complete = leaves.len() < PAGE;
        let next = leaves.last().map_or(from, |last| Cursor::before(last.leaf.0 + 1));
        let mut events = Vec::new();
        for happened in &leaves {
            for (index, event) in (0..).zip(&happened.events) {
                let address = Cursor { leaf: happened.leaf.0, index: u32::from(index) };
                if address >= from {
                    events.push(EventView::new(happened.leaf, index, &happened.submission, event));
                }
            }
        }
        Ok(Page { events, next, complete })
    }
}

#[cfg(test)]
mod tests {
    use super::Cursor;

    #[test]
    fn whoever_heard_an_event_goes_on_after_it() {
        let after = |text: &str| text.parse::<Cursor>();
        assert_eq!(after("17.0"), Ok(Cursor { leaf: 17, index: 1 }));
        assert_eq!(after("17.65535"), Ok(Cursor::before(18)));
        for wrong in ["", "17", "17.", ".1", "17.65536", "-1.0", "18446744073709551615.65535"] {
            assert_eq!(after(wrong), Err(()), "{wrong}");
        }
        for cursor in [Cursor::before(1), Cursor { leaf: 3, index: 2 }] {
            assert_eq!(after(&cursor.last().unwrap().to_string()), Ok(cursor));
        }
        assert_eq!(Cursor::before(0).last(), None);
    }
}
