//! The authenticated peer-to-peer network between the members.

use crate::block::Block;
use crate::ceremony::PeerKey;
use crate::error::Error;
use crate::keys::{self, PublicKey, Scheme};
use crate::order::{Links, MAILBOX, Settings};
use crate::succession::Peering;
use commonware_consensus::marshal::standard::Standard;
use commonware_consensus::{marshal, simplex};
use commonware_cryptography::sha256::Digest;
use commonware_cryptography::{ChaCha20Poly1305, Signer as _, ed25519};
use commonware_p2p::authenticated::lookup;
use commonware_p2p::utils::mux;
use commonware_p2p::{
    Address, AddressableManager as _, AddressableTrackedPeers, Ingress, Receiver, Sender,
    max_message_size,
};
use commonware_runtime::{Clock, Metrics, Network, Quota, Resolver, Spawner};
use commonware_stream::cups::{self, Cups};
use commonware_stream::sake::{self, Sake};
use commonware_utils::ordered::{Map, Set};
use commonware_utils::{Hostname, NZU32, NZUsize, TryCollect as _};
use rand_core::CryptoRng;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::time::Duration;
use touchmark_batch::BatchLimits;
use touchmark_wire::ids::NetworkId;
use touchmark_wire::limits;

/// Messages per second and member: votes, certificates and what is fetched of them. Far above
/// what any pace needs; a lower one would throttle consensus without a word.
const SMALL_MESSAGES: Quota = Quota::per_second(NZU32!(1024));
/// Messages per second and member that carry blocks.
const BLOCK_MESSAGES: Quota = Quota::per_second(NZU32!(128));
const CLOCK_TOLERANCE: Duration = Duration::from_secs(5);
const HANDSHAKE_AGE: Duration = Duration::from_secs(10);

/// Most members of a committee.
const MEMBERS: u32 = limits::MEMBERS as u32;
/// Most peers at a time: the members of a term, those of the term before, those of the next
/// committee, and this node.
const PEERS: NonZeroUsize = NZUsize!(3 * limits::MEMBERS + 1);

/// Longest message of a committee, whatever its size: a longer one would end the process, so it
/// follows from the largest batch.
pub(crate) fn message_limit(limits: BatchLimits) -> u32 {
    max_message_size(&[
        mux::prefixed(simplex::max_payload_size::<Scheme, Digest>(MEMBERS)),
        marshal::max_payload_size::<Standard<Block>, Scheme>(MEMBERS, &limits),
    ])
}

type Oracle = lookup::Oracle<PublicKey>;
type Handshake = Cups<Sake<ed25519::PrivateKey>, ChaCha20Poly1305>;

/// Who talks with each other, as one of them sees it.
pub(crate) struct Peers<'a> {
    /// This member.
    pub(crate) signer: &'a ed25519::PrivateKey,
    /// Where to accept the others.
    pub(crate) listen: SocketAddr,
    /// `host:port` of every other one.
    pub(crate) addresses: &'a BTreeMap<PeerKey, String>,
    /// Most of them.
    pub(crate) limit: NonZeroUsize,
}

/// The peers whose addresses are known.
pub(crate) struct Known {
    oracle: Oracle,
    addresses: BTreeMap<PublicKey, Address>,
}

/// Joins the members' network: listens, and dials those whom the owner of [`Known`] tracks. Who does
/// not know `namespace` does not get in.
pub(crate) fn open<E>(
    context: E,
    namespace: &[u8],
    peers: &Peers<'_>,
    message_limit: u32,
) -> Result<(lookup::Network<E, Handshake>, Known), Error>
where
    E: Clock + CryptoRng + Metrics + Network + Resolver + Spawner,
{
    let addresses = addresses(peers)?;
    let handshake = Cups::<_, ChaCha20Poly1305>::new(
        Sake {
            signer: peers.signer.clone(),
            synchrony_bound: CLOCK_TOLERANCE,
            max_handshake_age: HANDSHAKE_AGE,
            version: sake::Version::V1,
        },
        cups::Version::V1,
    );
    let mut config = lookup::Config::recommended(
        handshake,
        namespace,
        peers.listen,
        peers.limit,
        message_limit,
        MAILBOX,
    );
    // Members are known by their keys; where they connect from may be anything.
    config.bypass_ip_check = true;
    config.allow_private_ips = true;
    config.tracked_peer_sets = NZUsize!(1);
    // The recommended pauses keep a restarted member out for a minute.
    config.peer_connection_cooldown = Duration::from_secs(1);
    config.allowed_handshake_rate_per_ip = Quota::per_second(NZU32!(16));
    let (network, oracle) = lookup::Network::new(context, config);
    Ok((network, Known { oracle, addresses }))
}

