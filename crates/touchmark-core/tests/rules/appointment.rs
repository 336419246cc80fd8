//! Appointments: a quorum of the committee in office, and nobody else, names the next one.

use crate::ledger::*;
use proptest::prelude::*;
use std::cell::RefCell;
use touchmark_core::admission::{self, Check, OneByOne, Verifier};
use touchmark_core::appointment;
use touchmark_core::event::Event;
use touchmark_core::rules::Decision;
use touchmark_testkit::committee::{Panel, cosigner_key};
use touchmark_wire::algorithm::CoseKey;
use touchmark_wire::genesis::{Committee, quorum};
use touchmark_wire::handover::{Appointment, Approval};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Epoch, Height, LeafIndex, NetworkId, ThingId};
use touchmark_wire::limits::{self, TERM};
use touchmark_wire::registry::{ContentFormat, RefusalCode, StatementKind};
use touchmark_wire::statement::Content;

const NETWORK: NetworkId = NetworkId(Digest([0xaa; 32]));
const APPOINT: StatementKind = StatementKind::APPOINT;

fn committee(number: u64, validators: &[u8]) -> Committee {
    Panel { number, validators }.committee()
}

/// Approvals of `next` by the validators `by`, who stand in `present`.
fn approvals(present: &Committee, next: &Committee, by: &[u8]) -> Vec<Approval> {
    by.iter().map(|n| Approval::sign(NETWORK, present, next, &cosigner_key(*n)).unwrap()).collect()
}

fn payload(next: &Committee, approvals: Vec<Approval>) -> Vec<u8> {
    Appointment { committee: &next.encode_to_vec(), approvals }.encode_to_vec()
}

/// A ledger of four validators, 1 to 4, with a thing that carries appointments.
struct Stage {
    ledger: Ledger,
    carrier: ThingId,
    genesis: Committee,
}

impl Stage {
    fn new() -> Self {
        let genesis = committee(0, &[1, 2, 3, 4]);
        let mut ledger = Ledger::begun_by(NETWORK, genesis.clone());
        let carrier = ledger.with(&device(0), 0);
        Self { ledger, carrier, genesis }
    }

    fn statement(&self, payload: Vec<u8>) -> Vec<u8> {
        self.ledger.next(self.carrier, APPOINT, payload).signed(0, 0)
    }

    fn see(&mut self, payload: Vec<u8>) -> Seen {
        let statement = self.statement(payload);
        self.ledger.see(&statement)
    }

    fn office(&self, height: u64) -> Committee {
        appointment::in_office(&self.ledger, Height(height)).unwrap().as_ref().clone()
    }
}

#[test]
fn a_quorum_appoints_and_the_next_term_is_the_new_ones() {
    let mut stage = Stage::new();
    let next = committee(1, &[1, 2, 3, 5]);
    let word = payload(&next, approvals(&stage.genesis, &next, &[1, 3, 4]));
    stage.ledger.height = Height(TERM - 1);
    assert_eq!(stage.see(word), Seen::Accepted);
    let event = Event::CommitteeAppointed { number: Epoch(1), since: Height(TERM) };
    assert_eq!(stage.ledger.last_events(), [event]);
    assert_eq!(stage.office(TERM - 1), stage.genesis);
    assert_eq!(stage.office(TERM), next);
    let waiting = appointment::waiting(&stage.ledger, Height(TERM - 1)).unwrap().unwrap();
    assert_eq!((waiting.committee, waiting.since), (next, Height(TERM)));
    assert_eq!(waiting.at, LeafIndex(1));
    assert_eq!(appointment::waiting(&stage.ledger, Height(TERM)), Ok(None));
}

/// What is changed in a good appointment, and how it ends.
struct Case {
    name: &'static str,
    next: fn(&mut Committee),
    approvals: fn(&mut Vec<Approval>),
    ends: Seen,
}

const SAME: fn(&mut Committee) = |_| {};
const KEPT: fn(&mut Vec<Approval>) = |_| {};

/// With this change of the committee, all approve of it as it is.
const fn unsound(name: &'static str, next: fn(&mut Committee), code: RefusalCode) -> Case {
    Case { name, next, approvals: KEPT, ends: Seen::Denied(code) }
}

const fn unapproved(name: &'static str, approvals: fn(&mut Vec<Approval>)) -> Case {
    Case { name, next: SAME, approvals, ends: Seen::Denied(RefusalCode::NOT_APPROVED) }
}

/// The base point (RFC 8032 §5.1): nobody's key.
const NOTE_KEY: Digest = {
    let mut point = [0x66; 32];
    point[0] = 0x58;
    Digest(point)
};

