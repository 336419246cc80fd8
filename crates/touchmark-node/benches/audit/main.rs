//! `cargo xtask bench audit`: how fast a log is copied and executed again.
//!
//! A thousand devices write records of 256 bytes; the log is copied with `touchmark mirror` and the
//! copy replayed with `touchmark audit`, signatures and state roots included. `--records N` is the
//! length of the log; otherwise it has a million records, with `--quick` a hundred thousand.
#![allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]

#[path = "../rig/mod.rs"]
#[allow(dead_code, reason = "each benchmark uses its part")]
mod rig;

use rig::fleet::Fleet;
use rig::load::{self, Pace};
use rig::node::Node;
use rig::{arguments, row};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::time::Instant;
use touchmark_wire::algorithm::Algorithm;

const DEVICES: usize = 1_000;

fn main() {
    let quick = arguments::quick();
    let records = arguments::number("--records");
    let records = records.unwrap_or(if quick { 100_000 } else { 1_000_000 });
    for (name, algorithm) in [("p256", Algorithm::Es256), ("ed25519", Algorithm::Ed25519)] {
        measure(name, algorithm, records);
    }
}

fn measure(name: &str, algorithm: Algorithm, records: usize) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime for the load");
    let node = Node::start();
    let mut fleet = Fleet::new(node.network(), algorithm, DEVICES);
    runtime.block_on(load::batches(node.address(), fleet.inceptions(), Pace::Closed));
    let mut accepted = 0;
    while accepted < records {
        let next = fleet.records(20);
        accepted += runtime.block_on(load::batches(node.address(), next, Pace::Closed)).accepted;
    }
    let folder = tempfile::tempdir().expect("a folder for the copy");
    let (url, trust) = (format!("http://{}", node.address()), node.network().to_string());
    let start = Instant::now();
    let copied = touchmark(folder.path(), &["mirror", &url, "--to", "copy", "--trust", &trust]);
    let rate = copied["copied"].as_f64().expect("a number") / start.elapsed().as_secs_f64();
    row::print("audit", &format!("{name}-mirror"), rate, "leaves/s", None);
    drop(node);
    let report = touchmark(folder.path(), &["audit", "copy", "--trust", &trust, "--work", "work"]);
    let rate = report["statements_per_second"].as_f64().expect("a number");
    row::print("audit", &format!("{name}-replay"), rate, "statements/s", None);
}

/// The document that a command answers.
fn touchmark(folder: &Path, arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_touchmark"))
        .arg("--json")
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON document")
}