impl Known {
    /// Those of `peers` who can be reached.
    fn reachable(&self, peers: &Set<PublicKey>) -> Map<PublicKey, Address> {
        let reachable = peers.iter().filter_map(|peer| {
            let address = self.addresses.get(peer);
            if address.is_none() {
                tracing::warn!(%peer, "a member's address is not known");
            }
            Some((peer.clone(), address?.clone()))
        });
        reachable.try_collect().expect("a set holds each once")
    }
}

impl Peering for Known {
    fn track(&mut self, set: u64, called: Set<PublicKey>, accepted: Set<PublicKey>) {
        let peers =
            AddressableTrackedPeers::new(self.reachable(&called), self.reachable(&accepted));
        self.oracle.track(set, peers);
    }
}

/// Joins the network of a committee that orders batches.
pub(crate) fn join<E>(
    context: E,
    network: NetworkId,
    settings: &Settings,
    listen: SocketAddr,
    addresses: &BTreeMap<PeerKey, String>,
) -> Result<
    Links<
        impl Sender<PublicKey = PublicKey> + use<E>,
        impl Receiver<PublicKey = PublicKey> + use<E>,
        Oracle,
        Oracle,
        Known,
    >,
    Error,
>
where
    E: Clock + CryptoRng + Metrics + Network + Resolver + Spawner,
{
    let namespace = [keys::namespace(network), b"_P2P".to_vec()].concat();
    let peers = Peers { signer: &settings.keys.signer, listen, addresses, limit: PEERS };
    let limit = message_limit(settings.limits);
    let (mut network, known) = open(context, &namespace, &peers, limit)?;
    let oracle = known.oracle.clone();
    let links = Links {
        votes: network.register(0, SMALL_MESSAGES),
        certificates: network.register(1, SMALL_MESSAGES),
        fetches: network.register(2, SMALL_MESSAGES),
        blocks: network.register(3, BLOCK_MESSAGES),
        backfill: network.register(4, BLOCK_MESSAGES),
        statements: network.register(5, BLOCK_MESSAGES),
        inquiries: network.register(6, SMALL_MESSAGES),
        provider: oracle.clone(),
        blocker: oracle,
        peering: known,
    };
    network.start();
    Ok(links)
}

/// Whether the address can be listened on: the network's own attempt would end the process.
pub(crate) fn probe(address: SocketAddr) -> Result<(), Error> {
    TcpListener::bind(address)
        .map(drop)
        .map_err(|error| Error::Listen { address, reason: error.to_string() })
}

/// Of everybody, this node included.
fn addresses(peers: &Peers<'_>) -> Result<BTreeMap<PublicKey, Address>, Error> {
    let mut addresses = BTreeMap::new();
    for (key, text) in peers.addresses {
        addresses.insert(keys::peer(key)?, address(text)?);
    }
    addresses.insert(peers.signer.public_key(), Address::Symmetric(peers.listen));
    Ok(addresses)
}

/// `host:port`, where the host is a name or an IP address.
fn address(text: &str) -> Result<Address, Error> {
    const SHAPE: Error = Error::Configuration("a member's address is not host:port");
    if let Ok(socket) = text.parse() {
        return Ok(Address::Symmetric(socket));
    }
    let (host, port) = text.rsplit_once(':').ok_or(SHAPE)?;
    Ok(Address::Asymmetric {
        ingress: Ingress::Dns {
            host: Hostname::new(host).map_err(|_| SHAPE)?,
            port: port.parse().map_err(|_| SHAPE)?,
        },
        egress: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_sockets_or_names_with_a_port() {
        assert!(matches!(address("127.0.0.1:7"), Ok(Address::Symmetric(_))));
        assert!(matches!(address("[::1]:7"), Ok(Address::Symmetric(_))));
        assert!(matches!(
            address("node-2.example.org:7"),
            Ok(Address::Asymmetric { ingress: Ingress::Dns { port: 7, .. }, .. })
        ));
        for wrong in ["node-2", "node-2:", "node-2:70000", ":7", "no de:7"] {
            assert_eq!(
                address(wrong),
                Err(Error::Configuration("a member's address is not host:port"))
            );
        }
    }
}
