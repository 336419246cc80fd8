//! What a member and the convener send each other.
//!
//! The seal is HMAC-SHA256 (RFC 2104) under the invitation's secret, made and checked by who
//! holds that: these types only say over what.

use super::{Agreement, InvitationNumber, SignedRecord, VERSION};
use crate::codec::{self, Malformed};
use crate::hash::{Digest, domain};
use crate::limits;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use minicbor::{Decode, Encode};

/// HMAC-SHA256.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(transparent)]
pub struct Seal(#[n(0)] pub Digest);

/// 16 random bytes of one run of a member: an attempt to make a key is of certain runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
#[cbor(transparent)]
pub struct Token(
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub [u8; 16],
);

/// What a member says, again and again: here is my record, and this is how far I am.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Request {
    /// [`VERSION`].
    #[n(0)]
    pub version: u8,
    /// Its invitation.
    #[n(1)]
    pub invitation: InvitationNumber,
    /// Differs in each request: an answer is to one of them.
    #[n(2)]
    pub nonce: Token,
    /// The run.
    #[n(3)]
    pub run: Token,
    /// Its record.
    #[n(4)]
    pub record: SignedRecord,
    /// Digest of the agreement, once it goes along with it.
    #[n(5)]
    pub accepted: Option<Digest>,
    /// Over [`Self::sealed`].
    #[n(6)]
    pub seal: Seal,
}

impl Request {
    /// Reads the one accepted encoding.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let request: Self = codec::decode(bytes, limits::MEMBER_RECORD + 256)?;
        if request.version == VERSION { Ok(request) } else { Err(Malformed::Shape) }
    }

    /// What the seal is over: the domain, then the request with a seal of zeros.
    pub fn sealed(&self) -> Vec<u8> {
        let blank = Self { seal: Seal(Digest::default()), ..self.clone() };
        [domain::TO_CONVENER, &codec::encode(&blank)].concat()
    }
}

/// What the convener says.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub enum Answer {
    /// Not all records are there.
    #[n(0)]
    Waiting {
        /// How many are.
        #[n(0)]
        present: u16,
        /// How many there will be.
        #[n(1)]
        of: u16,
    },
    /// All records are there.
    #[n(1)]
    Agreed {
        /// They are.
        #[n(0)]
        agreement: Box<Agreement>,
        /// Places in it of those who are not ready to make a key.
        #[n(1)]
        absent: Vec<u16>,
    },
    /// Everyone is ready: make the key.
    #[n(2)]
    Go {
        /// Names the attempt.
        #[n(0)]
        attempt: Digest,
    },
    /// The record or the invitation is not taken.
    #[n(3)]
    Refused {
        /// Why.
        #[n(0)]
        refusal: Refusal,
    },
}

/// An answer on its way.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Reply {
    /// The answer.
    #[n(0)]
    pub answer: Answer,
    /// Over [`Self::sealed`]; none where the invitation is not known.
    #[n(1)]
    pub seal: Option<Seal>,
}

impl Reply {
    /// Reads the one accepted encoding.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        codec::decode(bytes, limits::FORMATION_MESSAGE)
    }

    /// What the seal is over: the domain, the seal of the request, the answer.
    pub fn sealed(request: Seal, answer: &Answer) -> Vec<u8> {
        [domain::FROM_CONVENER, request.0.as_bytes(), &codec::encode(answer)].concat()
    }
}

/// Why the convener does not take what a member hands in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(index_only)]
#[non_exhaustive]
pub enum Refusal {
    /// The bytes are no request.
    #[n(0)]
    Malformed,
    /// No such invitation, or another secret.
    #[n(1)]
    Unknown,
    /// The invitation's time is over.
    #[n(2)]
    Expired,
    /// Another record was handed in with the invitation.
    #[n(3)]
    Used,
    /// The record is not well-formed, or its signature is wrong.
    #[n(4)]
    Record,
    /// The name is that of another member.
    #[n(5)]
    Name,
    /// A key is that of another member.
    #[n(6)]
    Key,
    /// The address is that of another member.
    #[n(7)]
    Address,
    /// There are as many records as validators.
    #[n(8)]
    Full,
    /// Another agreement was accepted than this formation has.
    #[n(9)]
    Agreement,
    /// The convener cannot keep the record.
    #[n(10)]
    Storage,
}

impl Refusal {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 11] = [
        Self::Malformed,
        Self::Unknown,
        Self::Expired,
        Self::Used,
        Self::Record,
        Self::Name,
        Self::Key,
        Self::Address,
        Self::Full,
        Self::Agreement,
        Self::Storage,
    ];

    /// Stable code.
    pub const fn code(self) -> &'static str {
        self.row().0
    }

    /// What to do about it.
    pub const fn hint(self) -> &'static str {
        self.row().2
    }

    const fn row(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Malformed => (
                "TM-FORMATION-REQUEST",
                "the request cannot be read",
                "use the convener's version of this program",
            ),
            Self::Unknown => (
                "TM-INVITATION-UNKNOWN",
                "the invitation is not one of this formation",
                "check that it is whole, or ask the convener for one",
            ),
            Self::Expired => (
                "TM-INVITATION-EXPIRED",
                "the invitation's time is over",
                "ask the convener for another one",
            ),
            Self::Used => (
                "TM-INVITATION-USED",
                "another record was handed in with the invitation",
                "join from the folder it was used in; if that was not you, tell the convener",
            ),
            Self::Record => (
                "TM-MEMBER-RECORD",
                "the record is not well-formed, or its signature is wrong",
                "use the convener's version of this program",
            ),
            Self::Name => (
                "TM-MEMBER-NAME",
                "another member has this name",
                "begin in an empty folder with another --name",
            ),
            Self::Key => (
                "TM-MEMBER-KEY",
                "another member has one of these keys",
                "begin in an empty folder: it gets keys of its own",
            ),
            Self::Address => (
                "TM-MEMBER-ADDRESS",
                "another member has this address",
                "begin in an empty folder with the --address of this validator's engine",
            ),
            Self::Full => (
                "TM-FORMATION-FULL",
                "all places in the network are taken",
                "ask the convener for another formation",
            ),
            Self::Agreement => (
                "TM-AGREEMENT",
                "another agreement was accepted than this formation has",
                "ask the convener what happened; do not go on",
            ),
            Self::Storage => (
                "TM-CONVENER-STORAGE",
                "the convener cannot keep the record",
                "tell the convener, then run this again",
            ),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row().1)
    }
}

impl core::error::Error for Refusal {}
