//! Certificates over a batch: proof for a reader with only the network's keys that the committee
//! agreed on a log's size and root.
//!
//! * [`ThresholdCertificate`]: the order engine's own, over the batch header. 85 bytes under one
//!   96-byte key, one pairing to check (feature `bls`).
//! * [`Cosignature`]: Ed25519 over the checkpoint's text (C2SP tlog-cosignature), for readers that
//!   must not pay for a pairing and for outside witnesses (feature `ed25519` to check).
//! * [`NoteKey`]: keys of notes as people write them, and a log's own signature, by which outside
//!   witnesses know it.
//!
//! A reader accepts the kinds that its policy names.

mod cosignature;
mod note;
mod threshold;

pub use cosignature::{Cosignature, CosignatureLine, CosignatureTime, Cosigner, verify_quorum};
pub use note::{LogSignature, NoteKey, NoteKeyKind};
#[cfg(feature = "bls")]
pub use threshold::CommitteeKey;
pub use threshold::{Namespace, ThresholdCertificate};

use crate::algorithm::SignatureError;
use crate::checkpoint::NoteError;
use core::fmt;

/// Why something is not a certificate of the batch; always the fault of who sent it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum CertificateError {
    /// Not the one encoding of a certificate.
    Malformed,
    /// Not a valid committee key: another length, not on the curve, of another order, or identity.
    Key,
    /// It certifies another header.
    OtherHeader,
    /// The signature is not the committee's.
    Mismatch,
    /// Malformed note.
    Note(NoteError),
    /// The key of a log or a cosigner is not an Ed25519 key.
    CosignerAlgorithm,
    /// A log's own key where a cosigner's is wanted.
    NotCosigner,
    /// A log's own signature, under its name and key id, that does not verify.
    Signature(SignatureError),
    /// A cosignature under a known cosigner's name and key id that does not verify.
    Cosignature(SignatureError),
    /// The note has no line of the key.
    NotCosigned,
    /// Fewer different keys have cosigned than are needed.
    Quorum {
        /// Different keys with a valid cosignature.
        valid: usize,
        /// Needed.
        threshold: usize,
    },
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("malformed certificate"),
            Self::Key => f.write_str("not a valid committee key"),
            Self::OtherHeader => f.write_str("the certificate is for another batch header"),
            Self::Mismatch => f.write_str("the certificate's signature is not the committee's"),
            Self::Note(error) => fmt::Display::fmt(error, f),
            Self::CosignerAlgorithm => f.write_str("a key of notes must be an Ed25519 key"),
            Self::NotCosigner => f.write_str("the key is a log's own, not a cosigner's"),
            Self::Signature(error) => write!(f, "invalid signature of the log: {error}"),
            Self::Cosignature(error) => write!(f, "invalid cosignature: {error}"),
            Self::NotCosigned => f.write_str("the note has no line of the cosigner"),
            Self::Quorum { valid, threshold } => {
                write!(f, "{valid} valid cosignatures are fewer than the {threshold} needed")
            }
        }
    }
}

impl core::error::Error for CertificateError {}

impl From<NoteError> for CertificateError {
    fn from(error: NoteError) -> Self {
        Self::Note(error)
    }
}
