//! The other validators: whether they are reached, whether they are enough, and this node's place
//! among them.

use super::Patient;
use super::finding::Finding;
use super::presence::Presence;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::thread;
use std::time::Duration;
use touchmark_engine::PeerKey;
use touchmark_wire::genesis::Committee;

/// A connection is made within this time, or somebody is too far away.
const LIMIT: Duration = Duration::from_secs(3);

/// Who certifies, as far as it is known here.
struct Certifying {
    number: u64,
    threshold: u16,
    /// Peer keys and names.
    members: Vec<(String, String)>,
    appointed: Option<u64>,
}

/// A validator and whether a connection was accepted at its address.
struct Dialled {
    peer: String,
    address: String,
    outcome: Result<(), String>,
}

pub(super) fn examine(patient: &Patient) -> Vec<Finding> {
    let dialled = dial(&patient.equipment.peers.addresses);
    let Some(certifying) = certifying(patient) else {
        let unknown = |name| {
            Finding::warning(name, "not known: the node does not answer", "see `node` above")
        };
        return vec![peers(&dialled, &BTreeMap::new()), unknown("committee"), unknown("quorum")];
    };
    let names = certifying.members.iter().cloned().collect();
    let own = patient.peer.to_string();
    let holds: Vec<u64> = patient.equipment.offices.iter().map(|it| it.committee.epoch.0).collect();
    let (votes, reached) = match &patient.presence {
        Presence::Node(node) => (node.node.votes, node.node.connected.iter().cloned().collect()),
        _ => (
            holds.contains(&certifying.number),
            dialled.iter().filter(|it| it.outcome.is_ok()).map(|it| it.peer.clone()).collect(),
        ),
    };
    vec![
        peers(&dialled, &names),
        place(&certifying, &own, &holds, votes),
        quorum(&certifying, &own, &reached, votes),
    ]
}

fn certifying(patient: &Patient) -> Option<Certifying> {
    let of = |committee: &Committee, appointed| {
        let members = committee.validators.iter();
        let members = members.map(|member| (member.peer.to_string(), member.name.clone()));
        let (number, threshold) = (committee.epoch.0, committee.threshold);
        Certifying { number, threshold, members: members.collect(), appointed }
    };
    match &patient.presence {
        Presence::Node(node) => {
            let view = &node.network;
            let members = view.validators.iter().map(|it| (it.peer.clone(), it.name.clone()));
            Some(Certifying {
                number: view.committee,
                threshold: view.threshold,
                members: members.collect(),
                appointed: view.appointed,
            })
        }
        Presence::Nobody(Some(examined)) => {
            let appointed = examined.appointed.as_ref().map(|it| it.epoch.0);
            Some(of(&examined.committee, appointed))
        }
        Presence::Nobody(None) => Some(of(&patient.genesis.committee, None)),
        Presence::Unreadable(_) | Presence::Silent { .. } => None,
    }
}

/// Tries the addresses, all at once.
fn dial(addresses: &BTreeMap<PeerKey, String>) -> Vec<Dialled> {
    thread::scope(|scope| {
        let dialling: Vec<_> = addresses
            .iter()
            .map(|(peer, address)| {
                scope.spawn(move || Dialled {
                    peer: peer.to_string(),
                    address: address.clone(),
                    outcome: connect(address),
                })
            })
            .collect();
        let dialled = dialling.into_iter().map(|it| it.join().expect("dialling does not panic"));
        dialled.collect()
    })
}

fn connect(address: &str) -> Result<(), String> {
    let resolved = address.to_socket_addrs().map_err(|error| format!("no such host: {error}"))?;
    let mut reason = "it has no address".to_owned();
    for address in resolved {
        match TcpStream::connect_timeout(&address, LIMIT) {
            Ok(_) => return Ok(()),
            Err(error) => reason = error.to_string(),
        }
    }
    Err(reason)
}

fn peers(dialled: &[Dialled], names: &BTreeMap<String, String>) -> Finding {
    const NAME: &str = "peers";
    let missing = dialled.iter().filter_map(|it| Some((it, it.outcome.as_ref().err()?)));
    let missing: Vec<_> = missing
        .map(|(it, reason)| {
            let name = names.get(&it.peer).map_or(&it.peer[..16], String::as_str);
            format!("{name} at {}: {reason}", it.address)
        })
        .collect();
    if dialled.is_empty() {
        Finding::fine(NAME, "peers.toml names no other validator")
    } else if missing.is_empty() {
        Finding::fine(NAME, format!("all {} accept connections", dialled.len()))
    } else {
        let found = format!("{} of {}: {}", missing.len(), dialled.len(), missing.join("; "));
        let hint = "ask them whether the node runs, and correct peers.toml if it moved";
        Finding::warning(NAME, format!("not reached: {found}"), hint)
    }
}

