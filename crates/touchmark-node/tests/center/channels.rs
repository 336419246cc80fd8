//! Channels, from the command line to the log, to a proof and back.

use super::desk::Desk;
use super::node::Node;
use serde_json::{Value, json};
use touchmark_node::cli::Exit;

/// A desk with an author and a writer, and a channel of the author's.
fn desk(node: &Node) -> (Desk, String) {
    let mut desk = Desk::at(node);
    desk.json("identity create acme --unencrypted --kind organisation");
    desk.json("identity create sensor --unencrypted");
    let opened = desk.json("channel open --as acme --attribute name=cold-chain");
    assert_eq!(opened["outcome"], "accepted", "{opened}");
    (desk, opened["channel"].as_str().unwrap().to_owned())
}

fn write(desk: &mut Desk, channel: &str, by: &str, text: &str) -> Value {
    desk.input(text.as_bytes());
    desk.json(&format!("channel write {channel} --as {by} --format text"))
}

/// Writing that has no effect; its code.
fn denied(desk: &mut Desk, channel: &str, by: &str) -> Value {
    desk.input(b"x");
    let (exit, error) = desk.error(&format!("channel write {channel} --as {by} --format text"));
    assert_eq!(exit, Exit::Refused);
    error["code"].clone()
}

#[test]
fn a_channel_is_opened_granted_written_read_proved_and_closed() {
    let node = Node::start_new();
    let (mut desk, channel) = desk(&node);
    assert_eq!(denied(&mut desk, &channel, "sensor"), "TM-NOT-AUTHORISED");
    let granted = desk.json(&format!("channel grant {channel} sensor --as acme"));
    assert_eq!((&granted["outcome"], &granted["channel"]), (&json!("accepted"), &json!(channel)));
    write(&mut desk, &channel, "sensor", "4.5 C");
    write(&mut desk, &channel, "acme", "checked");
    write(&mut desk, &channel, "sensor", "4.6 C");
    // The main chain goes on beside it.
    desk.input(b"elsewhere");
    desk.json("record write --as sensor --format text");
    let sensor = desk.json("identity show sensor");
    assert_eq!(sensor["sequence"], 2);
    assert_eq!(
        (&sensor["channels"][0]["channel"], &sensor["channels"][0]["sequence"]),
        (&json!(channel), &json!(3))
    );

    let shown = desk.json(&format!("channel show {channel}"));
    assert_eq!(
        (&shown["attributes"]["name"], &shown["writers"]),
        (&json!("cold-chain"), &json!("granted"))
    );
    assert_eq!(
        shown["history"],
        json!({ "count": 5, "hash": shown["history"]["hash"], "mentions": 1 })
    );
    let writer = &shown["granted"]["items"][0];
    assert_eq!((&writer["thing"], &writer["head"]["sequence"]), (&sensor["thing"], &json!(3)));
    let read = desk.run(&format!("channel read {channel}")).stdout;
    let lines: Vec<_> = read.lines().collect();
    assert_eq!(lines.len(), 1 + 6, "{read}");
    assert!(read.contains("4.5 C") && read.contains("TM-NOT-AUTHORISED"), "{read}");
    let theirs = desk.json(&format!("channel read {channel} --issuer acme"));
    assert_eq!(theirs["items"].as_array().unwrap().len(), 3);
    let page = desk.json(&format!("channel read {channel} --limit 2"));
    assert!(page["next"].is_string(), "{page}");
    let listed = desk.json("channel list --author acme");
    assert_eq!(listed["items"][0]["id"], json!(channel));
    assert_eq!(desk.json("channel list --author sensor")["items"], json!([]));

    let network = desk.json("network show")["network"].as_str().unwrap().to_owned();
    let prove =
        format!("proof fetch --channel {channel} --writer {channel}:sensor --out proof.tmb");
    desk.json(&prove);
    let verdict = desk.json(&format!("verify proof.tmb --trust {network}"));
    assert_eq!(verdict["valid"], true, "{verdict}");
    let inside = desk.json("inspect proof.tmb");
    let leaves = inside["content"]["leaves"].as_array().unwrap();
    assert_eq!(leaves[0]["content"]["opens_channel"], json!(channel), "{inside}");
    assert_eq!(leaves[0]["content"]["payload"]["writers"], "granted");
    assert_eq!(leaves[1]["content"]["payload"]["rights"], "write");

    desk.json(&format!("channel withdraw {channel} sensor --as acme"));
    assert_eq!(denied(&mut desk, &channel, "sensor"), "TM-NOT-AUTHORISED");
    desk.json(&format!("channel close {channel} --as acme"));
    assert_eq!(denied(&mut desk, &channel, "acme"), "TM-CLOSED");
    let shown = desk.json(&format!("channel show {channel}"));
    assert!(shown["closed"].is_u64(), "{shown}");
    assert_eq!(desk.run(&format!("channel show {channel}")).exit, Exit::Fine);
    desk.json(&prove.replace(&format!(" --writer {channel}:sensor"), ""));
    let verdict = desk.json(&format!("verify proof.tmb --trust {network}"));
    assert_eq!(verdict["valid"], true, "{verdict}");
}

