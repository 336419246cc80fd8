//! Nodes without a vote: they have the same log, answer like any other, and believe nobody.

use super::issuer::Issuer;
use super::member::{Ended, Member, Node, form, nodes, port};
use super::running::{network, same_of, write};
use serde_json::json;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};
use touchmark_api::client::{Client, ClientError, ProofQuery};
use touchmark_core::verdict::{Trust, judge};
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::batches::CertifiedBatches;
use touchmark_wire::bundle::Claim;
use touchmark_wire::ids::{LeafIndex, NetworkId};
use touchmark_wire::registry::ThingKind;

/// Prepares the folder of a member to follow these nodes.
pub(crate) fn follow(member: &Member, sources: &[&str], trust: &str) -> Ended {
    let words = [&["network", "follow", "--trust", trust][..], sources].concat();
    member.run(&words)
}

/// A member that follows.
pub(crate) fn follower(name: &str, sources: &[&str], network: NetworkId) -> Member {
    let member = Member::new(name);
    let prepared = follow(&member, sources, &network.to_string());
    assert_eq!(prepared.code, 0, "{prepared:?}");
    member
}

/// A proof of a leaf that the network's root of trust suffices for.
pub(crate) fn proved(node: &Node, position: u64, network: NetworkId, nonce: Option<&[u8]>) {
    let claims = vec![Claim::Record(LeafIndex(position))];
    let query = ProofQuery { claims, nonce: nonce.map(<[u8]>::to_vec), ..ProofQuery::default() };
    let bundle = node.client().proof(&query).unwrap();
    let verdict = judge(&bundle, &Trust { network: Some(network), nonce, ..Trust::default() });
    assert!(verdict.valid, "{:?}", verdict.checks);
}

