//! ES256: ECDSA on P-256 with SHA-256 (RFC 9053 §2.1, FIPS 186-5 §6).

use super::{CoseKey, KeyError, SIGNATURE_LENGTH, SignatureError, SignedBytes};
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use p256::ecdsa::{Signature, VerifyingKey};

/// A checked point of P-256.
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
        self.0.verify_prehash(&message.digest().0, &signature).map_err(|_| SignatureError::Mismatch)
    }
}
