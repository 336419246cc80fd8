//! What a witness answers, by the clauses of `add-checkpoint`, and what it keeps.

use crate::site::Answered;
use crate::{Party, vkey};
use touchmark_keys::software::SoftwareKey;
use touchmark_testkit::log::View;
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::certificate::{Cosigner, NoteKey};
use touchmark_wire::witness::SUBMISSION_LIMIT;

const ORIGIN: &str = "log.example/one";
const PATH: &str = "/witness/add-checkpoint";

fn key(seed: u8) -> SoftwareKey {
    SoftwareKey::from_seed(Algorithm::Ed25519, &[seed; 32]).unwrap()
}

/// A node that witnesses the log with the first key.
fn witness() -> Party {
    let mut party = Party::new();
    party.desk.json("witness init witness.example/w");
    party.desk.json(&format!("witness add-log {}", vkey(ORIGIN, &key(1))));
    party
}

/// The answer to a body that comes without a media type, as the specification names none.
fn submit(party: &Party, body: &str) -> Answered {
    party.site.exchange("POST", PATH, &[], body.as_bytes())
}

fn refused(answer: &Answered, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{}", String::from_utf8_lossy(&answer.body));
    assert_eq!(answer.json()["code"], code);
}

#[test]
fn every_answer_is_the_specifications() {
    let party = witness();
    let (five, nine) = (View::new(5), View::new(9));
    let by = |view: &View, seed, old| view.submission(ORIGIN, &key(seed), old);
    let first = submit(&party, &by(&five, 1, 0));
    assert_eq!(
        (first.status, first.header("content-type")),
        (200, Some("text/plain; charset=utf-8"))
    );
    let line = String::from_utf8(first.body).unwrap();
    assert!(line.starts_with("\u{2014} witness.example/w ") && line.ends_with('\n'), "{line}");
    assert_eq!(line.lines().count(), 1);
    // 409 with the size, and nothing else.
    for old in [0, 4, 9] {
        let other = submit(&party, &by(&nine, 1, old));
        assert_eq!((other.status, &*other.body), (409, &b"5\n"[..]), "{old}");
        assert_eq!(other.header("content-type"), Some("text/x.tlog.size"));
    }
    refused(&submit(&party, "old 5"), 400, "TM-MALFORMED");
    refused(&submit(&party, &by(&five, 1, 9)), 400, "TM-MALFORMED");
    let unknown = nine.submission("log.example/two", &key(1), 5);
    refused(&submit(&party, &unknown), 404, "TM-NOT-FOUND");
    refused(&submit(&party, &by(&nine, 2, 5)), 403, "TM-WITNESS-SIGNATURE");
    let fork = View::forked(9, 4);
    refused(&submit(&party, &by(&fork, 1, 5)), 422, "TM-WITNESS-INCONSISTENT");
    refused(&submit(&party, &by(&View::forked(5, 4), 1, 5)), 422, "TM-WITNESS-INCONSISTENT");
    let long = "x".repeat(SUBMISSION_LIMIT + 1);
    refused(&submit(&party, &long), 413, "TM-TOO-LONG");
    // None of this moved it, and with any media type or none the next one is cosigned.
    let kind = [("content-type", "application/octet-stream")];
    let next = party.site.exchange("POST", PATH, &kind, by(&nine, 1, 5).as_bytes());
    assert_eq!(next.status, 200);
}

#[test]
fn who_is_no_witness_knows_no_log() {
    let party = Party::new();
    let body = View::new(5).submission(ORIGIN, &key(1), 0);
    refused(&submit(&party, &body), 404, "TM-NOT-FOUND");
    let files: Vec<_> = crate::desk::files(&party.site.data());
    assert!(!files.iter().any(|name| name.starts_with("witness")), "{files:?}");
}

#[test]
fn a_witness_is_made_once_and_its_key_is_in_no_backup() {
    let mut party = witness();
    assert_eq!(submit(&party, &View::new(5).submission(ORIGIN, &key(1), 0)).status, 200);
    let (_, error) = party.desk.error("witness init");
    assert_eq!(error["code"], "TM-EXISTS");
    let data = party.site.data();
    let backup = party.desk.path("backup");
    let (node, to) = (party.site.node.clone(), backup.clone());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        tokio::task::spawn_blocking(move || node.backup(&to).unwrap()).await.unwrap();
    });
    let names = crate::desk::files(&backup);
    assert!(crate::desk::files(&data).contains(&"witness.cbor".to_owned()));
    for secret in ["witness.cbor", "note.cbor", "witnesses.toml", "witnessed.cbor"] {
        assert!(!names.contains(&secret.to_owned()), "{names:?}");
    }
    // A folder that is made of it is no witness, and becomes one with another key.
    let old = party.desk.json("witness show")["key"].clone();
    party.desk.json(&format!("node restore {} --data restored", backup.display()));
    party.desk.set("TOUCHMARK__NODE__DATA", "restored");
    assert_eq!(party.desk.error("witness show").1["code"], "TM-NOT-HERE");
    let new = party.desk.json("witness init witness.example/w");
    assert_ne!(new["key"], old);
    assert_eq!(new["logs"], serde_json::json!([]));
}

/// The same key as a witness's.
fn log_witness(log: &str) -> String {
    let log = NoteKey::parse(log).unwrap();
    Cosigner::new("witness.example/w", log.key().clone()).unwrap().note_key().to_string()
}

#[test]
fn what_is_no_key_is_refused_with_a_way_out() {
    let mut party = Party::new();
    let mut refused = |line: &str, code: &str| {
        let (_, error) = party.desk.error(line);
        assert_eq!(error["code"], code, "{line}: {error}");
        assert!(error["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{line}: {error}");
    };
    let log = vkey(ORIGIN, &key(1));
    refused("witness show", "TM-NOT-HERE");
    refused(&format!("witness add-log {log}"), "TM-NOT-HERE");
    refused("witness add-log nothing", "TM-MALFORMED");
    refused("witness init a+b", "TM-MALFORMED");
    // A log's key is no witness's.
    refused(&format!("witness add http://127.0.0.1:1/witness {log}"), "TM-MALFORMED");
    refused("witness remove nobody", "TM-NOT-HERE");
    let own = log_witness(&log);
    for url in ["https://127.0.0.1:1/witness", "http://name:word@127.0.0.1:1/witness"] {
        refused(&format!("witness add {url} {own}"), "TM-MALFORMED");
    }
    refused("witness list --data nowhere", "TM-NOT-HERE");
}
