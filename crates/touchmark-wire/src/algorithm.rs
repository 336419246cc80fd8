//! Signature algorithms: one table row per algorithm, one acceptance set everywhere.
//!
//! | algorithm | COSE id | key | signature |
//! |---|---|---|---|
//! | ES256 | −7 (RFC 9053 §2.1) | EC2, P-256 | r ‖ s, 64 bytes |
//! | Ed25519 | −19 (RFC 9864 §2.2) | OKP, Ed25519 | R ‖ S, 64 bytes |
//! | ES256K | −47 (RFC 8812 §3.2) | EC2, secp256k1 | r ‖ s, 64 bytes |
//!
//! **Acceptance set.** Node, device and browser, single and batch, accept exactly the same
//! signatures; a network in which two verifiers disagree splits.
//!
//! * ES256, ES256K: r and s are each 32 bytes and in [1, n−1]. There is no low-s rule: a statement's
//!   id covers only the signed bytes, so the second signature that anyone can make of a first one
//!   (n−s) is the same statement and changes nothing.
//! * Ed25519: the cofactored equation [8][S]B = [8]R + [8][k]A (RFC 8032 §5.1.7), S < L, R and A
//!   canonically encoded, A of prime order. The cofactored equation is the one that a batch can
//!   check; a library that uses the other one when it checks single signatures disagrees with its
//!   own batches.
//!
//! What an algorithm demands of a *key* is checked once, where a [`PublicKey`] is made.

mod key;
mod message;

#[cfg(feature = "ed25519")]
mod ed25519;
#[cfg(feature = "es256")]
mod es256;
#[cfg(feature = "es256k")]
mod es256k;

pub use key::{CoseKey, KeyError, PublicKey};
pub use message::SignedBytes;

use core::fmt;

/// Length of a signature of each algorithm, bytes.
pub const SIGNATURE_LENGTH: usize = 64;

/// A signature algorithm of the protocol. Known without its cargo feature, so that keys and
/// headers can be read; only checking needs the feature.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519, the fully specified identifier.
    Ed25519,
    /// ECDSA on secp256k1 with SHA-256.
    Es256k,
}

/// A row of the algorithm table.
struct Row {
    algorithm: Algorithm,
    name: &'static str,
    /// COSE Algorithms registry.
    id: i32,
    /// COSE Key Types registry.
    kty: u8,
    /// COSE Elliptic Curves registry.
    crv: u8,
    /// Whether a key has a y coordinate.
    has_y: bool,
    /// Whether the feature that checks it is compiled in.
    compiled: bool,
}

/// COSE key type OKP (RFC 9053 §7.2).
const OKP: u8 = 1;
/// COSE key type EC2 (RFC 9053 §7.1).
const EC2: u8 = 2;

const TABLE: [Row; 3] = [
    Row {
        algorithm: Algorithm::Es256,
        name: "ES256",
        id: -7,
        kty: EC2,
        crv: 1,
        has_y: true,
        compiled: cfg!(feature = "es256"),
    },
    Row {
        algorithm: Algorithm::Ed25519,
        name: "Ed25519",
        id: -19,
        kty: OKP,
        crv: 6,
        has_y: false,
        compiled: cfg!(feature = "ed25519"),
    },
    Row {
        algorithm: Algorithm::Es256k,
        name: "ES256K",
        id: -47,
        kty: EC2,
        crv: 8,
        has_y: true,
        compiled: cfg!(feature = "es256k"),
    },
];

impl Algorithm {
    /// Every algorithm, in table order.
    pub const ALL: [Self; 3] = [Self::Es256, Self::Ed25519, Self::Es256k];

    const fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// Its value in the COSE Algorithms registry, as in a protected header's `alg`.
    pub const fn cose_id(self) -> i32 {
        self.row().id
    }

    /// The algorithm that COSE calls `id`, if the protocol has it.
    pub fn from_cose_id(id: i64) -> Option<Self> {
        TABLE.iter().find(|row| i64::from(row.id) == id).map(|row| row.algorithm)
    }

