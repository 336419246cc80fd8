//! An auditor finds what validators signed wrongly, and where.

use super::desk::Desk;
use super::log::{Log, network};
use super::node::Node;
use super::splitting::write;
use serde_json::{Value, json};
use touchmark_node::cli::Exit;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::Timestamp;
use touchmark_wire::leaf::{BatchLeaf, Leaf};
use touchmark_wire::registry::RefusalCode;

/// What an audit of this log says.
fn audit(log: &Log) -> (Exit, Value) {
    let mut desk = Desk::new();
    log.show(&desk.path("log"));
    let line = format!("audit log --trust {} --evidence evidence --work work --json", network());
    let ended = desk.run(&line);
    assert!(!desk.path("work").exists(), "nothing of the state is left");
    assert_eq!(desk.path("evidence").exists(), ended.exit == Exit::Refused);
    (ended.exit, ended.document())
}

#[test]
fn an_honest_log_is_what_the_rules_make_of_it() {
    let log = Log::honest();
    let (exit, report) = audit(&log);
    assert_eq!((exit, &report["valid"]), (Exit::Fine, &json!(true)), "{report}");
    let expected = json!({ "inception": 2, "record": 3 });
    assert_eq!((&report["statements"], &report["batches"]), (&expected, &json!(3)), "{report}");
    assert_eq!(report["denied"].as_object().unwrap().values().sum_of(), 1, "{report}");
    assert_eq!((&report["leaves"], &report["size"]), (&json!(9), &json!(9)), "{report}");
    assert_eq!(report["height"], 4, "the empty batch left no leaf");
}

trait SumOf {
    fn sum_of(self) -> u64;
}

impl<'v, T: Iterator<Item = &'v Value>> SumOf for T {
    fn sum_of(self) -> u64 {
        self.map(|value| value.as_u64().unwrap()).sum()
    }
}

fn statement(leaf: Leaf<'_>) -> Vec<u8> {
    leaf.statement().unwrap().to_vec()
}

fn denied(code: RefusalCode, leaf: Leaf<'_>) -> Vec<u8> {
    Leaf::Denied { code: code.0, statement: leaf.statement().unwrap() }.encode_to_vec()
}

fn batch(leaf: Leaf<'_>, change: impl FnOnce(&mut BatchLeaf)) -> Vec<u8> {
    let Leaf::Batch(mut batch) = leaf else { panic!("it is a batch leaf") };
    change(&mut batch);
    Leaf::Batch(batch).encode_to_vec()
}

/// Everything is signed by the network's own keys: only the rules say that it is wrong.
#[test]
fn what_the_network_signed_wrongly_is_found_at_its_first_leaf() {
    let honest = Log::honest();
    // 0 and 1 things, 2 batch, 3 record, 4 denied, 5 record, 6 batch, 7 record, 8 batch.
    let mut again = honest.clone();
    again.0.insert(4, honest.0[3].clone());
    let mut missing = honest.clone();
    missing.0.remove(3);
    let mut empty = honest.clone();
    empty.0.push(honest.with(8, |leaf| batch(leaf, |it| it.height.0 += 1)).0[8].clone());
    let lies = [
        (honest.with(4, statement), 4, "an accepted statement", "a denied statement"),
        (
            honest.with(4, |leaf| denied(RefusalCode::FORGED, leaf)),
            4,
            "a denied statement (TM-FORGED)",
            "a denied statement",
        ),
        (
            honest.with(5, |leaf| denied(RefusalCode::FORGED, leaf)),
            5,
            "a denied statement",
            "an accepted statement",
        ),
        (
            honest.with(6, |leaf| batch(leaf, |it| it.state_root = Digest([7; 32]))),
            6,
            "with the state root 0707",
            "with the state root",
        ),
        (
            honest.with(6, |leaf| batch(leaf, |it| it.time = Timestamp(1))),
            6,
            "at 1 with",
            "not before its time",
        ),
        (honest.with(8, |leaf| batch(leaf, |it| it.height.0 = 2)), 8, "batch 2", "after batch 2"),
        (again, 4, "an accepted statement", "leaf 3 has it already"),
        (missing, 4, "an accepted statement", "leaves no leaf (TM-OUT-OF-ORDER"),
        (empty, 9, "batch 5", "an empty batch leaves no leaf"),
        (honest.with(3, |_| vec![0x80]), 3, "no leaf", "nothing can be submitted"),
    ];
    for (log, leaf, logged, rules) in lies {
        let (exit, report) = audit(&log);
        let found = &report["deviation"];
        assert_eq!((exit, &report["valid"]), (Exit::Refused, &json!(false)), "{report}");
        assert_eq!(found["leaf"], leaf, "{logged}: {report}");
        assert!(found["log"].as_str().unwrap().contains(logged), "{logged}: {found}");
        assert!(found["rules"].as_str().unwrap().contains(rules), "{rules}: {found}");
        assert!(!report["signed_by"].as_array().unwrap().is_empty());
    }
}

#[test]
fn what_the_network_did_not_sign_is_not_judged() {
    let mut desk = Desk::new();
    let folder = desk.path("log");
    Log::honest().show(&folder);
    let refused =
        |desk: &mut Desk, line: &str| desk.error(&format!("audit {line}")).1["code"].clone();
    let trust = format!("--trust {}", network());
    let tile = folder.join("tile/entries/000.p/9");
    let whole = std::fs::read(&tile).unwrap();
    let mut changed = whole.clone();
    *changed.last_mut().unwrap() ^= 1;
    std::fs::write(&tile, &changed).unwrap();
    assert_eq!(refused(&mut desk, &format!("log {trust}")), "TM-LOG-FALSE");
    std::fs::write(&tile, &whole).unwrap();
    let other = format!("log --trust {}", Digest([1; 32]));
    assert_eq!(refused(&mut desk, &other), "TM-WRONG-NETWORK");
    assert_eq!(refused(&mut desk, "log"), "TM-USAGE", "under nobody's word it proves nothing");
    assert_eq!(refused(&mut desk, &format!("nowhere {trust}")), "TM-NOT-HERE");
    desk.write("full", "a file");
    assert_eq!(refused(&mut desk, &format!("log {trust} --work .")), "TM-EXISTS");
    desk.json(&format!("audit log {trust}"));
}

#[test]
fn a_node_is_audited_and_compared_with_its_mirror() {
    let node = Node::start_new();
    write(&node, 300);
    let mut desk = Desk::at(&node);
    let (url, trust) = (node.url(), format!("--trust {}", node.network()));
    desk.json(&format!("mirror {url} --to behind {trust}"));
    write(&node, 300);
    desk.json(&format!("mirror {url} --to same {trust}"));
    let away = "http://127.0.0.1:9";
    let report = desk.json(&format!("audit {url} behind same {trust}"));
    assert_eq!(report["statements"]["record"], 600, "{report}");
    let standing = |report: &Value, n: usize| report["compared"][n]["standing"].clone();
    assert_eq!([standing(&report, 0), standing(&report, 1)], ["behind", "same"], "{report}");
    let signed = report["signed_by"].to_string();
    assert!(signed.contains("receipt") && signed.contains("certificate"), "{signed}");

    let report = desk.json(&format!("audit behind {url} {trust}"));
    assert_eq!(standing(&report, 0), "ahead", "{report}");
    let ended = desk.run(&format!("audit behind {away} {trust} --json"));
    assert_eq!((ended.exit, standing(&ended.document(), 0)), (Exit::Unavailable, json!("unknown")));
}
