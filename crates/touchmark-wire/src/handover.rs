//! From one committee to the next: approvals, the appointment that the log takes, and the hand-over
//! that a reader follows.
//!
//! ```text
//! genesis' committee ─ hand-over ─▶ committee 1 ─ hand-over ─▶ committee 2 …
//! ```
//!
//! A hand-over needs the old committee's word twice: a quorum's approvals (Ed25519) name the next
//! committee, and the engine's certificate (BLS12-381) says at which height it takes over. A reader
//! that cannot do pairings follows by the approvals alone: [`Tenure::follow_approvals`].

use crate::algorithm::{
    PureVerifier, SIGNATURE_LENGTH, SignError, SignatureError, SignatureVerifier, SignedBytes,
    Signer,
};
use crate::certificate::CertificateError;
use crate::codec::{self, Malformed};
use crate::genesis::{Committee, CommitteeError};
use crate::hash::domain;
use crate::header::BatchHeader;
use crate::ids::{Epoch, Height, NetworkId};
use crate::limits;
use alloc::vec::Vec;
use core::fmt;
use minicbor::{Decode, Encode};

/// A validator's word that a committee shall come after its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Approval {
    /// Its place in the present committee.
    #[n(0)]
    pub validator: u16,
    /// Ed25519, by its cosigner key.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub signature: [u8; SIGNATURE_LENGTH],
}

impl Approval {
    /// Approves of `next` after `present`, whose cosigner key `signer` holds; the key of nobody
    /// there is refused.
    pub fn sign(
        network: NetworkId,
        present: &Committee,
        next: &Committee,
        signer: &(impl Signer + ?Sized),
    ) -> Result<Self, SignError> {
        let own = signer.public_key().cose();
        let place = present.validators.iter().position(|it| it.cosigner_key == *own);
        let validator = place.and_then(|place| u16::try_from(place).ok());
        let validator = validator.ok_or(SignError::Refused)?;
        let message = message(network, present, next);
        let signature = signer.sign(&SignedBytes::new([&message[..]]))?;
        Ok(Self { validator, signature })
    }
}

/// The deterministic CBOR array
/// `["touchmark/wire/hand-over/v1", network id, digest of present, digest of next]`.
fn message(network: NetworkId, present: &Committee, next: &Committee) -> Vec<u8> {
    codec::encode(&(domain::HANDOVER, network, present.digest(), next.digest()))
}

/// Checks that `approvals` are `present`'s word that `next` shall come after it: sorted by validator,
/// each once, at least as many different keys as its threshold, and every signature valid. They are
/// checked one after the other up to the first that is not, so a bad one costs one check.
pub fn verify_approvals(
    approvals: &[Approval],
    network: NetworkId,
    present: &Committee,
    next: &Committee,
    verifier: &impl SignatureVerifier,
) -> Result<(), HandoverError> {
    if !approvals.is_sorted_by(|a, b| a.validator < b.validator) {
        return Err(HandoverError::Order);
    }
    let mut keys = Vec::new();
    for Approval { validator, .. } in approvals {
        let place = usize::from(*validator);
        let known = present.validators.get(place);
        keys.push(known.ok_or(HandoverError::Stranger { validator: *validator })?.cosigner_key);
    }
    // Genesis' committee may have one key under two names.
    let different = keys.iter().enumerate().filter(|(at, key)| !keys[..*at].contains(key)).count();
    if !present.is_sound() || different < usize::from(present.threshold) {
        let threshold = present.threshold;
        return Err(HandoverError::Quorum { approved: different, threshold });
    }
    let message = message(network, present, next);
    let message = SignedBytes::new([&message[..]]);
    for (key, Approval { validator, signature }) in keys.iter().zip(approvals) {
        let mismatch = |error| HandoverError::Signature { validator: *validator, error };
        let key = key.check().map_err(|_| mismatch(SignatureError::Encoding))?;
        verifier.verify(&key, &message, signature).map_err(mismatch)?;
    }
    Ok(())
}

/// Payload of the statement that appoints the next committee (deterministic CBOR array).
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Appointment<'a> {
    /// The encoded next committee.
    #[b(0)]
    #[cbor(with = "minicbor::bytes")]
    pub committee: &'a [u8],
    /// By the present one's validators, ascending, each once.
    #[n(1)]
    pub approvals: Vec<Approval>,
}

impl<'a> Appointment<'a> {
    /// Reads the one accepted encoding.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        codec::decode(bytes, limits::STATEMENT)
    }

    /// The encoding.
    pub fn encode_to_vec(&self) -> Vec<u8> {
        codec::encode(self)
    }
}

/// What a reader needs to go from one committee to the next. Decoded, not checked: see [`Tenure`].
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Handover<'a> {
    /// Header of the old committee's last height; its `next` is the digest of `committee`.
    #[b(0)]
    #[cbor(with = "minicbor::bytes")]
    pub header: &'a [u8],
    /// The engine's certificate of that header, under the old key.
    #[b(1)]
    #[cbor(with = "minicbor::bytes")]
    pub certificate: &'a [u8],
    /// The old committee's approvals, as in the appointment.
    #[n(2)]
    pub approvals: Vec<Approval>,
    /// Who certifies from the next height on.
    #[n(3)]
    pub committee: Committee,
}

