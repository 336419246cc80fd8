//! Bundles: one self-contained file that proves something about a log without a network.
//!
//! A bundle leads from the network's root of trust to what it claims in five steps:
//!
//! ```text
//! genesis ─ committee key ─▶ certificate ─▶ header ─ (size, root) ─▶ batch leaf ─ state root ─▶ entries
//!                                                        └───────▶ leaves
//! ```
//!
//! Where the committee has changed since genesis, hand-overs lead from its key to the one that counts.
//!
//! The verdict on one (signatures inside, authority, completeness) is in the crate
//! `touchmark-core`; here is the format, a deterministic CBOR map.

use crate::codec::{self, Malformed};
use crate::handover::Handover;
use crate::hash::Digest;
use crate::ids::{ChannelId, LeafIndex, ThingId, TreeSize};
use crate::limits;
use alloc::vec::Vec;
use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode, Encoder};

/// A bundle. Decoded, not checked.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(map)]
pub struct Bundle<'a> {
    /// Version of this format: [`Bundle::VERSION`].
    #[n(1)]
    pub version: u8,
    /// The genesis document; the network id is its SHA-256.
    #[b(2)]
    #[cbor(with = "minicbor::bytes")]
    pub genesis: &'a [u8],
    /// Encoded batch headers, each the parent of the next: from the batch that everything is
    /// proved in up to the one that is certified. None without the engine's certificate.
    #[b(3)]
    pub headers: Vec<Bytes<'a>>,
    /// The engine's certificate of the last header.
    #[b(4)]
    #[cbor(with = "minicbor::bytes")]
    pub certificate: Option<&'a [u8]>,
    /// The last leaf of the first header's log.
    #[b(5)]
    pub batch: ProvedLeaf<'a>,
    /// Trie proof of state entries under the batch leaf's state root.
    #[b(6)]
    #[cbor(with = "minicbor::bytes")]
    pub state: &'a [u8],
    /// Leaves that claims speak of, by index.
    #[b(7)]
    pub leaves: Vec<ProvedLeaf<'a>>,
    /// What the bundle is meant to prove.
    #[n(8)]
    pub claims: Vec<Claim>,
    /// Signed answers to a client's nonce.
    #[b(9)]
    pub freshness: Option<Freshness<'a>>,
    /// The checkpoint as a note with cosignatures (C2SP), the other kind of certificate; never
    /// missing without the engine's.
    #[b(10)]
    pub note: Option<&'a str>,
    /// From genesis' committee to the one that certifies the headers, in order.
    #[b(11)]
    pub handovers: Handovers<'a>,
    /// What another network says of this log.
    #[b(12)]
    pub anchor: Option<Anchor<'a>>,
}

impl<'a> Bundle<'a> {
    /// Version of the format.
    pub const VERSION: u8 = 1;
    /// Longest bundle, bytes: 64 MiB holds the history of a busy thing.
    pub const LIMIT: usize = 64 << 20;
    /// Most headers between a batch and its certificate.
    pub const HEADERS: usize = 1_024;
    /// Most claims: each may cost a signature's check, and a few bytes make one.
    pub const CLAIMS: usize = 1_024;

    /// Decodes the one accepted encoding.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let bundle: Self = codec::decode(bytes, Self::LIMIT)?;
        let sorted = bundle.leaves.is_sorted_by(|a, b| a.index < b.index);
        if bundle.version != Self::VERSION
            || bundle.headers.is_empty() != bundle.certificate.is_none()
            || (bundle.certificate.is_none() && bundle.note.is_none())
            || bundle.headers.len() > Self::HEADERS
            || bundle.claims.len() > Self::CLAIMS
            || bundle.handovers.0.len() > limits::HANDOVERS
            || !sorted
            || !bundle.freshness.as_ref().is_none_or(Freshness::is_sorted)
            || bundle.anchor.is_some_and(|anchor| anchor.bundle.len() > Anchor::LIMIT)
        {
            return Err(Malformed::Shape);
        }
        Ok(bundle)
    }

    /// The encoding.
    pub fn encode_to_vec(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// The leaf at `index`, if the bundle has it.
    pub fn leaf(&self, index: LeafIndex) -> Option<&ProvedLeaf<'a>> {
        let place = self.leaves.binary_search_by_key(&index, |leaf| leaf.index).ok()?;
        Some(&self.leaves[place])
    }
}

/// A CBOR byte string, borrowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(transparent)]
pub struct Bytes<'a>(
    #[b(0)]
    #[cbor(with = "minicbor::bytes")]
    pub &'a [u8],
);

/// Hand-overs in order; without any, the member is left out of its map.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Handovers<'a>(pub Vec<Handover<'a>>);

impl<C> Encode<C> for Handovers<'_> {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.encode_with(&self.0, ctx)?.ok()
    }

    fn is_nil(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'b, C> Decode<'b, C> for Handovers<'b> {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        d.decode_with(ctx).map(Self)
    }

    fn nil() -> Option<Self> {
        Some(Self::default())
    }
}

/// A leaf with its place and, where its place alone is claimed, its inclusion path.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct ProvedLeaf<'a> {
    /// Its place.
    #[n(0)]
    pub index: LeafIndex,
    /// The leaf.
    #[b(1)]
    #[cbor(with = "minicbor::bytes")]
    pub leaf: &'a [u8],
    /// RFC 9162 inclusion path in the first header's log; empty where a history proves the leaf.
    #[b(2)]
    pub path: Hashes<'a>,
}

