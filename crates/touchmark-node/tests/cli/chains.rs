//! Identities: their keys, their chains, and what happens when a command is cut off.

use super::bundle;
use super::desk::{Desk, files};
use super::node::{Mood, Node, problem};
use serde_json::json;
use touchmark_core::admission::{Check, OneByOne, Verifier as _};
use touchmark_core::directory::inception::Inception;
use touchmark_core::directory::prerotation::NextKeys;
use touchmark_core::directory::rotation::Rotation;
use touchmark_node::cli::Exit;
use touchmark_node::outbox::Outbox;
use touchmark_wire::algorithm::CoseKey;
use touchmark_wire::codec;
use touchmark_wire::limits;
use touchmark_wire::registry::StatementKind;
use touchmark_wire::statement::{Signatures, Statement};

const CREATE: &str = "identity create acme --unencrypted";

fn sequence(bytes: &[u8]) -> u32 {
    Statement::parse(bytes).unwrap().protected().link.sequence.0
}

fn is_signed_by(bytes: &[u8], key: &CoseKey) -> bool {
    let statement = Statement::parse(bytes).unwrap();
    let structure = statement.sig_structure();
    let Signatures::One(signature) = *statement.signatures() else { panic!("one signer") };
    OneByOne.verify(&[Check { key, message: structure.signed_bytes(), signature }])[0]
}

#[test]
fn an_identity_presents_itself_and_then_states_in_order() {
    let node = Node::start();
    let mut desk = Desk::at(&node);
    let made = desk.json(&format!("{CREATE} --kind organisation --attribute city=Turin"));
    assert_eq!((&made["position"], &made["sequence"]), (&json!(0), &json!(1)));
    desk.input(b"21.5");
    desk.json("record write --as acme --format text");
    desk.input(b"21.6");
    let written = desk.json("record write --as acme --format text");
    assert_eq!((&written["outcome"], &written["position"]), (&json!("accepted"), &json!(2)));
    let log = node.log();
    assert_eq!(log.iter().map(|leaf| sequence(leaf)).collect::<Vec<_>>(), [1, 2, 3]);
    let inception: Inception =
        codec::decode(Statement::parse(&log[0]).unwrap().payload(), limits::STATEMENT).unwrap();
    assert_eq!(inception.attributes.unwrap()["city"], "Turin");
    let previous = |at: usize| Statement::parse(&log[at]).unwrap().protected().link.previous;
    assert_eq!(previous(0), bundle::genesis().network_id().0);
    assert_eq!(previous(1), Statement::parse(&log[0]).unwrap().id().0);
    assert_eq!(previous(2), Statement::parse(&log[1]).unwrap().id().0);
    assert!(log.iter().all(|leaf| is_signed_by(leaf, &inception.keys[0].key)));
    let shown = desk.json("identity show acme");
    assert_eq!(shown["thing"], made["thing"]);
    assert_eq!((&shown["sequence"], &shown["pending"]), (&json!(3), &json!(0)));
    assert_eq!(desk.json("identity list")[0]["name"], "acme");
}

#[test]
fn what_was_signed_and_not_sent_is_sent_again_byte_by_byte() {
    let node = Node::start();
    let mut desk = Desk::at(&node);
    desk.json(CREATE);
    node.is(Mood::Down);
    desk.input(b"first");
    let (exit, error) = desk.error("record write --as acme");
    assert_eq!((exit, &error["code"]), (Exit::Unavailable, &json!("TM-UNREACHABLE")));
    let outbox = desk.home().join("identities/acme/outbox");
    let kept = Outbox::peek(&outbox).unwrap().pop().unwrap();
    assert_eq!(desk.json("identity show acme")["pending"], 1);
    node.is(Mood::Well);
    desk.input(b"second");
    desk.json("record write --as acme");
    let log = node.log();
    assert_eq!(log[1], kept, "the same bytes, not another statement at the same place");
    assert_eq!(sequence(&log[2]), 3);
    assert_eq!(Statement::parse(&log[2]).unwrap().payload(), b"second");
    assert!(Outbox::peek(&outbox).unwrap().is_empty());
}

