//! The authenticated peer-to-peer network between the members.

use crate::block::Block;
use crate::ceremony::PeerKey;
use crate::error::Error;
use crate::keys::{self, PublicKey, Scheme};
use crate::order::{Links, MAILBOX, Settings};
use commonware_consensus::marshal::standard::Standard;
use commonware_consensus::{marshal, simplex};
use commonware_cryptography::sha256::Digest;
use commonware_cryptography::{ChaCha20Poly1305, Signer as _};
use commonware_p2p::authenticated::{self, lookup};
use commonware_p2p::{
    Address, AddressableManager as _, Ingress, Receiver, Sender, max_message_size,
};
use commonware_runtime::{Clock, Metrics, Network, Quota, Resolver, Spawner};
use commonware_stream::cups::{self, Cups};
use commonware_stream::sake::{self, Sake};
use commonware_utils::ordered::Map;
use commonware_utils::{Hostname, NZU32, NZUsize, TryCollect as _};
use rand_core::CryptoRng;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;
use touchmark_batch::BatchLimits;
use touchmark_wire::ids::NetworkId;

/// Messages per second and member: votes, certificates and what is fetched of them. Far above
/// what any pace needs; a lower one would throttle consensus without a word.
const SMALL_MESSAGES: Quota = Quota::per_second(NZU32!(1024));
/// Messages per second and member that carry blocks.
const BLOCK_MESSAGES: Quota = Quota::per_second(NZU32!(128));
const CLOCK_TOLERANCE: Duration = Duration::from_secs(5);
const HANDSHAKE_AGE: Duration = Duration::from_secs(10);

/// Longest message for a committee of `members`: a longer one would end the process, so it
/// follows from the largest batch.
pub(crate) fn message_limit(members: u32, limits: BatchLimits) -> u32 {
    max_message_size(&[
        simplex::max_payload_size::<Scheme, Digest>(members),
        marshal::max_payload_size::<Standard<Block>, Scheme>(members, &limits),
    ])
}

type Oracle = lookup::Oracle<PublicKey>;

/// Joins the network: listens at `listen` and dials the other members.
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
    >,
    Error,
>
where
    E: Clock + CryptoRng + Metrics + Network + Resolver + Spawner,
{
    let keys = &settings.keys;
    let me = keys.signer.public_key();
    let peers = peers(settings, listen, addresses)?;
    let members = u32::try_from(keys.members.len())
        .map_err(|_| Error::Configuration("a committee this large is not supported"))?;
    let handshake = Cups::<_, ChaCha20Poly1305>::new(
        Sake {
            signer: keys.signer.clone(),
            synchrony_bound: CLOCK_TOLERANCE,
            max_handshake_age: HANDSHAKE_AGE,
            version: sake::Version::V1,
        },
        cups::Version::V1,
    );
    let mut config = lookup::Config::recommended(
        handshake,
        &[keys::namespace(network), b"_P2P".to_vec()].concat(),
        listen,
        authenticated::peer_set_limit(&keys.members, &me),
        message_limit(members, settings.limits),
        MAILBOX,
    );
    // Members are known by their keys; where they connect from may be anything.
    config.bypass_ip_check = true;
    config.allow_private_ips = true;
    config.tracked_peer_sets = NZUsize!(1);
    // The recommended pauses keep a restarted member out for a minute.
    config.peer_connection_cooldown = Duration::from_secs(1);
    config.allowed_handshake_rate_per_ip = Quota::per_second(NZU32!(16));

    let (mut network, mut oracle) = lookup::Network::new(context, config);
    oracle.track(0, peers);
    let links = Links {
        votes: network.register(0, SMALL_MESSAGES),
        certificates: network.register(1, SMALL_MESSAGES),
        fetches: network.register(2, SMALL_MESSAGES),
        blocks: network.register(3, BLOCK_MESSAGES),
        backfill: network.register(4, BLOCK_MESSAGES),
        provider: oracle.clone(),
        blocker: oracle,
    };
    network.start();
    Ok(links)
}

fn peers(
    settings: &Settings,
    listen: SocketAddr,
    addresses: &BTreeMap<PeerKey, String>,
) -> Result<Map<PublicKey, Address>, Error> {
    let me = settings.keys.signer.public_key();
    let mut known = BTreeMap::new();
    for (key, address) in addresses {
        known.insert(keys::peer(key)?, self::address(address)?);
    }
    known.insert(me, Address::Symmetric(listen));
    settings
        .keys
        .members
        .iter()
        .map(|member| {
            let address = known.remove(member);
            address
                .map(|address| (member.clone(), address))
                .ok_or(Error::Configuration("a member has no address"))
        })
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .try_collect()
        .map_err(|_| Error::Keys("a member is listed twice"))
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
