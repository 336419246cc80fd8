//! A reader that is tampered with locks first; its alert arrives, once, whenever it can.

use super::desk::Desk;
use super::node::Node;
use serde_json::{Value, json};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use touchmark_node::cli::Exit;

const NOWHERE: &str = "http://127.0.0.1:9";

/// An organisation and its reader `door`.
fn center(node: &Node) -> Desk {
    let mut desk = Desk::at(node);
    desk.json("center create acme --unencrypted");
    desk.json("center init reader --as acme --serial R-1 --identity door --unencrypted");
    desk
}

fn alerts(desk: &mut Desk) -> Vec<Value> {
    let told = desk.json("center follow --of acme");
    let changes = told["changes"].as_array().unwrap().iter();
    changes.filter(|change| change["status"] == "tampered").cloned().collect()
}

fn keys(desk: &Desk) -> usize {
    std::fs::read_dir(desk.home().join("identities/door/keys")).unwrap().count()
}

#[test]
fn the_lock_holds_at_once_and_the_alert_follows() {
    let node = Node::start_new();
    let mut desk = center(&node);
    desk.set("TOUCHMARK__CONTEXT__NODE", NOWHERE);
    let ended = desk.run("reader alert --as door --reason lid --json");
    assert_eq!(ended.exit, Exit::Unavailable, "locked, and the alert waits: {ended:?}");
    assert_eq!(
        (&ended.document()["locked"], &ended.document()["alert"]),
        (&json!(true), &json!("waiting"))
    );
    assert_eq!(keys(&desk), 0, "the keys are gone though nobody was told");
    let (exit, error) = desk.error("record write --as door");
    assert_eq!((exit, &error["code"]), (Exit::Refused, &json!("TM-LOCKED")));
    // A second alarm changes nothing.
    desk.run("reader alert --as door --reason other");
    desk.set("TOUCHMARK__CONTEXT__NODE", &node.url());
    assert!(alerts(&mut desk).is_empty());
    let ended = desk.run("reader run --as door --json");
    assert_eq!((ended.exit, &ended.document()["arrived"]), (Exit::Refused, &json!(1)));
    desk.run("reader run --as door");
    let alerts = alerts(&mut desk);
    assert_eq!(alerts.len(), 1, "once");
    assert_eq!((&alerts[0]["reason"], &alerts[0]["number"]), (&json!("lid"), &json!(1)));
    assert_eq!(desk.json("center show reader/1 --of acme")["keys"], json!([]));
}

#[test]
fn a_crash_between_mark_and_signature_is_made_good() {
    let node = Node::start_new();
    let mut desk = center(&node);
    // The mark is all that the crash left.
    std::fs::write(desk.home().join("identities/door/locked"), "moved").unwrap();
    assert_eq!(desk.error("record write --as door").1["code"], "TM-LOCKED");
    assert_eq!(desk.json("reader status --as door")["locked"], true);
    let ended = desk.run("reader run --as door --json");
    assert_eq!(ended.document()["arrived"], 1);
    assert_eq!((alerts(&mut desk).len(), keys(&desk)), (1, 0));
}

