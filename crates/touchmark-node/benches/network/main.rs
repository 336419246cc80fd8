//! `cargo xtask bench network`: what 1, 4 and 7 validators on one machine accept, how long an
//! acknowledgement takes at half of that, what they send each other, what they cost idle, and how
//! fast a follower catches up with them from nothing.
//!
//! A thousand devices sign records of 256 bytes beforehand (P-256); each submits at one validator,
//! and each validator has as many devices. All validators, their disks and the load share the
//! machine. The figure is accepted statements per second of one validator's processor time: each of
//! them checks and stores every statement, so a network that costs nothing has the figure of one
//! validator alone, which is the limit beside it.
#![allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]

#[path = "../../tests/network/member.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "the members of the tests")]
mod member;
#[path = "../rig/mod.rs"]
#[allow(dead_code, reason = "each benchmark uses its part")]
mod rig;
mod wire;

use member::{Member, Node, Place};
use rig::fleet::{self, Fleet};
use rig::load::{self, Answered, Pace};
use rig::{arguments, clock, row};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::ids::NetworkId;
use wire::Wire;

const DEVICES: usize = 1_000;
/// Records of each device in a round.
const RECORDS: usize = 8;
/// Part of the load that they take at most, while waits are measured.
const PART: f64 = 0.5;
const NAMES: [&str; 7] = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta"];
/// All devices are at one source here.
const SETTINGS: &[(&str, &str)] = &[
    ("TOUCHMARK__LIMITS__SOURCE_WRITES", "1000000:4000000000"),
    ("TOUCHMARK__LIMITS__SOURCE_READS", "1000000:4000000000"),
];

/// How long each part takes.
struct Scale {
    rounds: usize,
    idle: Duration,
}

fn main() {
    let quick = arguments::quick();
    let scale = if quick {
        Scale { rounds: 1, idle: Duration::from_secs(3) }
    } else {
        Scale { rounds: 10, idle: Duration::from_secs(30) }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime for the load");
    let sizes: &[usize] = if quick { &[1, 4] } else { &[1, 4, 7] };
    let mut alone = None;
    for size in sizes {
        let network = Network::form(*size, &runtime);
        let rate = network.measure(&scale, alone);
        alone = alone.or(Some(rate));
    }
}

/// Validators that run, and the devices that write there.
struct Network<'r> {
    case: String,
    members: Vec<Member>,
    nodes: Vec<Node>,
    runtime: &'r Runtime,
}

impl<'r> Network<'r> {
    fn form(size: usize, runtime: &'r Runtime) -> Self {
        let place = Place { settings: SETTINGS, ..Place::here() };
        let members = NAMES[..size].iter().map(|name| Member::at(name, place.clone())).collect();
        let members = member::form_of(members);
        let nodes = member::nodes(&members);
        Self { case: format!("n{size}"), members, nodes, runtime }
    }

    /// All rows of this network; what it accepts per second of a validator's processor time.
    fn measure(&self, scale: &Scale, alone: Option<f64>) -> f64 {
        std::thread::sleep(Duration::from_secs(2));
        let (before, start) = (self.cpu_seconds(), Instant::now());
        std::thread::sleep(scale.idle);
        let idle = (self.cpu_seconds() - before) / start.elapsed().as_secs_f64();

        let network = self.nodes[0].client().network().expect("the node answers").network;
        let network: NetworkId = network.parse().expect("a network id");
        let mut fleet = Fleet::new(network, Algorithm::Es256, DEVICES);
        self.send(fleet.inceptions(), Way::Batch, Pace::Closed);

        let wire = Wire::of(&self.members);
        let (mut accepted, mut seconds, mut wall) = (0, 0.0, Duration::ZERO);
        let (first, written) = (wire.bytes(), self.written());
        for _ in 0..scale.rounds {
            let records = fleet.records(RECORDS);
            let (before, start) = (self.cpu_seconds(), Instant::now());
            accepted += self.send(records, Way::Batch, Pace::Closed).accepted;
            wall += start.elapsed();
            seconds += self.cpu_seconds() - before;
        }
        let sent = wire.bytes().zip(first).map(|(after, before)| after.saturating_sub(before));
        let (accepted, written) = (accepted as f64, self.written() - written);
        let (rate, most) = (accepted / seconds, accepted / wall.as_secs_f64());

        let row = |name: &str, value, unit| self.print(&format!("-{name}"), value, unit, None);
        self.print("", rate, "statements/CPU s of a node", alone);
        row("wall", most, "statements/s");
        row("processor", seconds / wall.as_secs_f64() * 100.0, "% of a core per node");
        if let Some(sent) = sent {
            row("wire", sent as f64 / accepted, "bytes/statement, between all nodes");
        }
        let payload = accepted * fleet::PAYLOAD as f64;
        let copies = self.nodes.len() as f64;
        row("written", written as f64 / payload / copies, "bytes/payload byte, each node");
        self.waits(&mut fleet, PART * most, scale);
        row("idle", idle * 100.0, "% of a core per node");
        self.follow(network);
        rate
    }

