//! The node's signature verifier: the same acceptance set as [`PureVerifier`], in less time.
//!
//! Verdicts are the same; of ES256 the reason of a refusal may be less exact.
//!
//! * ES256 through aws-lc, from the digest that the statement's id already is. Its fixed-length
//!   ECDSA refuses r and s outside [1, n−1] and has no low-s rule, as ours.
//! * Ed25519 single through the shared code: aws-lc checks the cofactorless equation, which is
//!   another acceptance set. Many at once by the batch equation, which has the same one.
//! * ES256K through the shared code.
//!
//! Keys are not kept in aws-lc's form: making that takes 1.4 µs of 50.

use aws_lc_rs::digest::{Digest, SHA256};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use touchmark_wire::algorithm::{
    Algorithm, Claim, PublicKey, PureVerifier, SIGNATURE_LENGTH, SignatureError, SignatureVerifier,
    SignedBytes, ed25519_batch_is_valid,
};

/// Ed25519 signatures in one equation: all that came together first; where that does not hold, in
/// smaller ones; what is in one of those that does not hold either is checked one by one. A wrong
/// signature among a thousand then costs the others two equations and not a single check each.
const BATCHES: [usize; 2] = [1_024, 128];

/// Fewest Ed25519 signatures for which the batch equation is worth it.
const WORTHWHILE: usize = 4;

/// Checks signatures on a server. Stateless: share it or make another.
#[derive(Clone, Copy, Debug, Default)]
pub struct FastVerifier;

impl SignatureVerifier for FastVerifier {
    fn verify(
        &self,
        key: &PublicKey,
        message: &SignedBytes<'_>,
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        match key.algorithm() {
            Algorithm::Es256 => verify_es256(key, message, signature),
            _ => PureVerifier.verify(key, message, signature),
        }
    }
}

impl FastVerifier {
    /// Checks many signatures on the calling thread; the verdicts are those of
    /// [`SignatureVerifier::verify`] for each, in order.
    pub fn verify_batch(&self, claims: &[Claim<'_>]) -> Vec<Result<(), SignatureError>> {
        let is_ed25519 = |claim: &Claim<'_>| claim.key.algorithm() == Algorithm::Ed25519;
        let batched: Vec<_> = claims.iter().copied().filter(is_ed25519).collect();
        let mut valid = Vec::with_capacity(batched.len());
        mark_valid(&batched, &BATCHES, &mut valid);
        let mut valid = valid.into_iter();
        claims
            .iter()
            .map(|claim| {
                if is_ed25519(claim) && valid.next() == Some(true) {
                    return Ok(());
                }
                self.verify(claim.key, claim.message, claim.signature)
            })
            .collect()
    }
}

fn verify_es256(
    key: &PublicKey,
    message: &SignedBytes<'_>,
    signature: &[u8],
) -> Result<(), SignatureError> {
    if signature.len() != SIGNATURE_LENGTH {
        return Err(SignatureError::Length { actual: signature.len() });
    }
    let point = key.cose().to_sec1().expect("ES256 keys have two coordinates");
    let digest = Digest::import_less_safe(message.digest().as_bytes(), &SHA256)
        .expect("SHA-256 has 32 bytes");
    // The library does not say why; r or s out of range is reported as a mismatch, too.
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify_digest(&digest, signature)
        .map_err(|_| SignatureError::Mismatch)
}

/// Says of each claim whether an equation over it and its neighbours holds, trying `sizes` one
/// after the other. What it does not say of is to be checked alone.
fn mark_valid(claims: &[Claim<'_>], sizes: &[usize], valid: &mut Vec<bool>) {
    let Some((size, smaller)) = sizes.split_first() else {
        return valid.extend(core::iter::repeat_n(false, claims.len()));
    };
    for batch in claims.chunks(*size) {
        if batch.len() >= WORTHWHILE && is_valid_batch(batch) {
            valid.extend(core::iter::repeat_n(true, batch.len()));
        } else {
            // The same claims again would not hold either.
            let at = smaller.partition_point(|size| *size >= batch.len());
            mark_valid(batch, &smaller[at..], valid);
        }
    }
}

fn is_valid_batch(batch: &[Claim<'_>]) -> bool {
    let mut random = vec![0; 16 * batch.len()];
    // Without randomness the equation proves nothing; single checks need none.
    if aws_lc_rs::rand::fill(&mut random).is_err() {
        return false;
    }
    let mut weights = random
        .chunks_exact(16)
        .map(|bytes| u128::from_le_bytes(bytes.try_into().expect("chunks of 16 bytes")));
    ed25519_batch_is_valid(batch, || weights.next().expect("one weight for each signature"))
}