const CASES: [Case; 22] = [
    Case { name: "as it is", next: SAME, approvals: KEPT, ends: Seen::Accepted },
    Case {
        name: "three of four",
        next: SAME,
        approvals: |it| it.retain(|approval| approval.validator != 2),
        ends: Seen::Accepted,
    },
    Case {
        name: "a note key",
        next: |it| it.note_key = Some(NOTE_KEY),
        approvals: KEPT,
        ends: Seen::Accepted,
    },
    unsound(
        "a note key that is no point",
        |it| it.note_key = Some(Digest([0xff; 32])),
        RefusalCode::COMMITTEE,
    ),
    unsound(
        "a note key that is a validator's",
        |it| it.note_key = Some(it.validators[2].peer),
        RefusalCode::COMMITTEE,
    ),
    unsound(
        "a note key of one",
        |it| {
            it.validators.truncate(1);
            (it.threshold, it.note_key) = (1, Some(NOTE_KEY));
        },
        RefusalCode::COMMITTEE,
    ),
    unapproved("two of four", |it| it.truncate(2)),
    unapproved("nobody", Vec::clear),
    unapproved("one twice", |it| it[1] = it[0]),
    unapproved("another order", |it| it.swap(0, 1)),
    unapproved("a signature of another validator", |it| it[0].signature = it[1].signature),
    unapproved("a changed signature beside a quorum", |it| it[3].signature[5] ^= 1),
    unapproved("a validator that there is not", |it| it[3].validator = 4),
    unsound("the same number", |it| it.epoch = Epoch(0), RefusalCode::OTHER_COMMITTEE),
    unsound("a number too many", |it| it.epoch = Epoch(2), RefusalCode::OTHER_COMMITTEE),
    unsound("the last number", |it| it.epoch = Epoch(u64::MAX), RefusalCode::OTHER_COMMITTEE),
    unsound("a threshold of two", |it| it.threshold = 2, RefusalCode::COMMITTEE),
    unsound("a threshold of none", |it| it.threshold = 0, RefusalCode::PAYLOAD),
    unsound("a key that is no point", |it| it.certificate_key.0[95] ^= 1, RefusalCode::COMMITTEE),
    unsound(
        "one name in two cases",
        |it| it.validators[1].name = it.validators[0].name.to_uppercase(),
        RefusalCode::COMMITTEE,
    ),
    unsound(
        "one key of two validators",
        |it| it.validators[1].cosigner_key = it.validators[0].cosigner_key,
        RefusalCode::COMMITTEE,
    ),
    unsound(
        "a log key of another algorithm",
        |it| it.validators[0].log_key = CoseKey::ed25519(it.validators[0].peer.0),
        RefusalCode::COMMITTEE,
    ),
];

#[test]
fn whatever_lacks_something_is_denied() {
    for Case { name, next: change, approvals: alter, ends } in CASES {
        let mut stage = Stage::new();
        let mut next = committee(1, &[1, 2, 3, 5]);
        change(&mut next);
        let mut by = approvals(&stage.genesis, &next, &[1, 2, 3, 4]);
        alter(&mut by);
        assert_eq!(stage.see(payload(&next, by)), ends, "{name}");
        let office = if ends == Seen::Accepted { &next } else { &stage.genesis };
        assert_eq!(&stage.office(TERM), office, "{name}");
    }
}

/// Approvals are of two committees and one network: they count for nothing else.
#[test]
fn approvals_count_for_what_they_name() {
    let (present, next) = (committee(0, &[1, 2, 3, 4]), committee(1, &[1, 2, 3, 5]));
    let other = committee(1, &[1, 2, 3, 6]);
    let foreign = |network| {
        let sign = |n| Approval::sign(network, &present, &next, &cosigner_key(n)).unwrap();
        [1, 2, 3].map(sign).to_vec()
    };
    let elsewhere = foreign(NetworkId(Digest([0xab; 32])));
    for (name, by) in [
        ("of another committee", approvals(&present, &other, &[1, 2, 3])),
        ("after another committee", approvals(&committee(0, &[1, 2, 3]), &next, &[1, 2, 3])),
        ("in another network", elsewhere),
    ] {
        let denied = Seen::Denied(RefusalCode::NOT_APPROVED);
        assert_eq!(Stage::new().see(payload(&next, by)), denied, "{name}");
    }
    assert!(Approval::sign(NETWORK, &present, &next, &cosigner_key(9)).is_err(), "nobody there");
}

