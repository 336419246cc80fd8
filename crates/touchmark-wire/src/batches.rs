//! Certified batches: what a node that follows a log is given, and how it checks them.
//!
//! ```text
//! last batch it has ◀─ parent ─ header, body ◀─ … ◀─ header, body ◀─ header ◀─ certificate
//! ```
//!
//! Some batches in order, then, where the last of them has no certificate of its own, the bare
//! headers up to one that has. All are of one term, so one committee certifies all of them. Who
//! gives them out need not be trusted.

use crate::bundle::Bytes;
use crate::codec::{self, Malformed};
use crate::hash::Digest;
use crate::header::BatchHeader;
use crate::ids::Height;
use crate::limits;
use alloc::vec::Vec;
use core::fmt;
use minicbor::{Decode, Encode};

use crate::certificate::CertificateError;
#[cfg(feature = "bls")]
use crate::certificate::{CommitteeKey, Namespace, ThresholdCertificate};

/// Some batches in order, with a certificate for all of them (deterministic CBOR array). Decoded,
/// not checked.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct CertifiedBatches<'a> {
    /// The batches.
    #[b(0)]
    pub batches: Vec<EncodedBatch<'a>>,
    /// Encoded headers after the last of them, up to the one that is certified.
    #[b(1)]
    pub headers: Vec<Bytes<'a>>,
    /// The engine's certificate of the last header.
    #[b(2)]
    #[cbor(with = "minicbor::bytes")]
    pub certificate: &'a [u8],
}

/// A batch as the engine orders it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct EncodedBatch<'a> {
    /// The encoded header.
    #[b(0)]
    #[cbor(with = "minicbor::bytes")]
    pub header: &'a [u8],
    /// Its leaves, as in a C2SP entry bundle. They lead to the header's data root, which whoever
    /// takes the batch apart has to check.
    #[b(1)]
    #[cbor(with = "minicbor::bytes")]
    pub body: &'a [u8],
}

impl<'a> CertifiedBatches<'a> {
    /// Most bytes of bodies together.
    pub const BODIES: usize = 4 << 20;
    /// Most batches, and most headers in all: a term has no more.
    pub const HEADERS: usize = limits::TERM as usize;
    /// Longest encoding, bytes.
    pub const LIMIT: usize = Self::BODIES + (Self::HEADERS + 1) * 512;

    /// Reads the one accepted encoding.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let decoded: Self = codec::decode(bytes, Self::LIMIT)?;
        if decoded.batches.is_empty()
            || decoded.batches.len() + decoded.headers.len() > Self::HEADERS
        {
            return Err(Malformed::Shape);
        }
        Ok(decoded)
    }

    /// The encoding.
    pub fn encode_to_vec(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Checks that the batches follow the one of `height` whose header has this digest, and that
    /// the committee with `key` certified them: it must be the one of the next height's term.
    ///
    /// One pairing, whatever the number of batches.
    #[cfg(feature = "bls")]
    pub fn verify(
        &self,
        height: Height,
        digest: Digest,
        namespace: &Namespace,
        key: &CommitteeKey,
    ) -> Result<(), BatchesError> {
        let last = self.chain(height, digest)?;
        ThresholdCertificate::parse(self.certificate)
            .and_then(|certificate| certificate.verify(last, namespace, key))
            .map_err(BatchesError::Certificate)
    }

    /// Follows the headers from the batch of `height` on; returns the last.
    #[cfg_attr(not(feature = "bls"), allow(dead_code, reason = "only certificates need it"))]
    fn chain(&self, height: Height, digest: Digest) -> Result<&'a [u8], BatchesError> {
        let (mut before, mut parent, mut last) = (height, digest, &[][..]);
        let term = Height(height.0.saturating_add(1)).term();
        let bare = self.headers.iter().map(|header| header.0);
        for bytes in self.batches.iter().map(|batch| batch.header).chain(bare) {
            let header = BatchHeader::decode(bytes).map_err(BatchesError::Header)?;
            if Some(header.height.0) != before.0.checked_add(1) || header.parent != parent {
                return Err(BatchesError::Gap { after: before });
            }
            if header.height.term() != term {
                return Err(BatchesError::Term { height: header.height });
            }
            (before, parent, last) = (header.height, BatchHeader::digest(bytes), bytes);
        }
        Ok(last)
    }
}

/// Why batches are not taken; always the fault of who sent them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum BatchesError {
    /// A header is none.
    Header(Malformed),
    /// What comes after this height does not follow it.
    Gap {
        /// The last height that is right.
        after: Height,
    },
    /// A batch is of a later term than the first: another committee may certify that one.
    Term {
        /// Its height.
        height: Height,
    },
    /// The committee did not certify them.
    Certificate(CertificateError),
}

impl fmt::Display for BatchesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(malformed) => write!(f, "a header is malformed: {malformed}"),
            Self::Gap { after } => write!(f, "what follows height {after} is not its successor"),
            Self::Term { height } => write!(f, "height {height} is of another term"),
            Self::Certificate(error) => write!(f, "they are not certified: {error}"),
        }
    }
}

impl core::error::Error for BatchesError {}
