//! A channel, and what a thing is in one.

use super::{Fork, extend_running};
use minicbor::{Decode, Encode};
use touchmark_wire::hash::{Digest, domain};
use touchmark_wire::ids::{LeafIndex, NetworkId, Sequence, StatementId, ThingId};
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
    /// How many leaves there are about it by its author, and in it by those who might write.
    #[n(5)]
    pub count: u64,
    /// Running hash over them.
    #[n(6)]
    pub history: Digest,
    /// How many leaves in it are of those who might not write.
    #[n(7)]
    pub mentions: u64,
    /// Running hash over them.
    #[n(8)]
    pub mentioned: Digest,
}

impl Channel {
    /// As the leaf at `opened` opens it.
    pub(crate) fn new(
        author: ThingId,
        kind: ChannelKind,
        writers: Writers,
        opened: LeafIndex,
    ) -> Self {
        let (count, mentions) = (0, 0);
        let (history, mentioned) = (Digest::default(), Digest::default());
        let closed = None;
        Self { author, kind, writers, opened, closed, count, history, mentions, mentioned }
    }

    /// Whether a thing with these rights is among the writers; of a closed channel, was.
    pub fn has_writer(&self, thing: ThingId, rights: Rights) -> bool {
        thing == self.author || self.writers == Writers::ANYONE || rights.contains(Rights::WRITE)
    }

    /// Takes a leaf into the history.
    pub(crate) fn extend(&mut self, position: LeafIndex, leaf_hash: &Digest) {
        self.count += 1;
        self.history = extend_channel_history(&self.history, position, leaf_hash);
    }

    /// Takes a leaf of somebody who may not write among the mentions.
    pub(crate) fn mention(&mut self, position: LeafIndex, leaf_hash: &Digest) {
        self.mentions += 1;
        self.mentioned = extend_channel_history(&self.mentioned, position, leaf_hash);
    }
}

/// One step of a channel's running hash: as that of a thing, in a domain of its own.
pub fn extend_channel_history(before: &Digest, position: LeafIndex, leaf_hash: &Digest) -> Digest {
    extend_running(domain::CHANNEL_HISTORY, before, position, leaf_hash)
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
    /// Place of the last statement; 0 before the first.
    #[n(0)]
    pub sequence: Sequence,
    /// Id of that statement; the network id before the first.
    #[n(1)]
    pub last: Digest,
    /// The first fork of the chain, if it was ever forked.
    #[n(2)]
    pub fork: Option<Fork>,
    /// What the author granted.
    #[n(3)]
    pub rights: Rights,
    /// Leaf that gave or withdrew them last.
    #[n(4)]
    pub since: Option<LeafIndex>,
}

impl ChannelChain {
    /// Before the first statement, without rights.
    pub fn new(network: NetworkId) -> Self {
        let (sequence, last, rights) = (Sequence(0), network.0, Rights::NONE);
        Self { sequence, last, fork: None, rights, since: None }
    }

    /// The statement at `sequence` stands.
    pub(crate) fn advance(&mut self, sequence: Sequence, id: StatementId) {
        self.sequence = sequence;
        self.last = id.0;
    }
}
