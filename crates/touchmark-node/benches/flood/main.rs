//! `cargo xtask bench flood`: how long those wait who were there before a flood of new identities.
//!
//! Five hundred devices that are known write at a fixed rate, one statement per request (P-256): first
//! alone, then while five hundred connections present fifty new devices with each request, as fast
//! as the node answers, so that 25,000 of them wait. Node, devices and flood share the machine; what
//! a firewall or the share of a source would keep out is let through.
#![allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]

#[path = "../rig/mod.rs"]
#[allow(dead_code, reason = "each benchmark uses its part")]
mod rig;

use rig::fleet::Fleet;
use rig::load::{self, Pace};
use rig::node::Node;
use rig::{arguments, row};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use touchmark_wire::algorithm::Algorithm;

/// Devices that are known.
const DEVICES: usize = 500;
/// What they write in all, statements a second.
const RATE: f64 = 500.0;
/// Inceptions of the flood that are signed at once.
const WAVE: usize = 50_000;
/// Inceptions of one of its requests.
const TOGETHER: usize = 50;

fn main() {
    let quick = arguments::quick();
    let (rounds, waves) = if quick { (6, 3) } else { (24, 6) };
    let runtime = Runtime::new().expect("a runtime for the load");
    let node = Node::start();
    let network = node.network();
    let mut fleet = Fleet::new(network, Algorithm::Es256, DEVICES);
    runtime.block_on(load::batches(node.address(), fleet.inceptions(), Pace::Closed));
    // What is in the log when a node starts is known.
    let node = node.restart();
    let flood: Vec<_> = (1..=waves)
        .map(|wave| Fleet::of(network, Algorithm::Es256, wave * WAVE..(wave + 1) * WAVE))
        .map(|mut wave| wave.inceptions())
        .collect();

    let records = fleet.records(rounds);
    let alone = runtime.block_on(load::singles(node.address(), records, Pace::Open(RATE))).waits;
    let records = fleet.records(rounds);
    let (waits, new) = runtime.block_on(async {
        let address = node.address().to_owned();
        let flooding = tokio::spawn(async move {
            let (start, mut new) = (Instant::now(), Vec::new());
            for wave in flood {
                let accepted = load::flood(&address, wave, TOGETHER).await.accepted;
                eprintln!("{accepted} new things after {:?}", start.elapsed());
                new.push((start.elapsed(), accepted));
            }
            new
        });
        // Until it has begun everywhere.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let waits = load::singles(node.address(), records, Pace::Open(RATE)).await.waits;
        assert!(!flooding.is_finished(), "the flood ended before it was measured");
        (waits, flooding.await.expect("the flood"))
    });
    let last = new.last().expect("some waves").0.as_secs_f64();
    let accepted: usize = new.iter().map(|(_, accepted)| accepted).sum();
    let alone = row::percentiles("flood", "alone", alone);
    let flooded = row::percentiles("flood", "flooded", waits);
    row::print("flood", "p99-times", flooded / alone, "times", None);
    row::print("flood", "new", accepted as f64 / last, "things/s", None);
}
