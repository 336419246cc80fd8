//! Machines of a test: network namespaces of their own, joined by links that can be taken down.
//!
//! ```text
//!   m0   m1        m2   m3      10.88.0.1 …  between validators
//!    └─┬─┘          └─┬─┘
//!     left ──trunk── right      or one relay that delays and loses, over TUN
//!
//!   m0   m1   m2   m3   test    10.89.0.1 …  their interfaces; never disturbed
//!    └────┴────┴────┴────┘
//! ```
//!
//! All switches are in the namespace of the test, which the thread that makes the machines enters.
//! Linux only, with iproute2, and only for whoever may make namespaces.

mod relay;

pub(crate) use relay::Weather;

use super::member::Place;
use relay::Relay;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::File;
use std::os::fd::AsFd as _;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use tun_rs::{DeviceBuilder, SyncDevice};

/// How many there are.
pub(crate) const COUNT: usize = 4;

/// Whether a link carries anything.
#[derive(Clone, Copy)]
pub(crate) enum Link {
    Up,
    Down,
}

/// Four machines; their network is gone when this is dropped.
pub(crate) struct Machines {
    /// Of the names of the namespaces.
    prefix: String,
    relay: Option<Relay>,
}

impl Machines {
    /// Two switches with two machines each, and a trunk between them. Nothing where that is not
    /// possible.
    pub(crate) fn switched() -> Option<Self> {
        let machines = Self::apart()?;
        for switch in ["left", "right"] {
            machines.in_test(&["link", "add", switch, "type", "bridge"]);
            machines.in_test(&["link", "set", switch, "up"]);
        }
        machines.in_test(&["link", "add", "trunk", "type", "veth", "peer", "name", "knurt"]);
        machines.attach("trunk", "left");
        machines.attach("knurt", "right");
        for n in 0..COUNT {
            let switch = if n < COUNT / 2 { "left" } else { "right" };
            machines.plug(n, Wire { inside: "n0", outside: "n", subnet: 88 }, switch);
        }
        Some(machines)
    }

    /// All machines at one relay, with fair weather. Nothing where that is not possible.
    pub(crate) fn relayed() -> Option<Self> {
        let mut machines = Self::apart()?;
        let devices = (0..COUNT).map(|n| machines.device(n)).collect();
        machines.relay = Some(Relay::start(devices));
        Some(machines)
    }

    /// Namespaces that reach the test, and not yet each other.
    fn apart() -> Option<Self> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("touchmark-{}-{number}", std::process::id());
        let machines = Self { prefix, relay: None };
        let test = machines.namespace("test");
        if !Command::new("ip").args(["netns", "add", &test]).status().is_ok_and(|it| it.success()) {
            eprintln!("skipped: network namespaces cannot be made here (root and iproute2)");
            return None;
        }
        machines.in_test(&["link", "set", "lo", "up"]);
        machines.in_test(&["link", "add", "outside", "type", "bridge"]);
        machines.in_test(&["address", "add", "10.89.0.254/24", "dev", "outside"]);
        machines.in_test(&["link", "set", "outside", "up"]);
        for n in 0..COUNT {
            ip(&["netns", "add", &machines.machine(n)]);
            machines.in_machine(n, &["link", "set", "lo", "up"]);
            machines.plug(n, Wire { inside: "m0", outside: "m", subnet: 89 }, "outside");
        }
        enter(&test);
        Some(machines)
    }

    /// Where a member on machine `n` lives.
    pub(crate) fn place(&self, n: usize) -> Place {
        let launcher = ["ip", "netns", "exec", &self.machine(n)].map(str::to_owned).to_vec();
        let address = |subnet: u8| format!("10.{subnet}.0.{}", n + 1);
        Place { launcher, inside: address(88), outside: address(89), settings: &[] }
    }

    /// The link between the first two machines and the others.
    pub(crate) fn trunk(&self, link: Link) {
        self.in_test(&["link", "set", "trunk", link.word()]);
    }

    /// The link of machine `n` to all others.
    pub(crate) fn link(&self, n: usize, link: Link) {
        self.in_test(&["link", "set", &format!("n{n}"), link.word()]);
    }

    /// What the relay does from now on.
    pub(crate) fn set(&self, weather: Weather) {
        self.relay.as_ref().expect("machines at a relay").set(weather);
    }

    /// A link from machine `n` to a switch in the test's namespace.
    fn plug(&self, n: usize, wire: Wire, switch: &str) {
        let (machine, outside) = (self.machine(n), format!("{}{n}", wire.outside));
        let address = format!("10.{}.0.{}/24", wire.subnet, n + 1);
        let ends = ["link", "add", &outside, "type", "veth", "peer", "name", wire.inside];
        self.in_test(&[&ends[..], &["netns", &machine]].concat());
        self.in_machine(n, &["address", "add", &address, "dev", wire.inside]);
        self.in_machine(n, &["link", "set", wire.inside, "up"]);
        self.attach(&outside, switch);
    }

    fn attach(&self, link: &str, switch: &str) {
        self.in_test(&["link", "set", link, "master", switch]);
        self.in_test(&["link", "set", link, "up"]);
    }

    /// The other end of machine `n`'s interface to the other machines. A thread of its own makes
    /// it there; the device works from anywhere.
    fn device(&self, n: usize) -> SyncDevice {
        let machine = self.machine(n);
        let made = std::thread::spawn(move || {
            enter(&machine);
            DeviceBuilder::new().name("n0").mtu(1_400).build_sync().unwrap()
        });
        let device = made.join().unwrap();
        let address = format!("10.88.0.{}/24", n + 1);
        self.in_machine(n, &["address", "add", &address, "dev", "n0"]);
        self.in_machine(n, &["link", "set", "n0", "up"]);
        device
    }

    fn in_test(&self, words: &[&str]) {
        ip(&[&["-netns", &self.namespace("test")], words].concat());
    }

    fn in_machine(&self, n: usize, words: &[&str]) {
        ip(&[&["-netns", &self.machine(n)], words].concat());
    }

    fn machine(&self, n: usize) -> String {
        self.namespace(&n.to_string())
    }

    fn namespace(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }
}

impl Drop for Machines {
    fn drop(&mut self) {
        for name in (0..COUNT).map(|n| self.machine(n)).chain([self.namespace("test")]) {
            // One that was not made is not there.
            let _ = Command::new("ip").args(["netns", "delete", &name]).output();
        }
    }
}

impl Link {
    fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// The two ends of a link to a machine, and its part of the addresses.
#[derive(Clone, Copy)]
struct Wire {
    inside: &'static str,
    /// Followed by the machine's number.
    outside: &'static str,
    subnet: u8,
}

/// Moves this thread, and all that it starts from now on, into a namespace.
fn enter(namespace: &str) {
    let file = File::open(format!("/run/netns/{namespace}")).unwrap();
    move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
}

fn ip(words: &[&str]) {
    let output = Command::new("ip").args(words).output().unwrap();
    assert!(output.status.success(), "ip {words:?}: {output:?}");
}