#[test]
fn an_answer_that_was_lost_leads_to_no_second_statement() {
    let node = Node::start();
    let mut desk = Desk::at(&node);
    node.is(Mood::Deaf);
    assert_eq!(desk.error(CREATE).0, Exit::Unavailable);
    node.is(Mood::Well);
    desk.input(b"data");
    desk.json("record write --as acme");
    let log = node.log();
    assert_eq!(log.iter().map(|leaf| sequence(leaf)).collect::<Vec<_>>(), [1, 2]);
    let sent = node.see(|seen| seen.requests.iter().map(|it| it.1.clone()).collect::<Vec<_>>());
    assert_eq!(sent, [log[0].clone(), log[0].clone(), log[1].clone()]);
}

#[test]
fn a_refused_statement_waits_until_it_is_discarded() {
    let node = Node::start();
    let mut desk = Desk::at(&node);
    desk.json(CREATE);
    node.is(Mood::Refusing(403, problem("TM-REVOKED", "the thing is not active", 403)));
    let (exit, error) = desk.error("record write --as acme");
    assert_eq!((exit, &error["code"]), (Exit::Refused, &json!("TM-REVOKED")));
    assert!(error["hint"].as_str().unwrap().contains("identity resume acme"));
    node.is(Mood::Well);
    let id = desk.json("identity show acme")["thing"].as_str().unwrap().to_owned();
    let head = json!({ "sequence": 1, "last": Statement::parse(&node.log()[0]).unwrap().id().to_string() });
    // Nothing is forgotten before the node has said what arrived.
    assert_eq!(desk.error("identity resume acme --discard").0, Exit::Refused);
    assert_eq!(desk.json("identity show acme")["pending"], 1);
    node.answer(&format!("GET /v1/things/{id}"), 200, thing_view(&id, &head));
    desk.json("identity resume acme --discard");
    desk.input(b"other");
    desk.json("record write --as acme");
    assert_eq!(Statement::parse(&node.log()[1]).unwrap().payload(), b"other");
}

#[test]
fn a_denied_statement_uses_its_place() {
    let node = Node::start();
    let mut desk = Desk::at(&node);
    desk.json(CREATE);
    let denied = problem("TM-STATUS", "it has this status already", 422).replacen(
        '{',
        "{\"position\":9,",
        1,
    );
    node.is(Mood::Refusing(422, denied));
    let (exit, error) = desk.error("thing status acme active --as acme");
    assert_eq!((exit, &error["position"]), (Exit::Refused, &json!(9)));
    node.is(Mood::Well);
    desk.json("record write --as acme");
    assert_eq!(sequence(&node.log()[1]), 3);
}

#[test]
fn what_was_denied_is_told_also_when_it_is_sent_again() {
    let node = Node::start();
    let mut desk = Desk::at(&node);
    desk.json(CREATE);
    let denial = json!({ "outcome": "denied", "position": 9, "code": "TM-STATUS", "hint": "look" });
    let positioned = problem("TM-STATUS", "it has this status already", 422).replacen(
        '{',
        "{\"position\":9,",
        1,
    );
    // A problem, or an answer that says so under a status that is none.
    for (place, (status, answer)) in
        [(422, positioned), (200, denial.to_string())].into_iter().enumerate()
    {
        node.is(Mood::Down);
        assert_eq!(desk.error("record write --as acme").0, Exit::Unavailable);
        node.is(Mood::Refusing(status, answer.clone()));
        let id = desk.json("identity show acme")["thing"].as_str().unwrap().to_owned();
        let head = json!({ "sequence": 0, "last": "" });
        node.answer(&format!("GET /v1/things/{id}"), 200, thing_view(&id, &head));
        let ended = desk.run("identity resume acme --json");
        assert_eq!(ended.exit, Exit::Refused, "{ended:?}");
        let denied = &ended.document()["denied"][0];
        assert_eq!((&denied["code"], &denied["position"]), (&json!("TM-STATUS"), &json!(9)));
        assert!(denied["hint"].is_string(), "{denied}");
        assert!(ended.stderr.contains("code: TM-STATUS"), "{}", ended.stderr);
        assert_eq!(ended.document()["sequence"], 2 * place + 2, "its place is used");
        let (exit, error) = desk.error("record write --as acme");
        assert_eq!((exit, &error["code"]), (Exit::Refused, &json!("TM-STATUS")));
        assert_eq!(desk.json("identity show acme")["pending"], 0);
    }
}

