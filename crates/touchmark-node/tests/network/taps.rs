//! A tap that is used up at several nodes at the same moment is genuine at one of them.

use super::issuer::{Card, Issuer};
use super::member::{form, nodes};
use super::running::network;
use serde_json::{Value, json};
use std::thread;
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::registry::{StatementKind, ThingKind};

/// Taps, each at all nodes at once.
const TAPS: u32 = 8;

#[test]
fn a_tap_at_all_nodes_at_once_is_genuine_at_one() {
    let members = form(&["alpha", "beta", "gamma", "delta"]);
    let nodes = nodes(&members);
    let mut maker = Issuer::new(network(&nodes[0]), ThingKind::ORGANISATION, Algorithm::Ed25519);
    let card = Card::new(maker.id);
    let client = nodes[0].client();
    client.submit_statement(&maker.inception()).unwrap();
    let registered = maker.act(StatementKind::REGISTER, &card.inception);
    let position = client.submit_statement(&registered).unwrap().position.unwrap();
    super::running::same(&nodes, &[position]);

    for counter in 1..=TAPS {
        let url = String::from_utf8(card.url(counter)).unwrap();
        let verdicts: Vec<String> = thread::scope(|scope| {
            let taps: Vec<_> =
                nodes.iter().map(|node| scope.spawn(|| tap(&node.url, &url))).collect();
            taps.into_iter().map(|tap| tap.join().unwrap()).collect()
        });
        let count = |what: &str| verdicts.iter().filter(|verdict| *verdict == what).count();
        assert_eq!((count("genuine"), count("replayed")), (1, 3), "{counter}: {verdicts:?}");
    }
}

/// Uses a tap up at this node; the verdict.
fn tap(node: &str, url: &str) -> String {
    let body = json!({ "url": url, "action": "update" }).to_string();
    let request = ureq::post(format!("{node}/v1/taps")).header("content-type", "application/json");
    let answer = request.send(body).unwrap().into_body().read_to_string().unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    answer["verdict"].as_str().unwrap().to_owned()
}
