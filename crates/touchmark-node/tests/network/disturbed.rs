//! What a network of four does while its lines or its machines fail, each validator on a machine of
//! its own: nothing acknowledged is lost, and it goes on by itself. The times that it takes are
//! printed; docs/measurements.md has a table of them.

use super::machines::{COUNT, Link, Machines, Weather};
use super::member::{Member, Node, form_of, nodes};
use super::running::network;
use super::scribe::Scribe;
use std::fs;
use std::time::{Duration, Instant};
use touchmark_testkit::disk::{Disk, Mood};

const NAMES: [&str; COUNT] = ["alpha", "beta", "gamma", "delta"];
/// It goes on within this time, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(60);

/// A network with a member on each machine, and somebody who writes at each.
struct Network {
    members: Vec<Member>,
    nodes: Vec<Option<Node>>,
    scribes: Vec<Scribe>,
    machines: Machines,
}

impl Network {
    fn form(machines: Machines) -> Self {
        let members = members(&machines);
        Self::form_of(machines, members)
    }

    fn form_of(machines: Machines, members: Vec<Member>) -> Self {
        let members = form_of(members);
        let nodes = nodes(&members);
        let id = network(&nodes[0]);
        let scribes: Vec<_> = nodes.iter().map(|node| Scribe::at(node, id)).collect();
        let network =
            Self { members, nodes: nodes.into_iter().map(Some).collect(), scribes, machines };
        network.goes_on("formed", Instant::now(), 0..COUNT);
        network
    }

    /// All these have something acknowledged after `moment`; says how long it took.
    fn goes_on(&self, what: &str, moment: Instant, who: impl IntoIterator<Item = usize>) {
        let resumed = who.into_iter().map(|n| self.scribes[n].resumed_after(moment, PATIENCE));
        let longest = resumed.max().unwrap();
        eprintln!("{what}: all acknowledge again after {:.1} s", longest.as_secs_f64());
    }

    /// None of these has anything acknowledged for a while.
    fn stands_still(&self, who: impl IntoIterator<Item = usize>) {
        // What was on its way arrives.
        std::thread::sleep(Duration::from_secs(2));
        let who: Vec<_> = who.into_iter().collect();
        let count = || who.iter().map(|n| self.scribes[*n].count()).collect::<Vec<_>>();
        let before = count();
        std::thread::sleep(Duration::from_secs(5));
        assert_eq!(count(), before, "a minority goes on");
    }

    /// As when the power fails.
    fn kill(&mut self, n: usize) {
        self.nodes[n] = None;
    }

    fn start(&mut self, who: &[usize]) {
        let members: Vec<_> = who.iter().map(|n| &self.members[*n]).collect();
        for (n, node) in who.iter().zip(nodes(members)) {
            self.scribes[*n].move_to(&node);
            self.nodes[*n] = Some(node);
        }
    }

    /// All logs are the same, and all have what was acknowledged.
    fn end(self) {
        let nodes: Vec<_> = self.nodes.into_iter().flatten().collect();
        assert_eq!(nodes.len(), COUNT);
        let count = Scribe::check(self.scribes, &nodes);
        eprintln!("{count} statements acknowledged, none lost");
    }
}

/// One on each machine.
fn members(machines: &Machines) -> Vec<Member> {
    (0..).zip(NAMES).map(|(n, name)| Member::at(name, machines.place(n))).collect()
}

#[test]
fn two_halves_wait_for_each_other_and_three_go_on_without_the_fourth() {
    let Some(machines) = Machines::switched() else { return };
    let network = Network::form(machines);
    network.machines.trunk(Link::Down);
    network.stands_still(0..COUNT);
    network.machines.trunk(Link::Up);
    network.goes_on("parted 2|2 and joined", Instant::now(), 0..COUNT);

    let moment = Instant::now();
    network.machines.link(3, Link::Down);
    network.goes_on("parted 3|1, the three", moment, 0..3);
    network.stands_still([3]);
    network.machines.link(3, Link::Up);
    network.goes_on("parted 3|1 and joined", Instant::now(), 0..COUNT);
    network.end();
}

#[test]
fn a_slow_line_that_loses_packets_slows_and_stops_nothing() {
    let Some(machines) = Machines::relayed() else { return };
    let network = Network::form(machines);
    network.machines.set(Weather { delay: Duration::from_millis(200), loss: 5 });
    let moment = Instant::now();
    network.goes_on("200 ms and 5 % loss", moment, 0..COUNT);
    let before: usize = network.scribes.iter().map(Scribe::count).sum();
    let begin = Instant::now();
    std::thread::sleep(Duration::from_secs(20));
    let after: usize = network.scribes.iter().map(Scribe::count).sum();
    let (count, seconds) = (after - before, begin.elapsed().as_secs_f64());
    eprintln!(
        "200 ms and 5 % loss: {count} statements in {seconds:.0} s, one after the other at each"
    );
    assert!(count > 0);
    network.machines.set(Weather::FAIR);
    network.goes_on("fair weather again", Instant::now(), 0..COUNT);
    network.end();
}

#[test]
fn killed_ones_come_back_one_by_one_and_all_at_once() {
    let Some(machines) = Machines::switched() else { return };
    let mut network = Network::form(machines);
    for (n, name) in NAMES.into_iter().enumerate() {
        let moment = Instant::now();
        network.kill(n);
        let others = (0..COUNT).filter(|other| *other != n);
        network.goes_on(&format!("{name} killed, the others"), moment, others);
        let moment = Instant::now();
        network.start(&[n]);
        network.goes_on(&format!("{name} started"), moment, 0..COUNT);
    }
    for n in 0..COUNT {
        network.kill(n);
    }
    let moment = Instant::now();
    network.start(&[0, 1, 2, 3]);
    network.goes_on("all killed and started", moment, 0..COUNT);
    network.end();
}

#[test]
fn a_wiped_disk_is_filled_again_from_the_others() {
    let Some(machines) = Machines::switched() else { return };
    let mut network = Network::form(machines);
    network.kill(2);
    for folder in ["ledger", "consensus"] {
        fs::remove_dir_all(network.members[2].data().join(folder)).unwrap();
    }
    let moment = Instant::now();
    network.start(&[2]);
    network.goes_on("gamma wiped and started", moment, 0..COUNT);
    network.end();
}

#[test]
fn a_full_disk_stops_its_own_node_only() {
    let Some(machines) = Machines::switched() else { return };
    let members = members(&machines);
    let folder = members[1].data();
    fs::create_dir(&folder).unwrap();
    let disk = match Disk::mount(&folder) {
        Ok(disk) => disk,
        Err(error) => return eprintln!("skipped: no file system can be mounted here: {error}"),
    };
    let mut network = Network::form_of(machines, members);
    disk.set(Mood::Full);
    let moment = Instant::now();
    network.goes_on("the disk of beta full, the others", moment, [0, 2, 3]);
    network.stands_still([1]);
    network.kill(1);
    disk.set(Mood::Well);
    let moment = Instant::now();
    network.start(&[1]);
    network.goes_on("beta started with room", moment, 0..COUNT);
    network.end();
}
