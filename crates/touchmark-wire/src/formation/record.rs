//! A member's public keys and address, signed by its peer key.

use super::FormationId;
use crate::algorithm::{
    CoseKey, PureVerifier, SIGNATURE_LENGTH, SignError, SignatureVerifier as _, SignedBytes, Signer,
};
use crate::codec::{self, Malformed};
use crate::genesis::{KeysError, ValidatorKeys};
use crate::hash::{Digest, domain};
use crate::limits;
use alloc::string::String;
use core::fmt;
use minicbor::{Decode, Encode};

/// Who a member is and where its engine is reached.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Record {
    /// 1 to [`limits::MEMBER_NAME`] letters, digits, `.`, `-` and `_`.
    #[n(0)]
    pub name: String,
    /// Peer identity in the engine: an Ed25519 public key.
    #[n(1)]
    pub peer: Digest,
    /// `host:port` of its engine, at most [`limits::MEMBER_ADDRESS`] bytes.
    #[n(2)]
    pub address: String,
    /// ES256: signs receipts and fresh answers.
    #[n(3)]
    pub log_key: CoseKey,
    /// Ed25519: cosigns checkpoints.
    #[n(4)]
    pub cosigner_key: CoseKey,
}

/// What is wrong with a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum RecordError {
    /// The name is empty, too long, or has other characters.
    Name,
    /// The address is not `host:port`.
    Address,
    /// A key is of another algorithm, or no point of its curve.
    Key,
    /// One key is used for two purposes.
    Reuse,
    /// The signature is not the peer key's.
    Signature,
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "a name has 1 to 64 letters, digits, dots, hyphens and underscores",
            Self::Address => "an address is host:port",
            Self::Key => "a key is not of its kind",
            Self::Reuse => "one key is used for two purposes",
            Self::Signature => "the signature is not that of the record's peer key",
        })
    }
}

impl core::error::Error for RecordError {}

impl Record {
    /// Whether it can be a validator's.
    pub fn check(&self) -> Result<(), RecordError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        if !(1..=limits::MEMBER_NAME).contains(&self.name.len()) || !self.name.bytes().all(is_plain)
        {
            return Err(RecordError::Name);
        }
        if !is_address(&self.address) {
            return Err(RecordError::Address);
        }
        self.keys().check().map_err(|error| match error {
            KeysError::Key => RecordError::Key,
            KeysError::Reuse => RecordError::Reuse,
        })
    }

    fn keys(&self) -> ValidatorKeys {
        ValidatorKeys::new(&self.peer, &self.log_key, &self.cosigner_key)
    }

    /// Whether both claim something that only one can have. Names that differ in case only are
    /// the same to people.
    pub fn shares(&self, other: &Self) -> bool {
        self.name.eq_ignore_ascii_case(&other.name)
            || self.address.eq_ignore_ascii_case(&other.address)
            || self.shares_key(other)
    }

    /// Whether a key of one is a key of the other.
    pub fn shares_key(&self, other: &Self) -> bool {
        self.keys().share(&other.keys())
    }

    /// Signs it for one formation; `signer` holds its peer key.
    pub fn sign(
        self,
        formation: FormationId,
        signer: &impl Signer,
    ) -> Result<SignedRecord, SignError> {
        let encoded = codec::encode(&self);
        let signature = signer.sign(&signed(&formation, &encoded))?;
        Ok(SignedRecord { record: self, signature })
    }
}

fn signed<'a>(formation: &'a FormationId, encoded: &'a [u8]) -> SignedBytes<'a> {
    SignedBytes::new([domain::MEMBER, formation.0.as_bytes(), encoded])
}

/// A record and its peer key's signature, not checked.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct SignedRecord {
    /// The record.
    #[n(0)]
    pub record: Record,
    /// Ed25519, over [`domain::MEMBER`], the formation's id and the encoded record.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub signature: [u8; SIGNATURE_LENGTH],
}

impl SignedRecord {
    /// Reads the one accepted encoding.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        codec::decode(bytes, limits::MEMBER_RECORD)
    }

    /// Whether it can be a validator's of this formation.
    pub fn check(&self, formation: FormationId) -> Result<(), RecordError> {
        self.record.check()?;
        let key = CoseKey::ed25519(self.record.peer.0).check().map_err(|_| RecordError::Key)?;
        let encoded = codec::encode(&self.record);
        PureVerifier
            .verify(&key, &signed(&formation, &encoded), &self.signature)
            .map_err(|_| RecordError::Signature)
    }
}

/// `host:port`, where the host is a name or an address; one in brackets is IPv6.
pub(super) fn is_address(text: &str) -> bool {
    let is_plain = |host: &str| {
        host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte))
    };
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = match inner {
        Some(inner) => is_plain(inner) && !inner.is_empty(),
        None => is_plain(host) && !host.is_empty() && !host.contains(':'),
    };
    text.len() <= limits::MEMBER_ADDRESS && is_host && port.parse().is_ok_and(|port: u16| port > 0)
}
