//! Forming a network: what its future validators say to each other before they make a key.
//!
//! * [`Invitation`]: lets one organisation take part.
//! * [`Record`], [`SignedRecord`]: a member's public keys and address, signed by its peer key.
//! * [`Agreement`]: all records; what the genesis is made from.
//! * [`Request`], [`Reply`]: what a member and the convener send, sealed with the invitation's
//!   secret.
//!
//! Everything but an invitation is public. Decoding bounds sizes; [`Record::check`] and
//! [`Agreement::check`] say whether the content can be relied on.

mod agreement;
mod message;
mod record;

pub use crate::genesis::quorum;
pub use agreement::{Agreement, AgreementError, Succession};
pub use message::{Answer, Refusal, Reply, Request, Seal, Token};
pub use record::{Record, RecordError, SignedRecord};

use crate::codec::{self, Malformed};
use crate::hash::Digest;
use crate::ids::Timestamp;
use crate::limits;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use minicbor::{Decode, Encode};

/// Version of these formats.
pub const VERSION: u8 = 1;

/// 32 random bytes that name a formation; what is signed for one counts in no other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(transparent)]
pub struct FormationId(#[n(0)] pub Digest);

impl fmt::Display for FormationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Number of an invitation, from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
#[cbor(transparent)]
pub struct InvitationNumber(#[n(0)] pub u32);

impl fmt::Display for InvitationNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Lets one organisation take part, once. Secret: whoever has it can take the place.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Invitation {
    /// [`VERSION`].
    #[n(0)]
    pub version: u8,
    /// The formation.
    #[n(1)]
    pub formation: FormationId,
    /// Its number there.
    #[n(2)]
    pub number: InvitationNumber,
    /// `host:port` where the convener answers.
    #[n(3)]
    pub convener: String,
    /// The convener's peer key: its record must be in the agreement.
    #[n(4)]
    pub peer: Digest,
    /// Seals what both say.
    #[n(5)]
    #[cbor(with = "minicbor::bytes")]
    pub secret: [u8; 32],
    /// Until when a record can be handed in with it.
    #[n(6)]
    pub expires: Timestamp,
}

impl Invitation {
    /// Reads the one accepted encoding.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let invitation: Self = codec::decode(bytes, limits::INVITATION)?;
        if invitation.version != VERSION || !record::is_address(&invitation.convener) {
            return Err(Malformed::Shape);
        }
        Ok(invitation)
    }

    /// The encoding that is passed on.
    pub fn encode_to_vec(&self) -> Vec<u8> {
        codec::encode(self)
    }
}

impl fmt::Debug for Invitation {
    /// Shows nothing of the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invitation").field("number", &self.number).finish_non_exhaustive()
    }
}
