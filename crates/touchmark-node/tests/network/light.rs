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

/// Four validators with their folders, all of which have a record; where it is.
fn written() -> (Vec<Member>, Vec<Node>, u64) {
    let members = form(&["alpha", "beta", "gamma", "delta"]);
    let nodes = nodes(&members);
    let position = write(&nodes[0], network(&nodes[0]));
    same(&nodes, &[position]);
    (members, nodes, position)
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
    let (_members, mut nodes, position) = written();
    let reader = Reader::new(&nodes[0]);
    let asked = ["--nonce", NONCE];
    let urls: Vec<_> = nodes.iter().map(|node| node.url.clone()).collect();
    let urls: Vec<_> = urls.iter().map(String::as_str).collect();
    let (_member, following) = follower("near", &urls[..1], network(&nodes[0])).node_in_place();

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

#[test]
fn cosignatures_of_a_quorum_stand_for_the_engines_certificate() {
    let (_members, mut nodes, position) = written();
    let reader = Reader::new(&nodes[0]);
    let (_member, following) =
        follower("near", &[&nodes[1].url], network(&nodes[0])).node_in_place();
    let cosigned = ["--certificate", "cosigned"];

    for node in nodes.iter().chain([&following]) {
        let file = reader.fetch(node, position, &cosigned);
        for accepted in [&cosigned[..], &["--certificate", "any"]] {
            let verdict = reader.verify(&[&file], accepted);
            assert_eq!(verdict.code, 0, "{verdict:?}");
            assert_eq!(check(&verdict.document, "cosignatures"), passed());
            assert_eq!(verdict.document["certificate"], "cosigned");
            assert_eq!(verdict.document["assurance"], "cosigned");
        }
        // Keys of cosignatures outlive their committee, so they count only where they are asked for.
        let engine = reader.verify(&[&file], &[]);
        assert_eq!(engine.code, 1);
        let code = ("fail".into(), json!("TM-OTHER-CERTIFICATE"));
        assert_eq!(check(&engine.document, "certificate"), code);
        // No ratchet can compare it.
        let ratchet = reader.path("seen");
        let compared = [&cosigned[..], &["--ratchet", &ratchet]].concat();
        let compared = reader.verify(&[&file], &compared);
        let code = check(&compared.document, "ratchet").1;
        assert_eq!((compared.code, code), (1, json!("TM-NO-HEIGHT")));
        // Both kinds of word in one bundle.
        let fresh = reader.fetch(node, position, &[&cosigned[..], &["--nonce", NONCE]].concat());
        let verdict = [&cosigned[..], &["--nonce", NONCE]].concat();
        let verdict = reader.verify(&[&fresh], &verdict);
        assert_eq!(verdict.code, 0, "{verdict:?}");
    }
    // Each goes on to newer ones, whoever asks.
    for node in &nodes {
        let position = write(node, network(node));
        let file = reader.fetch(node, position, &cosigned);
        assert_eq!(reader.verify(&[&file], &cosigned).code, 0);
    }

    drop(nodes.split_off(2));
    // The log goes no further, and what was gathered before is still there.
    let position = nodes[0].client().network().unwrap().size - 1;
    let file = reader.fetch(&nodes[0], position, &[]);
    let verdict = reader.verify(&[&file], &cosigned);
    let code = ("fail".into(), json!("TM-OTHER-CERTIFICATE"));
    assert_eq!((verdict.code, check(&verdict.document, "cosignatures")), (1, code));
}

#[test]
fn a_leaf_is_believed_on_the_receipts_of_so_many_that_one_is_honest() {
    let (_members, nodes, position) = written();
    let reader = Reader::new(&nodes[0]);
    let (_member, following) =
        follower("near", &[&nodes[1].url], network(&nodes[0])).node_in_place();
    let leaf = reader.path("leaf");
    let about = ["--leaf", &leaf];
    let position = position.to_string();
    let fetch = |node: &Node, name: &str, more: &[&str]| {
        let file = reader.path(name);
        let words = ["receipt", "fetch", &position, "--out", &file, "--leaf", &leaf];
        let ended = reader.member.ask(&[&words[..], &["--node", &node.url], more].concat());
        assert_eq!(ended.code, 0, "{ended:?}");
        (file, ended.document["receipts"].clone())
    };

    for (node, name) in nodes.iter().chain([&following]).zip(["a", "b", "c", "d", "e"]) {
        let (file, count) = fetch(node, name, &["--quorum"]);
        assert_eq!(count, 2);
        let verdict = reader.verify(&[&file], &about);
        assert_eq!((verdict.code, check(&verdict.document, "receipts")), (0, passed()));
    }
    let (first, _) = fetch(&nodes[0], "first", &[]);
    let (second, _) = fetch(&nodes[1], "second", &[]);
    let few = ("fail".to_owned(), json!("TM-FEW-RECEIPTS"));
    for files in [&[&first[..]][..], &[&first, &first]] {
        let verdict = reader.verify(files, &about);
        assert_eq!((verdict.code, check(&verdict.document, "receipts")), (1, few.clone()));
        assert!(verdict.document.to_string().contains("1 missing"), "{verdict:?}");
    }
    let both = reader.verify(&[&first, &second], &about);
    assert_eq!((both.code, check(&both.document, "receipts")), (0, passed()));
    let all = reader.verify(&[&first, &second], &[&about[..], &["--receipts", "3"]].concat());
    assert_eq!((all.code, check(&all.document, "receipts")), (1, few));
    // A weaker policy is stated, and the verdict says what the network's is.
    let one = reader.verify(&[&first], &[&about[..], &["--receipts", "1"]].concat());
    assert_eq!((one.code, check(&one.document, "receipts")), (0, passed()));
    assert!(one.document.to_string().contains("committee 0 is 2"), "{one:?}");
}
