//! What forming a network and handing it over demand of a validator's keys.

use crate::algorithm::{Algorithm, CoseKey};
use crate::hash::Digest;

/// Peer key, log key and cosigner key of one validator.
pub(crate) struct ValidatorKeys([CoseKey; 3]);

/// What is wrong with them.
pub(crate) enum KeysError {
    /// One is of another algorithm, or no point of its curve.
    Key,
    /// One is used for two purposes.
    Reuse,
}

impl ValidatorKeys {
    /// Peer and cosigner key are Ed25519, the log key is ES256.
    pub(crate) const fn new(peer: &Digest, log: &CoseKey, cosigner: &CoseKey) -> Self {
        Self([CoseKey::ed25519(peer.0), *log, *cosigner])
    }

    pub(crate) fn check(&self) -> Result<(), KeysError> {
        let algorithms = [Algorithm::Ed25519, Algorithm::Es256, Algorithm::Ed25519];
        let is_sound = |(key, algorithm): (&CoseKey, Algorithm)| {
            key.algorithm() == algorithm && key.check().is_ok()
        };
        if !self.0.iter().zip(algorithms).all(is_sound) {
            return Err(KeysError::Key);
        }
        let [peer, _, cosigner] = &self.0;
        if cosigner == peer { Err(KeysError::Reuse) } else { Ok(()) }
    }

    /// Whether it is one of them.
    pub(crate) fn have(&self, key: &CoseKey) -> bool {
        self.0.contains(key)
    }

    /// Whether a key of one is a key of the other.
    pub(crate) fn share(&self, other: &Self) -> bool {
        self.0.iter().any(|key| other.have(key))
    }
}
