//! What a formed network does: one log on all nodes, whoever is asked, also when one fails.

use super::issuer::Issuer;
use super::member::{Node, form, nodes};
use std::time::{Duration, Instant};
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::ids::{LeafIndex, NetworkId};
use touchmark_wire::registry::ThingKind;

#[test]
fn four_members_keep_one_log_go_on_without_one_and_start_again() {
    let members = form(&["alpha", "beta", "gamma", "delta"]);
    let mut nodes = nodes(&members);
    let network = network(&nodes[0]);
    assert!(nodes.iter().all(|node| self::network(node) == network));

    let each: Vec<_> = nodes.iter().map(|node| write(node, network)).collect();
    same(&nodes, &each);

    // As when the power fails.
    drop(nodes.pop());
    let without: Vec<_> = nodes.iter().map(|node| write(node, network)).collect();
    same(&nodes, &without);
    nodes.push(members[3].node());
    same(&nodes, &without);

    nodes.clear();
    let nodes = self::nodes(&members);
    same(&nodes, &[each, without].concat());
    same(&nodes, &[write(&nodes[1], network)]);
}

#[test]
fn a_network_of_one_can_be_formed_too() {
    let members = form(&["alpha"]);
    let node = members[0].node();
    let position = write(&node, network(&node));
    same(&[node], &[position]);
}

#[test]
fn a_moved_validator_is_found_where_peers_toml_says() {
    let members = form(&["alpha", "beta", "gamma", "delta"]);
    let (old, new) = (members[3].address(), format!("127.0.0.1:{}", super::member::port()));
    for member in &members {
        let path = member.data().join("peers.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(&old), "{text}");
        std::fs::write(&path, text.replace(&old, &new)).unwrap();
    }
    // Three of four are just enough, so they need the one that moved.
    let nodes = nodes(&members[1..]);
    let position = write(&nodes[2], network(&nodes[2]));
    same(&nodes, &[position]);
}

pub(crate) fn network(node: &Node) -> NetworkId {
    node.client().network().unwrap().network.parse().unwrap()
}

#[test]
fn four_members_are_audited_and_each_cosigned_what_it_shows() {
    let members = form(&["alpha", "beta", "gamma", "delta"]);
    let nodes = nodes(&members);
    let position = write(&nodes[3], network(&nodes[0]));
    same(&nodes, &[position]);
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy").display().to_string();
    let network = network(&nodes[0]).to_string();
    let urls: Vec<_> = nodes.iter().map(|node| node.url.as_str()).collect();
    touchmark(&["mirror", urls[1], "--to", &copy, "--trust", &network]);
    let report = touchmark(&[&["audit", &copy, "--trust", &network][..], &urls].concat());
    assert!(report["signed_by"].to_string().contains("beta: checkpoint"), "{report}");
    for (n, member) in members.iter().enumerate() {
        let compared = &report["compared"][n];
        assert_eq!(compared["standing"], "same", "{report}");
        let signed = compared["signed_by"].to_string();
        assert!(signed.contains(&format!("{}: receipt", member.name)), "{signed}");
    }
}

/// The document that a command answers.
fn touchmark(words: &[&str]) -> serde_json::Value {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_touchmark"));
    let output = command.arg("--json").args(words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Has a new thing say something to this node; where it stands.
pub(crate) fn write(node: &Node, network: NetworkId) -> u64 {
    let mut issuer = Issuer::new(network, ThingKind::DEVICE, Algorithm::Ed25519);
    let client = node.client();
    client.submit_statement(&issuer.inception()).unwrap();
    client.submit_statement(&issuer.record(b"said")).unwrap().position.unwrap()
}

/// All nodes have the same leaves at these positions, give receipts for them, and have the same
/// root at the same size.
pub(crate) fn same(nodes: &[Node], positions: &[u64]) {
    same_of(&nodes.iter().collect::<Vec<_>>(), positions);
}

/// As [`same`].
pub(crate) fn same_of(nodes: &[&Node], positions: &[u64]) {
    let most = positions.iter().max().unwrap();
    let limit = Instant::now() + Duration::from_secs(60);
    let views: Vec<_> = loop {
        let views: Vec<_> = nodes.iter().map(|node| node.client().network().unwrap()).collect();
        let size = views[0].size;
        if views.iter().all(|view| view.size == size && size > *most) {
            break views;
        }
        assert!(Instant::now() < limit, "not the same log: {views:?}");
        std::thread::sleep(Duration::from_millis(100));
    };
    assert!(views.iter().all(|view| view.root == views[0].root), "{views:?}");
    for position in positions.iter().copied().map(LeafIndex) {
        let leaf = nodes[0].client().leaf_bytes(position).unwrap();
        for node in nodes {
            assert_eq!(node.client().leaf_bytes(position).unwrap(), leaf);
            node.client().receipt(position).unwrap();
        }
    }
}
