//! Every way of reading leaves goes to the bucket where it has to, and nowhere else.

use super::desk::Desk;
use super::node::Node;
use super::service::Service;
use super::story::{Records, Story, TAIL, counted, wait_until_sealed, write};
use serde_json::Value;
use std::time::{Duration, Instant};
use touchmark_api::client::{Page, ProofQuery};
use touchmark_core::verdict::CertificateKind;
use touchmark_wire::bundle::Claim;
use touchmark_wire::ids::LeafIndex;

const CODE: &str = "TM-OBJECT-STORAGE";

/// Where a bundle is.
fn key(node: &Node, number: u64) -> String {
    format!("logs/{}/tile/entries/{number:03}", node.network())
}

fn bundle(node: &Node, number: u64) -> Vec<u8> {
    let url = format!("{}/tile/entries/{number:03}", node.url());
    ureq::get(url).call().unwrap().body_mut().read_to_vec().unwrap()
}

/// Reads all of it in each way.
fn read(node: &Node, records: &Records) {
    let client = node.client();
    for (leaf, bytes) in records.leaves.iter().step_by(97) {
        assert_eq!(client.leaf_bytes(*leaf).unwrap(), *bytes);
    }
    let (mut cursor, mut listed) = (None, 0);
    while listed == 0 || cursor.is_some() {
        let page = Page { cursor: cursor.take(), limit: Some(1_000) };
        let mut history = client.history(records.thing, &page).unwrap();
        listed += history.items.len();
        cursor = history.next.take();
    }
    assert_eq!(listed, records.leaves.len());
    let all = ProofQuery { claims: vec![Claim::Complete(records.thing, Vec::new())], ..proof() };
    assert!(client.proof(&all).unwrap().len() > records.leaves.len() * 300);
    let one = ProofQuery { claims: vec![Claim::Record(records.leaves[7].0)], ..proof() };
    assert!(!client.proof(&one).unwrap().is_empty());
    assert!(!client.receipt(records.leaves[9].0).unwrap().is_empty());
    let batches = ureq::get(format!("{}/v1/batches?from=1", node.url())).call().unwrap();
    assert_eq!(batches.status(), 200);
}

fn proof() -> ProofQuery {
    ProofQuery { certificate: CertificateKind::Engine, ..ProofQuery::default() }
}

/// Status and problem code of an answer.
fn problem(node: &Node, path: &str) -> (u16, String) {
    let (status, body) = node.page(path);
    let code = serde_json::from_str::<Value>(&body).ok();
    (status, code.and_then(|it| it["code"].as_str().map(ToOwned::to_owned)).unwrap_or_default())
}

fn warnings(node: &Node) -> (bool, usize) {
    let readiness = node.client().readiness().unwrap();
    (readiness.ready, readiness.warnings.len())
}

fn wait_for_warnings(node: &Node, expected: usize) {
    let limit = Instant::now() + Duration::from_secs(30);
    while warnings(node) != (true, expected) {
        assert!(Instant::now() < limit, "{:?}", node.client().readiness());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn old_leaves_are_in_the_bucket_and_read_in_every_way() {
    let Some(service) = Service::start() else { return };
    let story = Story::of(&service);
    let mut node = story.start();
    let records = write(&node, 4_000);
    let sealed = wait_until_sealed(&node);
    assert!(sealed >= 3_000, "{sealed}");
    read(&node, &records);
    node.kill();

    let node = story.start();
    read(&node, &records);
    assert!(counted(&node, "store_sealed_reads_total") >= sealed / 256);
    for number in 0..sealed / 256 {
        assert_eq!(service.object(&key(&node, number)).unwrap(), bundle(&node, number), "{number}");
    }
    assert!(service.object(&key(&node, sealed / 256)).is_none(), "it is not sealed yet");
    // Others copy and check the whole log, and see nothing of where it is.
    let mut desk = Desk::at(&node);
    let trust = format!("--trust {}", node.network());
    let copied = desk.json(&format!("mirror {} --to copy {trust}", node.url()));
    assert_eq!(copied["copied"], copied["size"]);
    let audited = desk.run(&format!("audit {} {trust}", node.url()));
    assert_eq!(audited.exit as u8, 0, "{audited:?}");
}

#[test]
fn recent_leaves_are_read_and_written_while_the_bucket_is_away() {
    let Some(service) = Service::start() else { return };
    let story = Story::of(&service);
    let mut node = story.start();
    let records = write(&node, 2_000);
    wait_until_sealed(&node);
    node.kill();
    let node = story.start();
    wait_for_warnings(&node, 0);
    service.gate.cut();
    let thing = records.thing;
    for path in [
        "/v1/leaves/5".to_owned(),
        "/tile/entries/000".to_owned(),
        "/v1/leaves?limit=3".to_owned(),
        format!("/v1/things/{thing}/history"),
        "/v1/proofs?record=5".to_owned(),
        "/v1/batches?from=1".to_owned(),
    ] {
        assert_eq!(problem(&node, &path), (503, CODE.to_owned()), "{path}");
    }
    let client = node.client();
    let (last, bytes) = records.leaves.last().unwrap();
    assert_eq!(client.leaf_bytes(*last).unwrap(), *bytes);
    assert_eq!(problem(&node, "/v1/leaves/1000000").0, 404, "what is nowhere is said as ever");
    let status = ProofQuery { claims: vec![Claim::Status(thing)], ..proof() };
    assert!(!client.proof(&status).unwrap().is_empty());
    assert!(!client.receipt(LeafIndex(5)).unwrap().is_empty(), "its hash is here");
    let later = write(&node, 900);
    assert_eq!(client.leaf_bytes(later.leaves[3].0).unwrap(), later.leaves[3].1);
    wait_for_warnings(&node, 1);
    assert!(counted(&node, "store_sealed_failures_total") > 5);
    assert_eq!(counted(&node, "store_sealed_failing"), 1);

    service.gate.open();
    wait_for_warnings(&node, 0);
    read(&node, &records);
    let sealed = wait_until_sealed(&node);
    assert!(sealed > later.leaves[0].0.0 - TAIL, "it went on");
}

#[test]
fn a_forged_object_is_refused() {
    let Some(service) = Service::start() else { return };
    let story = Story::of(&service);
    let mut node = story.start();
    let records = write(&node, 2_000);
    wait_until_sealed(&node);
    let key = key(&node, 1);
    node.kill();
    let node = story.start();
    let whole = service.object(&key).unwrap();
    let mut forged = whole.clone();
    *forged.last_mut().unwrap() ^= 1;
    service.replace(&key, &forged);
    assert_eq!(problem(&node, "/tile/entries/001"), (503, CODE.to_owned()));
    assert_eq!(problem(&node, "/v1/leaves/300"), (503, CODE.to_owned()));
    assert!(counted(&node, "store_sealed_wrong_total") >= 2);
    assert_eq!(problem(&node, "/v1/leaves/5").0, 200, "the others are right");
    service.replace(&key, &whole);
    read(&node, &records);
}
