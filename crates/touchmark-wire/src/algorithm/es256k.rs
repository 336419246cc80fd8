//! ES256K: ECDSA on secp256k1 with SHA-256 (RFC 8812 §3.2).

use super::{CoseKey, KeyError, SIGNATURE_LENGTH, SignatureError, SignedBytes};
use k256::ecdsa::signature::hazmat::PrehashVerifier as _;
use k256::ecdsa::{Signature, VerifyingKey};

/// A checked point of secp256k1.
#[derive(Clone)]
pub(super) struct Point(VerifyingKey);

impl Point {
    pub(super) fn check(key: &CoseKey) -> Result<Self, KeyError> {
        let point = key.to_sec1().ok_or(KeyError::Encoding)?;
        VerifyingKey::from_sec1_bytes(&point).map(Self).map_err(|_| KeyError::NotOnCurve)
    }

    pub(super) fn verify(
        &self,
        message: &SignedBytes<'_>,
        signature: &[u8; SIGNATURE_LENGTH],
    ) -> Result<(), SignatureError> {
        // Refuses r and s outside [1, n−1].
        let signature = Signature::from_slice(signature).map_err(|_| SignatureError::Encoding)?;
        // The library refuses high s; (r, s) and (r, n−s) are both valid here (see the module above).
        let signature = signature.normalize_s();
        self.0.verify_prehash(&message.digest().0, &signature).map_err(|_| SignatureError::Mismatch)
    }
}
