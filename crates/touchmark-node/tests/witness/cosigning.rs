//! Checkpoints of a node, cosigned by others.

use crate::Party;
use crate::desk::Desk;
use crate::node::Node;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};
use touchmark_wire::algorithm::PureVerifier;
use touchmark_wire::certificate::{Cosigner, NoteKey};
use touchmark_wire::checkpoint::SignedCheckpoint;

/// The witnesses of these keys that cosigned a note, and the size that it is of.
fn cosigned(note: &[u8], keys: &[&str]) -> (u64, usize) {
    let note = SignedCheckpoint::parse(note).unwrap();
    let by = |key: &&&str| {
        let cosigner = NoteKey::parse(key).and_then(Cosigner::try_from).unwrap();
        cosigner.verify(&note, &PureVerifier).is_ok()
    };
    (note.checkpoint().size.0, keys.iter().filter(by).count())
}

#[test]
fn a_log_is_cosigned_by_another_node_while_it_grows() {
    let (mut log, mut witness) = (Party::new(), Party::new());
    let key = log.ask(&mut witness);
    for _ in 0..4 {
        let size = log.site.node.store.snapshot().size().0;
        assert_eq!(cosigned(&log.site.get("/checkpoint").body, &[&key]), (size, 1));
        let shown = witness.desk.json("witness show");
        assert_eq!(
            (&shown["logs"][0]["size"], &shown["logs"][0]["witnessed"]),
            (&size.into(), &true.into())
        );
        let grown = log.grow();
        assert!(grown > size);
        // What is newer has no line yet, and what was cosigned is still to be had.
        assert_eq!(cosigned(&log.site.get("/checkpoint").body, &[&key]), (grown, 0));
        assert_eq!(cosigned(&log.site.get("/checkpoint?witnesses=1").body, &[&key]), (size, 1));
        log.site.node.ask_witnesses();
    }
    // The log's own line is there, under the key that the command prints.
    let own = log.log_key();
    let note = log.site.get("/checkpoint").body;
    let note = SignedCheckpoint::parse(&note).unwrap();
    assert_eq!(NoteKey::parse(&own).unwrap().verify(&note, &PureVerifier), Ok(()));
    // What the witness shows to monitors has the same line of its own.
    let hash = touchmark_wire::hash::Digest::of(&[note.checkpoint().origin().as_bytes()]);
    let shown = witness.site.get(&format!("/witness/{hash}/checkpoint"));
    assert_eq!(cosigned(&shown.body, &[&key]), (note.checkpoint().size.0, 1));
    // Node and commands tell how it goes.
    let view = log.site.get("/v1/node").json();
    let item = &view["witnesses"]["items"][0];
    assert_eq!(item["size"], note.checkpoint().size.0, "{view}");
    assert!(item["time"].as_u64() > Some(1_700_000_000) && item["problem"].is_null(), "{view}");
    // Where it is, its node's operator sees, and nobody else.
    let mut listed = log.desk.json("witness list")["items"][0].clone();
    let url = listed.as_object_mut().unwrap().remove("url").unwrap();
    assert_eq!(url, format!("http://{}/witness", witness.site.address));
    assert_eq!(&listed, item);
}

