//! One Ed25519 key that several members hold together: FROST(Ed25519, SHA-512), RFC 9591.
//!
//! Nobody ever has the key. A threshold of the members signs in two rounds: each commits to two
//! nonces ([`Share::commit`]), and once it knows who else takes part and with which commitments, it
//! gives its part of the signature ([`Share::sign`]). Anybody can put the parts together and sees
//! who gave a wrong one ([`Share::combine`]). What comes out is an ordinary Ed25519 signature
//! (RFC 8032), and nobody sees who made it.
//!
//! A member is known by its place among the members, from 0; its identifier in the RFC is one more.
//!
//! # Deviations
//! * The RFC leaves open how the key is made; see [`Generation`].

mod generation;
#[cfg(test)]
mod tests;

pub use generation::{Generation, GenerationError};

use core::fmt;
use frost_ed25519::keys::{KeyPackage, PublicKeyPackage, SigningShare, VerifyingShare};
use frost_ed25519::rand_core::{CryptoRng, RngCore};
use frost_ed25519::round1::{NonceCommitment, SigningCommitments, SigningNonces};
use frost_ed25519::round2::SignatureShare;
use frost_ed25519::{self as frost, CheaterDetection, Identifier, SigningPackage, VerifyingKey};
use minicbor::{Decode, Encode};
use std::collections::BTreeMap;
use touchmark_wire::algorithm::SIGNATURE_LENGTH;
use touchmark_wire::codec::{self, Malformed};
use touchmark_wire::hash::Digest;
use touchmark_wire::limits;
use touchmark_wire::word::Commitment;
use zeroize::{Zeroize as _, Zeroizing};

/// Length of a part of a signature, bytes.
pub const PART: usize = 32;
/// Longest encoding of a share, bytes: 16 members with a point each.
const LIMIT: usize = 768;

/// Why there is no signature.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ThresholdError {
    /// Caller: too few take part, or this member does not, or a commitment is no point, or the
    /// nonces are of another one.
    Commitments,
    /// Members gave a part that is wrong; by their places.
    Parts(Vec<u16>),
    /// The operating system gives no randomness.
    NoRandomness,
}

impl fmt::Display for ThresholdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Commitments => f.write_str("those who take part have not committed to that"),
            Self::Parts(places) => write!(f, "the parts of the members {places:?} are wrong"),
            Self::NoRandomness => f.write_str("the operating system gives no randomness"),
        }
    }
}

impl core::error::Error for ThresholdError {}

/// What one member has of a key: its secret share, and what everyone may know.
#[derive(Clone)]
pub struct Share {
    place: u16,
    own: KeyPackage,
    all: PublicKeyPackage,
    key: [u8; 32],
}

/// Two nonces for one signature. Signing uses them up; dropped, they are wiped. They are never
/// stored: the same ones under two messages would give the share away.
pub struct Nonces(SigningNonces);

/// A share as bytes.
#[derive(Encode, Decode)]
#[cbor(array)]
struct Stored {
    #[n(0)]
    place: u16,
    #[n(1)]
    threshold: u16,
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    share: [u8; 32],
    /// Every member's share times the generator.
    #[n(3)]
    members: Vec<Digest>,
    #[n(4)]
    key: Digest,
}

impl Drop for Stored {
    fn drop(&mut self) {
        self.share.zeroize();
    }
}

impl Share {
    /// The key: an Ed25519 public key.
    pub const fn key(&self) -> [u8; 32] {
        self.key
    }

    /// The member's place.
    pub const fn place(&self) -> u16 {
        self.place
    }

    /// How many it takes to sign.
    pub fn threshold(&self) -> usize {
        (*self.own.min_signers()).into()
    }

