//! One member on the real clock, disk and network.

use super::ledger::{LIMITS, Ledger};
use crate::term::Term;
use crate::{Committee, Config, Engine, Error, Finality, Office, Pacing, Phase, Seat, ceremony};
use futures::executor::block_on;
use rand::SeedableRng as _;
use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use touchmark_batch::{Application as _, Halt, Mute};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Height, NetworkId};

pub(super) const NETWORK: NetworkId = NetworkId(Digest([5; 32]));

pub(super) fn keys() -> (Committee, Seat) {
    ceremony::solo(&mut rand::rngs::StdRng::seed_from_u64(1))
}

pub(super) fn config(directory: &Path) -> Config {
    let (committee, seat) = keys();
    Config {
        directory: directory.to_owned(),
        network: NETWORK,
        identity: seat.identity,
        offices: vec![Office { committee, seat }],
        listen: "127.0.0.1:0".parse().unwrap(),
        addresses: BTreeMap::new(),
        pacing: Pacing { idle_interval: Duration::from_millis(200), ..Pacing::default() },
        limits: LIMITS,
        cache: 1 << 20,
    }
}

pub(super) fn start(config: Config, ledger: Arc<Ledger>) -> Result<Engine, Error> {
    Engine::start(config, ledger, Arc::new(Mute))
}

pub(super) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(60), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// From height `next` on.
fn assert_each_height_was_delivered_in_order_and_with_one_batch(ledger: &Ledger, mut next: u64) {
    let log = ledger.log();
    assert!(!log.deliveries.is_empty());
    for (height, digest) in &log.deliveries {
        assert!(height.0 <= next, "height {height} came before {next}");
        next = next.max(height.0 + 1);
        assert_eq!(log.chain[usize::try_from(height.0).unwrap()].digest(), *digest);
    }
}

#[test]
fn items_are_ordered_once_and_a_restart_goes_on_where_it_stopped() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = Ledger::new(&keys().0);
    let mut expected = Vec::new();
    for run in 0..3u8 {
        let engine = start(config(directory.path()), ledger.clone()).unwrap();
        let before = ledger.finalized();
        for number in 0..20u8 {
            let item = vec![run, number];
            ledger.submit(&item);
            engine.wake();
            expected.push(item);
            if number % 5 == 0 {
                std::thread::sleep(Duration::from_millis(40));
            }
        }
        wait_until("all items are logged", || ledger.items().len() == expected.len());
        assert!(ledger.finalized() > before);
        wait_until("the status follows", || engine.status().height == ledger.finalized());
        assert!(engine.status().view > before.0);
        // A proposal that was under way when it stopped is checked when it starts again.
        let checks = ledger.log().checks;
        assert!(checks <= usize::from(run), "a proposer checked its own batch");
        engine.stop();
        assert_eq!(engine.status().phase, Phase::Stopped);
        let stopped_at = ledger.finalized();
        std::thread::sleep(Duration::from_millis(250));
        assert_eq!(ledger.finalized(), stopped_at, "it works on after it stopped");
    }
    assert_eq!(ledger.items(), expected);
    assert_each_height_was_delivered_in_order_and_with_one_batch(&ledger, 1);
}

#[test]
fn a_ledger_that_fell_behind_gets_what_it_misses() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = Ledger::new(&keys().0);
    let engine = start(config(directory.path()), ledger.clone()).unwrap();
    ledger.submit(b"early");
    engine.wake();
    wait_until("there is a history", || ledger.finalized() >= Height(4));
    engine.stop();

    let chain = ledger.log().chain.clone();
    let restored = Ledger::with_chain(&keys().0, chain[..2].to_vec());
    let engine = start(config(directory.path()), restored.clone()).unwrap();
    assert_eq!(restored.digests()[..chain.len()], ledger.digests());
    wait_until("it goes on", || restored.finalized() > ledger.finalized());
    engine.stop();
    assert_each_height_was_delivered_in_order_and_with_one_batch(&restored, 2);
}

