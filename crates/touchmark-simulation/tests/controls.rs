//! For each property something that breaks it: the run has to say so.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

use std::collections::BTreeSet;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;
use touchmark_batch::{Application, Batch, Halt, Member, Proposal};
use touchmark_core::admission::Verifier;
use touchmark_ledger::Ledger;
use touchmark_simulation::{
    Acknowledged, Credulous, Deviating, Deviation, Disk, Event, Lie, Parts, Plan, Sound, Violation,
    execute,
};
use touchmark_wire::ids::Height;

fn four() -> Plan {
    Plan::calm(1, NonZeroU16::new(4).unwrap())
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What a run of `plan` violates.
fn violations(plan: &Plan, mut parts: impl Parts) -> Vec<Violation> {
    execute(plan, &mut parts).violations
}

#[test]
fn a_calm_run_of_sound_members_violates_nothing() {
    let report = execute(&four(), &mut Sound);
    assert_eq!(report.violations, []);
    assert!(report.batches > 15 && report.acknowledged > 15, "{report:?}");
}

/// Honest members that hear each other soon see that a leader said two things, and cut it off; so
/// these two do not.
#[test]
fn more_twins_than_may_lie_make_two_logs() {
    let mut plan = four();
    let (one, other) = (Member(0), Member(1));
    let twins = [Member(2), Member(3)];
    for twin in twins {
        plan.lies.insert(twin, Lie::Twins(BTreeSet::from([other])));
    }
    let side = |member| BTreeSet::from([member, twins[0], twins[1]]);
    plan.events = vec![(Duration::ZERO, Event::Partition(vec![side(one), side(other)]))];
    let found = violations(&plan, Sound);
    let forked = |violation: &Violation| matches!(violation, Violation::Forked(..));
    assert!(found.iter().any(forked), "{found:?}");
}

#[test]
fn more_silent_members_than_may_lie_stall_the_others() {
    let mut plan = four();
    for silent in [Member(2), Member(3)] {
        plan.lies.insert(silent, Lie::Contradicting);
    }
    let found = violations(&plan, Sound);
    assert!(found.contains(&Violation::Stalled(10)), "{found:?}");
    assert!(found.iter().any(|violation| matches!(violation, Violation::Unlogged(_))), "{found:?}");
}

struct Forgetful;

impl Parts for Forgetful {
    fn crash(&self, disk: &Disk) {
        disk.forget();
    }
}

#[test]
fn a_disk_that_forgets_a_commit_shrinks_the_log() {
    let mut plan = four();
    plan.events =
        vec![(seconds(3), Event::Crash(Member(0))), (seconds(4), Event::Restart(Member(0)))];
    let found = violations(&plan, Forgetful);
    assert!(matches!(found[..], [Violation::Shrank(Member(0), _)]), "{found:?}");
}

struct Hasty;

impl Parts for Hasty {
    fn acknowledged(&self) -> Acknowledged {
        Acknowledged::Taken
    }
}

#[test]
fn a_submitter_that_does_not_wait_for_the_log_loses_statements() {
    let mut plan = four();
    // Nobody can pass on what comes now.
    let alone = (0..4).map(|member| BTreeSet::from([Member(member)])).collect();
    plan.events = vec![(Duration::ZERO, Event::Partition(alone)), (seconds(3), Event::PowerCut)];
    let found = violations(&plan, Hasty);
    assert!(found.iter().any(|violation| matches!(violation, Violation::Lost(..))), "{found:?}");
}

struct Believers;

impl Parts for Believers {
    fn verifier(&self) -> Arc<dyn Verifier + Send + Sync> {
        Arc::new(Credulous)
    }
}

#[test]
fn members_that_check_no_signature_log_what_nobody_can_replay() {
    let mut plan = four();
    plan.lies.insert(Member(3), Lie::Forged);
    let found = violations(&plan, Believers);
    assert!(found.iter().any(|violation| matches!(violation, Violation::Forged(..))), "{found:?}");
    let diverged = |violation: &Violation| matches!(violation, Violation::Diverged(..));
    assert!(found.iter().any(diverged), "{found:?}");
}

/// What is wrong with an application.
#[derive(Clone, Copy)]
enum Fault {
    /// From this height on it says that it has what it has not.
    Pretends(Height),
    /// Stops at this height.
    Halts(Height),
    /// Panics at this height.
    Panics(Height),
    /// Proposes nothing that was submitted, and passes nothing on.
    Ignores,
}

struct Faulty {
    ledger: Arc<Ledger>,
    fault: Fault,
}

impl Deviation for Faulty {
    fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    fn propose(&self, proposal: Proposal<'_>) -> Option<Batch> {
        match self.fault {
            // No statement fits.
            Fault::Ignores => self.ledger.propose(Proposal { body_limit: 0, ..proposal }),
            _ => self.ledger.propose(proposal),
        }
    }

    fn deliver(&self, batch: Arc<Batch>) -> Result<(), Halt> {
        match self.fault {
            Fault::Pretends(height) if batch.height() >= height => Ok(()),
            Fault::Halts(height) if batch.height() == height => Err(Halt("it breaks".to_owned())),
            Fault::Panics(height) if batch.height() == height => panic!("it breaks"),
            _ => self.ledger.deliver(batch),
        }
    }

    fn pass_on(&self, turn: u64, limit: usize) -> Vec<Vec<u8>> {
        match self.fault {
            Fault::Ignores => Vec::new(),
            _ => self.ledger.pass_on(turn, limit),
        }
    }
}

/// Which members have the fault.
struct FaultyMembers(Fault, &'static [u16]);

impl Parts for FaultyMembers {
    fn application(&self, member: Member, ledger: Arc<Ledger>) -> Arc<dyn Application> {
        if self.1.contains(&member.0) {
            Arc::new(Deviating(Faulty { ledger, fault: self.0 }))
        } else {
            ledger
        }
    }
}

#[test]
fn a_ledger_that_pretends_to_have_batches_is_left_behind() {
    let found = violations(&four(), FaultyMembers(Fault::Pretends(Height(5)), &[2]));
    let behind = |violation: &Violation| matches!(violation, Violation::LeftBehind(Member(2)));
    assert!(found.iter().any(behind), "{found:?}");
}

#[test]
fn a_member_that_stops_is_named() {
    let found = violations(&four(), FaultyMembers(Fault::Halts(Height(5)), &[1]));
    let stopped = |violation: &Violation| matches!(violation, Violation::Stopped(Member(1), _));
    assert!(found.iter().any(stopped), "{found:?}");
}

#[test]
fn a_panic_is_reported_and_ends_only_its_own_run() {
    let found = violations(&four(), FaultyMembers(Fault::Panics(Height(5)), &[1]));
    assert!(found.contains(&Violation::Panicked("it breaks".to_owned())), "{found:?}");
}

#[test]
fn statements_that_nobody_proposes_are_missed() {
    let found = violations(&four(), FaultyMembers(Fault::Ignores, &[0, 1, 2, 3]));
    assert!(found.iter().any(|violation| matches!(violation, Violation::Unlogged(_))), "{found:?}");
}
