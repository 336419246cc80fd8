//! Every kind of lie, by as many members as may lie, changes nothing for the others.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

use std::collections::BTreeSet;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;
use touchmark_batch::{Application, Batch, CheckError, Member};
use touchmark_ledger::Ledger;
use touchmark_simulation::{
    Deviating, Deviation, Event, Lie, Parts, Plan, Sound, Violation, execute,
};

/// A calm run of four, of whom one lies.
fn plan(seed: u64, lie: Lie) -> Plan {
    let mut plan = Plan::calm(seed, NonZeroU16::new(4).unwrap());
    plan.lies.insert(Member(3), lie);
    plan.healing = Duration::from_secs(8);
    plan
}

#[test]
fn no_lie_harms_the_honest() {
    let some = BTreeSet::from([Member(1)]);
    for (seed, lie) in (0..).zip(Lie::all(&some)) {
        let mut plan = plan(seed, lie.clone());
        plan.events = vec![
            (Duration::from_secs(3), Event::Crash(Member(0))),
            (Duration::from_secs(4), Event::Restart(Member(0))),
        ];
        let report = execute(&plan, &mut Sound);
        assert_eq!(report.violations, [], "{lie:?}");
        // A leader that keeps its batches back costs a time-out in every fourth view.
        assert!(report.acknowledged >= 8, "{lie:?}: {report:?}");
    }
}

#[test]
fn two_of_seven_may_lie() {
    let some = BTreeSet::from([Member(1), Member(2)]);
    let lies = Lie::all(&some);
    for (seed, pair) in (0..).zip(lies.chunks(2)) {
        let mut plan = Plan::calm(seed, NonZeroU16::new(7).unwrap());
        for (member, lie) in [Member(5), Member(6)].into_iter().zip(pair) {
            plan.lies.insert(member, lie.clone());
        }
        let report = execute(&plan, &mut Sound);
        assert_eq!(report.violations, [], "{pair:?}");
    }
}

/// Honest but for one thing: believes every batch.
struct Gullible(Arc<Ledger>);

impl Deviation for Gullible {
    fn ledger(&self) -> &Ledger {
        &self.0
    }

    fn check(&self, _ancestry: &[Arc<Batch>], _batch: &Batch) -> Result<(), CheckError> {
        Ok(())
    }
}

struct GullibleMembers;

impl Parts for GullibleMembers {
    fn application(&self, _: Member, ledger: Arc<Ledger>) -> Arc<dyn Application> {
        Arc::new(Deviating(Gullible(ledger)))
    }
}

/// The lies are told: who does not check a batch certifies them, and stops when it executes them.
#[test]
fn who_believes_a_lie_stops_with_it() {
    for lie in [Lie::StateRoot, Lie::LogRoot, Lie::Past, Lie::Forged] {
        let report = execute(&plan(1, lie.clone()), &mut GullibleMembers);
        let stopped = |violation: &Violation| matches!(violation, Violation::Stopped(_, reason) if reason.contains("does not execute"));
        assert!(report.violations.iter().any(stopped), "{lie:?}: {:?}", report.violations);
    }
}