#[test]
fn a_store_that_was_lost_is_not_started_again_under_the_ledger() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = Ledger::new(&keys().0);
    let engine = start(config(directory.path()), ledger.clone()).unwrap();
    wait_until("there is a history", || ledger.finalized() >= Height(2));
    engine.stop();

    let elsewhere = tempfile::tempdir().unwrap();
    let error = start(config(elsewhere.path()), ledger.clone()).err();
    assert_eq!(error, Some(Error::Behind { ledger: ledger.finalized(), store: Height(0) }));
}

#[test]
fn a_ledger_that_halts_stops_the_engine_and_can_go_on_later() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = Ledger::new(&keys().0);
    ledger.log().halts_at = Some(Height(3));
    let engine = start(config(directory.path()), ledger.clone()).unwrap();
    let failed = Phase::Failed(Error::Halted(Halt("disk full".to_owned())));
    assert_eq!(block_on(engine.ended()), failed);
    engine.stop();
    assert_eq!(engine.status().phase, failed);
    assert_eq!(ledger.finalized(), Height(2));

    ledger.log().halts_at = None;
    let engine = start(config(directory.path()), ledger.clone()).unwrap();
    wait_until("it goes on", || ledger.finalized() >= Height(5));
    engine.stop();
    assert_each_height_was_delivered_in_order_and_with_one_batch(&ledger, 1);
}

#[test]
fn what_an_operator_can_get_wrong_is_said_at_start() {
    let directory = tempfile::tempdir().unwrap();
    let engine = start(config(directory.path()), Ledger::new(&keys().0)).unwrap();
    let error = start(config(directory.path()), Ledger::new(&keys().0)).err();
    assert_eq!(error, Some(Error::Locked(directory.path().join("consensus"))));
    drop(engine);

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap();
    let busy = Config { listen, ..config(directory.path()) };
    assert!(matches!(
        start(busy, Ledger::new(&keys().0)).err(),
        Some(Error::Listen { address, .. }) if address == listen
    ));

    let (_, stranger) = ceremony::solo(&mut rand::rngs::StdRng::seed_from_u64(2));
    let (committee, own) = keys();
    let with = |seat: Seat| Config {
        identity: seat.identity,
        offices: vec![Office { committee: committee.clone(), seat }],
        ..config(directory.path())
    };
    let foreign = with(stranger.clone());
    assert!(matches!(start(foreign, Ledger::new(&keys().0)).err(), Some(Error::Keys(_))));
    let mixed = with(Seat { share: stranger.share, ..own });
    assert!(matches!(start(mixed, Ledger::new(&keys().0)).err(), Some(Error::Keys(_))));
    let shared: Arc<Ledger> = Ledger::new(&keys().0);
    assert!(start(config(directory.path()), shared).is_ok());
}

#[test]
fn a_certificate_of_a_terms_end_that_was_lost_is_made_again() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = Ledger::new(&keys().0);
    let last = Term(0).last();
    ledger.log().halts_at = Some(Height(last.0 + 1));
    let interval = Duration::from_millis(1);
    let hasty = Config {
        pacing: Pacing { idle_interval: interval, busy_interval: interval },
        ..config(directory.path())
    };
    let engine = start(hasty, ledger.clone()).unwrap();
    block_on(engine.ended());
    drop(engine);
    assert_eq!(ledger.finalized(), last);
    let archived = || Finality::archived(directory.path(), LIMITS, last).unwrap();
    assert!(archived().is_some());

    let store = directory.path().join("consensus").join("store");
    for entry in fs::read_dir(&store).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().starts_with("order-certificates") {
            fs::remove_dir_all(path).unwrap();
        }
    }
    assert_eq!(archived(), None);

    ledger.log().halts_at = None;
    let engine = start(config(directory.path()), ledger.clone()).unwrap();
    // Batches of the next term may be there before, from the first run.
    let finality = || block_on(engine.finality(last));
    wait_until("there is a certificate", || finality().is_some());
    assert_eq!(finality().unwrap().headers.len(), 1);
    wait_until("it goes on", || ledger.finalized() > Height(last.0 + 1));
    engine.stop();
    assert_each_height_was_delivered_in_order_and_with_one_batch(&ledger, 1);
}