#[test]
fn a_rotation_that_was_denied_changes_no_key() {
    let node = Node::start();
    let mut desk = Desk::at(&node);
    desk.json(CREATE);
    let before = desk.json("identity show acme");
    node.is(Mood::Down);
    assert_eq!(desk.error("identity rotate --as acme").0, Exit::Unavailable);
    let denial = json!({ "outcome": "known", "position": 9, "code": "TM-KEY-NUMBER" });
    node.is(Mood::Refusing(200, denial.to_string()));
    let id = before["thing"].as_str().unwrap();
    let head = json!({ "sequence": 0, "last": "" });
    node.answer(&format!("GET /v1/things/{id}"), 200, thing_view(id, &head));
    assert_eq!(desk.run("identity resume acme").exit, Exit::Refused);
    let after = desk.json("identity show acme");
    assert_eq!((&after["keys"], &after["sequence"]), (&before["keys"], &json!(2)));
}

#[test]
fn a_damaged_outbox_is_told_and_put_aside_only_when_asked() {
    let node = Node::start();
    let mut desk = Desk::at(&node);
    desk.json(CREATE);
    node.is(Mood::Down);
    assert_eq!(desk.error("record write --as acme").0, Exit::Unavailable);
    let folder = desk.home().join("identities/acme/outbox");
    let mut log = std::fs::read(folder.join("log")).unwrap();
    *log.last_mut().unwrap() ^= 1;
    std::fs::write(folder.join("log"), &log).unwrap();
    node.is(Mood::Well);
    for line in ["record write --as acme", "identity show acme", "identity resume acme"] {
        let (exit, error) = desk.error(line);
        assert_eq!((exit, &error["code"]), (Exit::Internal, &json!("TM-CORRUPT")), "{line}");
        assert!(error["what"].as_str().unwrap().contains("outbox/log"), "{error}");
        assert!(error["hint"].as_str().unwrap().contains("--discard"), "{error}");
    }
    assert_eq!(node.log().len(), 1, "nothing else was signed");
    let id = std::fs::read_to_string(desk.home().join("identities/acme/identity.json")).unwrap();
    let state: serde_json::Value = serde_json::from_str(&id).unwrap();
    let id = state["thing"].as_str().unwrap();
    let head = json!({ "sequence": state["sequence"], "last": state["last"] });
    node.answer(&format!("GET /v1/things/{id}"), 200, thing_view(id, &head));
    let resumed = desk.json("identity resume acme --discard");
    let aside = std::path::PathBuf::from(resumed["put_aside"].as_str().unwrap());
    assert_eq!(std::fs::read(aside.join("log")).unwrap(), log);
    desk.json("record write --as acme");
    assert_eq!(sequence(&node.log()[1]), 2);
}

#[test]
fn the_head_is_taken_over_forwards_only() {
    let node = Node::start();
    let mut desk = Desk::at(&node);
    desk.json(CREATE);
    desk.json("record write --as acme");
    let id = desk.json("identity show acme")["thing"].as_str().unwrap().to_owned();
    let page = format!("GET /v1/things/{id}");
    node.answer(&page, 200, thing_view(&id, &json!({ "sequence": 1, "last": "ab".repeat(32) })));
    assert_eq!(desk.json("identity resume acme")["sequence"], 2, "never back");
    node.see(|seen| seen.pages.clear());
    node.answer(&page, 200, thing_view(&id, &json!({ "sequence": 2, "last": "ab".repeat(32) })));
    assert_eq!(desk.error("identity resume acme").0, Exit::Refused);
    node.see(|seen| seen.pages.clear());
    node.answer(&page, 200, thing_view(&id, &json!({ "sequence": 5, "last": "ab".repeat(32) })));
    assert_eq!(desk.json("identity resume acme")["sequence"], 5);
}