#[test]
fn an_appointment_stands_in_the_payload_itself() {
    let mut stage = Stage::new();
    let writing = stage.ledger.next(stage.carrier, APPOINT, vec![0; 32]);
    let committed = Writing { content: Content::Committed(ContentFormat::CBOR), ..writing };
    let denied = Seen::Denied(RefusalCode::PAYLOAD);
    assert_eq!(stage.ledger.see(&committed.signed(0, 0)), denied);
    assert_eq!(stage.see(vec![0xf6]), denied);
    let next = committee(1, &[1]);
    let word = payload(&next, approvals(&stage.genesis, &next, &[1, 2, 3]));
    let group = group(&[(stage.carrier, APPOINT, word)]);
    let grouped = stage.ledger.next(stage.carrier, StatementKind::GROUP, encoded(&group));
    assert_eq!(stage.ledger.see(&grouped.signed(0, 0)), Seen::Denied(RefusalCode::GROUP));
}

/// Counts checks, and those that fail.
#[derive(Default)]
struct Counting(RefCell<(usize, usize)>);

impl Verifier for Counting {
    fn verify(&self, checks: &[Check<'_>]) -> Vec<bool> {
        let answers = OneByOne.verify(checks);
        let mut counts = self.0.borrow_mut();
        counts.0 += checks.len();
        counts.1 += answers.iter().filter(|answer| !**answer).count();
        answers
    }
}

#[test]
fn a_bad_approval_costs_one_check() {
    let many: Vec<u8> = (1..=limits::MEMBERS as u8).collect();
    let genesis = committee(0, &many);
    let mut ledger = Ledger::begun_by(NETWORK, genesis.clone());
    let carrier = ledger.with(&device(0), 0);
    let next = committee(1, &many);
    let counted = |by: Vec<Approval>, signer: u8| {
        let verifier = Counting::default();
        let statement = ledger.next(carrier, APPOINT, payload(&next, by)).signed(0, signer);
        let _ = admission::admit(vec![statement], &ledger, &verifier);
        verifier.0.into_inner()
    };
    let good = approvals(&genesis, &next, &many);
    assert_eq!(counted(good.clone(), 0), (17, 0));
    let mut bad = good.clone();
    for approval in &mut bad {
        approval.signature[5] ^= 1;
    }
    assert_eq!(counted(bad, 0), (2, 1), "only the first is looked at");
    assert_eq!(counted(good.clone(), 3), (1, 1), "none, where nobody signed the statement");
    assert_eq!(counted(good[..10].to_vec(), 0), (1, 0), "none, where there are too few");
}

/// Sixteen validators with the longest names: the entry takes them, in each of its places.
#[test]
fn the_largest_committee_fits() {
    let mut stage = Stage::new();
    let many: Vec<u8> = (1..=limits::MEMBERS as u8).collect();
    let large = |number| {
        let mut next = committee(number, &many);
        for (validator, n) in next.validators.iter_mut().zip(100..) {
            validator.name = format!("{n}{}", "x".repeat(125));
        }
        next.note_key = Some(NOTE_KEY);
        next
    };
    let (first, second) = (large(1), large(2));
    assert!(first.encode_to_vec().len() <= limits::COMMITTEE);
    let word = payload(&first, approvals(&stage.genesis, &first, &[1, 2, 3, 4]));
    assert_eq!(stage.see(word), Seen::Accepted);
    stage.ledger.height = Height(TERM);
    let word = payload(&second, approvals(&first, &second, &many));
    assert_eq!(stage.see(word), Seen::Accepted);
    let found = appointment::appointed(&stage.ledger, Epoch(1)).unwrap().unwrap();
    assert_eq!((found.committee, found.since, found.at), (first, Height(TERM), LeafIndex(1)));
    let mut wide = committee(1, &[many, vec![17]].concat());
    wide.threshold = quorum(17) as u16;
    let mut stage = Stage::new();
    let word = payload(&wide, approvals(&stage.genesis, &wide, &[1, 2, 3, 4]));
    assert_eq!(stage.see(word), Seen::Denied(RefusalCode::COMMITTEE));
}

/// Admitted while the committee that approves was not known, it is admitted anew once it is.
#[test]
fn approvals_of_a_committee_that_is_appointed_meanwhile_are_outdated() {
    let mut stage = Stage::new();
    let (first, second) = (committee(1, &[1, 2, 3, 5]), committee(2, &[1, 2, 3, 6]));
    let later = payload(&second, approvals(&first, &second, &[1, 2, 3]));
    let sooner = payload(&first, approvals(&stage.genesis, &first, &[1, 2, 3]));
    let other = stage.ledger.with(&device(1), 1);
    let late = stage.ledger.next(other, APPOINT, later).signed(0, 1);
    let early = stage.ledger.admit(&late).unwrap();
    assert!(matches!(stage.ledger.decide(&early), Decision::Append(_)), "denied as it stands");
    assert_eq!(stage.see(sooner), Seen::Accepted);
    assert!(matches!(stage.ledger.decide(&early), Decision::Outdated));
    stage.ledger.height = Height(TERM);
    assert_eq!(Seen::from(&stage.ledger.execute(&early)), Seen::Accepted);
    assert_eq!(stage.office(2 * TERM), second);
}

/// What is tried at the next place.
#[derive(Clone, Debug)]
struct Try {
    /// Heights that pass before.
    passes: u64,
    /// Whose approvals: this many committees before the last one appointed.
    back: u64,
    /// The new number, beyond that of the approving committee.
    number: u64,
    /// Which of its validators approve, a bit each.
    approve: u8,
    /// An approval that is spoilt, if there are as many.
    spoilt: Option<usize>,
    /// Whether the first approval stands there twice.
    twice: bool,
    /// How many validators the new committee has.
    size: u8,
}

fn tries() -> impl Strategy<Value = Try> {
    let passes =
        prop_oneof![Just(0), Just(1), Just(TERM - 2), Just(TERM - 1), Just(TERM), 0..2 * TERM];
    let back = prop_oneof![4 => Just(0u64), 1 => 0u64..3];
    let number = prop_oneof![8 => Just(1u64), 1 => 0u64..4];
    let approve = prop_oneof![3 => Just(0xffu8), 2 => any::<u8>()];
    let spoilt = prop_oneof![4 => Just(None), 1 => (0usize..4).prop_map(Some)];
    let twice = prop_oneof![5 => Just(false), 1 => Just(true)];
    (passes, back, number, approve, spoilt, twice, 1u8..6).prop_map(
        |(passes, back, number, approve, spoilt, twice, size)| Try {
            passes,
            back,
            number,
            approve,
            spoilt,
            twice,
            size,
        },
    )
}

/// The committees so far: validators and first height of each.
struct Model(Vec<(Vec<u8>, u64)>);

impl Model {
    fn office(&self, height: u64) -> usize {
        self.0.iter().rposition(|(_, since)| *since <= height).unwrap()
    }