    /// A node without a vote copies and executes the whole log.
    fn follow(&self, network: NetworkId) {
        let size = || self.nodes[0].client().network().expect("the node answers").size;
        let place = Place { settings: SETTINGS, ..Place::here() };
        let follower = Member::at("reader", place);
        let (trust, source) = (network.to_string(), self.nodes[0].url.as_str());
        let prepared = follower.run(&["network", "follow", "--trust", &trust, source]);
        assert_eq!(prepared.code, 0, "{prepared:?}");
        let (leaves, start) = (size(), Instant::now());
        let node = follower.node();
        let client = node.client();
        while client.network().expect("the node answers").size < leaves {
            std::thread::sleep(Duration::from_millis(10));
        }
        let seconds = start.elapsed().as_secs_f64();
        self.print("-follow", leaves as f64 / seconds, "leaves/s, start included", None);
        let used = clock::process_seconds(node.id());
        self.print("-follow-processor", leaves as f64 / used, "leaves/CPU s of the follower", None);
    }

    /// Acknowledgements of single statements that come at fixed times.
    fn waits(&self, fleet: &mut Fleet, rate: f64, scale: &Scale) {
        let mut waits = Vec::new();
        for _ in 0..scale.rounds {
            waits.extend(self.send(fleet.records(RECORDS), Way::Single, Pace::Open(rate)).waits);
        }
        self.print("-wait-rate", rate, "statements/s", None);
        row::percentiles("network", &format!("{}-wait", self.case), waits);
    }

    /// Each validator gets the records of its part of the devices.
    fn send(&self, records: Vec<Vec<Vec<u8>>>, way: Way, pace: Pace) -> Answered {
        let size = self.nodes.len();
        let mut parts = vec![Vec::new(); size];
        for (place, own) in records.into_iter().enumerate() {
            parts[place % size].push(own);
        }
        let pace = match pace {
            Pace::Closed => Pace::Closed,
            Pace::Open(rate) => Pace::Open(rate / size as f64),
        };
        let tasks: Vec<_> = self
            .nodes
            .iter()
            .zip(parts)
            .map(|(node, part)| {
                let address = node.url.trim_start_matches("http://").to_owned();
                self.runtime.spawn(async move {
                    match way {
                        Way::Batch => load::batches(&address, part, pace).await,
                        Way::Single => load::singles(&address, part, pace).await,
                    }
                })
            })
            .collect();
        let mut answered = Answered::default();
        for task in tasks {
            let part = self.runtime.block_on(task).expect("a validator's load");
            answered.accepted += part.accepted;
            answered.waits.extend(part.waits);
        }
        answered
    }

    /// Of one validator, on average.
    fn cpu_seconds(&self) -> f64 {
        let seconds = self.nodes.iter().map(|node| clock::process_seconds(node.id()));
        seconds.sum::<f64>() / self.nodes.len() as f64
    }

    /// By all of them.
    fn written(&self) -> u64 {
        self.nodes.iter().map(|node| clock::written(node.id())).sum()
    }

    fn print(&self, row: &str, value: f64, unit: &str, limit: Option<f64>) {
        row::print("network", &format!("{}{row}", self.case), value, unit, limit);
    }
}

/// How statements reach a validator.
#[derive(Clone, Copy)]
enum Way {
    /// A thousand in one request, four requests at once.
    Batch,
    /// One in each request, over many connections.
    Single,
}
