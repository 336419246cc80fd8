//! Bounds of the interface.

use super::bucket::Rate;
use std::net::IpAddr;
use std::time::Duration;

/// What a node takes of the outside world, at most. Whoever goes beyond is told when to come back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Statements and evidence of one source (an IPv4 address or an IPv6 /64); `None` takes any.
    pub writes: Option<Rate>,
    /// Reading requests of one source, weighed by their cost; `None` takes any.
    pub reads: Option<Rate>,
    /// Statements that are stored in the name of one identity; `None` takes any.
    pub identity: Option<Rate>,
    /// Sources, and identities, whose use is remembered; the one unused for longest is forgotten.
    pub remembered: usize,
    /// Connections at once.
    pub connections: usize,
    /// Connections of one source at once.
    pub connections_of_source: usize,
    /// Requests at once, reading and writing each.
    pub requests: usize,
    /// Bytes of request bodies at once.
    pub bodies: usize,
    /// Listeners to events at once.
    pub listeners: usize,
    /// Time in which a request's head must arrive; an idle connection is closed after it.
    pub head_time: Duration,
    /// Time in which a request's body must arrive.
    pub body_time: Duration,
    /// Time in which a request must be answered.
    pub answer_time: Duration,
    /// Time for which a client may take nothing of what is sent to it.
    pub stall_time: Duration,
    /// Proxies whose `X-Forwarded-For` is believed; none by default, so nobody can name a source.
    pub trusted_proxies: Vec<IpAddr>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            writes: Some(Rate { burst: 20_000, per_second: 1_000 }),
            reads: Some(Rate { burst: 10_000, per_second: 500 }),
            identity: Some(Rate { burst: 10_000, per_second: 200 }),
            remembered: 65_536,
            connections: 4_096,
            connections_of_source: 512,
            requests: 4_096,
            bodies: 256 << 20,
            listeners: 1_024,
            head_time: Duration::from_secs(30),
            body_time: Duration::from_secs(30),
            answer_time: Duration::from_secs(60),
            stall_time: Duration::from_secs(30),
            trusted_proxies: Vec::new(),
        }
    }
}
