//! Ed25519 (RFC 8032 §5.1), with the cofactored equation.

use super::{CoseKey, KeyError, SIGNATURE_LENGTH, SignatureError, SignedBytes};
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::IsIdentity as _;
use sha2::{Digest as _, Sha512};

/// A checked point of prime order, negated as the equation needs it, and its encoding.
#[derive(Clone)]
pub(super) struct Point {
    negated: EdwardsPoint,
    encoded: [u8; 32],
}

impl Point {
    pub(super) fn check(key: &CoseKey) -> Result<Self, KeyError> {
        let encoded = *key.x();
        if !is_canonical(&encoded) {
            return Err(KeyError::Encoding);
        }
        let point = CompressedEdwardsY(encoded).decompress().ok_or(KeyError::NotOnCurve)?;
        if point.is_identity() || !point.is_torsion_free() {
            return Err(KeyError::NotPrimeOrder);
        }
        Ok(Self { negated: -point, encoded })
    }

    pub(super) fn verify(
        &self,
        message: &SignedBytes<'_>,
        signature: &[u8; SIGNATURE_LENGTH],
    ) -> Result<(), SignatureError> {
        let Decoded { r, s, k } = self.decode(message, signature)?;
        let expected = EdwardsPoint::vartime_double_scalar_mul_basepoint(&k, &self.negated, &s);
        if (expected - r).mul_by_cofactor().is_identity() {
            Ok(())
        } else {
            Err(SignatureError::Mismatch)
        }
    }

    fn decode(
        &self,
        message: &SignedBytes<'_>,
        signature: &[u8; SIGNATURE_LENGTH],
    ) -> Result<Decoded, SignatureError> {
        let (r_encoded, s) = split(signature);
        if !is_canonical(&r_encoded) {
            return Err(SignatureError::Encoding);
        }
        let r = CompressedEdwardsY(r_encoded).decompress().ok_or(SignatureError::Encoding)?;
        let s = Option::from(Scalar::from_canonical_bytes(s)).ok_or(SignatureError::Encoding)?;
        Ok(Decoded { r, s, k: self.challenge(&r_encoded, message) })
    }

    /// k = SHA-512(R ‖ A ‖ M) mod L.
    fn challenge(&self, r: &[u8; 32], message: &SignedBytes<'_>) -> Scalar {
        let mut hasher = Sha512::new();
        hasher.update(r);
        hasher.update(self.encoded);
        for part in message.parts() {
            hasher.update(part);
        }
        Scalar::from_bytes_mod_order_wide(&hasher.finalize().into())
    }
}

/// The numbers of [8][S]B = [8]R + [8][k]A.
struct Decoded {
    r: EdwardsPoint,
    s: Scalar,
    k: Scalar,
}

/// Whether all signatures are valid, by one equation: with random 128-bit z,
/// [8]([Σ zᵢSᵢ]B − Σ [zᵢ]Rᵢ − Σ [zᵢkᵢ]Aᵢ) = 0.
///
/// An invalid signature passes with a chance of 2^−128; the factor 8 makes the rule the same as
/// for single signatures, whatever the torsion in R. The terms of one key are added before its
/// point is multiplied, so several signatures of a key cost less than as many of different keys.
#[cfg(feature = "alloc")]
pub(super) fn batch_is_valid<'a>(
    batch: impl ExactSizeIterator<
        Item = Option<(&'a Point, &'a SignedBytes<'a>, &'a [u8; SIGNATURE_LENGTH])>,
    >,
    mut random: impl FnMut() -> u128,
) -> bool {
    use alloc::collections::BTreeMap;
    use alloc::vec::Vec;
    use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
    use curve25519_dalek::traits::VartimeMultiscalarMul as _;

    let most = 2 * batch.len() + 1;
    let (mut scalars, mut points) = (Vec::with_capacity(most), Vec::with_capacity(most));
    let mut keys: BTreeMap<&[u8; 32], (Scalar, &EdwardsPoint)> = BTreeMap::new();
    let mut base = Scalar::ZERO;
    for item in batch {
        let Some((point, message, signature)) = item else {
            return false;
        };
        let Ok(Decoded { r, s, k }) = point.decode(message, signature) else {
            return false;
        };
        let z = Scalar::from(random());
        base += z * s;
        keys.entry(&point.encoded).or_insert((Scalar::ZERO, &point.negated)).0 += z * k;
        scalars.push(-z);
        points.push(r);
    }
    for (sum, negated) in keys.into_values() {
        scalars.push(sum);
        points.push(*negated);
    }
    scalars.push(base);
    points.push(ED25519_BASEPOINT_POINT);
    EdwardsPoint::vartime_multiscalar_mul(&scalars, &points).mul_by_cofactor().is_identity()
}

fn split(signature: &[u8; SIGNATURE_LENGTH]) -> ([u8; 32], [u8; 32]) {
    let (mut r, mut s) = ([0; 32], [0; 32]);
    r.copy_from_slice(&signature[..32]);
    s.copy_from_slice(&signature[32..]);
    (r, s)
}

/// Whether `encoded` is the one encoding of its point: y below p = 2^255 − 19, and no sign bit
/// where x is 0 (y = 1 and y = −1). Decompression tests neither.
fn is_canonical(encoded: &[u8; 32]) -> bool {
    let sign = encoded[31] & 0x80 != 0;
    let top = encoded[31] & 0x7f;
    let middle = &encoded[1..31];
    let near_p = top == 0x7f && middle.iter().all(|byte| *byte == 0xff);
    let near_zero = top == 0 && middle.iter().all(|byte| *byte == 0);
    // p ends in 0xed, so −1 ends in 0xec.
    let x_is_zero = near_zero && encoded[0] == 1 || near_p && encoded[0] == 0xec;
    let below_p = !near_p || encoded[0] < 0xed;
    below_p && !(sign && x_is_zero)
}
