//! `cargo xtask bench service`: how long people and devices wait, and what a node costs.
//!
//! * a node without load: processor time and memory
//! * the wait for an acknowledgement at 70 % of the load that the node takes, one statement per
//!   request and a thousand per request; requests are sent at times that were fixed before
//! * bundles of a record, its thing's status and a fresh answer in a long log, each for another
//!   record: wait and length; and the start after a kill with that log
//!
//! `--records N` is the length of that log; otherwise it has ten million records, with `--quick` a
//! hundred thousand.
#![allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]

#[path = "../rig/mod.rs"]
#[allow(dead_code, reason = "each benchmark uses its part")]
mod rig;

use rig::fleet::Fleet;
use rig::load::{self, Answered, Pace};
use rig::node::Node;
use rig::{arguments, clock, row};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use touchmark_api::client::ProofQuery;
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::bundle::Claim;
use touchmark_wire::ids::LeafIndex;

const DEVICES: usize = 1_000;
/// Part of the load that a node takes at most.
const PART: f64 = 0.7;
/// Bundles that are asked for.
const BUNDLES: u64 = 2_000;

fn main() {
    let quick = arguments::quick();
    let records = arguments::number("--records");
    let records = records.unwrap_or(if quick { 100_000 } else { 10_000_000 });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime for the load");
    idle(Duration::from_secs(if quick { 5 } else { 30 }));
    let rounds = if quick { 4 } else { 16 };
    acknowledgement("single", rounds, &runtime, |node, records, pace, runtime| {
        runtime.block_on(load::singles(node.address(), records, pace))
    });
    acknowledgement("thousand", rounds, &runtime, |node, records, pace, runtime| {
        runtime.block_on(load::batches(node.address(), records, pace))
    });
    proofs(records, &runtime);
}

fn print(case: &str, value: f64, unit: &str) {
    row::print("service", case, value, unit, None);
}

/// A node that nobody asks for anything.
fn idle(time: Duration) {
    let node = Node::start();
    std::thread::sleep(Duration::from_secs(2));
    let (before, start) = (node.cpu_seconds(), Instant::now());
    std::thread::sleep(time);
    let part = (node.cpu_seconds() - before) / start.elapsed().as_secs_f64();
    print("idle-processor", part * 100.0, "% of a core");
    print("idle-memory", clock::resident(node.id()) as f64 / 1e6, "MB");
}

/// What the node takes at most, then the waits at a part of it.
fn acknowledgement(
    name: &str,
    rounds: usize,
    runtime: &Runtime,
    send: impl Fn(&Node, Vec<Vec<Vec<u8>>>, Pace, &Runtime) -> Answered,
) {
    let node = Node::start();
    let mut fleet = Fleet::new(node.network(), Algorithm::Es256, DEVICES);
    send(&node, fleet.inceptions(), Pace::Closed, runtime);
    let (mut accepted, mut wall) = (0, Duration::ZERO);
    for _ in 0..rounds {
        let records = fleet.records(8);
        let start = Instant::now();
        accepted += send(&node, records, Pace::Closed, runtime).accepted;
        wall += start.elapsed();
    }
    let rate = PART * accepted as f64 / wall.as_secs_f64();
    let mut waits = Vec::new();
    for _ in 0..rounds {
        waits.extend(send(&node, fleet.records(8), Pace::Open(rate), runtime).waits);
    }
    print(&format!("{name}-rate"), rate, "statements/s");
    row::percentiles("service", &format!("{name}-wait"), waits);
}

/// Bundles out of a log with so many records.
fn proofs(records: usize, runtime: &Runtime) {
    let node = Node::start();
    let mut fleet = Fleet::new(node.network(), Algorithm::Ed25519, DEVICES);
    runtime.block_on(load::batches(node.address(), fleet.inceptions(), Pace::Closed));
    let start = Instant::now();
    let mut accepted = 0;
    while accepted < records {
        let records = fleet.records(20);
        accepted += runtime.block_on(load::batches(node.address(), records, Pace::Closed)).accepted;
    }
    print("log-records", accepted as f64, "records");
    print("log-made-in", start.elapsed().as_secs_f64(), "s");
    print("log-memory", clock::resident(node.id()) as f64 / 1e6, "MB");

    let client = node.client();
    let (mut waits, mut lengths) = (Vec::new(), Vec::new());
    let (mut asked, mut place) = (0, 0u64);
    while asked < BUNDLES {
        // Spread over the log; a leaf that tells a batch's time is no record.
        place = (place + 7_919_777) % accepted as u64;
        let leaf = LeafIndex(DEVICES as u64 + place);
        let view = client.leaf(leaf).expect("the node answers");
        let Some(statement) = view.statement else { continue };
        let thing = statement.issuer.parse().expect("an id of a thing");
        let claims = vec![Claim::Record(leaf), Claim::Status(thing)];
        let nonce = Some(u128::from(asked).to_be_bytes().to_vec());
        let start = Instant::now();
        let bundle = client
            .proof(&ProofQuery { claims, nonce, ..ProofQuery::default() })
            .expect("the node proves it");
        waits.push(start.elapsed());
        lengths.push(bundle.len());
        asked += 1;
    }
    row::percentiles("service", "proof", waits);
    lengths.sort_unstable();
    print("proof-bytes-p99", lengths[lengths.len() * 99 / 100] as f64, "bytes");
    let start = Instant::now();
    let node = node.restart();
    print("start-after-kill", start.elapsed().as_secs_f64(), "s");
    drop(node);
}
