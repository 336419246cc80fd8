//! What the state holds, one value per [`StateKey`]; deterministic CBOR arrays.

mod accreditation;
mod chain;
mod channel;
mod tally;

pub use accreditation::{Accreditation, Period, WordThen};
pub use chain::{Chain, Fork};
pub use channel::{Channel, ChannelChain, Rights};
pub use tally::Tally;

use crate::directory::prerotation::NextKeys;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use touchmark_wire::algorithm::CoseKey;
use touchmark_wire::codec::{self, Malformed};
use touchmark_wire::genesis::Committee;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Height, KeyNumber, LeafIndex, NetworkId, ThingId};
use touchmark_wire::limits;
use touchmark_wire::registry::{EntryKind, Status, ThingKind};
use touchmark_wire::state::StateKey;

/// A value of the state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Entry {
    /// Keys, status and controller of a thing.
    Thing(Thing),
    /// Main chain and history of a thing.
    Head(Head),
    /// One thing's word for another.
    Accreditation(Accreditation),
    /// Attributes of a thing or channel.
    Attributes(Attributes),
    /// A thing's rights and chain in a channel.
    ChannelChain(ChannelChain),
    /// A channel.
    Channel(Channel),
    /// A key that is no longer valid.
    ClosedKey(KeyState),
    /// A committee after genesis'.
    Committee(Appointed),
    /// A usage counter.
    Counter(Counter),
}

impl Entry {
    /// Decodes the value at `key`; the kind of entry is in the key.
    pub fn decode(key: &StateKey, value: &[u8]) -> Result<Self, Malformed> {
        let limit = limits::STATE_VALUE;
        match key.kind() {
            EntryKind::THING => codec::decode(value, limit).map(Self::Thing),
            EntryKind::HEAD => codec::decode(value, limit).map(Self::Head),
            EntryKind::ACCREDITATION => codec::decode(value, limit).map(Self::Accreditation),
            EntryKind::ATTRIBUTES => codec::decode(value, limit).map(Self::Attributes),
            EntryKind::CHANNEL_CHAIN => codec::decode(value, limit).map(Self::ChannelChain),
            EntryKind::CHANNEL => codec::decode(value, limit).map(Self::Channel),
            EntryKind::CLOSED_KEY => codec::decode(value, limit).map(Self::ClosedKey),
            EntryKind::COMMITTEE => codec::decode(value, limit).map(Self::Committee),
            kind if kind >= EntryKind::COUNTER => codec::decode(value, limit).map(Self::Counter),
            _ => Err(Malformed::Shape),
        }
    }

    /// The value's encoding.
    pub fn encode_to_vec(&self) -> Vec<u8> {
        match self {
            Self::Thing(entry) => codec::encode(entry),
            Self::Head(entry) => codec::encode(entry),
            Self::Accreditation(entry) => codec::encode(entry),
            Self::Attributes(entry) => codec::encode(entry),
            Self::ChannelChain(entry) => codec::encode(entry),
            Self::Channel(entry) => codec::encode(entry),
            Self::ClosedKey(entry) => codec::encode(entry),
            Self::Committee(entry) => codec::encode(entry),
            Self::Counter(entry) => codec::encode(entry),
        }
    }
}

/// What a key may be used for; a sum of the constants.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(transparent)]
pub struct Purposes(#[n(0)] pub u8);

impl Purposes {
    /// No purpose in particular: what is asked of a key that may be declared for anything.
    pub const ANY: Self = Self(0);
    /// Signs records and wraps evidence.
    pub const RECORD: Self = Self(1);
    /// Signs what changes the directory: keys, status, attributes, accreditation.
    pub const CONTROL: Self = Self(2);
    /// Signs evidence in a format of its own (cards).
    pub const EVIDENCE: Self = Self(4);
    /// Signs challenges.
    pub const AUTHENTICATE: Self = Self(8);
    /// Agrees on keys for encryption.
    pub const AGREE: Self = Self(16);
    /// Records and control: the usual key of a device or organisation.
    pub const GENERAL: Self = Self(1 | 2 | 8);
    /// Evidence and challenges: the usual key of a card.
    pub const CARD: Self = Self(4 | 8);

    const NAMES: [(Self, &'static str); 5] = [
        (Self::RECORD, "record"),
        (Self::CONTROL, "control"),
        (Self::EVIDENCE, "evidence"),
        (Self::AUTHENTICATE, "authenticate"),
        (Self::AGREE, "agree"),
    ];

    /// The single purpose with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(_, known)| *known == name).map(|(one, _)| one)
    }

    /// The single purposes among these, by name.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(one, _)| self.contains(*one)).map(|(_, name)| name)
    }

    /// Whether all of `needed` are among these.
    pub const fn contains(self, needed: Self) -> bool {
        self.0 & needed.0 == needed.0
    }

    /// Whether these are one or more of the constants.
    pub const fn is_known(self) -> bool {
        self.0 != 0 && self.0 < 32
    }
}

