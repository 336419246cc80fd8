//! The engine's key types, and their encodings at its edge.

use crate::ceremony::{Committee, PeerKey, Seat};
use crate::error::Error;
use commonware_codec::{Copying, Decode as _, DecodeExt as _, Encode as _};
use commonware_consensus::simplex::scheme::bls12381_threshold::standard;
use commonware_cryptography::bls12381::primitives::group::Share;
use commonware_cryptography::bls12381::primitives::sharing::{ModeVersion, Sharing};
use commonware_cryptography::bls12381::primitives::variant::MinSig;
use commonware_cryptography::{Signer as _, ed25519};
use commonware_utils::TryCollect as _;
use commonware_utils::ordered::Set;
use std::num::NonZeroU32;
use touchmark_wire::hash::domain;
use touchmark_wire::ids::NetworkId;

/// A member's key on the peer-to-peer network, which also names it as a leader.
pub(crate) type PublicKey = ed25519::PublicKey;
/// How the committee votes and certifies.
pub(crate) type Scheme = standard::Scheme<PublicKey, MinSig>;

/// Key material of this node, decoded and found to belong together.
pub(crate) struct Keys {
    pub(crate) signer: ed25519::PrivateKey,
    pub(crate) members: Set<PublicKey>,
    pub(crate) scheme: Scheme,
}

impl Keys {
    /// Decodes a committee and this node's seat in it.
    pub(crate) fn new(
        network: NetworkId,
        committee: &Committee,
        seat: &Seat,
    ) -> Result<Self, Error> {
        let signer = ed25519::PrivateKey::decode(Copying(&seat.identity))
            .map_err(|_| Error::Keys("the peer key does not decode"))?;
        let members = members(&committee.members)?;
        let share = Share::decode(Copying(&seat.share))
            .map_err(|_| Error::Keys("the certificate share does not decode"))?;
        if members.position(&signer.public_key()) != Some(share.index.into()) {
            return Err(Error::Keys("peer key and share are of different members"));
        }
        let scheme =
            Scheme::signer(&namespace(network), members.clone(), polynomial(committee)?, share)
                .ok_or(Error::Keys("the share is not of this committee"))?;
        Ok(Self { signer, members, scheme })
    }
}

/// Application namespace of everything the committee signs.
pub(crate) fn namespace(network: NetworkId) -> Vec<u8> {
    [domain::ENGINE, network.0.as_bytes()].concat()
}

/// The committee's public polynomial.
pub(crate) fn polynomial(committee: &Committee) -> Result<Sharing<MinSig>, Error> {
    let most = u32::try_from(committee.members.len())
        .ok()
        .and_then(NonZeroU32::new)
        .ok_or(Error::Keys("a committee has at least one member"))?;
    let polynomial =
        Sharing::<MinSig>::decode_cfg(Copying(&committee.polynomial), &(most, ModeVersion::v0()))
            .map_err(|_| Error::Keys("the public polynomial does not decode"))?;
    if polynomial.total() != most {
        return Err(Error::Keys("polynomial and members are of different committees"));
    }
    Ok(polynomial)
}

/// The certificate key that a polynomial stands for: compressed G2.
pub(crate) fn certificate_key(polynomial: &Sharing<MinSig>) -> [u8; 96] {
    let mut key = [0; 96];
    key.copy_from_slice(&polynomial.public().encode());
    key
}

/// A peer key, decoded.
pub(crate) fn peer(key: &PeerKey) -> Result<PublicKey, Error> {
    PublicKey::decode(Copying(&key.0)).map_err(|_| Error::Keys("a member's key does not decode"))
}

/// The members' keys, decoded; all different.
pub(crate) fn members(keys: &[PeerKey]) -> Result<Set<PublicKey>, Error> {
    keys.iter()
        .map(peer)
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .try_collect()
        .map_err(|_| Error::Keys("a member is listed twice"))
}
