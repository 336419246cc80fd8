//! Who certifies batches.

use super::{CertificateKey, ValidatorKeys};
use crate::algorithm::CoseKey;
use crate::certificate::{Cosigner, NoteKey, NoteKeyKind};
use crate::checkpoint::check_key_name;
use crate::codec::{self, Malformed};
use crate::hash::{Digest, domain};
use crate::ids::Epoch;
use crate::limits;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use minicbor::decode::Error;
use minicbor::{Decode, Decoder, Encode};

/// The public keys of one validator. Log, cosigner and engine keys are separate.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Validator {
    /// Name in the cosigner's note lines and for people.
    #[n(0)]
    pub name: String,
    /// Peer identity in the engine: an Ed25519 public key.
    #[n(1)]
    pub peer: Digest,
    /// Signs receipts and fresh answers.
    #[n(2)]
    pub log_key: CoseKey,
    /// Ed25519; cosigns checkpoints (C2SP tlog-cosignature).
    #[n(3)]
    pub cosigner_key: CoseKey,
}

impl Validator {
    fn keys(&self) -> ValidatorKeys {
        ValidatorKeys::new(&self.peer, &self.log_key, &self.cosigner_key)
    }
}

/// Who certifies batches, from one hand-over to the next. Decoding refuses one whose word nobody or everybody
/// could give: see [`Self::is_sound`].
#[derive(Clone, PartialEq, Eq, Debug, Encode)]
#[cbor(array)]
pub struct Committee {
    /// Its number: 0 for genesis', one more with each change.
    #[n(0)]
    pub epoch: Epoch,
    /// Verifies the engine's certificates.
    #[n(1)]
    pub certificate_key: CertificateKey,
    /// The members, in the engine's order.
    #[n(2)]
    pub validators: Vec<Validator>,
    /// How many cosignatures or receipts by members count as the committee's word (2f+1).
    #[n(3)]
    pub threshold: u16,
    /// Ed25519 key that the members hold together (FROST, RFC 9591): it signs checkpoints as the
    /// log. A committee of one has none, for its only member's own key does.
    #[n(4)]
    pub note_key: Option<Digest>,
}

impl Committee {
    /// Whether it takes at least one validator, and no more than there are, to give its word.
    pub fn is_sound(&self) -> bool {
        (1..=self.validators.len()).contains(&usize::from(self.threshold))
    }

    /// How many validators' receipts a reader wants of a leaf: one of so many is honest (f+1).
    pub fn receipts(&self) -> usize {
        faulty(self.validators.len()) + 1
    }

    /// The validators as those who cosign checkpoints; one whose key or name no note can hold is none.
    pub fn cosigners(&self) -> Vec<Cosigner<'_>> {
        let validators = self.validators.iter();
        validators
            .filter_map(|it| Cosigner::new(&it.name, it.cosigner_key.check().ok()?).ok())
            .collect()
    }

    /// The key by which outside witnesses know the log called `origin`, if its members hold one
    /// together.
    pub fn log_key<'a>(&self, origin: &'a str) -> Option<NoteKey<'a>> {
        let key = CoseKey::ed25519(self.note_key?.0).check().ok()?;
        NoteKey::new(NoteKeyKind::Log, origin, key).ok()
    }

    /// Decodes the one accepted encoding.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        codec::decode(bytes, limits::COMMITTEE)
    }

    /// The encoding that the digest is of.
    pub fn encode_to_vec(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// What a header's `next` commits to.
    pub fn digest(&self) -> Digest {
        Digest::of(&[domain::COMMITTEE, &self.encode_to_vec()])
    }

    /// Whether a network may be handed over to it: what those who form a network agree on holds for
    /// those who join later, too. Where the build can do pairings, also whether the certificate key
    /// is a valid point.
    pub fn check(&self) -> Result<(), CommitteeError> {
        let count = self.validators.len();
        if !(1..=limits::MEMBERS).contains(&count) {
            return Err(CommitteeError::Count);
        }
        if usize::from(self.threshold) != quorum(count) {
            return Err(CommitteeError::Threshold);
        }
        for (place, validator) in self.validators.iter().enumerate() {
            check_key_name(&validator.name).map_err(|_| CommitteeError::Name { place })?;
            let keys = validator.keys();
            keys.check().map_err(|_| CommitteeError::Key { place })?;
            let shares = |other: &Validator| {
                other.name.eq_ignore_ascii_case(&validator.name) || other.keys().share(&keys)
            };
            if self.validators[..place].iter().any(shares) {
                return Err(CommitteeError::Shared { place });
            }
        }
        self.check_note_key()?;
        #[cfg(feature = "bls")]
        crate::certificate::CommitteeKey::parse(&self.certificate_key.0)
            .map_err(|_| CommitteeError::CertificateKey)?;
        Ok(())
    }

    /// A note key takes several to hold it, and is for nothing else.
    fn check_note_key(&self) -> Result<(), CommitteeError> {
        let Some(key) = self.note_key.map(|key| CoseKey::ed25519(key.0)) else { return Ok(()) };
        let is_used = self.validators.iter().any(|validator| validator.keys().have(&key));
        if self.validators.len() < 2 || key.check().is_err() || is_used {
            return Err(CommitteeError::NoteKey);
        }
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for Committee {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, Error> {
        let length = d.array()?;
        if !matches!(length, Some(4 | 5)) {
            return Err(Error::message("a committee is an array of four or five"));
        }
        let committee = Self {
            epoch: d.decode_with(ctx)?,
            certificate_key: d.decode_with(ctx)?,
            validators: d.decode_with(ctx)?,
            threshold: d.decode_with(ctx)?,
            note_key: if length == Some(5) { d.decode_with(ctx)? } else { None },
        };
        if committee.is_sound() {
            Ok(committee)
        } else {
            Err(Error::message("the threshold is not between 1 and the number of validators"))
        }
    }
}

/// How many of `validators` are their word: all but the third that may be faulty (2f+1 of 3f+1).
pub const fn quorum(validators: usize) -> usize {
    validators - faulty(validators)
}

/// How many of `validators` may be faulty (f of 3f+1).
const fn faulty(validators: usize) -> usize {
    validators.saturating_sub(1) / 3
}

/// Why a network may not be handed over to a committee; validators by their place in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum CommitteeError {
    /// No validators, or too many.
    Count,
    /// The threshold is not [`quorum`].
    Threshold,
    /// A name that notes cannot hold.
    Name {
        /// Whose.
        place: usize,
    },
    /// A key is of another algorithm or no point of its curve, or one key has two purposes.
    Key {
        /// Whose.
        place: usize,
    },
    /// A name or key of an earlier validator.
    Shared {
        /// Whose.
        place: usize,
    },
    /// The certificate key is not a valid point.
    CertificateKey,
    /// There is a note key of a committee of one, or it is no point of its curve, or a validator's.
    NoteKey,
}

impl fmt::Display for CommitteeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count => write!(f, "it does not have 1 to {} validators", limits::MEMBERS),
            Self::Threshold => f.write_str("its threshold is not the quorum of its validators"),
            Self::Name { place } => {
                write!(f, "validator {place} has a name that notes cannot hold")
            }
            Self::Key { place } => write!(f, "a key of validator {place} is not of its kind"),
            Self::Shared { place } => {
                write!(f, "validator {place} has a name or key of another one")
            }
            Self::CertificateKey => f.write_str("its certificate key is not a valid point"),
            Self::NoteKey => f.write_str("its note key is no key that several hold together"),
        }
    }
}

impl core::error::Error for CommitteeError {}