/// A key of a thing.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct KeyState {
    /// Its number, never used again.
    #[n(0)]
    pub number: KeyNumber,
    /// The key.
    #[n(1)]
    pub key: CoseKey,
    /// What it may be used for.
    #[n(2)]
    pub purposes: Purposes,
    /// What its signature counts towards the thing's threshold.
    #[n(3)]
    pub weight: u16,
    /// Leaf that made it valid; it counts from the next leaf on.
    #[n(4)]
    pub from: LeafIndex,
    /// Leaf that ended it: the last that it counts for, as it may have signed that leaf itself.
    #[n(5)]
    pub to: Option<LeafIndex>,
}

impl KeyState {
    /// Whether the key counts for a statement at `position`.
    pub fn is_valid_at(&self, position: LeafIndex) -> bool {
        self.from < position && self.to.is_none_or(|to| position <= to)
    }
}

/// A change of status.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct StatusChange {
    /// The status.
    #[n(0)]
    pub status: Status,
    /// Leaf that set it.
    #[n(1)]
    pub at: LeafIndex,
    /// The application's own reason.
    #[n(2)]
    pub reason: Option<String>,
}

/// What a thing's entry tells of its status at an earlier position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StatusThen<'a> {
    /// There was no such thing.
    NotRegistered,
    /// The change that held.
    Known(&'a StatusChange),
    /// The entry keeps the last [`Thing::STATUS_CHANGES`] changes, and this was before them: it is
    /// not known from the state alone. The thing's history tells.
    Forgotten,
}

impl StatusThen<'_> {
    /// The status, where it is known.
    pub fn status(&self) -> Option<Status> {
        match self {
            Self::Known(change) => Some(change.status),
            Self::NotRegistered | Self::Forgotten => None,
        }
    }
}

/// Keys, status and controller of a thing.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Thing {
    /// What it stands for.
    #[n(0)]
    pub kind: ThingKind,
    /// Who may change its status and, without pre-rotation, its keys: the thing's own choice, see
    /// [`Self::confirmed`].
    #[n(1)]
    pub controller: Option<ThingId>,
    /// Sum of weights that a statement in its name needs.
    #[n(2)]
    pub threshold: u16,
    /// The valid keys, by number; a *null key* is an empty list.
    #[n(3)]
    pub keys: Vec<KeyState>,
    /// The next key's number.
    #[n(4)]
    pub next_number: KeyNumber,
    /// What the thing has committed to (pre-rotation); once there, it never goes away.
    #[n(5)]
    pub next: Option<NextKeys>,
    /// SHA-256 of the owner policy of the inception.
    #[n(6)]
    pub owners: Option<Digest>,
    /// Changes of status, the present one last; at most [`Thing::STATUS_CHANGES`], older ones are
    /// dropped from the front.
    #[n(7)]
    pub statuses: Vec<StatusChange>,
    /// Leaf that registered it.
    #[n(8)]
    pub created: LeafIndex,
    /// The last key for evidence that it was given, valid or ended.
    #[n(9)]
    pub evidence_key: Option<KeyNumber>,
    /// Leaf since which the threshold is what it is.
    #[n(10)]
    pub threshold_from: LeafIndex,
    /// Leaf in which the controller itself first said that the thing is its own, by registering it
    /// or vouching for it. Without it the thing alone says so, as anything can.
    #[n(11)]
    pub confirmed: Option<LeafIndex>,
    /// The keys that a status took away, the last that took any, by number: whoever has one of them
    /// may be a thief, so it never speaks for the thing again.
    #[n(12)]
    pub taken: Vec<KeyNumber>,
}

impl Thing {
    /// Most changes of status that the entry remembers.
    pub const STATUS_CHANGES: usize = 32;

    /// The present status.
    pub fn status(&self) -> Status {
        self.statuses.last().map_or(Status::ACTIVE, |change| change.status)
    }