/// Waits until a node gives this reason for not being ready.
fn reason(node: &Node, contains: &str) {
    let limit = Instant::now() + Duration::from_secs(30);
    loop {
        let answer = get(&node.url, "/health/ready");
        if answer.starts_with("HTTP/1.1 503") && answer.contains(contains) {
            return;
        }
        assert!(Instant::now() < limit, "it does not say {contains}: {answer}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn get(url: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_follower_has_the_log_proves_it_and_passes_on_what_it_is_given() {
    let alpha = Member::new("alpha");
    let first = alpha.node();
    let id = network(&first);
    let before = write(&first, id);
    let near = follower("near", &[&first.url], id).node_in_place();
    let far = follower("far", &[&near.1.url], id).node_in_place();
    let trio = || [&first, &near.1, &far.1];
    let after = write(&near.1, id);
    let latest = write(&far.1, id);
    same_of(&trio(), &[before, after, latest]);
    for node in trio() {
        for position in [before, after, latest] {
            proved(node, position, id, None);
            proved(node, position, id, Some(b"a nonce of this test"));
        }
        let note = node.client().checkpoint().unwrap();
        assert!(note.contains("/validator-1 "), "{note}");
        assert!(get(&node.url, "/health/ready").starts_with("HTTP/1.1 200"));
    }

    // It is none of the validators, and waits for none of them.
    let status = alpha.ask(&["network", "status", "--node", &far.1.url]).document;
    assert_eq!((&status["waits_for"], &status["ready"]), (&json!([]), &true.into()), "{status}");
    assert_eq!(status["members"][0]["is"], "a validator", "{status}");

    // What is refused is refused with the same code wherever it is submitted.
    let mut stranger = Issuer::new(id, ThingKind::DEVICE, Algorithm::Ed25519);
    stranger.inception();
    let unknown = stranger.record(b"nobody knows me");
    let refused = trio().map(|node| match node.client().submit_statement(&unknown) {
        Err(ClientError::Refused(problem)) => problem.code,
        other => panic!("{other:?}"),
    });
    assert_eq!(refused[0], refused[1]);
    assert_eq!(refused[0], refused[2]);
    // What is known is known at its place.
    let mut issuer = Issuer::new(id, ThingKind::DEVICE, Algorithm::Es256);
    let inception = issuer.inception();
    let places = trio().map(|node| node.client().submit_statement(&inception).unwrap().position);
    assert_eq!(places[0], places[1]);
    assert_eq!(places[0], places[2]);

    // Nobody votes any more: what was read before is read and proved, and the node says why it has
    // nothing newer.
    let (near, near_node) = near;
    drop((first, far));
    reason(&near_node, "no source gives anything");
    assert!(!near_node.client().leaf_bytes(LeafIndex(latest)).unwrap().is_empty());
    proved(&near_node, latest, id, None);
    drop(near_node);

    // The validator is elsewhere now.
    let first = alpha.node();
    let prepared = follow(&near, &[&first.url], &id.to_string());
    assert_eq!(prepared.code, 0, "{prepared:?}");
    let near = near.node();
    let last = write(&near, id);
    same_of(&[&first, &near], &[before, after, latest, last]);
}

#[test]
fn four_validators_are_followed_also_when_the_one_that_is_asked_fails() {
    let members = form(&["alpha", "beta", "gamma", "delta"]);
    let mut voting = nodes(&members);
    let id = network(&voting[0]);
    let before = write(&voting[0], id);
    let urls: Vec<_> = voting.iter().map(|node| node.url.clone()).collect();
    let urls: Vec<_> = urls.iter().map(String::as_str).collect();
    let (_member, node) = follower("reader", &urls, id).node_in_place();
    let with_all = write(&node, id);
    drop(voting.remove(0));
    let without = write(&node, id);
    let all: Vec<_> = voting.iter().chain([&node]).collect();
    same_of(&all, &[before, with_all, without]);
    proved(&node, without, id, None);
}

#[test]
fn what_the_network_did_not_certify_is_not_taken() {
    let alpha = Member::new("alpha");
    let first = alpha.node();
    let id = network(&first);
    let position = write(&first, id);
    // It changes one byte of each answer with batches.
    let liar = liar(&first.url);
    let (member, node) = follower("reader", &[&liar], id).node_in_place();
    reason(&node, "gives false batches");
    assert_eq!(node.client().network().unwrap().size, 0);
    drop(node);
    // Beside one that tells the truth it does no harm.
    let prepared = follow(&member, &[&liar, &first.url], &id.to_string());
    assert_eq!(prepared.code, 0, "{prepared:?}");
    let node = member.node();
    same_of(&[&first, &node], &[position]);
}

/// Serves what another node does, but for its batches; the URL.
fn liar(url: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let client = Client::new(url).unwrap();
    // Ends with the process of the test.
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut request = [0; 2_048];
            let length = stream.read(&mut request).unwrap_or_default();
            let line = String::from_utf8_lossy(&request[..length]).into_owned();
            let path = line.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
            let mut body = client.file(path).ok().flatten().unwrap_or_default();
            if path.starts_with("v1/batches") {
                tamper(&mut body);
            }
            let head = format!(
                "HTTP/1.1 200 X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
        }
    });
    format!("http://{address}")
}

/// Changes the certificate's last byte.
fn tamper(answer: &mut [u8]) {
    assert!(CertifiedBatches::decode(answer).is_ok());
    if let Some(last) = answer.last_mut() {
        *last ^= 1;
    }
}

#[test]
fn a_folder_follows_its_own_network_and_a_validators_none() {
    let (alpha, beta) = (Member::new("alpha"), Member::new("beta"));
    let (first, second) = (alpha.node(), beta.node());
    let (one, two) = (network(&first), network(&second));
    let other = follow(&Member::new("reader"), &[&first.url], &two.to_string());
    assert_eq!((other.code, other.error()), (1, "TM-WRONG-NETWORK"));
    let reader = follower("reader", &[&first.url], one);
    let other = follow(&reader, &[&second.url], &two.to_string());
    assert_eq!((other.code, other.error()), (1, "TM-WRONG-NETWORK"));
    drop(first);
    let taken = follow(&alpha, &[&second.url], &one.to_string());
    assert_ne!(taken.code, 0, "{taken:?}");
    let genesis = alpha.data().join("genesis.cbor").display().to_string();
    let taken = follow(&alpha, &[&second.url], &genesis);
    assert_eq!(taken.error(), "TM-EXISTS", "{taken:?}");
    let nobody = format!("http://127.0.0.1:{}", port());
    let away = follow(&Member::new("reader"), &[&nobody], &one.to_string());
    assert_eq!(away.code, 3, "{away:?}");
}