    fn committee(&self, number: usize) -> Committee {
        committee(number as u64, &self.0[number].0)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn only_a_quorum_in_office_appoints_and_one_at_a_time(
        tries in prop::collection::vec(tries(), 1..12),
    ) {
        let mut stage = Stage::new();
        let mut model = Model(vec![(vec![1, 2, 3, 4], 0)]);
        for (it, round) in tries.iter().zip(0u8..) {
            let height = stage.ledger.height.0 + it.passes;
            stage.ledger.height = Height(height);
            let last = model.0.len() - 1;
            let by = last.saturating_sub(it.back as usize);
            let present = model.committee(by);
            let fresh: Vec<u8> = (0..it.size).map(|n| 10 + round * 6 + n).collect();
            let next = committee(by as u64 + it.number, &fresh);
            let chosen = model.0[by].0.iter().enumerate();
            let chosen: Vec<u8> =
                chosen.filter(|(at, _)| it.approve >> at & 1 == 1).map(|(_, n)| *n).collect();
            let mut signed = approvals(&present, &next, &chosen);
            let spoilt = it.spoilt.filter(|at| *at < signed.len());
            if let Some(at) = spoilt {
                signed[at].signature[9] ^= 1;
            }
            let twice = it.twice && !signed.is_empty();
            if twice {
                signed.insert(0, signed[0]);
            }
            let enough = chosen.len() >= quorum(model.0[by].0.len()) && spoilt.is_none() && !twice;
            let waits = model.0[last].1 > height;
            let counts = it.number == 1 && enough && !waits && by == model.office(height);
            let seen = stage.see(payload(&next, signed));
            prop_assert_eq!(seen == Seen::Accepted, counts, "{:?} at {}: {:?}", it, height, seen);
            prop_assert!(counts || matches!(seen, Seen::Denied(_)));
            if counts {
                model.0.push((fresh, (height / TERM + 1) * TERM));
            }
            let boundary = (height / TERM + 1) * TERM;
            for at in [height, boundary - 1, boundary] {
                prop_assert_eq!(stage.office(at), model.committee(model.office(at)), "at {}", at);
            }
            for (number, (_, since)) in model.0.iter().enumerate().skip(1) {
                let found = appointment::appointed(&stage.ledger, Epoch(number as u64)).unwrap();
                prop_assert_eq!(found.map(|found| found.since.0), Some(*since));
            }
            let beyond = Epoch(model.0.len() as u64);
            prop_assert_eq!(appointment::appointed(&stage.ledger, beyond), Ok(None));
        }
    }
}
