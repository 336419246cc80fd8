//! The key ceremony: one dealer makes the keys of a committee.
//!
//! For a network of one owner this is all there is. A committee of several owners makes its key
//! together ([`crate::generation`]); a dealer who knows every share is then for tests only.

use crate::error::Error;
use crate::keys;
use commonware_codec::Encode as _;
use commonware_cryptography::bls12381::dkg::feldman_desmedt;
use commonware_cryptography::bls12381::primitives::sharing::Mode;
use commonware_cryptography::bls12381::primitives::variant::MinSig;
use commonware_cryptography::{Signer as _, ed25519};
use commonware_math::algebra::Random as _;
use commonware_utils::N3f1;
use commonware_utils::TryCollect as _;
use commonware_utils::ordered::Set;
use rand_core::CryptoRng;
use std::fmt;
use std::num::NonZeroU16;

/// A member's Ed25519 key on the peer-to-peer network.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PeerKey(pub [u8; 32]);

impl fmt::Display for PeerKey {
    /// Hexadecimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What everyone may know of a committee.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Committee {
    /// The public polynomial of the certificate key, encoded.
    pub polynomial: Vec<u8>,
    /// Its members, sorted; a member's position is its number.
    pub members: Vec<PeerKey>,
}

impl Committee {
    /// The key under which certificates verify: a compressed point of G2.
    pub fn certificate_key(&self) -> Result<[u8; 96], Error> {
        keys::polynomial(self).map(|polynomial| keys::certificate_key(&polynomial))
    }
}

/// What only one member may know: keep it in a key file.
#[derive(Clone, PartialEq, Eq)]
pub struct Seat {
    /// Seed of the member's Ed25519 peer key.
    pub identity: [u8; 32],
    /// The member's share of the certificate key, encoded.
    pub share: Vec<u8>,
}

impl fmt::Debug for Seat {
    /// Shows nothing of the secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seat").finish_non_exhaustive()
    }
}

/// A member's place in one committee. The members of the next committee make its keys together
/// while the present one still certifies, so a node may have several.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Office {
    /// The committee.
    pub committee: Committee,
    /// The place; a node has the same peer key in each.
    pub seat: Seat,
}

/// Keys of a network of one owner: [`deal`] for one member.
pub fn solo(rng: &mut impl CryptoRng) -> (Committee, Seat) {
    let (committee, seats) = deal(rng, NonZeroU16::MIN);
    let seat = seats.into_iter().next().expect("a committee of one has one seat");
    (committee, seat)
}

/// Keys of a committee of `count` members; the seats are in the order of the members.
pub fn deal(rng: &mut impl CryptoRng, count: NonZeroU16) -> (Committee, Vec<Seat>) {
    let identities: Vec<_> =
        (0..count.get()).map(|_| ed25519::PrivateKey::random(&mut *rng)).collect();
    deal_among(rng, &identities)
}

/// Keys of a committee of the owners of these peer keys, which differ.
pub(crate) fn deal_among(
    rng: &mut impl CryptoRng,
    identities: &[ed25519::PrivateKey],
) -> (Committee, Vec<Seat>) {
    let members: Set<_> = identities
        .iter()
        .map(ed25519::PrivateKey::public_key)
        .try_collect()
        .expect("peer keys differ");
    let (output, shares) =
        feldman_desmedt::deal::<MinSig, _, N3f1>(rng, Mode::NonZeroCounter, members.clone())
            .expect("dealing fails only for a committee without members");
    let seats = members
        .iter()
        .map(|member| {
            let identity = identities
                .iter()
                .find(|identity| identity.public_key() == *member)
                .expect("every member was made from one of these");
            let share = shares.get_value(member).expect("every member was dealt a share");
            let mut seed = [0; 32];
            seed.copy_from_slice(&identity.encode());
            Seat { identity: seed, share: share.encode().to_vec() }
        })
        .collect();
    let committee = Committee {
        polynomial: output.public().encode().to_vec(),
        members: members.iter().map(peer_key).collect(),
    };
    (committee, seats)
}

/// A member's key, encoded.
pub(crate) fn peer_key(key: &ed25519::PublicKey) -> PeerKey {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(key.as_ref());
    PeerKey(bytes)
}
