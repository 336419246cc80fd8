//! What a node says of itself.

use crate::site::Site;
use std::thread;
use std::time::{Duration, Instant};
use touchmark_node::node::now;

#[test]
fn a_node_says_who_it_is_and_how_it_does_its_part() {
    let site = Site::start();
    let ask = || site.get("/v1/node");
    let limit = Instant::now() + Duration::from_secs(10);
    // Consensus may begin a moment after the node answers.
    while ask().json()["votes"] == false && Instant::now() < limit {
        thread::sleep(Duration::from_millis(20));
    }
    let before = now().0;
    let answer = ask();
    let node = answer.json();
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!((node["votes"].clone(), node["term"].clone()), (true.into(), 0.into()), "{node}");
    assert_eq!(node["term_ends"], 511, "{node}");
    let clock = node["clock"].as_u64().unwrap();
    assert!((before..=now().0).contains(&clock), "{node}");
    let network = site.get("/v1/network").json();
    assert_eq!(network["validators"][0]["peer"], node["peer"], "{network}");
    assert_eq!(node["peer"], site.node.genesis.committee.validators[0].peer.to_string());
}
