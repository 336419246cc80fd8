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

/// Most Ed25519 signatures in one equation. More gain little (15 µs each at 256, 14 at 512, 18 at
/// 128, 46 single), and one wrong signature has its whole batch checked again one by one.
const BATCH: usize = 256;

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
        let mut valid = batched.chunks(BATCH).flat_map(|batch| {
            let all = batch.len() >= WORTHWHILE && is_valid_batch(batch);
            core::iter::repeat_n(all, batch.len())
        });
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