#[test]
fn a_node_asks_by_itself_and_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let mut witness = Party::new();
    let mut node = Node::start(folder.path());
    let mut desk = Desk::at(&node);
    desk.set("TOUCHMARK__NODE__DATA", &folder.path().join("data").display().to_string());
    let own = desk.json("witness log-key")["key"].as_str().unwrap().to_owned();
    let (url, key) = witness.witness(&own);
    desk.json(&format!("witness add {url} {key}"));
    // The first round is the start's.
    for begun in [1, 2] {
        node.kill();
        if begun == 2 {
            // Without what it kept it learns from the witness where that is.
            std::fs::remove_file(folder.path().join("data/witnessed.cbor")).unwrap();
        }
        node = Node::start(folder.path());
        let limit = Instant::now() + Duration::from_secs(30);
        let note = loop {
            match node.client().witnessed_checkpoint(1) {
                Ok(note) => break note,
                Err(error) => assert!(Instant::now() < limit, "{error}"),
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        assert_eq!(cosigned(&note, &[&key]).1, 1);
        assert!(desk.json("witness list")["items"][0]["size"].is_u64());
    }
}

#[test]
fn a_witness_that_refuses_is_named_and_the_others_count() {
    let (mut log, mut one, mut two) = (Party::new(), Party::new(), Party::new());
    let first = log.ask(&mut one);
    let second = log.ask(&mut two);
    let size = log.site.node.store.snapshot().size().0;
    let keys = [&*first, &*second];
    assert_eq!(cosigned(&log.site.get("/checkpoint?witnesses=2").body, &keys), (size, 2));
    // The second trusts the log's key no more.
    let origin = log.site.node.genesis.origin.clone();
    two.desk.json(&format!("witness remove-log {origin}"));
    let grown = log.grow();
    log.site.node.ask_witnesses();
    assert_eq!(cosigned(&log.site.get("/checkpoint?witnesses=1").body, &keys), (grown, 1));
    assert_eq!(cosigned(&log.site.get("/checkpoint?witnesses=2").body, &keys), (size, 2));
    let listed = log.desk.json("witness list");
    assert_eq!(listed["items"][0]["problem"], serde_json::Value::Null);
    let problem = listed["items"][1]["problem"].as_str().unwrap();
    assert!(problem.contains("TM-NOT-FOUND"), "{problem}");
    assert_eq!(listed["items"][1]["size"], size);
    let metrics = String::from_utf8(log.site.get("/metrics").body).unwrap();
    for (name, value) in [("named", 2), ("failing", 1)] {
        assert!(metrics.contains(&format!("touchmark_witness_{name} {value}\n")), "{metrics}");
    }
    let shown = log.desk.run("network status");
    assert!(shown.stdout.contains("TM-NOT-FOUND"), "{}", shown.stdout);
    // It does again, and both cosign the newest.
    let own = log.log_key();
    two.desk.json(&format!("witness add-log {own}"));
    log.site.node.ask_witnesses();
    assert_eq!(cosigned(&log.site.get("/checkpoint?witnesses=2").body, &keys), (grown, 2));
    let few = log.site.get("/checkpoint?witnesses=3");
    assert_eq!((few.status, few.json()["code"].as_str()), (503, Some("TM-FEW-WITNESSES")));
    // Who is asked no more counts no more.
    let name = listed["items"][0]["name"].as_str().unwrap();
    log.desk.json(&format!("witness remove {name}"));
    log.site.node.ask_witnesses();
    assert_eq!(log.site.get("/checkpoint?witnesses=2").status, 503);
    assert_eq!(cosigned(&log.site.get("/checkpoint?witnesses=1").body, &keys[1..]), (grown, 1));
    // Also where it was the last one.
    let name = listed["items"][1]["name"].as_str().unwrap();
    log.desk.json(&format!("witness remove {name}"));
    log.site.node.ask_witnesses();
    assert_eq!(log.site.get("/checkpoint?witnesses=1").status, 503);
    assert_eq!(cosigned(&log.site.get("/checkpoint").body, &keys), (grown, 0));
    assert_eq!(log.site.get("/v1/node").json()["witnesses"]["items"], serde_json::json!([]));
}

#[test]
fn a_witness_that_is_silent_keeps_no_line_of_another_waiting() {
    let (mut log, mut good, mut silent) = (Party::new(), Party::new(), Party::new());
    let own = log.log_key();
    // It accepts, and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (_, key) = silent.witness(&own);
    log.desk.json(&format!("witness add http://{address} {key}"));
    let (url, key) = good.witness(&own);
    log.desk.json(&format!("witness add {url} {key}"));
    let node = log.site.node.clone();
    let round = std::thread::spawn(move || node.ask_witnesses());
    let limit = Instant::now() + Duration::from_secs(5);
    let note = loop {
        let answer = log.site.get("/checkpoint?witnesses=1");
        if answer.status == 200 {
            break answer.body;
        }
        assert!(Instant::now() < limit, "the silent one is waited for");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(cosigned(&note, &[&key]).1, 1);
    assert!(!round.is_finished());
    let grown = log.grow();
    assert_eq!(cosigned(&log.site.get("/checkpoint").body, &[&key]).0, grown);
    // It ends by itself, and says who it was.
    round.join().unwrap();
    assert!(log.problem().contains("no answer"), "{}", log.problem());
    drop(listener);
}

#[test]
fn lines_that_the_log_has_itself_are_no_witnesses() {
    let (mut log, mut witness) = (Party::new(), Party::new());
    let own = log.log_key();
    let (url, _) = witness.witness(&own);
    log.desk.run("witness init");
    let as_witness = log.desk.json("witness show")["key"].as_str().unwrap().to_owned();
    let genesis = &log.site.node.genesis;
    let validator = &genesis.committee.validators[0];
    let cosigner = validator.cosigner_key.check().unwrap();
    let cosigner = Cosigner::new(&validator.name, cosigner).unwrap().note_key().to_string();
    for key in [&as_witness, &cosigner] {
        let (_, error) = log.desk.error(&format!("witness add {url} {key}"));
        assert_eq!(error["code"], "TM-MALFORMED", "{error}");
        assert!(error["what"].as_str().unwrap().contains("own"), "{error}");
    }
    // Also where somebody wrote the file: who answers nothing has cosigned nothing.
    let url = stranger(vec![(200, String::new())]);
    let file = format!("[[witness]]\nurl = \"{url}\"\nvkey = \"{cosigner}\"\n");
    std::fs::write(log.site.data().join("witnesses.toml"), file).unwrap();
    log.site.node.ask_witnesses();
    assert_eq!(log.site.get("/checkpoint?witnesses=1").status, 503);
}

#[test]
fn a_key_of_another_witness_is_not_believed() {
    let (mut log, mut witness, mut other) = (Party::new(), Party::new(), Party::new());
    let own = log.log_key();
    // The address of the one with the key of the other.
    let (url, _) = witness.witness(&own);
    let (_, key) = other.witness(&own);
    log.desk.json(&format!("witness add {url} {key}"));
    log.site.node.ask_witnesses();
    assert_eq!(log.site.get("/checkpoint?witnesses=1").status, 503);
    assert_eq!(log.problem(), "its cosignature is none: the note has no line of the cosigner");
}

/// Whatever a witness answers, nothing false is kept, and the log goes on.
#[test]
fn strange_answers_are_named_and_harm_nothing() {
    let (mut log, mut witness) = (Party::new(), Party::new());
    let own = log.log_key();
    let (_, key) = witness.witness(&own);
    let name = key.split('+').next().unwrap().to_owned();
    let line = format!("\u{2014} {name} AAAAAAAA\n");
    let size = log.site.node.store.snapshot().size().0;
    let conflict = |size: u64| (409, format!("{size}\n"));
    for (answers, problem) in [
        (vec![(200, String::new())], "its answer is no lines of a note"),
        (vec![(200, line)], "the note has no line"),
        (vec![(200, "no line\n".into())], "its answer is no lines of a note"),
        (vec![(200, "x".repeat(1 << 20))], "answers what no node does"),
        (vec![(409, "many\n".into())], "no witness says this"),
        (vec![conflict(size + 1)], "the log was set back, or there are two"),
        (vec![conflict(1), conflict(2), conflict(1)], "another size each time"),
        (vec![(500, "<html>".into())], "status 500"),
        (vec![(500, format!("\u{1b}[2J{}", "y".repeat(1_000)))], "status 500"),
        (vec![(302, String::new())], "status 302"),
    ] {
        let url = stranger(answers);
        log.desk.run(&format!("witness remove {name}"));
        log.desk.json(&format!("witness add {url} {key}"));
        log.site.node.ask_witnesses();
        let told = log.problem();
        assert!(told.contains(problem), "{problem}: {told}");
        assert!(told.chars().count() <= 200 && !told.contains(char::is_control), "{told}");
        assert_eq!(log.site.get("/checkpoint?witnesses=1").status, 503);
    }
    log.grow();
    assert_eq!(log.site.get("/checkpoint").status, 200);
}

/// Somebody who gives these answers, one to each request; where they are.
fn stranger(answers: Vec<(u16, String)>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for (status, body) in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = BufReader::new(stream.try_clone().unwrap());
            let mut length = 0;
            loop {
                let mut line = String::new();
                request.read_line(&mut line).unwrap();
                let line = line.trim_end().to_ascii_lowercase();
                if let Some(value) = line.strip_prefix("content-length: ") {
                    length = value.parse().unwrap();
                }
                if line.is_empty() {
                    break;
                }
            }
            request.read_exact(&mut vec![0; length]).unwrap();
            let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n", body.len());
            // Who has read enough may be gone.
            let _ = write!(stream, "{head}location: /elsewhere\r\nconnection: close\r\n\r\n{body}");
        }
    });
    format!("http://{address}")
}
