//! A channel, and what a thing is in one.

use super::{Chain, Tally};
use minicbor::{Decode, Encode};
use touchmark_wire::ids::{LeafIndex, NetworkId, ThingId};
use touchmark_wire::registry::{ChannelKind, Writers};

/// A channel: who opened it, who may write, and what is in it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Channel {
    /// Who opened it, gives rights in it and closes it.
    #[n(0)]
    pub author: ThingId,
    /// Who can read it.
    #[n(1)]
    pub kind: ChannelKind,
    /// Who may write, beside the author.
    #[n(2)]
    pub writers: Writers,
    /// Leaf that opened it.
    #[n(3)]
    pub opened: LeafIndex,
    /// Leaf that closed it, for good.
    #[n(4)]
    pub closed: Option<LeafIndex>,
    /// The leaves about it by its author, and in it by those who might write.
    #[n(5)]
    pub history: Tally,
    /// The leaves in it of those who might not write.
    #[n(6)]
    pub mentions: Tally,
}

impl Channel {
    /// As the leaf at `opened` opens it.
    pub(crate) fn new(
        author: ThingId,
        kind: ChannelKind,
        writers: Writers,
        opened: LeafIndex,
    ) -> Self {
        let (history, mentions) = (Tally::default(), Tally::default());
        Self { author, kind, writers, opened, closed: None, history, mentions }
    }

    /// Whether a thing with these rights is among the writers; of a closed channel, was.
    pub fn has_writer(&self, thing: ThingId, rights: Rights) -> bool {
        thing == self.author || self.writers == Writers::ANYONE || rights.contains(Rights::WRITE)
    }
}

/// What a thing may do in a channel; a sum of the constants.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct Rights(#[n(0)] pub u8);

impl Rights {
    /// Nothing that not everybody may do.
    pub const NONE: Self = Self(0);
    /// Writes entries.
    pub const WRITE: Self = Self(1);

    /// Whether all of `needed` are among these.
    pub const fn contains(self, needed: Self) -> bool {
        self.0 & needed.0 == needed.0
    }

    /// Whether these are a sum of the constants.
    pub const fn is_known(self) -> bool {
        self.0 & !Self::WRITE.0 == 0
    }

    /// The single rights among these, by name.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let all = [(Self::WRITE, "write")];
        all.into_iter().filter(move |(one, _)| self.contains(*one)).map(|(_, name)| name)
    }
}

/// A thing's rights and chain in a channel.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct ChannelChain {
    /// Its chain there.
    #[n(0)]
    pub chain: Chain,
    /// What the author granted.
    #[n(1)]
    pub rights: Rights,
    /// Leaf that gave or withdrew them last.
    #[n(2)]
    pub since: Option<LeafIndex>,
}

impl ChannelChain {
    /// Before the first statement, without rights.
    pub const fn new(network: NetworkId) -> Self {
        Self { chain: Chain::new(network), rights: Rights::NONE, since: None }
    }
}