    /// Reads the one accepted encoding.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let stored: Stored = codec::decode(bytes, LIMIT)?;
        Self::try_from(&stored)
    }

    /// The encoding, for a file that only its owner reads.
    pub fn encode_to_vec(&self) -> Zeroizing<Vec<u8>> {
        let point = |share: &VerifyingShare| bytes(share.serialize()).map(Digest);
        let members = self.all.verifying_shares().values().map(point);
        let stored = Stored {
            place: self.place,
            threshold: *self.own.min_signers(),
            share: bytes(Ok(self.own.signing_share().serialize())).expect("a scalar has 32 bytes"),
            members: members.collect::<Option<_>>().expect("a member's point was encoded before"),
            key: Digest(self.key),
        };
        Zeroizing::new(codec::encode(&stored))
    }

    /// New nonces, and what the others are to know of them.
    pub fn commit(&self) -> Result<(Nonces, Commitment), ThresholdError> {
        System::ready()?;
        Ok(self.commit_with(&mut System))
    }

    fn commit_with(&self, rng: &mut (impl RngCore + CryptoRng)) -> (Nonces, Commitment) {
        let (nonces, committed) = frost::round1::commit(self.own.signing_share(), rng);
        let point = |it: &NonceCommitment| {
            bytes(it.serialize()).map(Digest).expect("a nonce is zero once in 2^252 draws")
        };
        let (hiding, binding) = (point(committed.hiding()), point(committed.binding()));
        (Nonces(nonces), Commitment { validator: self.place, hiding, binding })
    }

    /// This member's part of a signature of `message` by those who committed. Only to be called for
    /// what the key may sign.
    pub fn sign(
        &self,
        nonces: Nonces,
        message: &[u8],
        by: &[Commitment],
    ) -> Result<[u8; PART], ThresholdError> {
        let package = self.package(message, by)?;
        let Nonces(nonces) = nonces;
        let part = frost::round2::sign(&package, &nonces, &self.own);
        bytes(part.map(|part| part.serialize())).ok_or(ThresholdError::Commitments)
    }

    /// Whether a member may take part with this commitment.
    pub fn admits(&self, commitment: &Commitment) -> bool {
        self.admitted(commitment).is_some()
    }

    /// Who commits to what, if that member may take part with it.
    fn admitted(&self, commitment: &Commitment) -> Option<(Identifier, SigningCommitments)> {
        let member = identifier(commitment.validator)?;
        let is_one = self.all.verifying_shares().contains_key(&member);
        Some((member, committed(commitment).filter(|_| is_one)?))
    }

    /// The signature, of the parts of all who committed, by their places. If it is not one, those
    /// are named who gave a wrong part.
    pub fn combine(
        &self,
        message: &[u8],
        by: &[Commitment],
        parts: &BTreeMap<u16, [u8; PART]>,
    ) -> Result<[u8; SIGNATURE_LENGTH], ThresholdError> {
        let package = self.package(message, by)?;
        if !by.iter().map(|it| &it.validator).eq(parts.keys()) {
            return Err(ThresholdError::Commitments);
        }
        let (mut read, mut wrong) = (BTreeMap::new(), Vec::new());
        for (place, part) in parts {
            match (identifier(*place), SignatureShare::deserialize(part)) {
                (Some(identifier), Ok(part)) => drop(read.insert(identifier, part)),
                _ => wrong.push(*place),
            }
        }
        if !wrong.is_empty() {
            return Err(ThresholdError::Parts(wrong));
        }
        let made =
            frost::aggregate_custom(&package, &read, &self.all, CheaterDetection::AllCheaters);
        made.map_err(|error| match error.culprits() {
            culprits if culprits.is_empty() => ThresholdError::Commitments,
            culprits => {
                let places = parts.keys().copied();
                let is_wrong =
                    |place: &u16| identifier(*place).is_some_and(|it| culprits.contains(&it));
                ThresholdError::Parts(places.filter(is_wrong).collect())
            }
        })
        .and_then(|signature| bytes(signature.serialize()).ok_or(ThresholdError::Commitments))
    }

    /// Who signs what: enough members, each of them once.
    fn package(&self, message: &[u8], by: &[Commitment]) -> Result<SigningPackage, ThresholdError> {
        let commitments: BTreeMap<_, _> = by.iter().filter_map(|it| self.admitted(it)).collect();
        if commitments.len() != by.len() || by.len() < self.threshold() {
            return Err(ThresholdError::Commitments);
        }
        Ok(SigningPackage::new(commitments, message))
    }
}

impl TryFrom<&Stored> for Share {
    type Error = Malformed;

    fn try_from(stored: &Stored) -> Result<Self, Malformed> {
        let Stored { place, threshold, share, members, key } = stored;
        let is_sound = members.len() <= limits::MEMBERS
            && (2..=members.len()).contains(&usize::from(*threshold))
            && usize::from(*place) < members.len();
        if !is_sound {
            return Err(Malformed::Shape);
        }
        let shape = |_| Malformed::Shape;
        let verifying_key = VerifyingKey::deserialize(&key.0).map_err(shape)?;
        let points = (0..).zip(members).map(|(place, point)| {
            let share = VerifyingShare::deserialize(&point.0).map_err(shape)?;
            Ok((identifier(place).ok_or(Malformed::Shape)?, share))
        });
        let points = points.collect::<Result<BTreeMap<_, _>, Malformed>>()?;
        let own = identifier(*place).ok_or(Malformed::Shape)?;
        let signing = SigningShare::deserialize(share).map_err(shape)?;
        let verifying = VerifyingShare::from(signing);
        if points.get(&own) != Some(&verifying) {
            return Err(Malformed::Shape);
        }
        Ok(Self {
            place: *place,
            own: KeyPackage::new(own, signing, verifying, verifying_key, *threshold),
            all: PublicKeyPackage::new(points, verifying_key, Some(*threshold)),
            key: key.0,
        })
    }
}

impl PartialEq for Share {
    /// Of the same member of the same key.
    fn eq(&self, other: &Self) -> bool {
        self.own == other.own && self.all == other.all
    }
}

impl fmt::Debug for Share {
    /// Shows nothing of the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Share").field("place", &self.place).finish_non_exhaustive()
    }
}

/// A member's identifier (RFC 9591 §4.2: not 0).
fn identifier(place: u16) -> Option<Identifier> {
    Identifier::try_from(place.checked_add(1)?).ok()
}

/// The points of a commitment: of prime order, and not the neutral one.
fn committed(commitment: &Commitment) -> Option<SigningCommitments> {
    let hiding = NonceCommitment::deserialize(&commitment.hiding.0).ok()?;
    let binding = NonceCommitment::deserialize(&commitment.binding.0).ok()?;
    Some(SigningCommitments::new(hiding, binding))
}

/// What the library encoded, if it has this length.
fn bytes<const N: usize>(encoded: Result<Vec<u8>, frost::Error>) -> Option<[u8; N]> {
    Zeroizing::new(encoded.ok()?).as_slice().try_into().ok()
}

/// The operating system's randomness.
struct System;

impl System {
    /// Whether there is any.
    fn ready() -> Result<(), ThresholdError> {
        getrandom::fill(&mut [0; 1]).map_err(|_| ThresholdError::NoRandomness)
    }
}

impl RngCore for System {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill_bytes(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill_bytes(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gave randomness a moment ago");
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), frost::rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for System {}
