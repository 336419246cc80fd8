//! Leaves of the log.
//!
//! ```text
//! accepted        the statement itself (tag 18 or 98)
//! denied          0x544d0001([code, statement])
//! fork            0x544d0002([leaf index of the first, second statement])
//! bare evidence   0x544d0003([format, bytes])
//! sighting        0x544d0004([code, leaf])      the leaf: a statement or bare evidence
//! batch           0x544d0005([height, time, state root])
//! ```

use crate::codec::{self, Malformed};
use crate::hash::Digest;
use crate::ids::{Height, LeafIndex, Timestamp};
use crate::limits;
use crate::registry::{EvidenceFormat, LeafTag};
use minicbor::data::Tag;
use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode, Encoder};

/// A leaf taken apart one level; statements inside are not parsed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leaf<'a> {
    /// A statement that the rules accepted.
    Accepted(&'a [u8]),
    /// A statement that used its place in the chain without effect.
    Denied {
        /// Number of the refusal.
        code: u16,
        /// The statement.
        statement: &'a [u8],
    },
    /// Proof that a chain has two statements at one place.
    Fork {
        /// Where the first one is.
        first: LeafIndex,
        /// The second one.
        second: &'a [u8],
    },
    /// Evidence without a wrapping statement.
    Evidence(BareEvidence<'a>),
    /// Evidence of a thing that is not authorised.
    Sighting {
        /// Number of the reason.
        code: u16,
        /// A statement or bare evidence, encoded as the leaf it would have been.
        leaf: &'a [u8],
    },
    /// The last leaf of a batch.
    Batch(BatchLeaf),
}

/// Evidence without a wrapping statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BareEvidence<'a> {
    /// How to read the bytes.
    pub format: EvidenceFormat,
    /// The signed bytes, unchanged.
    pub bytes: &'a [u8],
    /// Whose presentation of them this is, where that matters.
    pub mark: Option<Mark>,
}

/// Tells two who present the same evidence at the same moment apart: the leaf that the log takes has
/// one of their marks. Only its owner knows where it comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark(pub [u8; 16]);

/// What a batch fixes in the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct BatchLeaf {
    /// Number of the batch.
    #[n(0)]
    pub height: Height,
    /// Certified time.
    #[n(1)]
    pub time: Timestamp,
    /// Root of the state trie after the batch.
    #[n(2)]
    pub state_root: Digest,
}

impl<'a> Leaf<'a> {
    /// Decodes the one accepted encoding. A statement's inside is not looked at.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        match bytes {
            [0xd2, ..] | [0xd8, 0x62, ..] if bytes.len() <= limits::LEAF => {
                Ok(Self::Accepted(bytes))
            }
            _ => codec::decode(bytes, limits::LEAF),
        }
    }

    /// The statement in it, if there is one.
    pub fn statement(&self) -> Option<&'a [u8]> {
        match *self {
            Self::Accepted(statement)
            | Self::Denied { statement, .. }
            | Self::Fork { second: statement, .. } => Some(statement),
            // No deeper: sightings nested by a stranger would take the whole stack.
            Self::Sighting { leaf, .. } => match Self::decode(leaf).ok()? {
                Self::Accepted(statement) => Some(statement),
                _ => None,
            },
            Self::Evidence(_) | Self::Batch(_) => None,
        }
    }

    /// The encoding.
    #[cfg(feature = "alloc")]
    pub fn encode_to_vec(&self) -> alloc::vec::Vec<u8> {
        match self {
            Self::Accepted(statement) => statement.to_vec(),
            other => codec::encode(other),
        }
    }
}

impl<C> Encode<C> for Leaf<'_> {
    /// All but accepted statements, which are bytes already.
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        let tag = |tag: LeafTag| Tag::new(tag.0);
        match self {
            Self::Accepted(_) => {
                Err(minicbor::encode::Error::message("a statement is its own leaf"))
            }
            Self::Denied { code, statement } => {
                e.tag(tag(LeafTag::DENIED))?.array(2)?.u16(*code)?.bytes(statement)?.ok()
            }
            Self::Fork { first, second } => {
                e.tag(tag(LeafTag::FORK))?.array(2)?.encode_with(first, ctx)?.bytes(second)?.ok()
            }
            Self::Evidence(BareEvidence { format, bytes, mark }) => {
                let e = e.tag(tag(LeafTag::EVIDENCE))?.array(2 + u64::from(mark.is_some()))?;
                e.encode_with(format, ctx)?.bytes(bytes)?;
                mark.map_or(Ok(()), |Mark(mark)| e.bytes(&mark)?.ok())
            }
            Self::Sighting { code, leaf } => {
                e.tag(tag(LeafTag::SIGHTING))?.array(2)?.u16(*code)?.bytes(leaf)?.ok()
            }
            Self::Batch(batch) => e.tag(tag(LeafTag::BATCH))?.encode_with(batch, ctx)?.ok(),
        }
    }
}

impl<'b, C> Decode<'b, C> for Leaf<'b> {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        let invalid = || minicbor::decode::Error::message("not a leaf");
        let tag = LeafTag(d.tag()?.as_u64());
        if tag == LeafTag::BATCH {
            return Ok(Self::Batch(d.decode_with(ctx)?));
        }
        let members = d.array()?;
        if !(members == Some(2) || tag == LeafTag::EVIDENCE && members == Some(3)) {
            return Err(invalid());
        }
        match tag {
            LeafTag::DENIED => Ok(Self::Denied { code: d.u16()?, statement: d.bytes()? }),
            LeafTag::FORK => Ok(Self::Fork { first: d.decode_with(ctx)?, second: d.bytes()? }),
            LeafTag::EVIDENCE => {
                let (format, bytes) = (d.decode_with(ctx)?, d.bytes()?);
                let mark = if members == Some(3) {
                    Some(Mark(d.bytes()?.try_into().map_err(|_| invalid())?))
                } else {
                    None
                };
                Ok(Self::Evidence(BareEvidence { format, bytes, mark }))
            }
            LeafTag::SIGHTING => Ok(Self::Sighting { code: d.u16()?, leaf: d.bytes()? }),
            _ => Err(invalid()),
        }
    }
}
