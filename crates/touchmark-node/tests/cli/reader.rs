//! A reader whose node asks for patience.

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
