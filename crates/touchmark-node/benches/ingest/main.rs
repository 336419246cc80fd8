//! `cargo xtask bench ingest`: how much of the node's processor time is spent on anything but
//! checking signatures.
//!
//! A thousand devices sign records of 256 bytes beforehand. A node in a process of its own accepts
//! them, durable before it acknowledges. The figure is accepted statements per second of the node's
//! processor time; the limit beside it is what the named library verifies per second of processor
//! time on the same cores, measured in turns with the node.
#![allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]

mod peer;
#[path = "../rig/mod.rs"]
#[allow(dead_code, reason = "each benchmark uses its part")]
mod rig;

use rig::fleet::{self, Fleet};
use rig::load::{self, Pace};
use rig::node::Node;
use rig::{arguments, row};
use touchmark_wire::algorithm::Algorithm;

const DEVICES: usize = 1_000;
/// Records of each device in a round.
const RECORDS: usize = 8;

/// How statements reach the node.
#[derive(Clone, Copy)]
enum Way {
    /// A thousand in one request, four requests at once.
    Batch,
    /// One in each request, over many connections.
    Http,
}

struct Case {
    name: &'static str,
    algorithm: Algorithm,
    way: Way,
    library: peer::Library,
}

const CASES: [Case; 3] = [
    Case {
        name: "p256-batch",
        algorithm: Algorithm::Es256,
        way: Way::Batch,
        library: peer::Library::AwsLc,
    },
    Case {
        name: "p256-http",
        algorithm: Algorithm::Es256,
        way: Way::Http,
        library: peer::Library::AwsLc,
    },
    Case {
        name: "ed25519-batch",
        algorithm: Algorithm::Ed25519,
        way: Way::Batch,
        library: peer::Library::Ed25519Batch,
    },
];

fn main() {
    let quick = arguments::quick();
    let case = arguments::value("--case");
    let wanted = |name: &str| case.as_ref().is_none_or(|case| case == name);
    let rounds = if quick { 4 } else { 20 };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime for the load");
    for case in CASES.iter().filter(|case| wanted(case.name)) {
        run(case, rounds, &runtime);
    }
}

fn run(case: &Case, rounds: usize, runtime: &tokio::runtime::Runtime) {
    let node = Node::start();
    let mut fleet = Fleet::new(node.network(), case.algorithm, DEVICES);
    runtime.block_on(load::batches(node.address(), fleet.inceptions(), Pace::Closed));
    let peer = peer::Peer::new(case.library);

    let (mut accepted, mut node_seconds) = (0usize, 0.0);
    let (mut verified, mut peer_seconds) = (0usize, 0.0);
    let mut wall = 0.0;
    let written = node.written();
    let mut payload = 0usize;
    for _ in 0..rounds {
        let records = fleet.records(RECORDS);
        payload += records.iter().flatten().count() * fleet::PAYLOAD;
        let (count, seconds) = peer.measure();
        verified += count;
        peer_seconds += seconds;

        let (before, start) = (node.cpu_seconds(), std::time::Instant::now());
        let answered = runtime.block_on(async {
            match case.way {
                Way::Batch => load::batches(node.address(), records, Pace::Closed).await,
                Way::Http => load::singles(node.address(), records, Pace::Closed).await,
            }
        });
        accepted += answered.accepted;
        node_seconds += node.cpu_seconds() - before;
        wall += start.elapsed().as_secs_f64();
    }
    let (rate, limit) = (accepted as f64 / node_seconds, verified as f64 / peer_seconds);
    let row = |name: &str, value, unit, limit| row::print("ingest", name, value, unit, limit);
    row(case.name, rate, "statements/CPU s", Some(limit));
    row(&format!("{}-wall", case.name), accepted as f64 / wall, "statements/s", None);
    let amplification = (node.written() - written) as f64 / payload as f64;
    row(&format!("{}-written", case.name), amplification, "bytes/payload byte", None);
}
