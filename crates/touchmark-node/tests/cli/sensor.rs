//! This computer as a sensor: its chain, whatever happens to it and to the node.

use super::desk::Desk;
use super::node::{Mood, Node, problem};
use serde_json::json;
use std::collections::BTreeMap;
use touchmark_api::senml::{Pack, Reading};
use touchmark_node::cli::Exit;
use touchmark_node::outbox::Outbox;
use touchmark_wire::registry::ContentFormat;
use touchmark_wire::statement::{Content, Statement};

const CREATE: &str = "identity create sensor --kind device --unencrypted";
const RUN: &str = "sensor run --as sensor --interval 1ms";

fn desk(node: &Node) -> Desk {
    let mut desk = Desk::at(node);
    desk.json(CREATE);
    desk
}

/// Every statement names the one before it.
fn assert_chained(log: &[Vec<u8>]) {
    let statements: Vec<_> = log.iter().map(|leaf| Statement::parse(leaf).unwrap()).collect();
    for (place, pair) in (2..).zip(statements.windows(2)) {
        assert_eq!(pair[1].protected().link.sequence.0, place);
        assert_eq!(pair[1].protected().link.previous, pair[0].id().0);
    }
}

/// No place was sent with two different statements.
fn assert_never_two(node: &Node) {
    let mut sent = BTreeMap::new();
    for (target, body) in node.see(|seen| seen.requests.clone()) {
        if target == "POST /v1/statements" {
            let place = Statement::parse(&body).unwrap().protected().link.sequence;
            assert_eq!(*sent.entry(place).or_insert_with(|| body.clone()), body, "at {place}");
        }
    }
}

#[test]
fn measurements_are_records_that_parse() {
    let node = Node::start();
    let mut desk = desk(&node);
    let summary = desk.json(&format!("{RUN} --count 3"));
    let numbers = ["measured", "delivered", "waiting", "position"].map(|name| &summary[name]);
    assert_eq!(numbers, [&json!(3), &json!(3), &json!(0), &json!(3)]);
    desk.json(&format!("{RUN} --count 1 --format senml+json"));
    let log = node.log();
    assert_chained(&log);
    let did = desk.json("identity show sensor")["did"].as_str().unwrap().to_owned();
    for (place, leaf) in log.iter().enumerate().skip(1) {
        let statement = Statement::parse(leaf).unwrap();
        let format = match statement.protected().content {
            Content::Inline(format) | Content::Committed(format) => format,
        };
        let pack = match format {
            ContentFormat::SENML_CBOR => Pack::from_cbor(statement.payload()).unwrap(),
            _ => serde_json::from_slice(statement.payload()).unwrap(),
        };
        assert_eq!(format == ContentFormat::SENML_JSON, place == 4);
        let measured = pack.resolve().unwrap();
        let memory = measured.iter().find(|it| it.name == format!("{did}:memory")).unwrap();
        assert!(matches!(memory.value, Reading::Number(bytes) if bytes > 1e6), "{memory:?}");
        assert_eq!(memory.unit.as_deref(), Some("B"));
    }
    desk.write("leaf", &log[1]);
    let explained = desk.run("inspect leaf").stdout;
    assert!(
        explained.contains(&format!("{did}:memory")) && explained.contains(" B"),
        "{explained}"
    );
}

#[test]
fn the_chain_goes_on_while_the_node_is_away_and_after_a_restart() {
    let node = Node::start();
    let mut desk = desk(&node);
    node.is(Mood::Down);
    let ended = desk.run(&format!("{RUN} --count 3"));
    assert_eq!(ended.exit, Exit::Unavailable, "{ended:?}");
    assert_eq!(ended.stderr.matches("measurements wait").count(), 1, "said once: {}", ended.stderr);
    let outbox = desk.home().join("identities/sensor/outbox");
    let waiting = Outbox::peek(&outbox).unwrap();
    assert_eq!(waiting.len(), 3);
    assert_eq!(desk.json("identity show sensor")["pending"], 3);
    // The next process goes on behind what waits, and still nobody answers.
    assert_eq!(desk.run(&format!("{RUN} --count 2")).exit, Exit::Unavailable);
    node.is(Mood::Well);
    let summary = desk.json(&format!("{RUN} --count 1"));
    assert_eq!((&summary["measured"], &summary["delivered"]), (&json!(1), &json!(6)));
    let log = node.log();
    assert_eq!(log.len(), 7);
    assert_eq!(log[1..4], waiting[..], "the same bytes, in order");
    assert_chained(&log);
    assert_never_two(&node);
    assert!(Outbox::peek(&outbox).unwrap().is_empty());
}

#[test]
fn a_lost_answer_or_a_request_for_patience_changes_nothing_that_was_signed() {
    let node = Node::start();
    let mut desk = desk(&node);
    node.is(Mood::Deaf);
    assert_eq!(desk.run(&format!("{RUN} --count 2")).exit, Exit::Unavailable);
    node.is(Mood::Refusing(429, problem("TM-QUOTA", "too much at once", 429)));
    assert_eq!(desk.run(&format!("{RUN} --count 2")).exit, Exit::Unavailable);
    node.is(Mood::Well);
    desk.json(&format!("{RUN} --count 1"));
    assert_eq!(node.log().len(), 6);
    assert_chained(&node.log());
    assert_never_two(&node);
}

#[test]
fn a_refusal_ends_it_and_keeps_what_was_signed() {
    let node = Node::start();
    let mut desk = desk(&node);
    node.is(Mood::Refusing(403, problem("TM-REVOKED", "the thing is not active", 403)));
    let (exit, error) = desk.error(&format!("{RUN} --count 5"));
    assert_eq!((exit, &error["code"]), (Exit::Refused, &json!("TM-REVOKED")));
    assert_eq!(desk.json("identity show sensor")["pending"], 1);
}

#[test]
fn it_is_read_without_a_node_and_its_options_are_checked() {
    let node = Node::start();
    let mut desk = desk(&node);
    node.is(Mood::Down);
    let pack: Pack = serde_json::from_value(desk.json("sensor read --as sensor")).unwrap();
    assert!(pack.resolve().unwrap().len() >= 2);
    for line in ["sensor run --count 0", "sensor run --interval 0s", "sensor run --format json"] {
        assert_eq!(desk.run(line).exit, Exit::Misuse, "{line}");
    }
    assert_eq!(desk.error("sensor read").1["code"], "TM-USAGE");
}
