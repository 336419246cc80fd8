//! Members who are all present make a key that they hold together, and nobody deals.
//!
//! The two-round key generation of FROST (Komlo and Goldberg, SAC 2020, figure 1): each member
//! shares out a secret of its own, with a proof that it knows it, and the key is the sum. Each
//! member says the same *first* message to all, then a *second* one to each.
//!
//! ```text
//! message = [1, [[threshold * point], proof (64)]]   commitments to the coefficients; R ‖ z
//!         / [2, [view, scalar]]                      the receiver's value of the sender's polynomial
//! view    = H(touchmark/keys/note-key/v1 ‖ all first messages in the order of the members)
//! ```
//!
//! The figure asks for a broadcast channel. Here each member says in its second message what it was
//! shown in all first ones, so whoever shows different things to different members makes no key.
//!
//! The messages are to travel over a channel that is authenticated, encrypted and of this attempt
//! alone: a value of a polynomial is for its receiver only.

use super::{Share, System, bytes, identifier};
use core::fmt;
use frost_ed25519::keys::dkg::{self, round1, round2};
use frost_ed25519::keys::{
    KeyPackage, PublicKeyPackage, SigningShare, VerifiableSecretSharingCommitment,
};
use frost_ed25519::{self as frost, Identifier, Signature};
use minicbor::{Decode, Encode};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use touchmark_wire::codec;
use touchmark_wire::hash::{Digest, domain};
use touchmark_wire::limits;
use zeroize::{Zeroize as _, Zeroizing};

/// Longest message, bytes: 16 points and a proof.
const LIMIT: usize = 640;

/// Why no key is made; members by their places.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum GenerationError {
    /// Caller: these members cannot hold a key together.
    Members,
    /// The operating system gives no randomness.
    NoRandomness,
    /// A message is malformed, or none of this key.
    Malformed(u16),
    /// A member said two different things.
    Contradiction(u16),
    /// A member does not know the secret that it shares out.
    Proof(u16),
    /// What a member shared out does not fit its commitment.
    Value(u16),
    /// A member was shown other first messages.
    View(u16),
    /// The library failed.
    Failed,
}

impl fmt::Display for GenerationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Members => f.write_str("these members cannot hold a key together"),
            Self::NoRandomness => f.write_str("the operating system gives no randomness"),
            Self::Malformed(place) => write!(f, "the message of member {place} is malformed"),
            Self::Contradiction(place) => write!(f, "member {place} contradicts itself"),
            Self::Proof(place) => write!(f, "member {place} proves no secret"),
            Self::Value(place) => write!(f, "what member {place} shared out does not fit"),
            Self::View(place) => write!(f, "member {place} was shown something else"),
            Self::Failed => f.write_str("the key cannot be put together"),
        }
    }
}

impl core::error::Error for GenerationError {}

#[derive(Encode, Decode)]
pub(super) enum Message {
    #[n(1)]
    First(
        #[n(0)] Vec<Digest>,
        #[n(1)]
        #[cbor(with = "minicbor::bytes")]
        [u8; 64],
    ),
    #[n(2)]
    Second(
        #[n(0)] Digest,
        #[n(1)]
        #[cbor(with = "minicbor::bytes")]
        [u8; 32],
    ),
}

impl Drop for Message {
    fn drop(&mut self) {
        if let Self::Second(_, value) = self {
            value.zeroize();
        }
    }
}

/// One member's part in making a key, without a clock or a network.
pub struct Generation {
    me: u16,
    count: u16,
    threshold: u16,
    stage: Stage,
    /// The first messages, this member's too.
    firsts: BTreeMap<u16, Vec<u8>>,
    packages: BTreeMap<Identifier, round1::Package>,
    /// The second messages as they came.
    seconds: BTreeMap<u16, Zeroizing<Vec<u8>>>,
}

