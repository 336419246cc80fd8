//! `cargo xtask bench scale`: what a directory costs as it grows.
//!
//! A hundred organisations register devices, each with a key, a number and a serial number, in
//! requests of a thousand. At ten thousand things, and at every tenfold up to `--things N` (ten
//! million; with `--quick` a hundred thousand), it shows
//!
//! * the node's processor time for a registration: of the tenth before that point, as what a
//!   registration causes to be merged later belongs to it (at ten thousand: of the ten thousand
//!   that follow)
//! * for things all over the directory: processor time and wait of a thing by its id, of a search
//!   for a serial number, of the first page of an organisation's things, and of a bundle that
//!   proves a thing's status
//!
//! and in the end memory, size on the disk, and the start after a kill. Ratios are to the figures at
//! ten thousand.
#![allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]

#[path = "../rig/mod.rs"]
#[allow(dead_code, reason = "each benchmark uses its part")]
mod rig;

use rig::load::{self, Pace};
use rig::makers::{MAKERS, Made, Makers};
use rig::node::Node;
use rig::{arguments, clock, row};
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Instant;
use tokio::runtime::Runtime;
use touchmark_api::client::{Client, Page, ProofQuery, ThingsQuery};
use touchmark_wire::bundle::Claim;

/// Where the first figures are taken.
const FIRST: usize = 10_000;
/// Things that are looked up at each point, in each way.
const LOOKUPS: u64 = 2_000;
/// Registrations of each organisation that are sent at once.
const ROUND: usize = 100;

fn main() {
    let quick = arguments::quick();
    let things = arguments::number("--things");
    let things = things.unwrap_or(if quick { 100_000 } else { 10_000_000 });
    let runtime = Runtime::new().expect("a runtime for the load");
    let mut directory = Directory::new(runtime);
    let points = std::iter::successors(Some(FIRST), |point| Some(point * 10));
    for point in points.take_while(|point| *point <= things) {
        directory.measure(point);
    }
    directory.end();
}

/// A node, and what is registered there.
struct Directory {
    node: Node,
    /// To know what they registered.
    makers: Makers,
    signed: Receiver<Vec<Vec<Vec<u8>>>>,
    runtime: Runtime,
    things: usize,
    /// The figures at [`FIRST`] things.
    first: BTreeMap<String, f64>,
}

impl Directory {
    fn new(runtime: Runtime) -> Self {
        let node = Node::start();
        let makers = Makers::new(node.network());
        let mut signers = Makers::new(node.network());
        runtime.block_on(load::batches(node.address(), signers.inceptions(), Pace::Closed));
        let (sender, signed) = sync_channel(1);
        // Ends when nobody takes any more.
        std::thread::spawn(move || while sender.send(signers.registrations(ROUND)).is_ok() {});
        Self { node, makers, signed, runtime, things: 0, first: BTreeMap::new() }
    }

    fn measure(&mut self, point: usize) {
        if point == FIRST {
            self.grow(FIRST);
            let cost = self.grow(2 * FIRST);
            self.print(point, "registration", cost);
        } else {
            self.grow(point - point / 10);
            let cost = self.grow(point);
            self.print(point, "registration", cost);
        }
        for (way, ask) in WAYS {
            let (mut place, mut waits) = (0, Vec::new());
            let client = self.node.client();
            let before = self.node.cpu_seconds();
            for _ in 0..LOOKUPS {
                place = (place + 7_919_777) % self.things;
                let made = self.makers.thing(place % MAKERS, (place / MAKERS) as u32 + 1);
                let start = Instant::now();
                ask(&client, &made);
                waits.push(start.elapsed());
            }
            let cost = (self.node.cpu_seconds() - before) / LOOKUPS as f64;
            self.print(point, way, cost);
            row::percentiles("scale", &format!("{point}-{way}"), waits);
        }
    }

    /// Registers until there are so many; the node's processor time for each.
    fn grow(&mut self, things: usize) -> f64 {
        let (begun, before) = (self.things, self.node.cpu_seconds());
        let start = Instant::now();
        while self.things < things {
            let next = self.signed.recv().expect("the organisations sign");
            let answered = load::batches(self.node.address(), next, Pace::Closed);
            self.things += self.runtime.block_on(answered).accepted;
        }
        let new = (self.things - begun) as f64;
        eprintln!("{} things, {:.0} a second", self.things, new / start.elapsed().as_secs_f64());
        (self.node.cpu_seconds() - before) / new
    }

    /// Prints a processor time, beside the first of its kind.
    fn print(&mut self, point: usize, what: &str, seconds: f64) {
        let first = *self.first.entry(what.to_owned()).or_insert(seconds) * 1e6;
        let limit = (point != FIRST).then_some(first);
        row::print("scale", &format!("{point}-{what}"), seconds * 1e6, "CPU µs", limit);
    }

    fn end(self) {
        let print = |case: &str, value: f64, unit: &str| {
            row::print("scale", &format!("{}-{case}", self.things), value, unit, None);
        };
        print("memory", clock::resident(self.node.id()) as f64 / 1e6, "MB");
        print("written", self.node.written() as f64 / self.things as f64, "bytes/thing");
        print("disk", self.node.disk() as f64 / self.things as f64, "bytes/thing");
        let start = Instant::now();
        let node = self.node.restart();
        print("start-after-kill", start.elapsed().as_secs_f64(), "s");
        let last = self.makers.thing(MAKERS - 1, (self.things / MAKERS) as u32);
        by_id(&node.client(), &last);
    }
}

/// A question about a thing.
type Ask = fn(&Client, &Made);

const WAYS: [(&str, Ask); 4] =
    [("thing", by_id), ("serial", by_serial), ("page", page), ("status", status)];

fn by_id(client: &Client, made: &Made) {
    let thing = client.thing(made.id).expect("the node knows it");
    assert_eq!(thing.attributes["serial"], made.serial);
}

fn by_serial(client: &Client, made: &Made) {
    let query = ThingsQuery { serial: Some(made.serial.clone()), ..ThingsQuery::default() };
    let found = client.things(&query).expect("the node answers").items;
    assert!(found.iter().any(|thing| thing.id == made.id.to_string()));
}

fn page(client: &Client, made: &Made) {
    let page = Page { limit: Some(20), ..Page::default() };
    let query = ThingsQuery { controller: Some(made.controller), page, ..ThingsQuery::default() };
    assert_eq!(client.things(&query).expect("the node answers").items.len(), 20);
}

fn status(client: &Client, made: &Made) {
    let query = ProofQuery { claims: vec![Claim::Status(made.id)], ..ProofQuery::default() };
    client.proof(&query).expect("the node proves it");
}