    /// Its registered name.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// The algorithm with this registered name, in either case.
    pub fn from_name(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.name.eq_ignore_ascii_case(name)).map(|row| row.algorithm)
    }

    /// Whether this build can check its signatures (the cargo feature of its name).
    pub const fn is_compiled(self) -> bool {
        self.row().compiled
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl<C> minicbor::Encode<C> for Algorithm {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.i32(self.cose_id())?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Algorithm {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::from_cose_id(d.i64()?)
            .ok_or_else(|| minicbor::decode::Error::message("unknown signature algorithm"))
    }
}

/// Something that holds a private key.
///
/// This is the lowest level; callers sign through a method named for the purpose, never a bare
/// message.
pub trait Signer {
    /// The public half of the key.
    fn public_key(&self) -> &PublicKey;

    /// Signs `message`.
    fn sign(&self, message: &SignedBytes<'_>) -> Result<[u8; SIGNATURE_LENGTH], SignError>;
}

/// Why a signer made no signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum SignError {
    /// The key is not there now: card removed, token locked, connection lost. Retry may help.
    Unavailable,
    /// The holder of the key refused: its policy, its user or its counter. Retry does not help.
    Refused,
    /// The key holder answered with something that is not a valid signature.
    Faulty,
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unavailable => "the signing key is not available",
            Self::Refused => "the holder of the signing key refused to sign",
            Self::Faulty => "the holder of the signing key returned an invalid signature",
        })
    }
}

impl core::error::Error for SignError {}

/// Something that checks signatures, with the acceptance set of this module.
pub trait SignatureVerifier {
    /// Checks that `signature` is `key`'s over `message`.
    fn verify(
        &self,
        key: &PublicKey,
        message: &SignedBytes<'_>,
        signature: &[u8],
    ) -> Result<(), SignatureError>;
}

/// Why a signature does not count. Always the sender's fault: what this build can not check is
/// already refused when the [`PublicKey`] is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum SignatureError {
    /// Not [`SIGNATURE_LENGTH`] bytes.
    Length {
        /// Actual length, bytes.
        actual: usize,
    },
    /// A number or point in it is out of range or not in its one encoding.
    Encoding,
    /// It is not this key's signature of this message.
    Mismatch,
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { actual } => {
                write!(f, "a signature has {SIGNATURE_LENGTH} bytes, not {actual}")
            }
            Self::Encoding => f.write_str("the signature is not well-formed"),
            Self::Mismatch => f.write_str("the signature is not this key's over this message"),
        }
    }
}

impl core::error::Error for SignatureError {}

/// The verifier in pure Rust: no allocator, no platform, every build.
#[derive(Clone, Copy, Debug, Default)]
pub struct PureVerifier;

impl SignatureVerifier for PureVerifier {
    fn verify(
        &self,
        key: &PublicKey,
        message: &SignedBytes<'_>,
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        let signature =
            signature.try_into().map_err(|_| SignatureError::Length { actual: signature.len() })?;
        key.verify(message, signature)
    }
}

/// A signature to check with others.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// Key that it should be of.
    pub key: &'a PublicKey,
    /// Message that it should cover.
    pub message: &'a SignedBytes<'a>,
    /// The signature.
    pub signature: &'a [u8],
}

/// Whether *all* of these are valid Ed25519 signatures, by one equation that costs about half of
/// checking each; what it accepts is what [`PureVerifier`] accepts. Which of them is wrong, single
/// checks tell.
///
/// `random` gives the weights of the equation: 128 unpredictable bits each time.
#[cfg(all(feature = "alloc", feature = "ed25519"))]
pub fn ed25519_batch_is_valid(claims: &[Claim<'_>], random: impl FnMut() -> u128) -> bool {
    let items = claims.iter().map(|claim| {
        let Claim { key, message, signature } = *claim;
        Some((key.ed25519()?, message, signature.try_into().ok()?))
    });
    ed25519::batch_is_valid(items, random)
}

#[cfg(test)]
mod tests;