enum Stage {
    /// Not all first messages are there.
    First(round1::SecretPackage),
    /// Not all second ones are.
    Second {
        own: round2::SecretPackage,
        view: Digest,
        said: BTreeMap<u16, Zeroizing<Vec<u8>>>,
        taken: BTreeMap<Identifier, round2::Package>,
    },
    /// The second messages stay for those who have not heard them.
    Made(Box<Share>, BTreeMap<u16, Zeroizing<Vec<u8>>>),
    /// Something was wrong.
    Over,
}

impl Generation {
    /// Begins, as the member at `me` of `count`, of whom it will take `threshold` to sign: two at
    /// least.
    pub fn begin(me: u16, count: u16, threshold: u16) -> Result<Self, GenerationError> {
        let own = identifier(me).filter(|_| me < count && usize::from(count) <= limits::MEMBERS);
        let own = own.ok_or(GenerationError::Members)?;
        System::ready().map_err(|_| GenerationError::NoRandomness)?;
        let (secret, package) =
            dkg::part1(own, count, threshold, System).map_err(|_| GenerationError::Members)?;
        let first = first(&package).ok_or(GenerationError::Failed)?;
        Ok(Self {
            me,
            count,
            threshold,
            stage: Stage::First(secret),
            firsts: BTreeMap::from([(me, first)]),
            packages: BTreeMap::new(),
            seconds: BTreeMap::new(),
        })
    }

    /// What this member has to say to another, who is not known to have all of it.
    pub fn say(&self, to: u16) -> Vec<Vec<u8>> {
        let mut said = Vec::new();
        // Who says its second message has all first ones.
        if !self.seconds.contains_key(&to) {
            said.extend(self.firsts.get(&self.me).cloned());
        }
        if let Stage::Second { said: second, .. } | Stage::Made(_, second) = &self.stage {
            said.extend(second.get(&to).map(|it| it.to_vec()));
        }
        said
    }

    /// Takes what a member certainly said; the same again changes nothing.
    pub fn take(&mut self, from: u16, message: &[u8]) -> Result<(), GenerationError> {
        let malformed = GenerationError::Malformed(from);
        if from >= self.count || from == self.me {
            return Err(malformed);
        }
        match &codec::decode(message, LIMIT).map_err(|_| malformed)? {
            Message::First(points, proof) => {
                if let Some(known) = self.firsts.get(&from) {
                    return same(known, message, from);
                }
                let package = self.package(points, proof).ok_or(malformed)?;
                let from_identifier = identifier(from).ok_or(malformed)?;
                self.packages.insert(from_identifier, package);
                self.firsts.insert(from, message.to_vec());
            }
            Message::Second(..) => {
                if let Some(known) = self.seconds.get(&from) {
                    return same(known, message, from);
                }
                self.seconds.insert(from, Zeroizing::new(message.to_vec()));
            }
        }
        self.advance()
    }

    /// How many members there are.
    pub const fn count(&self) -> u16 {
        self.count
    }

    /// Whether a member has said all that this one needs of it.
    pub fn has_all(&self, from: u16) -> bool {
        self.firsts.contains_key(&from) && self.seconds.contains_key(&from)
    }

    /// What this member has of the key, once everyone has said everything.
    pub fn share(&self) -> Option<&Share> {
        match &self.stage {
            Stage::Made(share, _) => Some(share),
            _ => None,
        }
    }

    fn package(&self, points: &[Digest], proof: &[u8; 64]) -> Option<round1::Package> {
        if points.len() != usize::from(self.threshold) {
            return None;
        }
        let points = points.iter().map(|point| point.0);
        let commitment = VerifiableSecretSharingCommitment::deserialize(points).ok()?;
        Some(round1::Package::new(commitment, Signature::deserialize(proof).ok()?))
    }

