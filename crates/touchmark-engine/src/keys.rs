//! The engine's key types, and their encodings at its edge.

use crate::ceremony::{Committee, Office, PeerKey, Seat};
use crate::error::Error;
use commonware_codec::{Copying, Decode as _, DecodeExt as _, Encode as _};
use commonware_consensus::simplex::scheme::bls12381_threshold::standard;
use commonware_cryptography::bls12381::primitives::group::Share;
use commonware_cryptography::bls12381::primitives::sharing::{ModeVersion, Sharing};
use commonware_cryptography::bls12381::primitives::variant::{MinSig, Variant};
use commonware_cryptography::{Signer as _, ed25519};
use commonware_utils::TryCollect as _;
use commonware_utils::ordered::Set;
use std::num::NonZeroU32;
use std::sync::Arc;
use touchmark_wire::genesis::{CertificateKey, Committee as Certifiers};
use touchmark_wire::hash::domain;
use touchmark_wire::ids::NetworkId;

/// A member's key on the peer-to-peer network, which also names it as a leader.
pub(crate) type PublicKey = ed25519::PublicKey;
/// How the committee votes and certifies.
pub(crate) type Scheme = standard::Scheme<PublicKey, MinSig>;

/// Key material of this node: its peer key, and its share in every committee that it is, was or
/// will be a member of; decoded and found to belong together.
pub(crate) struct Keys {
    pub(crate) signer: ed25519::PrivateKey,
    namespace: Vec<u8>,
    seats: Vec<Taken>,
}

/// A seat in a committee.
struct Taken {
    key: CertificateKey,
    members: Set<PublicKey>,
    scheme: Arc<Scheme>,
}

/// What a committee is to this node.
#[derive(Clone)]
pub(crate) struct Standing {
    pub(crate) members: Set<PublicKey>,
    /// Votes and certifies, or only checks certificates.
    pub(crate) scheme: Arc<Scheme>,
    /// Whether this node votes in it.
    pub(crate) votes: bool,
}

impl Standing {
    /// Whether this node certifies alone.
    pub(crate) fn is_alone(&self) -> bool {
        self.votes && self.members.len() == 1
    }
}

impl Keys {
    /// Decodes this node's seats.
    pub(crate) fn new(
        network: NetworkId,
        identity: [u8; 32],
        offices: &[Office],
    ) -> Result<Self, Error> {
        let signer = self::identity(&identity)?;
        let namespace = namespace(network);
        let mut seats = Vec::new();
        for Office { committee, seat } in offices {
            if seat.identity != identity {
                return Err(Error::Keys("the seats are of different peers"));
            }
            seats.push(Taken::new(&namespace, &signer, committee, seat)?);
        }
        Ok(Self { signer, namespace, seats })
    }

    /// How this node votes in the first committee that it has a seat in.
    #[cfg(all(feature = "simulation", not(test)))]
    pub(crate) fn scheme(&self) -> Arc<Scheme> {
        Arc::clone(&self.seats[0].scheme)
    }

    /// Everybody with whom this node has a seat somewhere.
    pub(crate) fn colleagues(&self) -> impl Iterator<Item = &PublicKey> {
        self.seats.iter().flat_map(|seat| &seat.members)
    }

    /// What `committee` is to this node.
    pub(crate) fn standing(&self, committee: &Certifiers) -> Result<Standing, Error> {
        let peers: Vec<_> =
            committee.validators.iter().map(|validator| PeerKey(validator.peer.0)).collect();
        let members = members(&peers)?;
        if let Some(seat) = self.seats.iter().find(|seat| seat.key == committee.certificate_key) {
            if seat.members != members {
                return Err(Error::Keys("the seat is of another committee with the same key"));
            }
            return Ok(Standing { members, scheme: Arc::clone(&seat.scheme), votes: true });
        }
        let key = <MinSig as Variant>::Public::decode(Copying(&committee.certificate_key.0))
            .map_err(|_| Error::Keys("the committee's key does not decode"))?;
        let scheme = Arc::new(Scheme::certificate_verifier(&self.namespace, key));
        Ok(Standing { members, scheme, votes: false })
    }
}

impl Taken {
    fn new(
        namespace: &[u8],
        signer: &ed25519::PrivateKey,
        committee: &Committee,
        seat: &Seat,
    ) -> Result<Self, Error> {
        let members = members(&committee.members)?;
        let share = Share::decode(Copying(&seat.share))
            .map_err(|_| Error::Keys("the certificate share does not decode"))?;
        if members.position(&signer.public_key()) != Some(share.index.into()) {
            return Err(Error::Keys("peer key and share are of different members"));
        }
        let polynomial = polynomial(committee)?;
        let key = CertificateKey(certificate_key(&polynomial));
        let scheme = Scheme::signer(namespace, members.clone(), polynomial, share)
            .ok_or(Error::Keys("the share is not of this committee"))?;
        Ok(Self { key, members, scheme: Arc::new(scheme) })
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

/// The secret half of a peer key, decoded.
pub(crate) fn identity(seed: &[u8; 32]) -> Result<ed25519::PrivateKey, Error> {
    ed25519::PrivateKey::decode(Copying(seed))
        .map_err(|_| Error::Keys("the peer key does not decode"))
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
