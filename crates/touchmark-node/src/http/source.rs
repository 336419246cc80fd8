//! Where a request comes from, as limits count it.

use axum::http::HeaderMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Who is counted together: an IPv4 address, or an IPv6 /64, which is one customer's network.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Source {
    /// An address.
    V4(Ipv4Addr),
    /// The first half of an address.
    V6([u16; 4]),
}

impl From<IpAddr> for Source {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = Ipv6Addr::segments(&address);
                Self::V6([a, b, c, d])
            }
        }
    }
}

/// The other end of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

impl Source {
    /// The source of a request: the peer, or whom a trusted proxy names. Of a chain of proxies the
    /// last address that is not one of them counts, because what stands before it anyone can write.
    pub(super) fn of(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> Self {
        let peer = peer.to_canonical();
        if !trusted.contains(&peer) {
            return peer.into();
        }
        let named = headers.get_all("x-forwarded-for");
        let named: Vec<&str> = named.iter().filter_map(|value| value.to_str().ok()).collect();
        for address in named.iter().rev().flat_map(|list| list.rsplit(',')) {
            match address.trim().parse::<IpAddr>() {
                Ok(address) if trusted.contains(&address.to_canonical()) => {}
                Ok(address) => return address.into(),
                Err(_) => break,
            }
        }
        peer.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(peer: &str, forwarded: &[&str], trusted: &[&str]) -> Source {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let trusted: Vec<IpAddr> = trusted.iter().map(|it| it.parse().unwrap()).collect();
        Source::of(peer.parse().unwrap(), &headers, &trusted)
    }

    fn of(address: &str) -> Source {
        address.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn neighbours_in_one_network_of_ipv6_are_one_source() {
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }

    #[test]
    fn nobody_is_believed_by_default() {
        assert_eq!(source("192.0.2.1", &["198.51.100.7"], &[]), of("192.0.2.1"));
        assert_eq!(source("192.0.2.1", &["198.51.100.7"], &["192.0.2.9"]), of("192.0.2.1"));
    }

    #[test]
    fn a_trusted_proxy_names_the_source_and_nobody_else_can() {
        let proxies = ["192.0.2.1", "192.0.2.2"];
        let named = |forwarded: &[&str]| source("192.0.2.1", forwarded, &proxies);
        assert_eq!(named(&["198.51.100.7"]), of("198.51.100.7"));
        assert_eq!(named(&["203.0.113.1, 198.51.100.7"]), of("198.51.100.7"), "forged in front");
        assert_eq!(named(&["198.51.100.7, 192.0.2.2"]), of("198.51.100.7"));
        assert_eq!(named(&["203.0.113.1", "198.51.100.7"]), of("198.51.100.7"));
        assert_eq!(named(&["nonsense"]), of("192.0.2.1"));
        assert_eq!(named(&[]), of("192.0.2.1"));
    }
}