/// `touchmark reader run` as a process of its own.
fn spawn(desk: &Desk, node: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_touchmark"))
        .args(["reader", "run", "--as", "door", "--tamper", "contact", "--json"])
        .current_dir(desk.path(""))
        .env("TOUCHMARK__HOME", desk.home())
        .env("TOUCHMARK__CONTEXT__NODE", node)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn a_kill_between_lock_and_sending_loses_no_alert_and_sends_no_second() {
    let node = Node::start_new();
    let mut desk = center(&node);
    desk.write("contact", "0");
    let mut reader = spawn(&desk, NOWHERE);
    desk.write("contact", "1");
    let patience = Instant::now() + Duration::from_secs(30);
    while keys(&desk) > 0 {
        assert!(Instant::now() < patience, "the reader did not lock");
        std::thread::sleep(Duration::from_millis(5));
    }
    reader.kill().unwrap();
    reader.wait().unwrap();
    // The contact is in order again; the lock stays.
    desk.write("contact", "0");
    assert_eq!(desk.json("reader status --as door")["waiting"], 1);
    for _ in 0..2 {
        let ended = desk.run("reader run --as door --tamper contact --json");
        assert_eq!(ended.exit, Exit::Refused);
    }
    let alerts = alerts(&mut desk);
    assert_eq!((alerts.len(), &alerts[0]["reason"]), (1, &json!("tamper contact")));
}

/// A center with the cards `inner` and `other`, which the code in the file `code` locks.
fn with_two_cards(node: &Node) -> Desk {
    let mut desk = center(node);
    desk.write("code", "0123456789abcdef0123456789abcdef\n");
    for chip in ["inner", "other"] {
        desk.json(&format!("card new {chip}"));
        desk.json(&format!(
            "center init card --as acme --virtual {chip} --unencrypted --url https://a.b/p \
             --lock-code code"
        ));
    }
    desk
}

/// A card inside of the reader signs what it measures: it must not sign in an opened case.
#[test]
fn a_readers_own_card_is_locked_with_it() {
    let node = Node::start_new();
    let mut desk = with_two_cards(&node);
    desk.write("contact", "0");
    let run = "reader run --as door --tamper contact --virtual inner --lock-code code --json";
    assert_eq!(desk.run(run).document()["card"], Value::Null);
    assert_eq!(desk.json("card tap --virtual inner")["outcome"], "accepted");
    desk.write("contact", "lid");
    desk.set("TOUCHMARK__CONTEXT__NODE", NOWHERE);
    let ended = desk.run(&format!("{run} --patience 0")).document();
    assert_eq!((&ended["locked"], &ended["card"]), (&json!(true), &json!("locked")), "{ended}");
    assert_eq!(desk.error("card tap --virtual inner").1["code"], "TM-CARD-LOCKED");
    // Once more, and where the code is wrong the alert goes its way.
    assert_eq!(desk.run(&format!("{run} --patience 0")).document()["card"], "locked");
    let alert = desk.run("reader alert --as door --virtual other --json").document();
    assert_eq!((&alert["locked"], &alert["alert"]), (&json!(true), &json!("waiting")));
    assert_ne!(alert["card"], "locked", "the card was issued with a code");
    let alert = "reader alert --as door --virtual other --lock-code code --json";
    assert_eq!(desk.run(alert).document()["card"], "locked");
    assert_eq!(desk.error("card tap --virtual other").1["code"], "TM-CARD-LOCKED");
}

/// The process that holds the reader sends the alert; what became of the card is known at once.
#[test]
fn an_alert_beside_a_running_reader_says_what_became_of_the_card() {
    let node = Node::start_new();
    let mut desk = with_two_cards(&node);
    let held = std::fs::File::create(desk.home().join("identities/door/lock")).unwrap();
    held.try_lock().unwrap();
    let alert = desk.json("reader alert --as door --virtual inner --lock-code code");
    assert_eq!((&alert["locked"], &alert["alert"]), (&json!(true), &json!("running")));
    assert_eq!(alert["card"], "locked");
    assert_eq!(desk.error("card tap --virtual inner").1["code"], "TM-CARD-LOCKED");
    let alert = desk.json("reader alert --as door --virtual other");
    let card = alert["card"].as_str().unwrap();
    assert!(card != "locked" && !card.is_empty(), "it was issued with a code: {alert}");
    let text = desk.run("reader alert --as door --virtual inner --lock-code code").stdout;
    assert!(
        text.lines().any(|line| line.starts_with("card") && line.ends_with("locked")),
        "{text}"
    );
    assert_eq!(desk.json("reader alert --as door").get("card"), None, "no card was named");
}

/// The network may have taken the reader's word away before its alert came.
#[test]
fn an_alert_that_has_no_effect_is_told_as_such() {
    let node = Node::start_new();
    let mut desk = center(&node);
    desk.json("center revoke reader/1 lost --as acme");
    let ended = desk.run("reader alert --as door --json");
    assert_eq!((ended.exit, &ended.document()["alert"]), (Exit::Refused, &json!("denied")));
    assert!(ended.document()["code"].is_string() && ended.document()["hint"].is_string());
}

#[test]
fn a_reader_that_was_repaired_goes_on_with_a_new_key() {
    let node = Node::start_new();
    let mut desk = center(&node);
    desk.json("reader alert --as door");
    desk.json("center key new --unencrypted");
    assert_eq!(desk.error("reader return --as door --key new").1["code"], "TM-LOCKED");
    desk.json("center reinstate reader/1 --as acme --key new");
    desk.json("reader return --as door --key new");
    desk.input(b"back");
    assert_eq!(desk.json("record write --as door --format text")["outcome"], "accepted");
}
