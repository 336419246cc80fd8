//! The batch header: what the order engine certifies.
//!
//! Its digest is the digest that a certificate signs; a light client needs the header, the
//! certificate and Merkle paths, never the batch's body. An encoded header has at most
//! [`BatchHeader::LIMIT`] bytes.

use crate::codec::{self, Malformed};
use crate::hash::{Digest, Hasher, domain};
use crate::ids::{Epoch, Height, Timestamp, TreeSize};
use minicbor::{Decode, Encode};

/// Header of one batch (deterministic CBOR array).
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct BatchHeader<'a> {
    /// The engine's own context (round, leader, parent view), opaque here, at most
    /// [`BatchHeader::CONTEXT_LIMIT`] bytes.
    #[b(0)]
    #[cbor(with = "minicbor::bytes")]
    pub context: &'a [u8],
    /// Digest of the parent's header.
    #[n(1)]
    pub parent: Digest,
    /// One more than the parent's.
    #[n(2)]
    pub height: Height,
    /// Not before the parent's.
    #[n(3)]
    pub time: Timestamp,
    /// Committee that certifies this batch.
    #[n(4)]
    pub epoch: Epoch,
    /// Hash over the batch's leaf hashes ([`BatchHeader::data_root`]).
    #[n(5)]
    pub data_root: Digest,
    /// Log size after the batch.
    #[n(6)]
    pub size: TreeSize,
    /// RFC 9162 root of the log at `size`.
    #[n(7)]
    pub root: Digest,
    /// Hash of the committee that certifies the next batch.
    #[n(8)]
    pub next: Digest,
}

impl<'a> BatchHeader<'a> {
    /// Longest encoding, bytes.
    pub const LIMIT: usize = 250;
    /// Longest engine context, bytes.
    pub const CONTEXT_LIMIT: usize = 64;

    /// Decodes the one accepted encoding.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let header: Self = codec::decode(bytes, Self::LIMIT)?;
        if header.context.len() > Self::CONTEXT_LIMIT {
            return Err(Malformed::TooLong {
                limit: Self::CONTEXT_LIMIT,
                actual: header.context.len(),
            });
        }
        Ok(header)
    }

    /// Digest of an encoded header: what parents are named by and certificates sign.
    pub fn digest(encoded: &[u8]) -> Digest {
        Digest::of(&[encoded])
    }

    /// Commitment to a batch's body, from the RFC 9162 leaf hashes of its leaves in order.
    pub fn data_root(leaf_hashes: &[Digest]) -> Digest {
        let mut hasher = Hasher::default();
        hasher.update(domain::BATCH_DATA);
        for hash in leaf_hashes {
            hasher.update(&hash.0);
        }
        hasher.finish()
    }
}
