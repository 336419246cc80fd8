//! The order engine's certificate: a BLS12-381 threshold signature (MinSig: signatures in G1, keys
//! in G2) over a batch header's digest.
//!
//! ```text
//! certificate = varint epoch ‖ varint view ‖ varint parent view ‖ digest (32) ‖ signature (48)
//! message     = varint len(ns) ‖ ns ‖ epoch … digest as encoded,   ns = namespace ‖ "_FINALIZE"
//! valid       ⟺ e(hash_to_curve(message), key) = e(signature, generator of G2)
//! ```
//!
//! Varints are unsigned LEB128 in their shortest form. The format is that of the crates
//! `commonware-consensus` and `commonware-cryptography` 2026.10.

use super::CertificateError;
use crate::hash::{Digest, domain};
use crate::ids::{Epoch, NetworkId};

/// What separates the engine's messages of one network from all others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Namespace([u8; Self::LEN]);

impl Namespace {
    /// Length in bytes.
    pub const LEN: usize = domain::ENGINE.len() + Digest::LEN;

    /// The namespace of a network.
    pub fn of(network: &NetworkId) -> Self {
        let mut bytes = [0; Self::LEN];
        let (prefix, id) = bytes.split_at_mut(domain::ENGINE.len());
        prefix.copy_from_slice(domain::ENGINE);
        id.copy_from_slice(&network.0.0);
        Self(bytes)
    }

    /// The bytes that the engine is configured with.
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

/// Length of a compressed G1 point, bytes.
const SIGNATURE: usize = 48;

/// The engine's finalization of a batch. Parsed, not checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ThresholdCertificate<'a> {
    epoch: Epoch,
    view: u64,
    digest: Digest,
    signed: &'a [u8],
    #[cfg_attr(not(feature = "bls"), allow(dead_code, reason = "checked by `bls`"))]
    signature: &'a [u8; SIGNATURE],
}

impl<'a> ThresholdCertificate<'a> {
    /// Longest encoding, bytes: three varints of at most 10, digest, signature.
    pub const LIMIT: usize = 30 + Digest::LEN + SIGNATURE;
    /// Reads the one accepted encoding.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, CertificateError> {
        if bytes.len() > Self::LIMIT {
            return Err(CertificateError::Malformed);
        }
        let (epoch, rest) = varint(bytes)?;
        let (view, rest) = varint(rest)?;
        let (_parent, rest) = varint(rest)?;
        let (digest, signature) =
            rest.split_first_chunk::<{ Digest::LEN }>().ok_or(CertificateError::Malformed)?;
        let signature = signature.try_into().map_err(|_| CertificateError::Malformed)?;
        let signed = &bytes[..bytes.len() - SIGNATURE];
        Ok(Self { epoch: Epoch(epoch), view, digest: Digest(*digest), signed, signature })
    }

    /// The engine's epoch, as it says.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The engine's view in the epoch, as it says. Two valid certificates of one header may differ
    /// in it: never compare certificates byte by byte.
    pub const fn view(&self) -> u64 {
        self.view
    }

    /// Digest of the batch header that it is for.
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The bytes of the message that follow the namespace.
    pub const fn signed_bytes(&self) -> &'a [u8] {
        self.signed
    }
}

/// A shortest-form unsigned LEB128 number and what follows it.
fn varint(bytes: &[u8]) -> Result<(u64, &[u8]), CertificateError> {
    let mut value = 0u64;
    for (place, byte) in bytes.iter().enumerate().take(10) {
        // The tenth byte holds the 64th bit only.
        if place == 9 && *byte > 1 {
            return Err(CertificateError::Malformed);
        }
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            let longer_than_needed = place > 0 && *byte == 0;
            return if longer_than_needed {
                Err(CertificateError::Malformed)
            } else {
                Ok((value, &bytes[place + 1..]))
            };
        }
    }
    Err(CertificateError::Malformed)
}

#[cfg(feature = "bls")]
pub use verification::CommitteeKey;

#[cfg(feature = "bls")]
mod verification {
    use super::{CertificateError, Namespace, ThresholdCertificate};
    use crate::header::BatchHeader;
    use bls12_381::hash_to_curve::{ExpandMsgXmd, HashToCurve};
    use bls12_381::{G1Affine, G1Projective, G2Affine};

    /// Suite of RFC 9380 §8.8.1 with the engine's proof-of-possession tag.
    const DST: &[u8] = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";
    const SUFFIX: &[u8] = b"_FINALIZE";

    /// The public key of a committee, checked: on the curve, of prime order, not the identity.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct CommitteeKey(G2Affine);

    impl CommitteeKey {
        /// Length of the compressed G2 point, bytes.
        pub const LEN: usize = 96;

        /// Reads a compressed point.
        pub fn parse(bytes: &[u8; Self::LEN]) -> Result<Self, CertificateError> {
            Option::from(G2Affine::from_compressed(bytes))
                .filter(|point: &G2Affine| !bool::from(point.is_identity()))
                .map(Self)
                .ok_or(CertificateError::Key)
        }
    }

    impl ThresholdCertificate<'_> {
        /// Checks that the committee with `key` has certified the batch with this encoded header.
        ///
        /// About 1.5 ms on a PC and more than a second on a microcontroller, so the header's
        /// digest is compared first.
        pub fn verify(
            &self,
            header: &[u8],
            namespace: &Namespace,
            key: &CommitteeKey,
        ) -> Result<(), CertificateError> {
            if BatchHeader::digest(header) != self.digest {
                return Err(CertificateError::OtherHeader);
            }
            let signature: G1Affine = Option::from(G1Affine::from_compressed(self.signature))
                .ok_or(CertificateError::Malformed)?;
            if bool::from(signature.is_identity()) {
                return Err(CertificateError::Malformed);
            }
            let length = [namespace_length()];
            let message: [&[u8]; 4] = [&length, namespace.as_bytes(), SUFFIX, self.signed];
            let point = <G1Projective as HashToCurve<ExpandMsgXmd<sha2_10::Sha256>>>::hash_to_curve(
                message, DST,
            );
            if pairings_are_equal(&point.into(), &key.0, &signature) {
                Ok(())
            } else {
                Err(CertificateError::Mismatch)
            }
        }
    }

    /// The length of the namespace as a varint; one byte suffices.
    const fn namespace_length() -> u8 {
        const LENGTH: usize = Namespace::LEN + SUFFIX.len();
        const { assert!(LENGTH < 0x80) };
        LENGTH as u8
    }

    /// e(message, key) = e(signature, g2).
    #[cfg(not(feature = "alloc"))]
    fn pairings_are_equal(message: &G1Affine, key: &G2Affine, signature: &G1Affine) -> bool {
        bls12_381::pairing(message, key) == bls12_381::pairing(signature, &G2Affine::generator())
    }

    /// e(message, key) · e(−signature, g2) = 1: one final exponentiation instead of two, but the
    /// library's shared loop wants an allocator.
    #[cfg(feature = "alloc")]
    fn pairings_are_equal(message: &G1Affine, key: &G2Affine, signature: &G1Affine) -> bool {
        let terms = [(message, &(*key).into()), (&-signature, &G2Affine::generator().into())];
        let product = bls12_381::multi_miller_loop(&terms).final_exponentiation();
        product == bls12_381::Gt::identity()
    }
}