/// Hashes one after the other in a byte string.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hashes<'a>(&'a [[u8; 32]]);

impl<'a> Hashes<'a> {
    /// No hashes.
    pub const NONE: Self = Self(&[]);

    /// Takes a byte string of whole hashes.
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        let (hashes, []) = bytes.as_chunks() else {
            return None;
        };
        Some(Self(hashes))
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = Digest> + use<'a> {
        self.0.iter().map(|hash| Digest(*hash))
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<C> Encode<C> for Hashes<'_> {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(self.0.as_flattened())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Hashes<'b> {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::new(d.bytes()?).ok_or_else(|| minicbor::decode::Error::message("not whole hashes"))
    }
}

/// What a bundle is meant to prove.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub enum Claim {
    /// This leaf is in the log, rightly signed by a key that was valid there.
    #[n(1)]
    Record(#[n(0)] LeafIndex),
    /// These leaves are the whole history of this thing.
    #[n(2)]
    Complete(#[n(0)] ThingId, #[n(1)] Vec<LeafIndex>),
    /// Status and keys of this thing, now.
    #[n(3)]
    Status(#[n(0)] ThingId),
    /// Status and keys of this thing, for a leaf at this position.
    #[n(4)]
    StatusAt(#[n(0)] ThingId, #[n(1)] LeafIndex),
    /// No thing has this id.
    #[n(5)]
    Absent(#[n(0)] ThingId),
    /// This leaf is the last statement of its issuer's chain.
    #[n(6)]
    Latest(#[n(0)] LeafIndex),
    /// The first thing vouches for the second.
    #[n(7)]
    Accredited(#[n(0)] ThingId, #[n(1)] ThingId),
    /// Author and policy of this channel, and whether it is closed, now.
    #[n(8)]
    Channel(#[n(0)] ChannelId),
    /// These leaves are the whole history of this channel; what strangers say in it is counted apart.
    #[n(9)]
    CompleteChannel(#[n(0)] ChannelId, #[n(1)] Vec<LeafIndex>),
    /// The thing may write into the channel, now.
    #[n(10)]
    Writer(#[n(0)] ChannelId, #[n(1)] ThingId),
    /// These leaves are all in which others mention this thing.
    #[n(11)]
    Mentioned(#[n(0)] ThingId, #[n(1)] Vec<LeafIndex>),
    /// The log begins with the one that had this size and root; with the consistency path from there
    /// (RFC 9162 §2.1.4).
    #[n(12)]
    Continues(#[n(0)] TreeSize, #[n(1)] Digest, #[n(2)] Vec<Digest>),
}

impl Claim {
    /// Asks whether the log begins with what it was when it had so many leaves.
    #[must_use]
    pub const fn continuing(size: TreeSize) -> Self {
        Self::Continues(size, Digest([0; 32]), Vec::new())
    }

    /// What was asked, without what a node adds to answer it: lists of leaves, root and path.
    #[must_use]
    pub fn question(&self) -> Self {
        match *self {
            Self::Complete(thing, _) => Self::Complete(thing, Vec::new()),
            Self::Mentioned(thing, _) => Self::Mentioned(thing, Vec::new()),
            Self::CompleteChannel(channel, _) => Self::CompleteChannel(channel, Vec::new()),
            Self::Continues(size, ..) => Self::continuing(size),
            ref other => other.clone(),
        }
    }
}

/// A checkpoint of this log that is recorded in the log of another network.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Anchor<'a> {
    /// Consistency path from that checkpoint to the first header's log, or the cosigned
    /// checkpoint's (RFC 9162 §2.1.4).
    #[b(0)]
    pub path: Hashes<'a>,
    /// A bundle of the other network: it proves the record, and that its issuer has said nothing
    /// since.
    #[b(1)]
    #[cbor(with = "minicbor::bytes")]
    pub bundle: &'a [u8],
}

impl Anchor<'_> {
    /// Longest bundle of the other network, bytes.
    pub const LIMIT: usize = 1 << 20;
}

/// Validators' signatures over a client's nonce: the checkpoint is what they hold now.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Freshness<'a> {
    /// Chosen by the client, 16 to 64 bytes.
    #[b(0)]
    #[cbor(with = "minicbor::bytes")]
    pub nonce: &'a [u8],
    /// Validators by their place in the committee, ascending, each with its signature by log key.
    #[b(1)]
    pub signatures: Vec<(u16, Bytes<'a>)>,
}

impl Freshness<'_> {
    /// Bounds of a nonce, bytes.
    pub const NONCE: core::ops::RangeInclusive<usize> = 16..=64;

    /// Whether each validator answers once, in the order of the committee.
    fn is_sorted(&self) -> bool {
        self.signatures.is_sorted_by(|a, b| a.0 < b.0)
    }

    /// What a validator signs: the deterministic CBOR array
    /// `["touchmark-fresh/1", network id, nonce, size, root]`.
    pub fn message(
        network: crate::ids::NetworkId,
        nonce: &[u8],
        size: TreeSize,
        root: Digest,
    ) -> Vec<u8> {
        codec::encode(&("touchmark-fresh/1", network, Bytes(nonce), size, root))
    }
}

#[cfg(test)]
mod tests;
