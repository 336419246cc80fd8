//! All records of a formation: what its members agree on before they make a key.

use super::{FormationId, RecordError, SignedRecord, VERSION};
use crate::checkpoint::check_key_name;
use crate::codec::{self, Malformed};
use crate::genesis::{CertificateKey, Committee, Validator, quorum};
use crate::hash::{Digest, domain};
use crate::ids::{Epoch, NetworkId, Timestamp};
use crate::limits;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use minicbor::{Decode, Encode};

/// Which committee is made for a network that exists.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Succession {
    /// The network.
    #[n(0)]
    pub network: NetworkId,
    /// Number of the committee to come, from 1.
    #[n(1)]
    pub number: Epoch,
}

/// What a committee is made from, and nothing else but the key that the members make: the first
/// one of a network, with its genesis, or a later one.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Agreement {
    /// [`VERSION`].
    #[n(0)]
    pub version: u8,
    /// The formation.
    #[n(1)]
    pub formation: FormationId,
    /// C2SP origin of the log's checkpoints.
    #[n(2)]
    pub origin: String,
    /// When the network begins, or began.
    #[n(3)]
    pub time: Timestamp,
    /// How many members' word is the committee's: [`quorum`].
    #[n(4)]
    pub threshold: u16,
    /// The members, by peer key.
    #[n(5)]
    pub members: Vec<SignedRecord>,
    /// None for a new network.
    #[n(6)]
    pub succession: Option<Succession>,
}

/// What is wrong with an agreement.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum AgreementError {
    /// Of another version.
    Version,
    /// No members, or too many.
    Count,
    /// A later committee with the number of the first.
    Number,
    /// The threshold is not the quorum of the members.
    Threshold,
    /// Members are not sorted by peer key, or one is there twice.
    Order,
    /// Two members have the same name, address or key.
    Shared {
        /// Name of the second one.
        member: String,
    },
    /// Origin and a name do not make a name for a cosigner.
    Origin,
    /// A member's record is wrong.
    Record {
        /// Its name.
        member: String,
        /// What is wrong.
        error: RecordError,
    },
}

impl fmt::Display for AgreementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version => f.write_str("it is of another version"),
            Self::Count => write!(f, "it does not have 1 to {} members", limits::MEMBERS),
            Self::Number => f.write_str("a later committee has the number of the first"),
            Self::Threshold => f.write_str("its threshold is not the quorum of its members"),
            Self::Order => f.write_str("its members are not in order"),
            Self::Shared { member } => {
                write!(f, "{member} has a name, address or key of another member")
            }
            Self::Origin => f.write_str("its origin and names do not name cosigners"),
            Self::Record { member, error } => write!(f, "the record of {member}: {error}"),
        }
    }
}

impl core::error::Error for AgreementError {}

impl Agreement {
    /// Reads the one accepted encoding.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        codec::decode(bytes, limits::AGREEMENT)
    }

    /// The encoding that members compare.
    pub fn encode_to_vec(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// What members compare with each other.
    pub fn digest(&self) -> Digest {
        Digest::of(&[domain::AGREEMENT, &self.encode_to_vec()])
    }

    /// The committee that these members make with these keys.
    pub fn committee(
        &self,
        certificate_key: CertificateKey,
        note_key: Option<Digest>,
    ) -> Committee {
        let validators = self.members.iter().map(|member| Validator {
            name: self.validator_name(member),
            peer: member.record.peer,
            log_key: member.record.log_key,
            cosigner_key: member.record.cosigner_key,
        });
        let epoch = self.succession.map_or(Epoch(0), |succession| succession.number);
        let validators = validators.collect();
        let threshold = self.threshold;
        Committee { epoch, certificate_key, validators, threshold, note_key }
    }

    /// A validator's name for people and in notes: unique in the world as far as the origin is.
    pub fn validator_name(&self, record: &SignedRecord) -> String {
        format!("{}/{}", self.origin, record.record.name)
    }

    /// Whether a network can be made of it: bounds, order, uniqueness and every signature.
    pub fn check(&self) -> Result<(), AgreementError> {
        let count = self.members.len();
        if self.version != VERSION {
            return Err(AgreementError::Version);
        }
        if !(1..=limits::MEMBERS).contains(&count) {
            return Err(AgreementError::Count);
        }
        if self.succession.is_some_and(|succession| succession.number == Epoch(0)) {
            return Err(AgreementError::Number);
        }
        if usize::from(self.threshold) != quorum(count) {
            return Err(AgreementError::Threshold);
        }
        if !self.members.is_sorted_by(|a, b| a.record.peer < b.record.peer) {
            return Err(AgreementError::Order);
        }
        for (place, member) in self.members.iter().enumerate() {
            let name = || member.record.name.clone();
            member
                .check(self.formation)
                .map_err(|error| AgreementError::Record { member: name(), error })?;
            check_key_name(&self.validator_name(member)).map_err(|_| AgreementError::Origin)?;
            if self.members[..place].iter().any(|other| other.record.shares(&member.record)) {
                return Err(AgreementError::Shared { member: name() });
            }
        }
        Ok(())
    }
}