#[test]
fn keys_are_exchanged_and_declared_keys_sign_for_themselves() {
    let node = Node::start();
    let mut desk = Desk::at(&node);
    desk.json(&format!("{CREATE} --algorithm Ed25519"));
    desk.json("identity rotate --as acme --pre-rotation");
    let after = desk.json("identity rotate --as acme");
    desk.json("record write --as acme");
    assert_eq!(after["keys"][0]["number"], 2);
    let log = node.log();
    let rotation = |at: usize| -> Rotation {
        codec::decode(Statement::parse(&log[at]).unwrap().payload(), limits::STATEMENT).unwrap()
    };
    let (first, second) = (rotation(1), rotation(2));
    assert_eq!(first.close.len(), 1);
    assert_eq!(first.next, Some(NextKeys::new(1, &second.add)), "the declared key came");
    assert_eq!(second.next.unwrap().keys.len(), 1, "and another was declared");
    assert!(is_signed_by(&log[2], &second.add[0].key), "it signed its own coming");
    assert!(is_signed_by(&log[3], &second.add[0].key));
    assert_eq!(Statement::parse(&log[3]).unwrap().protected().kid.key.unwrap().0, 2);
}

#[test]
fn a_threshold_collects_several_signatures() {
    let node = Node::start();
    let mut desk = Desk::at(&node);
    desk.json(&format!("{CREATE} --keys 3 --threshold 2"));
    desk.json("record write --as acme");
    for leaf in node.log() {
        let statement = Statement::parse(&leaf).unwrap();
        let Signatures::Many(many) = statement.signatures() else { panic!("one signer") };
        assert_eq!(many.len(), 2);
    }
    let (exit, _) = desk.error("identity create other --unencrypted --threshold 2");
    assert_eq!(exit, Exit::Misuse);
    // A Signed Statement (RFC 9943) has one signature.
    let (exit, error) = desk.error("record write --as acme --subject T1/7");
    assert_eq!((exit, &error["code"]), (Exit::Misuse, &json!("TM-USAGE")));
    assert_eq!(desk.json("identity show acme")["pending"], 0);
}

#[test]
fn keys_are_encrypted_unless_asked_otherwise() {
    let node = Node::start();
    let mut desk = Desk::at(&node);
    let (exit, error) = desk.error("identity create acme");
    assert_eq!((exit, &error["code"]), (Exit::Misuse, &json!("TM-PASSPHRASE")));
    desk.person(&["correct horse", "correct hose"]);
    assert_eq!(desk.run("identity create acme").exit, Exit::Misuse);
    desk.person(&["correct horse", "correct horse"]);
    assert_eq!(desk.run("identity create acme").exit, Exit::Fine);
    let keys = desk.home().join("identities/acme/keys");
    let file = format!("inspect {}", keys.join(&files(&keys)[0]).display());
    assert_eq!(desk.json(&file)["content"]["protection"], "encrypted under a passphrase");
    desk.write("wrong", "incorrect horse\n");
    let (exit, error) = desk.error("record write --as acme --passphrase-file wrong");
    assert_eq!((exit, &error["code"]), (Exit::Misuse, &json!("TM-PASSPHRASE")));
    desk.set("TOUCHMARK_PASSPHRASE", "correct horse");
    desk.json("record write --as acme");
    assert_eq!(node.log().len(), 2);
}

#[cfg(unix)]
#[test]
fn what_is_kept_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let node = Node::start();
    let mut desk = Desk::at(&node);
    desk.json(CREATE);
    let mode = |path: &str| {
        let path = desk.home().join("identities/acme").join(path);
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    };
    assert_eq!((mode("identity.json"), mode("keys")), (0o600, 0o700));
}

