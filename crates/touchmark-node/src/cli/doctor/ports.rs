//! The addresses where the node listens: free, or held by this node.

use super::Patient;
use super::finding::Finding;
use super::presence::Presence;
use crate::cli::reach::within;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// A port of this machine answers at once.
const LIMIT: Duration = Duration::from_secs(2);

/// Whose port it can be.
#[derive(Clone, Copy)]
enum Holder {
    /// The running node's.
    Node,
    /// Nobody's, or that of a process that does not say who it is.
    Unknown,
    /// Nobody's: no node runs.
    Nobody,
}

pub(super) fn examine(patient: &Patient) -> [Finding; 2] {
    let holder = match &patient.presence {
        Presence::Node(_) => Holder::Node,
        Presence::Silent { .. } => Holder::Unknown,
        Presence::Nobody(_) | Presence::Unreadable(_) => Holder::Nobody,
    };
    let http = match &patient.presence {
        // It answered there, wherever the configuration is now.
        Presence::Node(node) => Finding::fine("http port", format!("{} is this node's", node.url)),
        _ => port("http port", patient.config.http.listen, "--listen", holder),
    };
    let listen = patient.config.engine.listen.or(patient.equipment.peers.listen);
    let engine = match listen {
        Some(listen) => port("engine port", listen, "--engine-listen", holder),
        None => Finding::fine("engine port", "none: there are no other validators"),
    };
    [http, engine]
}

fn port(name: &'static str, listen: SocketAddr, option: &str, holder: Holder) -> Finding {
    if listen.port() == 0 {
        return Finding::fine(name, format!("{listen}: a free one is taken"));
    }
    let taken = match holder {
        Holder::Node => {
            return match TcpStream::connect_timeout(&within(listen), LIMIT) {
                Ok(_) => Finding::fine(name, format!("{listen} is this node's")),
                Err(error) => Finding::failed(
                    name,
                    format!("the node does not listen at {listen}: {error}"),
                    "start the node again: it listens where peers.toml and its configuration say",
                ),
            };
        }
        Holder::Unknown | Holder::Nobody => TcpListener::bind(listen),
    };
    match (taken, holder) {
        (Ok(_), _) => Finding::fine(name, format!("{listen} is free")),
        (Err(error), Holder::Unknown) if error.kind() == io::ErrorKind::AddrInUse => {
            let found = format!("{listen} is held, perhaps by the process in this folder");
            Finding::fine(name, found)
        }
        (Err(error), _) => Finding::failed(
            name,
            format!("the node cannot listen at {listen}: {error}"),
            format!("stop what listens there, or give another address with {option}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::finding::Verdict;

    #[test]
    fn a_port_is_free_the_nodes_or_a_strangers() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let verdict = |at, holder| port("p", at, "--listen", holder).verdict;
        assert_eq!(verdict(at, Holder::Node), Verdict::Fine);
        assert_eq!(verdict(at, Holder::Unknown), Verdict::Fine);
        assert_eq!(verdict(at, Holder::Nobody), Verdict::Failed);
        drop(listener);
        assert_eq!(verdict(at, Holder::Node), Verdict::Failed);
        assert_eq!(verdict(at, Holder::Nobody), Verdict::Fine);
        // An address that this machine does not have, from those for documents.
        let foreign = "192.0.2.1:1".parse().unwrap();
        assert_eq!(verdict(foreign, Holder::Nobody), Verdict::Failed);
    }
}
