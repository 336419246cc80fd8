//! What a committed payload is the hash of.

use crate::codec::{self, Malformed};
#[cfg(feature = "alloc")]
use crate::hash::Digest;
use crate::limits;
use core::fmt;
use minicbor::{Decode, Encode};

/// Salt and content behind a committed payload (RFC 9995): the deterministic CBOR array
/// `[salt, content]`. It is no part of the log, so it can be erased.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Preimage<'a> {
    /// 32 random bytes: without them nobody finds the content by trying.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub salt: [u8; 32],
    /// The content.
    #[b(1)]
    #[cbor(with = "minicbor::bytes")]
    pub content: &'a [u8],
}

impl<'a> Preimage<'a> {
    /// Decodes the one accepted encoding, of at most [`limits::PREIMAGE`] bytes.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        codec::decode(bytes, limits::PREIMAGE)
    }

    /// The encoding.
    #[cfg(feature = "alloc")]
    pub fn encode_to_vec(&self) -> alloc::vec::Vec<u8> {
        codec::encode(self)
    }

    /// The payload of a statement that commits to it: SHA-256 of the encoding.
    #[cfg(feature = "alloc")]
    pub fn commitment(&self) -> Digest {
        Digest::of(&[&self.encode_to_vec()])
    }
}

impl fmt::Debug for Preimage<'_> {
    /// Shows no content: it may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Preimage({} bytes)", self.content.len())
    }
}