    /// Goes on as far as what came allows.
    fn advance(&mut self) -> Result<(), GenerationError> {
        if self.packages.len() + 1 < usize::from(self.count) {
            return Ok(());
        }
        let stage = match core::mem::replace(&mut self.stage, Stage::Over) {
            Stage::First(secret) => self.deal(secret)?,
            stage => stage,
        };
        self.stage = match stage {
            Stage::Second { own, view, said, mut taken } => {
                for (from, message) in &self.seconds {
                    let from_identifier = identifier(*from).ok_or(GenerationError::Failed)?;
                    if let Entry::Vacant(place) = taken.entry(from_identifier) {
                        place.insert(Self::second(*from, message, view)?);
                    }
                }
                if taken.len() + 1 < usize::from(self.count) {
                    Stage::Second { own, view, said, taken }
                } else {
                    let made = dkg::part3(&own, &self.packages, &taken);
                    let made = made.map_err(|error| self.blamed(&error))?;
                    Stage::Made(Box::new(Share::of(self.me, made)?), said)
                }
            }
            stage => stage,
        };
        Ok(())
    }

    /// All first messages are there.
    fn deal(&self, secret: round1::SecretPackage) -> Result<Stage, GenerationError> {
        let (own, packages) =
            dkg::part2(secret, &self.packages).map_err(|error| self.blamed(&error))?;
        let firsts = self.firsts.values().map(Vec::as_slice);
        let shown: Vec<_> = core::iter::once(domain::NOTE_KEY).chain(firsts).collect();
        let view = Digest::of(&shown);
        let mut said = BTreeMap::new();
        for to in (0..self.count).filter(|to| *to != self.me) {
            let package = identifier(to).and_then(|it| packages.get(&it));
            let value = package.map(|it| it.signing_share().serialize());
            let value = value.and_then(|it| bytes(Ok(it))).ok_or(GenerationError::Failed)?;
            said.insert(to, Zeroizing::new(codec::encode(&Message::Second(view, value))));
        }
        Ok(Stage::Second { own, view, said, taken: BTreeMap::new() })
    }

    /// A second message, once all first ones are there.
    fn second(from: u16, message: &[u8], view: Digest) -> Result<round2::Package, GenerationError> {
        let malformed = GenerationError::Malformed(from);
        let decoded: Message = codec::decode(message, LIMIT).map_err(|_| malformed)?;
        let Message::Second(shown, value) = &decoded else { return Err(malformed) };
        if *shown != view {
            return Err(GenerationError::View(from));
        }
        // Whether it fits is for the library to say, once all are there.
        let value = SigningShare::deserialize(value).map_err(|_| malformed)?;
        Ok(round2::Package::new(value))
    }

    /// Whose fault it is that the library refuses.
    fn blamed(&self, error: &frost::Error) -> GenerationError {
        let culprits = error.culprits();
        let mut places = (0..self.count).filter(|place| {
            identifier(*place).is_some_and(|identifier| culprits.contains(&identifier))
        });
        match (error, places.next()) {
            (frost::Error::InvalidProofOfKnowledge { .. }, Some(place)) => {
                GenerationError::Proof(place)
            }
            (_, Some(place)) => GenerationError::Value(place),
            _ => GenerationError::Failed,
        }
    }
}

impl Share {
    fn of(place: u16, (own, all): (KeyPackage, PublicKeyPackage)) -> Result<Self, GenerationError> {
        let key = bytes(own.verifying_key().serialize()).ok_or(GenerationError::Failed)?;
        Ok(Self { place, own, all, key })
    }
}

/// The first message of a member.
fn first(package: &round1::Package) -> Option<Vec<u8>> {
    let points = package.commitment().serialize().ok()?.into_iter();
    let points = points.map(|point| bytes(Ok(point)).map(Digest)).collect::<Option<_>>()?;
    let proof = bytes(package.proof_of_knowledge().serialize())?;
    Some(codec::encode(&Message::First(points, proof)))
}

fn same(known: &[u8], message: &[u8], from: u16) -> Result<(), GenerationError> {
    if known == message { Ok(()) } else { Err(GenerationError::Contradiction(from)) }
}