    /// The status that held for a leaf at `position`, as far as the entry tells: a change counts
    /// from the leaf after its own.
    pub fn status_at(&self, position: LeafIndex) -> StatusThen<'_> {
        if position <= self.created {
            return StatusThen::NotRegistered;
        }
        let held = self.statuses.iter().rev().find(|change| change.at < position);
        held.map_or(StatusThen::Forgotten, StatusThen::Known)
    }

    /// Whether its controller registered it, so that what it began with is the controller's word.
    pub fn is_registered(&self) -> bool {
        self.confirmed == Some(self.created)
    }

    /// The valid key with this number.
    pub fn key(&self, number: KeyNumber) -> Option<&KeyState> {
        self.keys.iter().find(|key| key.number == number)
    }
}

/// Main chain and history of a thing.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Head {
    /// Its main chain.
    #[n(0)]
    pub chain: Chain,
    /// The leaves by the thing, and about it by those who have standing there.
    #[n(1)]
    pub history: Tally,
    /// The leaves of others that mention it.
    #[n(2)]
    pub mentions: Tally,
}

impl Head {
    /// Before anything happened.
    pub fn new(network: NetworkId) -> Self {
        let (history, mentions) = (Tally::default(), Tally::default());
        Self { chain: Chain::new(network), history, mentions }
    }
}

/// Attributes of a thing or channel, sorted by name.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct Attributes(
    #[n(0)]
    #[cbor(with = "texts")]
    pub BTreeMap<String, String>,
);

/// Maps of texts in the order of RFC 8949 §4.2.1: that of the encoded names, so a shorter one comes
/// first. `BTreeMap` has the order of the bare texts.
pub(crate) mod texts {
    use alloc::collections::BTreeMap;
    use alloc::string::String;
    use alloc::vec::Vec;
    use minicbor::encode::Write;
    use minicbor::{Decoder, Encoder};

    pub(crate) fn encode<C, W: Write>(
        texts: &BTreeMap<String, String>,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        let mut sorted: Vec<_> = texts.iter().collect();
        sorted.sort_by_key(|(name, _)| (name.len(), *name));
        e.map(sorted.len() as u64)?;
        for (name, value) in sorted {
            e.str(name)?.str(value)?;
        }
        Ok(())
    }

    pub(crate) fn decode<C>(
        d: &mut Decoder<'_>,
        ctx: &mut C,
    ) -> Result<BTreeMap<String, String>, minicbor::decode::Error> {
        d.decode_with(ctx)
    }
}

/// [`texts`], or none.
pub(crate) mod optional_texts {
    use alloc::collections::BTreeMap;
    use alloc::string::String;
    use minicbor::encode::Write;
    use minicbor::{Decoder, Encoder};

    #[allow(clippy::ref_option, reason = "the derived code asks for it")]
    pub(crate) fn encode<C, W: Write>(
        texts: &Option<BTreeMap<String, String>>,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        match texts {
            Some(texts) => super::texts::encode(texts, e, ctx),
            None => e.null()?.ok(),
        }
    }

    pub(crate) fn decode<C>(
        d: &mut Decoder<'_>,
        ctx: &mut C,
    ) -> Result<Option<BTreeMap<String, String>>, minicbor::decode::Error> {
        d.decode_with(ctx)
    }

    #[allow(
        clippy::option_option,
        clippy::unnecessary_wraps,
        reason = "the derived code asks for it"
    )]
    pub(crate) fn nil() -> Option<Option<BTreeMap<String, String>>> {
        Some(None)
    }

    #[allow(clippy::ref_option, reason = "the derived code asks for it")]
    pub(crate) fn is_nil(texts: &Option<BTreeMap<String, String>>) -> bool {
        texts.is_none()
    }
}

/// A committee that was appointed.
///
/// The one that was appointed last stands under the network's id, those before it under their
/// numbers: one entry holds one committee, and nothing bounds how many there will have been.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Appointed {
    /// Who certifies.
    #[n(0)]
    pub committee: Committee,
    /// The first height that it certifies; the one before is its predecessor's last.
    #[n(1)]
    pub since: Height,
    /// Leaf that appointed it.
    #[n(2)]
    pub at: LeafIndex,
}

/// A usage counter.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Counter {
    /// The highest value accepted.
    #[n(0)]
    pub value: u64,
    /// Leaf that brought it.
    #[n(1)]
    pub at: LeafIndex,
}
