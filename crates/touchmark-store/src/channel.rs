//! Lists of channels, of their writers, and of the leaves about and in a channel.
//!
//! ```text
//! channel leaf   0 (history) | 1 (mention) ‖ channel (20) ‖ leaf index (8)   ->  nothing
//! channel        list ‖ leaf that opened it (8) ‖ channel (20)              ->  nothing
//!                list: 0 | 1 ‖ author (20)
//!                2 ‖ channel (20) ‖ thing (20)                              ->  nothing
//! ```
//! The last are the things that have rights in a channel now. Mentions stand apart, so that what
//! others say in a channel costs the reading of its history nothing.

use crate::database::{Table, Write};
use crate::error::Error;
use crate::number;
use crate::order::{self, LeafPage, Order};
use crate::snapshot::Snapshot;
use fjall::Slice;
use touchmark_core::entry::{Entry, Rights};
use touchmark_core::event::{ChannelEvent, Event};
use touchmark_core::view::InChannel;
use touchmark_ledger::Execution;
use touchmark_wire::ids::{ChannelId, LeafIndex, ThingId};
use touchmark_wire::state::StateKey;

/// Which channels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChannelListing {
    /// All.
    All,
    /// Those that this thing opened.
    Author(ThingId),
}

/// A channel and the leaf that opened it; also the cursor of a listing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ListedChannel {
    /// The leaf that opened it.
    pub opened: LeafIndex,
    /// The channel.
    pub channel: ChannelId,
}

impl ChannelListing {
    fn prefix(self) -> Vec<u8> {
        match self {
            Self::All => vec![0],
            Self::Author(author) => [&[1], &author.0[..]].concat(),
        }
    }

    fn key(self, listed: ListedChannel) -> Slice {
        number::join(&[&self.prefix(), &listed.opened.0.to_be_bytes(), &listed.channel.0])
    }
}

fn writers(channel: ChannelId) -> Vec<u8> {
    [&[2], &channel.0[..]].concat()
}

fn leaves(place: InChannel) -> Vec<u8> {
    let list: u8 = match place {
        InChannel::History(_) => 0,
        InChannel::Mention(_) => 1,
    };
    [&[list], &place.channel().0[..]].concat()
}

pub(crate) fn write(write: &mut Write<'_>, execution: &Execution) {
    for happened in &execution.happened {
        if let Some(place) = happened.channel {
            let key = number::join(&[&leaves(place), &happened.leaf.0.to_be_bytes()]);
            write.put(Table::ChannelLeaf, key, []);
        }
        for event in &happened.events {
            let Event::Channel { channel, event } = event else { continue };
            let channel = *channel;
            match *event {
                ChannelEvent::Opened { author, .. } => {
                    let listed = ListedChannel { opened: happened.leaf, channel };
                    for list in [ChannelListing::All, ChannelListing::Author(author)] {
                        write.put(Table::Channel, list.key(listed), []);
                    }
                }
                ChannelEvent::AccessGranted { thing, .. }
                | ChannelEvent::AccessWithdrawn { thing } => {
                    list_writer(write, execution, channel, thing);
                }
                ChannelEvent::Closed | ChannelEvent::EntryWritten { .. } => {}
            }
        }
    }
}

/// Lists a thing by the rights that it has after the batch: of one key a batch has either a removal
/// or a value.
fn list_writer(write: &mut Write<'_>, execution: &Execution, channel: ChannelId, thing: ThingId) {
    let entry = execution.entries.get(&StateKey::channel_chain(channel, thing));
    let Some(Entry::ChannelChain(chain)) = entry.map(AsRef::as_ref) else { return };
    let key = number::join(&[&writers(channel), &thing.0]);
    if chain.rights == Rights::NONE {
        write.remove(Table::Channel, key);
    } else {
        write.put(Table::Channel, key, []);
    }
}

impl Snapshot {
    /// Channels in the order of their opening, beyond `after`, at most `limit`.
    pub fn channels(
        &self,
        listing: ChannelListing,
        order: Order,
        after: Option<ListedChannel>,
        limit: usize,
    ) -> Result<Vec<ListedChannel>, Error> {
        let after = after.map(|listed| listing.key(listed));
        order::rows(self.database(), Table::Channel, &listing.prefix(), order, after.as_deref())
            .take(limit)
            .map(|row| {
                let (key, _) = row?;
                read(&key).ok_or(Error::Corrupt("list of channels"))
            })
            .collect()
    }

    /// The things that have rights in a channel, by id, beyond `after`, at most `limit`.
    pub fn writers(
        &self,
        channel: ChannelId,
        after: Option<ThingId>,
        limit: usize,
    ) -> Result<Vec<ThingId>, Error> {
        let prefix = writers(channel);
        let after = after.map(|thing| number::join(&[&prefix, &thing.0]));
        let order = Order::OldestFirst;
        order::rows(self.database(), Table::Channel, &prefix, order, after.as_deref())
            .take(limit)
            .map(|row| {
                let (key, _) = row?;
                let (_, thing) = key.split_last_chunk().ok_or(Error::Corrupt("list of writers"))?;
                Ok(ThingId(*thing))
            })
            .collect()
    }

    /// The leaves about and in a channel, whoever made them, beyond `after`, at most `limit`. Their
    /// number is `count` and `mentions` of the channel.
    pub fn channel_leaves(
        &self,
        channel: ChannelId,
        order: Order,
        after: Option<LeafIndex>,
        limit: usize,
    ) -> Result<Vec<LeafIndex>, Error> {
        let page = LeafPage { order, after, limit };
        let history = self.leaves_at(InChannel::History(channel), page)?;
        let mentions = self.leaves_at(InChannel::Mention(channel), page)?;
        Ok(page.merge(history, mentions))
    }

    /// The leaves that the channel's `count` and running hash are of, the oldest first, at most
    /// `limit`.
    pub fn complete_channel(
        &self,
        channel: ChannelId,
        limit: usize,
    ) -> Result<Vec<LeafIndex>, Error> {
        self.leaves_at(InChannel::History(channel), LeafPage::first(limit))
    }

    fn leaves_at(&self, place: InChannel, page: LeafPage) -> Result<Vec<LeafIndex>, Error> {
        page.read(self.database(), Table::ChannelLeaf, &leaves(place))
    }
}

fn read(key: &[u8]) -> Option<ListedChannel> {
    let (rest, channel) = key.split_last_chunk()?;
    let (_, opened) = rest.split_last_chunk()?;
    let opened = LeafIndex(u64::from_be_bytes(*opened));
    Some(ListedChannel { opened, channel: ChannelId(*channel) })
}