impl<'a> Handover<'a> {
    /// Longest encoding, bytes.
    pub const LIMIT: usize = BatchHeader::LIMIT + limits::COMMITTEE + limits::MEMBERS * 72 + 256;

    /// Reads the one accepted encoding.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        codec::decode(bytes, Self::LIMIT)
    }

    /// The encoding.
    pub fn encode_to_vec(&self) -> Vec<u8> {
        codec::encode(self)
    }
}

/// A committee in office, as far as a reader has followed the network from its genesis.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tenure {
    /// Who certifies.
    pub committee: Committee,
    /// The first height that it certifies.
    pub since: Height,
}

impl Tenure {
    /// Genesis' committee, with which every network begins.
    pub const fn first(committee: Committee) -> Self {
        Self { committee, since: Height(0) }
    }

    /// Goes on to the next committee: the old one's certificate and approvals are both checked.
    ///
    /// One pairing and as many Ed25519 signatures as there are approvals.
    #[cfg(feature = "bls")]
    pub fn follow(
        &self,
        network: NetworkId,
        handover: &Handover<'_>,
    ) -> Result<Self, HandoverError> {
        use crate::certificate::{CommitteeKey, Namespace, ThresholdCertificate};
        let next = self.follow_approvals(network, handover)?;
        let key = CommitteeKey::parse(&self.committee.certificate_key.0);
        let key = key.map_err(HandoverError::Certificate)?;
        ThresholdCertificate::parse(handover.certificate)
            .and_then(|it| it.verify(handover.header, &Namespace::of(&network), &key))
            .map_err(HandoverError::Certificate)?;
        Ok(next)
    }

    /// As [`Self::follow`], but the engine's certificate is not looked at. A quorum of the old
    /// committee's validators names the next one; that it took over, and at this height, is then
    /// the word of whoever handed the hand-over out.
    pub fn follow_approvals(
        &self,
        network: NetworkId,
        handover: &Handover<'_>,
    ) -> Result<Self, HandoverError> {
        let (present, next) = (&self.committee, &handover.committee);
        let header = BatchHeader::decode(handover.header).map_err(HandoverError::Header)?;
        if Some(next.epoch.0) != present.epoch.0.checked_add(1) {
            return Err(HandoverError::Number { present: present.epoch, next: next.epoch });
        }
        if header.epoch != present.epoch || header.height < self.since {
            return Err(HandoverError::OtherHeader);
        }
        if !header.height.ends_term() {
            return Err(HandoverError::Height(header.height));
        }
        if header.next != next.digest() {
            return Err(HandoverError::Next);
        }
        verify_approvals(&handover.approvals, network, present, next, &PureVerifier)?;
        next.check().map_err(HandoverError::Committee)?;
        Ok(Self { committee: next.clone(), since: header.height.next_term() })
    }
}

/// Why something does not lead to the next committee; always the fault of who sent it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum HandoverError {
    /// The header is malformed.
    Header(Malformed),
    /// The committee's number is not one more than the present one's.
    Number {
        /// The present one's.
        present: Epoch,
        /// The next one's.
        next: Epoch,
    },
    /// The header is not one of the present committee's.
    OtherHeader,
    /// The committee changes only at the end of a term, which this height is not.
    Height(Height),
    /// The header names another committee as the next.
    Next,
    /// No network may be handed over to such a committee.
    Committee(CommitteeError),
    /// Approvals are not sorted by validator, or there are two of one.
    Order,
    /// An approval by a validator that the present committee does not have.
    Stranger {
        /// Its number.
        validator: u16,
    },
    /// Fewer different keys approved than the present committee's threshold.
    Quorum {
        /// Different keys.
        approved: usize,
        /// Needed.
        threshold: u16,
    },
    /// An approval's signature does not verify.
    Signature {
        /// Whose.
        validator: u16,
        /// Why.
        error: SignatureError,
    },
    /// The certificate is not the present committee's over the header.
    Certificate(CertificateError),
}

impl fmt::Display for HandoverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(error) => write!(f, "its header is malformed: {error}"),
            Self::Number { present, next } => {
                write!(f, "it leads to committee {next}, and the present one is {present}")
            }
            Self::OtherHeader => f.write_str("its header is not one of the present committee's"),
            Self::Height(height) => write!(f, "height {height} does not end a term"),
            Self::Next => f.write_str("its header names another committee as the next"),
            Self::Committee(error) => write!(f, "its committee cannot take over: {error}"),
            Self::Order => f.write_str("its approvals are not in order, each once"),
            Self::Stranger { validator } => {
                write!(f, "the present committee has no validator {validator}")
            }
            Self::Quorum { approved, threshold } => {
                write!(f, "{approved} approvals are fewer than the {threshold} needed")
            }
            Self::Signature { validator, error } => {
                write!(f, "the approval of validator {validator} does not count: {error}")
            }
            Self::Certificate(error) => write!(f, "its certificate does not hold: {error}"),
        }
    }
}

impl core::error::Error for HandoverError {}
