//! What a client that trusts only the network gets of it, whichever node it asks.

use super::following::follower;
use super::member::{Ended, Member, Node, form, nodes};
use super::running::{network, same, write};
use serde_json::{Value, json};
use touchmark_wire::bundle::Bundle;

const NONCE: &str = "a nonce of this client";

/// A client's folder, and what it trusts.
struct Reader {
    member: Member,
    trust: String,
}

impl Reader {
    fn new(node: &Node) -> Self {
        let member = Member::new("reader");
        std::fs::create_dir_all(member.data()).unwrap();
        let reader = Self { member, trust: String::new() };
        let genesis = reader.path("genesis.cbor");
        std::fs::write(&genesis, node.client().genesis().unwrap()).unwrap();
        Self { trust: genesis, ..reader }
    }

    fn path(&self, name: &str) -> String {
        self.member.data().join(name).display().to_string()
    }

    /// Has a node prove a leaf; the file.
    fn fetch(&self, node: &Node, position: u64, more: &[&str]) -> String {
        let (file, position) = (self.path("proof.tmb"), position.to_string());
        let words = ["proof", "fetch", "--record", &position, "--node", &node.url, "--out", &file];
        let ended = self.member.ask(&[&words[..], more].concat());
        assert_eq!(ended.code, 0, "{ended:?}");
        file
    }

    fn verify(&self, files: &[&str], more: &[&str]) -> Ended {
        self.member.ask(&[&["verify"][..], files, &["--trust", &self.trust], more].concat())
    }
}

/// Result and code of a check.
fn check(verdict: &Value, name: &str) -> (String, Value) {
    let checks = verdict["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == name).unwrap();
    (check["result"].as_str().unwrap().to_owned(), check["code"].clone())
}

fn passed() -> (String, Value) {
    ("pass".into(), Value::Null)
}

/// How many validators answered a nonce.
fn signatures(file: &str) -> usize {
    let bytes = std::fs::read(file).unwrap();
    Bundle::decode(&bytes).unwrap().freshness.unwrap().signatures.len()
}

#[test]
fn a_quorum_signs_a_nonce_as_long_as_there_is_one() {
    let members = form(&["alpha", "beta", "gamma", "delta"]);
    let mut nodes = nodes(&members);
    let position = write(&nodes[0], network(&nodes[0]));
    same(&nodes, &[position]);
    let reader = Reader::new(&nodes[0]);
    let asked = ["--nonce", NONCE];
    let urls: Vec<_> = nodes.iter().map(|node| node.url.clone()).collect();
    let urls: Vec<_> = urls.iter().map(String::as_str).collect();
    let (_member, following) =
        follower("near", &urls[..1], network(&nodes[0])).node_in_place();

    for node in nodes.iter().chain([&following]) {
        let file = reader.fetch(node, position, &asked);
        assert_eq!(signatures(&file), 3);
        let verdict = reader.verify(&[&file], &asked);
        assert_eq!((verdict.code, check(&verdict.document, "freshness")), (0, passed()));
        // It answers no other nonce.
        let other = reader.verify(&[&file], &["--nonce", "another nonce of it"]);
        assert_eq!(other.code, 1, "{other:?}");
    }

    drop(nodes.pop());
    let file = reader.fetch(&nodes[1], position, &asked);
    let verdict = reader.verify(&[&file], &asked);
    assert_eq!((verdict.code, check(&verdict.document, "freshness")), (0, passed()));

    drop(nodes.pop());
    for node in nodes.iter().chain([&following]) {
        let file = reader.fetch(node, position, &asked);
        assert_eq!(signatures(&file), 2);
        let verdict = reader.verify(&[&file], &asked);
        assert_eq!(verdict.code, 1);
        let freshness = check(&verdict.document, "freshness");
        assert_eq!(freshness, ("fail".into(), json!("TM-NOT-FRESH")));
        assert_eq!(check(&verdict.document, "certificate"), passed());
    }
}
