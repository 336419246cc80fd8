//! A node's private keys, as its folder has them.

use super::FolderError;
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use std::fmt;
use touchmark_engine::Seat;
use touchmark_keys::software::{SoftwareKey, SoftwareKeyError};
use touchmark_keys::threshold::Share;
use touchmark_wire::algorithm::{Algorithm, Signer as _};
use touchmark_wire::hash::Digest;

/// A node's private keys. Each has one purpose.
#[derive(Clone, Encode, Decode)]
#[cbor(array)]
pub struct Secrets {
    /// Seed of the engine's peer identity.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub(super) identity: [u8; 32],
    /// Share of the engine's threshold key; empty until there is one.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub(super) share: Vec<u8>,
    /// Seed of the log key: receipts and fresh answers.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    log: [u8; 32],
    /// Seed of the cosigner key: checkpoints.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    cosigner: [u8; 32],
    /// Share of the note key that the members of the first committee hold together.
    #[n(4)]
    pub(super) note: Option<ByteVec>,
}

impl Secrets {
    /// New keys, still without a share of the engine's.
    pub(crate) fn generate() -> Result<Self, FolderError> {
        let seed = |algorithm| {
            let key = SoftwareKey::generate(algorithm);
            key.map(|key| *key.seed()).map_err(|error| FolderError::Keys(error.to_string()))
        };
        Ok(Self {
            identity: seed(Algorithm::Ed25519)?,
            share: Vec::new(),
            log: seed(Algorithm::Es256)?,
            cosigner: seed(Algorithm::Ed25519)?,
            note: None,
        })
    }

    /// Who of the validators it is.
    pub(crate) fn peer(&self) -> Result<Digest, SoftwareKeyError> {
        Ok(Digest(*self.peer_key()?.public_key().cose().x()))
    }

    /// The same keys with a place in a committee.
    pub(crate) fn seated(self, seat: Seat) -> Self {
        Self { identity: seat.identity, share: seat.share, ..self }
    }

    /// The same keys with a share of the note key, if there is one.
    pub(crate) fn holding(self, share: Option<&Share>) -> Self {
        Self { note: share.map(|share| share.encode_to_vec().to_vec().into()), ..self }
    }

    /// The same keys without place and share.
    pub(crate) fn unseated(self) -> Self {
        Self { share: Vec::new(), note: None, ..self }
    }

    /// Signs what a validator says as a peer of the others.
    pub(crate) fn peer_key(&self) -> Result<SoftwareKey, SoftwareKeyError> {
        SoftwareKey::from_seed(Algorithm::Ed25519, &self.identity)
    }

    /// This node's place in the committee.
    pub fn seat(&self) -> Seat {
        Seat { identity: self.identity, share: self.share.clone() }
    }

    /// Signs receipts and fresh answers.
    pub fn log_key(&self) -> Result<SoftwareKey, SoftwareKeyError> {
        SoftwareKey::from_seed(Algorithm::Es256, &self.log)
    }

    /// Cosigns checkpoints.
    pub fn cosigner_key(&self) -> Result<SoftwareKey, SoftwareKeyError> {
        SoftwareKey::from_seed(Algorithm::Ed25519, &self.cosigner)
    }
}

impl fmt::Debug for Secrets {
    /// Shows nothing of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}
