//! One committee hands over to another, amid troubles; and what breaks that is told.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

use std::collections::BTreeSet;
use std::num::NonZeroU16;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use touchmark_batch::{Application, Member};
use touchmark_engine::Office;
use touchmark_ledger::Ledger;
use touchmark_simulation::{
    Change, Deviating, Deviation, Event, Lie, Parts, Plan, Sound, Violation, execute,
};
use touchmark_wire::genesis::Committee;
use touchmark_wire::handover::Approval;
use touchmark_wire::ids::Height;
use touchmark_wire::limits::TERM;

fn members(range: Range<u16>) -> BTreeSet<Member> {
    range.map(Member).collect()
}

/// Members hand over to others; nothing else happens.
fn plan(seed: u64, first: Range<u16>, next: Range<u16>) -> Plan {
    let everyone = NonZeroU16::new(first.end.max(next.end)).unwrap();
    let (first, next) = (members(first), members(next));
    let at = Duration::from_secs(2);
    let change = Change { first, next, at, around: Vec::new() };
    Plan { change: Some(change), ..Plan::calm(seed, everyone) }
}

/// The same with troubles around the end of the term: at a height before or after its first one
/// after, for so many seconds.
fn troubled(
    seed: u64,
    first: Range<u16>,
    next: Range<u16>,
    troubles: &[(i64, u64, Event)],
) -> Plan {
    let mut plan = plan(seed, first, next);
    let around = troubles.iter().map(|(offset, after, event)| {
        let height = Height(TERM.saturating_add_signed(*offset));
        (height, Duration::from_secs(*after), event.clone())
    });
    plan.change.as_mut().unwrap().around = around.collect();
    plan
}

fn assert_nothing_is_wrong(plan: &Plan) {
    let report = execute(plan, &mut Sound);
    assert_eq!(report.violations, [], "{plan:?}");
    assert!(report.batches as u64 > TERM && report.acknowledged > 15, "{report:?}");
}

#[test]
fn one_owner_grows_into_four() {
    assert_nothing_is_wrong(&plan(1, 0..1, 0..4));
}

#[test]
fn a_member_joins_and_a_member_leaves() {
    assert_nothing_is_wrong(&plan(2, 0..4, 0..5));
    assert_nothing_is_wrong(&plan(3, 0..5, 1..5));
}

#[test]
fn a_member_is_exchanged() {
    assert_nothing_is_wrong(&plan(4, 0..4, 1..5));
}

#[test]
fn members_crash_when_the_term_ends() {
    let crashed = |member| {
        let member = Member(member);
        [(-2, 0, Event::Crash(member)), (-2, 3, Event::Restart(member))]
    };
    // Who leaves, who stays, who comes.
    for (seed, member) in [(5, 0), (6, 2), (7, 4)] {
        assert_nothing_is_wrong(&troubled(seed, 0..4, 1..5, &crashed(member)));
    }
}

#[test]
fn all_members_crash_when_the_term_ends() {
    for (seed, offset) in [(8, -1), (9, 0)] {
        assert_nothing_is_wrong(&troubled(seed, 0..4, 1..5, &[(offset, 0, Event::PowerCut)]));
    }
}

#[test]
fn who_is_cut_off_during_the_hand_over_comes_back() {
    let apart = vec![members(0..1), members(1..5)];
    let troubles = [(-8, 0, Event::Partition(apart)), (8, 4, Event::Mended)];
    assert_nothing_is_wrong(&troubled(10, 0..4, 1..5, &troubles));
    let apart = vec![members(0..4), members(4..5)];
    let troubles = [(-8, 0, Event::Partition(apart)), (8, 4, Event::Mended)];
    assert_nothing_is_wrong(&troubled(11, 0..4, 1..5, &troubles));
}

#[test]
fn who_left_gets_the_end_of_its_term_from_members_that_were_started_again() {
    let apart = vec![members(0..1), members(1..5)];
    let troubles =
        [(-8, 0, Event::Partition(apart)), (6, 0, Event::PowerCut), (8, 5, Event::Mended)];
    assert_nothing_is_wrong(&troubled(15, 0..4, 1..5, &troubles));
}

#[test]
fn a_liar_does_not_hold_up_the_hand_over() {
    for (seed, lie) in [(12, Lie::Repeating), (13, Lie::Noisy)] {
        let mut plan = plan(seed, 0..4, 0..5);
        plan.lies.insert(Member(3), lie);
        assert_nothing_is_wrong(&plan);
    }
}

/// Believes that the first committee stays in office.
struct Keeping(Arc<Ledger>);

impl Deviation for Keeping {
    fn ledger(&self) -> &Ledger {
        &self.0
    }

    fn committee(&self, _: Height) -> Option<Arc<Committee>> {
        self.0.committee(Height(0))
    }
}

struct Keepers;

impl Parts for Keepers {
    fn application(&self, _: Member, ledger: Arc<Ledger>) -> Arc<dyn Application> {
        Arc::new(Deviating(Keeping(ledger)))
    }
}

#[test]
fn a_committee_that_goes_on_after_its_term_proves_nothing() {
    let found = execute(&plan(1, 0..4, 0..5), &mut Keepers).violations;
    let unproven = |violation: &Violation| matches!(violation, Violation::Unproven(Member(0), height, _) if height.0 >= TERM);
    assert!(found.iter().any(unproven), "{found:?}");
}

struct Unapproved;

impl Parts for Unapproved {
    fn approvals(&self, mut approvals: Vec<Approval>) -> Vec<Approval> {
        approvals.pop();
        approvals
    }
}

#[test]
fn a_committee_that_too_few_approve_does_not_take_office() {
    let mut plan = plan(1, 0..4, 0..5);
    plan.patience = Duration::from_secs(20);
    let found = execute(&plan, &mut Unapproved).violations;
    assert!(found.contains(&Violation::Kept), "{found:?}");
}

/// These do not take their places in the next committee.
struct Abstaining(Range<u16>);

impl Parts for Abstaining {
    fn offices(&self, member: Member, offices: Vec<Office>) -> Vec<Office> {
        if self.0.contains(&member.0) { offices[..1].to_vec() } else { offices }
    }
}

#[test]
fn who_does_not_take_its_place_is_named() {
    let found = execute(&plan(1, 0..4, 0..5), &mut Abstaining(1..2)).violations;
    assert_eq!(found, [Violation::Silent(Member(1))]);
}

#[test]
fn a_committee_without_a_quorum_of_its_members_stalls() {
    let mut plan = plan(1, 0..4, 0..5);
    plan.patience = Duration::from_secs(60);
    let found = execute(&plan, &mut Abstaining(1..3)).violations;
    assert!(found.contains(&Violation::Stalled(10)), "{found:?}");
    assert!(found.contains(&Violation::Kept), "{found:?}");
}