#[test]
fn an_identity_is_for_one_network_and_one_command() {
    let node = Node::start();
    let mut desk = Desk::at(&node);
    desk.set("TOUCHMARK__CONTEXT__NETWORK", &"0".repeat(64));
    let (exit, error) = desk.error(CREATE);
    assert_eq!((exit, &error["code"]), (Exit::Refused, &json!("TM-WRONG-NETWORK")));
    assert!(node.log().is_empty());
    desk.set("TOUCHMARK__CONTEXT__NETWORK", "");
    desk.json(CREATE);
    desk.set("TOUCHMARK__CONTEXT__NETWORK", &"0".repeat(64));
    assert_eq!(desk.error("record write --as acme").0, Exit::Refused);
    desk.set("TOUCHMARK__CONTEXT__NETWORK", "");
    let lock = std::fs::File::create(desk.home().join("identities/acme/lock")).unwrap();
    lock.try_lock().unwrap();
    let (exit, error) = desk.error("record write --as acme");
    assert_eq!((exit, &error["code"]), (Exit::Unavailable, &json!("TM-BUSY")));
    drop(lock);
    assert_eq!(desk.error(CREATE).1["code"], "TM-EXISTS");
    assert_eq!(desk.error("identity create ../up --unencrypted").0, Exit::Misuse);
    assert_eq!(node.log().len(), 1);
}

#[test]
fn a_thing_that_cannot_sign_is_registered_by_its_controller() {
    let node = Node::start();
    let mut desk = Desk::at(&node);
    let made = desk.json(CREATE);
    let key =
        codec::encode(touchmark_wire::algorithm::Signer::public_key(&bundle::log_key()).cose());
    desk.write("card.key", key);
    let card =
        desk.json("thing register --as acme --kind card --key card.key --attribute serial=1");
    let log = node.log();
    let statement = Statement::parse(&log[1]).unwrap();
    assert_eq!(statement.protected().link.kind, StatementKind::REGISTER);
    let inception: Inception = codec::decode(statement.payload(), limits::STATEMENT).unwrap();
    assert_eq!(inception.controller.unwrap().to_string(), made["thing"].as_str().unwrap());
    assert_eq!(inception.keys[0].purposes, touchmark_core::entry::Purposes::CARD);
    assert_eq!(Inception::id_of(statement.payload()).to_string(), card["thing"].as_str().unwrap());
}

fn thing_view(id: &str, head: &serde_json::Value) -> Vec<u8> {
    let status = json!({ "status": "active", "since": 0 });
    let key = json!({
        "number": 0, "algorithm": "ES256", "key": "", "purposes": [], "weight": 1, "from": 0,
    });
    let view = json!({
        "id": id, "did": "did:touchmark:a:b", "kind": "device", "status": status, "statuses": [],
        "threshold": 1, "keys": [key], "next_number": 1, "attributes": {},
        "created": 0, "head": head, "history": { "count": 1, "hash": "" }, "size": 2,
    });
    serde_json::to_vec(&view).unwrap()
}

#[test]
fn a_record_with_a_subject_is_a_signed_statement_that_may_find_its_own_way() {
    let node = Node::start();
    let mut desk = Desk::at(&node);
    desk.json(CREATE);
    desk.input(b"21.5");
    // What cannot be written takes no place in the chain.
    assert_ne!(desk.run("record write --as acme --sign-only none/signed.cose").exit, Exit::Fine);
    assert_eq!(desk.json("identity show acme")["pending"], 0);
    desk.input(b"21.5");
    let line = "record write --as acme --format text --subject T1/7 --sign-only signed.cose";
    let made = desk.json(line);
    assert_eq!(node.log().len(), 1, "nothing was sent");
    let bytes = std::fs::read(desk.path("signed.cose")).unwrap();
    let statement = Statement::parse(&bytes).unwrap();
    assert_eq!(made["id"], statement.id().to_string());
    let claims = statement.protected().claims.unwrap();
    let did = statement.protected().kid.thing.did(&bundle::genesis().network_id());
    assert_eq!((claims.issuer, claims.subject), (did.to_string().as_str(), "T1/7"));
    assert!(claims.issued_at.is_some());
    // Until it is known to have arrived it waits, and what comes after it is behind it.
    assert_eq!(desk.json("identity show acme")["pending"], 1);
    desk.input(b"21.6");
    desk.json("record write --as acme --format text");
    let log = node.log();
    assert_eq!((log.len(), &log[1]), (3, &bytes));
    assert_eq!(sequence(&log[2]), 3);
    assert!(Statement::parse(&log[2]).unwrap().protected().claims.is_none());
    let long = "x".repeat(129);
    let line = format!("record write --as acme --subject {long}");
    assert_eq!(desk.run(&line).exit, Exit::Misuse);
}
