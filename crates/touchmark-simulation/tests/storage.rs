//! What a member writes to fails: it stops and says so, the others go on, nothing that was
//! acknowledged is lost; and who does not look at an error is told.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

use std::num::NonZeroU16;
use std::time::Duration;
use touchmark_batch::Member;
use touchmark_engine::simulation::Fault;
use touchmark_simulation::{Event, Lie, Plan, Report, Sound, Store, Violation, execute};

const VICTIM: Member = Member(0);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The storage of one of `members` fails from the third second to the seventh.
fn run(seed: u64, members: u16, store: Store, fault: Fault) -> Report {
    let mut plan = Plan::calm(seed, NonZeroU16::new(members).unwrap());
    plan.events = vec![
        (seconds(3), Event::Fault(VICTIM, store, fault)),
        (seconds(7), Event::Restart(VICTIM)),
    ];
    execute(&plan, &mut Sound)
}

fn assert_it_stops_and_comes_back(members: u16, store: Store) {
    for (seed, fault) in (0..).zip(Fault::TOLD) {
        // Who is alone checks nothing that it did not make itself.
        if (members, store, fault) == (1, Store::Ledger, Fault::Read) {
            continue;
        }
        let report = run(seed, members, store, fault);
        assert_eq!(report.violations, [], "{store:?} {fault:?}: {report:?}");
        // What the engine keeps in memory it does not read again.
        if (store, fault) != (Store::Engine, Fault::Read) {
            let said = report.stopped.iter().any(|(member, _)| *member == VICTIM);
            assert!(said, "{store:?} {fault:?}: it went on: {report:?}");
        }
    }
}

#[test]
fn one_of_four_stops_with_its_ledgers_disk_and_comes_back() {
    assert_it_stops_and_comes_back(4, Store::Ledger);
}

#[test]
fn one_of_four_stops_with_its_engines_store_and_comes_back() {
    assert_it_stops_and_comes_back(4, Store::Engine);
}

#[test]
fn one_alone_stops_with_its_ledgers_disk_and_comes_back() {
    assert_it_stops_and_comes_back(1, Store::Ledger);
}

#[test]
fn one_alone_stops_with_its_engines_store_and_comes_back() {
    assert_it_stops_and_comes_back(1, Store::Engine);
}

/// A member that says of a good batch that it is bad, because it cannot read its own state, is held
/// to that for ever: with another one gone, nothing would be certified again.
#[test]
fn who_cannot_read_its_state_says_nothing_of_a_batch() {
    let mut plan = Plan::calm(34, NonZeroU16::new(4).unwrap());
    plan.lies.insert(Member(3), Lie::Contradicting);
    plan.events = vec![
        (seconds(3), Event::Fault(VICTIM, Store::Ledger, Fault::Read)),
        (seconds(6), Event::Restart(VICTIM)),
    ];
    let report = execute(&plan, &mut Sound);
    assert_eq!(report.violations, [], "{report:?}");
    assert!(report.stopped.iter().any(|(member, _)| *member == VICTIM), "{report:?}");
}

#[test]
fn a_store_that_does_not_look_at_a_failed_sync_loses_its_log() {
    let found = run(1, 4, Store::Ledger, Fault::UnheardSync).violations;
    assert!(found.iter().any(|it| matches!(it, Violation::Shrank(VICTIM, _))), "{found:?}");
}

#[test]
fn an_engine_that_does_not_look_at_a_failed_sync_cannot_go_on_alone() {
    let found = run(1, 1, Store::Engine, Fault::UnheardSync).violations;
    assert!(found.iter().any(|it| matches!(it, Violation::Stopped(VICTIM, _))), "{found:?}");
}
