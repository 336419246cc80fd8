//! A reader whose node asks for patience, or denies what it passes on.

use super::desk::Desk;
use super::node::{Mood, Node, problem};
use serde_json::json;
use touchmark_node::cli::Exit;

#[test]
fn a_request_for_patience_ends_nothing() {
    let node = Node::start();
    let mut desk = Desk::at(&node);
    desk.json("identity create door --kind reader --unencrypted");
    desk.input(b"https://t.example/?c=1\nhttps://t.example/?c=2\n");
    node.is(Mood::Refusing(429, problem("TM-QUOTA", "too much at once", 429)));
    let ended = desk.run("reader run --as door --patience 0 --json");
    assert_eq!(ended.exit, Exit::Unavailable, "{ended:?}");
    let counts = ended.document();
    let numbers = ["signed", "arrived", "denied", "waiting"].map(|name| &counts[name]);
    assert_eq!(numbers, [&json!(2), &json!(0), &json!(0), &json!(2)]);
    node.is(Mood::Well);
    desk.input(b"");
    let counts = desk.json("reader run --as door");
    assert_eq!((&counts["arrived"], &counts["waiting"]), (&json!(2), &json!(0)));
}

/// The service outlives a denied tap, and whoever started it learns of it when it ends.
#[test]
fn a_run_in_which_a_tap_was_denied_ends_with_1() {
    let node = Node::start();
    let mut desk = Desk::at(&node);
    desk.json("identity create door --kind reader --unencrypted");
    let denial = json!({ "outcome": "denied", "position": 9, "code": "TM-FORGED", "hint": "look" });
    node.is(Mood::Refusing(200, denial.to_string()));
    desk.input(b"https://t.example/?c=1\nhttps://t.example/?c=2\n");
    let ended = desk.run("reader run --as door --json");
    assert_eq!(ended.exit, Exit::Refused, "{ended:?}");
    let counts = ended.document();
    let numbers = ["signed", "arrived", "denied", "waiting"].map(|name| &counts[name]);
    assert_eq!(numbers, [&json!(2), &json!(0), &json!(2), &json!(0)], "it went on after the first");
    assert!(counts["denial"].as_str().unwrap().contains("TM-FORGED"), "{counts}");
    node.is(Mood::Well);
    desk.input(b"https://t.example/?c=3\n");
    assert_eq!(desk.json("reader run --as door")["arrived"], 1, "the next run ends with 0");
}