fn place(certifying: &Certifying, own: &str, holds: &[u64], votes: bool) -> Finding {
    const NAME: &str = "committee";
    let Certifying { number, members, appointed, .. } = certifying;
    let is_member = members.iter().any(|(peer, _)| peer == own);
    if is_member && !votes {
        return Finding::failed(
            NAME,
            format!("a member of committee {number}, which certifies, and does not vote in it"),
            "adopt its place (`network adopt`); who lost the votes of this term waits for the next",
        );
    }
    let found = if is_member {
        format!("one of the {} of committee {number}, which certifies", members.len())
    } else {
        format!("not one of the {} of committee {number}, which certifies", members.len())
    };
    match appointed {
        Some(next) if !holds.contains(next) => Finding::warning(
            NAME,
            format!(
                "{found}; committee {next} takes over at the end of the term, without a place here"
            ),
            "if this node is in it: `touchmark network adopt`",
        ),
        Some(next) => {
            let found = format!("{found}; in committee {next}, which takes over, it has a place");
            Finding::fine(NAME, found)
        }
        None if is_member => Finding::fine(NAME, found),
        None if holds.iter().any(|held| held > number) => {
            let found = format!("{found}; its place waits until that committee is appointed");
            Finding::fine(NAME, found)
        }
        None => Finding::warning(
            NAME,
            format!("{found}: it keeps the log and does not vote"),
            "a committee with this node has to be appointed before it votes",
        ),
    }
}

fn quorum(certifying: &Certifying, own: &str, reached: &BTreeSet<String>, votes: bool) -> Finding {
    const NAME: &str = "quorum";
    let Certifying { threshold, members, .. } = certifying;
    let is_there = |peer: &str| if peer == own { votes } else { reached.contains(peer) };
    let count = members.iter().filter(|(peer, _)| is_there(peer)).count();
    let found = format!("{count} of {} members are there, {threshold} are needed", members.len());
    if count >= usize::from(*threshold) {
        return Finding::fine(NAME, found);
    }
    let away = members.iter().filter(|(peer, _)| !is_there(peer));
    let away: Vec<_> = away.map(|(_, name)| name.as_str()).collect();
    let found = format!("{found}: nothing is certified without {}", away.join(", "));
    Finding::failed(NAME, found, "see that they run and are reached")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::finding::Verdict;
    use std::net::TcpListener;

    fn certifying(appointed: Option<u64>) -> Certifying {
        let names = ["alpha", "beta", "gamma", "delta"];
        let members = names.map(|name| (name[..1].to_owned(), name.to_owned())).to_vec();
        Certifying { number: 1, threshold: 3, members, appointed }
    }

    #[test]
    fn a_quorum_counts_members_alone_and_this_node_only_if_it_votes() {
        let of = |reached: &[&str], own, votes| {
            let reached = reached.iter().map(|it| (*it).to_owned()).collect();
            quorum(&certifying(None), own, &reached, votes)
        };
        assert_eq!(of(&["b", "g"], "a", true).verdict, Verdict::Fine);
        assert_eq!(of(&["b", "g"], "a", false).verdict, Verdict::Failed);
        assert_eq!(of(&["b", "x", "y"], "a", true).verdict, Verdict::Failed);
        assert_eq!(of(&["b", "g"], "x", true).verdict, Verdict::Failed);
        let found = of(&["b"], "a", true).found;
        assert_eq!(
            found,
            "2 of 4 members are there, 3 are needed: nothing is certified without gamma, delta"
        );
    }

    #[test]
    fn a_place_is_held_waits_or_is_missing() {
        let of = |appointed, own, holds: &[u64], votes| {
            place(&certifying(appointed), own, holds, votes).verdict
        };
        assert_eq!(of(None, "a", &[1], true), Verdict::Fine);
        assert_eq!(of(None, "a", &[], false), Verdict::Failed);
        assert_eq!(of(None, "x", &[], false), Verdict::Warning);
        assert_eq!(of(None, "x", &[2], false), Verdict::Fine);
        assert_eq!(of(Some(2), "a", &[1, 2], true), Verdict::Fine);
        assert_eq!(of(Some(2), "a", &[1], true), Verdict::Warning);
    }

    #[test]
    fn who_is_not_reached_is_named_with_the_reason() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let open = listener.local_addr().unwrap().to_string();
        let shut = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let at = |addresses: &[&String]| {
            let keys = (1..).map(|byte| PeerKey([byte; 32]));
            dial(&keys.zip(addresses.iter().map(|it| (*it).clone())).collect())
        };
        let names = BTreeMap::from([(PeerKey([2; 32]).to_string(), "beta".to_owned())]);
        assert_eq!(peers(&at(&[&open]), &names).verdict, Verdict::Fine);
        assert_eq!(peers(&[], &names).verdict, Verdict::Fine);
        let finding = peers(&at(&[&open, &shut, &"nowhere.invalid:1".to_owned()]), &names);
        assert_eq!(finding.verdict, Verdict::Warning);
        let begin = format!("not reached: 2 of 3: beta at {shut}: ");
        assert!(finding.found.starts_with(&begin), "{}", finding.found);
        assert!(finding.found.contains("nowhere.invalid:1: no such host"), "{}", finding.found);
    }
}
