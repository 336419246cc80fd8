//! Channels, and what things are in them, as a node presents them.

use crate::{HeadView, HistoryView};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use touchmark_core::entry::{Attributes, Channel, ChannelChain};
use touchmark_core::refusal::ChainHead;
use touchmark_wire::ids::{ChannelId, ThingId};

/// Everything the state holds about a channel.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ChannelView {
    /// Id, 32 characters of base32.
    pub id: String,
    /// Who opened it, gives rights in it and closes it.
    pub author: String,
    /// Who can read it: `public`.
    pub kind: String,
    /// Who may write, beside the author: `granted` or `anyone`.
    pub writers: String,
    /// What it is about.
    pub attributes: BTreeMap<String, String>,
    /// Leaf that opened it.
    pub opened: u64,
    /// Leaf that closed it, for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<u64>,
    /// What is about and in it; mentions are of those who might not write.
    pub history: HistoryView,
    /// Size of the log that this answer is about.
    pub size: u64,
}

impl ChannelView {
    /// Puts the entries of a channel together.
    pub fn new(id: ChannelId, channel: &Channel, attributes: Attributes, size: u64) -> Self {
        Self {
            id: id.to_string(),
            author: channel.author.to_string(),
            kind: channel.kind.to_string(),
            writers: channel.writers.to_string(),
            attributes: attributes.0,
            opened: channel.opened.0,
            closed: channel.closed.map(|leaf| leaf.0),
            history: HistoryView {
                count: channel.history.count,
                hash: channel.history.hash.to_string(),
                mentions: channel.mentions.count,
                fork: None,
            },
            size,
        }
    }
}

/// A thing's rights and chain in a channel.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct WriterView {
    /// The channel.
    pub channel: String,
    /// The thing.
    pub thing: String,
    /// What the author granted.
    pub rights: Vec<String>,
    /// Leaf that gave or withdrew them last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    /// Whether the channel lets it write now: as the author, by a grant, or as anyone. Its own status
    /// and keys must let it, too.
    pub may_write: bool,
    /// Its chain in the channel: the next entry names `last` and has the place after `sequence`.
    pub head: HeadView,
    /// First leaf that proves a fork of that chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fork: Option<u64>,
    /// Size of the log that this answer is about.
    pub size: u64,
}

impl WriterView {
    /// What `thing` is in a channel.
    pub fn new(
        id: ChannelId,
        channel: &Channel,
        thing: ThingId,
        there: &ChannelChain,
        size: u64,
    ) -> Self {
        Self {
            channel: id.to_string(),
            thing: thing.to_string(),
            rights: there.rights.names().map(str::to_owned).collect(),
            since: there.since.map(|leaf| leaf.0),
            may_write: channel.closed.is_none() && channel.has_writer(thing, there.rights),
            head: ChainHead::from(&there.chain).into(),
            fork: there.chain.fork.map(|fork| fork.leaf.0),
            size,
        }
    }
}