#[test]
fn a_channel_that_is_not_there_costs_no_place() {
    let node = Node::start_new();
    let (mut desk, channel) = desk(&node);
    let nowhere = "a".repeat(32);
    desk.input(b"x");
    let (exit, error) = desk.error(&format!("channel write {nowhere} --as sensor"));
    assert_eq!((exit, &error["code"]), (Exit::Refused, &json!("TM-NOT-FOUND")));
    assert_eq!(desk.json("identity show sensor")["pending"], 0, "nothing waits");
    assert_eq!(desk.run("channel write nonsense --as sensor").exit, Exit::Misuse);
    let (_, error) = desk.error(&format!("channel grant {nowhere} sensor --as acme"));
    assert_eq!(error["code"], "TM-UNKNOWN-CHANNEL");
    assert_eq!(write(&mut desk, &channel, "acme", "still")["outcome"], "accepted");
}

/// Entries and records wait in one outbox, in the order in which they were signed.
#[test]
fn entries_wait_with_records_until_the_node_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut node = Node::start(folder.path());
    let (mut desk, channel) = desk(&node);
    write(&mut desk, &channel, "acme", "first");
    node.kill();
    desk.input(b"second");
    let (exit, _) = desk.error(&format!("channel write {channel} --as acme --format text"));
    assert_eq!(exit, Exit::Unavailable);
    // The next one does not come as far as to be signed: what waits goes first.
    desk.input(b"main");
    desk.error("record write --as acme --format text");
    assert_eq!(desk.json("identity show acme")["pending"], 1);
    drop(node);
    let node = Node::start(folder.path());
    desk.set("TOUCHMARK__CONTEXT__NODE", &node.url());
    write(&mut desk, &channel, "acme", "third");
    let read = desk.json(&format!("channel read {channel}"));
    let places: Vec<_> = read["items"].as_array().unwrap()[1..]
        .iter()
        .map(|it| it["statement"]["sequence"].clone())
        .collect();
    assert_eq!(places, [json!(1), json!(2), json!(3)]);

    // Whoever holds the same keys elsewhere takes the head over from the node.
    let state = desk.home().join("identities/acme/identity.json");
    let text = std::fs::read_to_string(&state).unwrap();
    let mut old: Value = serde_json::from_str(&text).unwrap();
    old["channels"] = json!({});
    std::fs::write(&state, old.to_string()).unwrap();
    assert_eq!(write(&mut desk, &channel, "acme", "fourth")["outcome"], "accepted");
    let last = &desk.json("identity show acme")["channels"][0];
    assert_eq!(last["sequence"], 4);
    old["channels"] = json!({ channel.as_str(): { "sequence": 3, "last": "0".repeat(64) } });
    std::fs::write(&state, old.to_string()).unwrap();
    let resumed = desk.json("identity resume acme");
    assert_eq!(resumed["channels"][0]["sequence"], 4, "{resumed}");
}
