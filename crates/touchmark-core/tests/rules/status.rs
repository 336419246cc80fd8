//! Status: every change from every status, by everyone who might try.

use crate::ledger::*;
use proptest::prelude::*;
use touchmark_core::directory::NewKey;
use touchmark_core::directory::inception::Inception;
use touchmark_core::directory::rotation::Rotation;
use touchmark_core::directory::status::SetStatus;
use touchmark_core::entry::{StatusThen, Thing};
use touchmark_core::event::Event;
use touchmark_core::view::Read as _;
use touchmark_wire::ids::{KeyNumber, LeafIndex, ThingId};
use touchmark_wire::registry::{RefusalCode, StatementKind, Status, ThingKind};

const STATUS: StatementKind = StatementKind::STATUS;

const EVERY: [Status; 7] = [
    Status::ACTIVE,
    Status::SUSPENDED,
    Status::DISABLED,
    Status::STOLEN,
    Status::LOST,
    Status::TAMPERED,
    Status::RETIRED,
];

/// Columns: to active, suspended, disabled, stolen, lost, tampered, retired. `.` accepted,
/// `=` the present status, `x` impossible, `n` only with a new key.
const TABLE: [(Status, &str); 7] = [
    (Status::ACTIVE, "=......"),
    (Status::SUSPENDED, ".=....."),
    (Status::DISABLED, "..=...."),
    (Status::STOLEN, "nxx=..."),
    (Status::LOST, "nxx.=.."),
    (Status::TAMPERED, "nxx..=."),
    (Status::RETIRED, "xxxxxx="),
];

fn takes_keys(status: Status) -> bool {
    [Status::STOLEN, Status::LOST, Status::TAMPERED, Status::RETIRED].contains(&status)
}

/// What the table says of a change by who may make it.
fn expected(from: Status, to: Status, with_key: bool) -> Seen {
    let row = TABLE.iter().find(|(status, _)| *status == from).unwrap().1.as_bytes();
    let column = EVERY.iter().position(|status| *status == to).unwrap();
    let key_without_return = with_key && to != Status::ACTIVE;
    match row[column] {
        b'=' | b'x' => Seen::Denied(RefusalCode::STATUS),
        _ if key_without_return => Seen::Denied(RefusalCode::STATUS),
        b'n' if !with_key => Seen::Denied(RefusalCode::NEW_KEY_REQUIRED),
        _ => Seen::Accepted,
    }
}

struct Cast {
    ledger: Ledger,
    controller: ThingId,
    stranger: ThingId,
    thing: ThingId,
}

/// Controller with key 0, stranger with key 3, a thing with key 1 brought to `from`.
fn cast(from: Status, make: impl Fn(ThingId) -> Inception) -> Cast {
    let mut ledger = Ledger::new();
    let controller = ledger.with(&device(0), 0);
    let stranger = ledger.with(&device(3), 3);
    let inception = make(controller);
    let thing = inception.id();
    let registered = if inception.keys.is_empty() {
        ledger.state((controller, 0), StatementKind::REGISTER, &inception)
    } else {
        ledger.incept(&inception, 1)
    };
    assert_eq!(registered, Seen::Accepted);
    if from != Status::ACTIVE {
        let by = if inception.controller.is_some() { (controller, 0) } else { (thing, 1) };
        assert_eq!(ledger.state(by, STATUS, &status(thing, from, &[])), Seen::Accepted);
    }
    Cast { ledger, controller, stranger, thing }
}

/// Each change, with and without a key.
fn changes() -> impl Iterator<Item = (Status, Status, bool)> {
    let pairs = EVERY.into_iter().flat_map(|from| EVERY.into_iter().map(move |to| (from, to)));
    pairs.flat_map(|(from, to)| [(from, to, false), (from, to, true)])
}

fn change(thing: ThingId, to: Status, with_key: bool) -> SetStatus {
    let keys = [general(2)];
    status(thing, to, if with_key { &keys } else { &[] })
}

#[test]
fn a_controller_changes_status_by_the_table() {
    for (from, to, with_key) in changes() {
        let mut cast = cast(from, |controller| controlled(1, controller));
        let before = cast.ledger.state_of(cast.thing);
        let outcome =
            cast.ledger.state((cast.controller, 0), STATUS, &change(cast.thing, to, with_key));
        let case = format!("{from} to {to}, key: {with_key}");
        assert_eq!(outcome, expected(from, to, with_key), "{case}");
        let after = cast.ledger.state_of(cast.thing);
        if outcome != Seen::Accepted {
            assert_eq!(after, before, "{case}");
            continue;
        }
        assert_eq!(after.status(), to, "{case}");
        let present = usize::from(!takes_keys(from) && !takes_keys(to)) + usize::from(with_key);
        assert_eq!(after.keys.len(), present, "{case}: keys");
        assert_eq!(after.next_number, KeyNumber(1 + u32::from(with_key)), "{case}");
        // The old key speaks where it was not taken away, the new one where it came.
        for (number, n, speaks) in
            [(0, 1, to == Status::ACTIVE && !takes_keys(from)), (1, 2, with_key)]
        {
            let record = cast.ledger.record(cast.thing, "x").signed(number, n);
            let seen = cast.ledger.see(&record);
            assert_eq!(seen == Seen::Accepted, speaks, "{case}: key {number} gave {seen:?}");
        }
    }
}

#[test]
fn coming_back_needs_keys_that_reach_the_threshold() {
    let board = |controller| Inception {
        keys: vec![NewKey { weight: 2, ..general(1) }],
        threshold: 2,
        ..controlled(1, controller)
    };
    let Cast { ledger, controller, thing, .. } = cast(Status::LOST, board);
    let heavy = NewKey { weight: 2, ..general(4) };
    for (name, keys, expected) in [
        ("weight 1", vec![general(4)], Seen::Denied(RefusalCode::THRESHOLD)),
        ("weight 2", vec![heavy], Seen::Accepted),
        ("weight 1 and 1", vec![general(4), general(5)], Seen::Accepted),
    ] {
        let mut ledger = ledger.clone();
        let change = status(thing, Status::ACTIVE, &keys);
        assert_eq!(ledger.state((controller, 0), STATUS, &change), expected, "{name}");
    }
}

#[test]
fn a_thing_with_a_controller_says_of_itself_only_that_it_was_tampered_with() {
    for (from, to, with_key) in changes() {
        let mut cast = cast(from, |controller| controlled(1, controller));
        let outcome = cast.ledger.state((cast.thing, 1), STATUS, &change(cast.thing, to, with_key));
        let expected = match to {
            _ if takes_keys(from) => Seen::Refused(RefusalCode::REVOKED),
            Status::TAMPERED => expected(from, to, with_key),
            _ => Seen::Denied(RefusalCode::NOT_AUTHORISED),
        };
        assert_eq!(outcome, expected, "{from} to {to}, key: {with_key}");
        let after = cast.ledger.state_of(cast.thing);
        let reported = outcome == Seen::Accepted;
        assert_eq!(after.status(), if reported { Status::TAMPERED } else { from });
        assert_eq!(after.keys.is_empty(), reported || takes_keys(from), "an alert ends the keys");
    }
}

#[test]
fn after_its_alert_a_thing_is_silent_until_its_controller_gives_it_a_new_key() {
    let mut cast = cast(Status::ACTIVE, |controller| controlled(1, controller));
    let (controller, thing) = ((cast.controller, 0), (cast.thing, 1));
    let alert =
        cast.ledger.next(cast.thing, STATUS, encoded(&status(cast.thing, Status::TAMPERED, &[])));
    let alert = alert.signed(0, 1);
    assert_eq!(cast.ledger.see(&alert), Seen::Accepted);
    let leaf = cast.ledger.leaves.len() as u64 - 1;
    assert_eq!(cast.ledger.see(&alert), Seen::Known(leaf), "sent again it is the same alert");
    let record = cast.ledger.record(cast.thing, "x").signed(0, 1);
    assert!(matches!(cast.ledger.see(&record), Seen::Refused(_)));
    let back = status(cast.thing, Status::ACTIVE, &[general(2)]);
    assert!(matches!(cast.ledger.state(thing, STATUS, &back), Seen::Refused(_)));
    assert_eq!(cast.ledger.state(controller, STATUS, &back), Seen::Accepted);
    let record = cast.ledger.record(cast.thing, "x").signed(1, 2);
    assert_eq!(cast.ledger.see(&record), Seen::Accepted);
    let changes = cast.ledger.state_of(cast.thing).statuses;
    assert_eq!((changes[1].status, changes[1].at), (Status::TAMPERED, LeafIndex(leaf)));
}

#[test]
fn a_stranger_changes_nobodys_status() {
    for (from, to, with_key) in changes() {
        let controllers: [fn(ThingId) -> Inception; 2] =
            [|controller| controlled(1, controller), |_| device(1)];
        for make in controllers {
            let mut cast = cast(from, make);
            let change = change(cast.thing, to, with_key);
            let outcome = cast.ledger.state((cast.stranger, 3), STATUS, &change);
            assert_eq!(outcome, Seen::Denied(RefusalCode::NOT_AUTHORISED));
            assert_eq!(cast.ledger.state_of(cast.thing).status(), from);
        }
    }
}

#[test]
fn a_thing_that_nobody_controls_changes_its_own_status_while_it_has_keys() {
    for (from, to, with_key) in changes() {
        let mut cast = cast(from, |_| device(1));
        let outcome = cast.ledger.state((cast.thing, 1), STATUS, &change(cast.thing, to, with_key));
        let expected = if takes_keys(from) {
            Seen::Refused(RefusalCode::REVOKED)
        } else {
            expected(from, to, with_key)
        };
        assert_eq!(outcome, expected, "{from} to {to}, key: {with_key}");
    }
}

/// A lot or a place has no key that could be new.
#[test]
fn a_thing_that_never_had_keys_comes_back_without() {
    let lot = |controller| Inception {
        kind: ThingKind::LOT,
        keys: Vec::new(),
        ..controlled(1, controller)
    };
    for (from, to, with_key) in changes() {
        let mut cast = cast(from, lot);
        let outcome =
            cast.ledger.state((cast.controller, 0), STATUS, &change(cast.thing, to, with_key));
        let expected = match expected(from, to, with_key) {
            Seen::Denied(RefusalCode::NEW_KEY_REQUIRED) => Seen::Accepted,
            other => other,
        };
        assert_eq!(outcome, expected, "{from} to {to}, key: {with_key}");
    }
}

#[test]
fn changes_of_status_are_denied() {
    let Cast { mut ledger, controller, thing, .. } =
        cast(Status::LOST, |controller| controlled(1, controller));
    let by = (controller, 0);
    let broken = ledger.next(controller, STATUS, vec![0xa0]).signed(0, 0);
    assert_eq!(ledger.see(&broken), Seen::Denied(RefusalCode::PAYLOAD));
    let many: Vec<_> = (10..27).map(general).collect();
    let reason = |length| SetStatus {
        reason: Some("r".repeat(length)),
        ..status(thing, Status::ACTIVE, &[general(2)])
    };
    let nobody = ThingId([1; 20]);
    for (name, change, code) in [
        ("an unknown status", status(thing, Status(99), &[]), RefusalCode::UNKNOWN_KIND),
        ("17 keys", status(thing, Status::ACTIVE, &many), RefusalCode::LIMIT),
        ("nobody's", status(nobody, Status::LOST, &[]), RefusalCode::UNKNOWN_THING),
        ("a long reason", reason(129), RefusalCode::LIMIT),
        (
            "the same key twice",
            status(thing, Status::ACTIVE, &[general(2), general(2)]),
            RefusalCode::KEY,
        ),
    ] {
        let before = ledger.state_of(thing);
        assert_eq!(ledger.state(by, STATUS, &change), Seen::Denied(code), "{name}");
        assert_eq!(ledger.state_of(thing), before, "{name}");
    }
    assert_eq!(ledger.state(by, STATUS, &reason(128)), Seen::Accepted);
}

#[test]
fn a_stopped_controller_controls_nothing() {
    for stop in [Status::SUSPENDED, Status::DISABLED, Status::STOLEN, Status::RETIRED] {
        let Cast { mut ledger, controller, thing, .. } =
            cast(Status::ACTIVE, |controller| controlled(1, controller));
        let own = status(controller, stop, &[]);
        assert_eq!(ledger.state((controller, 0), STATUS, &own), Seen::Accepted);
        let theirs = status(thing, Status::LOST, &[]);
        let outcome = ledger.state((controller, 0), STATUS, &theirs);
        // A paused thing may still change its own status, so its statement is looked at.
        let paused = [Status::SUSPENDED, Status::DISABLED].contains(&stop);
        assert_ne!(outcome, Seen::Accepted, "{stop}");
        assert_eq!(outcome == Seen::Refused(RefusalCode::REVOKED), !paused, "{stop}");
        assert_eq!(ledger.state_of(thing).status(), Status::ACTIVE, "{stop}");
    }
}

#[test]
fn only_an_active_thing_states_other_things() {
    for stop in EVERY.into_iter().skip(1) {
        let Cast { mut ledger, thing, .. } = cast(stop, |controller| controlled(1, controller));
        for kind in [1, 2, 3, 4, 6, 7, 8, 9].map(StatementKind) {
            let statement = ledger.next(thing, kind, vec![0xf6]).signed(0, 1);
            let expected = if kind == StatementKind::INCEPTION {
                RefusalCode::MALFORMED
            } else {
                RefusalCode::REVOKED
            };
            assert_eq!(ledger.see(&statement), Seen::Refused(expected), "{kind} while {stop}");
        }
    }
}

#[test]
fn a_null_key_ends_every_key_and_says_so() {
    let Cast { mut ledger, controller, thing, .. } =
        cast(Status::ACTIVE, |controller| controlled(1, controller));
    let change = SetStatus { reason: Some("van".into()), ..status(thing, Status::STOLEN, &[]) };
    assert_eq!(ledger.state((controller, 0), STATUS, &change), Seen::Accepted);
    let reason = Some("van".to_string());
    assert_eq!(
        ledger.last_events(),
        [
            Event::StatusChanged { thing, status: Status::STOLEN, reason: reason.clone() },
            Event::KeysRotated { thing, added: Vec::new(), closed: vec![KeyNumber(0)] },
        ]
    );
    let closed = ledger.closed_key(thing, KeyNumber(0)).unwrap().unwrap();
    assert_eq!((closed.from, closed.to), (LeafIndex(2), Some(LeafIndex(3))));
    let change = ledger.state_of(thing).statuses.last().unwrap().clone();
    assert_eq!((change.at, change.reason), (LeafIndex(3), reason));
}

/// Whoever stole a card has its key: neither a return nor a later rotation gives it a voice again.
#[test]
fn a_key_that_a_status_took_away_never_comes_back() {
    for to in [Status::STOLEN, Status::LOST, Status::TAMPERED] {
        let mut cast = cast(Status::ACTIVE, |controller| controlled(1, controller));
        let (controller, thing) = ((cast.controller, 0), cast.thing);
        assert_eq!(cast.ledger.state(controller, STATUS, &status(thing, to, &[])), Seen::Accepted);
        let denied = Seen::Denied(RefusalCode::NEW_KEY_REQUIRED);
        let back = |keys: &[NewKey]| SetStatus {
            keys: Some(keys.to_vec()),
            ..status(thing, Status::ACTIVE, &[])
        };
        for keys in [&[general(1)][..], &[general(5), general(1)]] {
            assert_eq!(cast.ledger.state(controller, STATUS, &back(keys)), denied, "{to}");
        }
        let new = back(&[general(5)]);
        assert_eq!(cast.ledger.state(controller, STATUS, &new), Seen::Accepted, "{to}");
        let again = Rotation { add: vec![general(1)], ..rotation(thing) };
        assert_eq!(cast.ledger.state(controller, StatementKind::ROTATE, &again), denied, "{to}");
    }
}

/// Else a stolen card would show a valid key, and what the thief signs with the old one would be
/// called forged, no longer sighted.
#[test]
fn where_a_status_ended_the_keys_no_rotation_brings_others() {
    for to in [Status::STOLEN, Status::LOST, Status::TAMPERED, Status::RETIRED] {
        let mut cast = cast(Status::ACTIVE, |controller| controlled(1, controller));
        let controller = (cast.controller, 0);
        let ended = status(cast.thing, to, &[]);
        assert_eq!(cast.ledger.state(controller, STATUS, &ended), Seen::Accepted);
        let before = cast.ledger.state_of(cast.thing);
        let more = Rotation { add: vec![general(2)], ..rotation(cast.thing) };
        let denied = Seen::Denied(RefusalCode::NEW_KEY_REQUIRED);
        assert_eq!(cast.ledger.state(controller, StatementKind::ROTATE, &more), denied, "{to}");
        assert_eq!(cast.ledger.state_of(cast.thing), before, "{to}: it keeps its null key");
    }
}

#[test]
fn a_status_holds_from_after_the_leaf_that_set_it() {
    let Cast { mut ledger, controller, thing, .. } =
        cast(Status::ACTIVE, |controller| controlled(1, controller));
    for to in [Status::SUSPENDED, Status::ACTIVE] {
        assert_eq!(ledger.state((controller, 0), STATUS, &status(thing, to, &[])), Seen::Accepted);
    }
    let state = ledger.state_of(thing);
    let at = |leaf| state.status_at(LeafIndex(leaf)).status();
    let expected =
        [None, None, None, Some(Status::ACTIVE), Some(Status::SUSPENDED), Some(Status::ACTIVE)];
    assert_eq!([0, 1, 2, 3, 4, 5].map(at), expected);
    assert_eq!(state.status_at(LeafIndex(2)), StatusThen::NotRegistered);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Every position has an answer, and it is right or says that the state does not know.
    #[test]
    fn a_status_of_earlier_is_right_or_forgotten(
        changes in prop::collection::vec((any::<bool>(), 0..3usize), 0..48),
    ) {
        let Cast { mut ledger, controller, stranger, thing } =
            cast(Status::ACTIVE, |controller| controlled(1, controller));
        let created = ledger.state_of(thing).created;
        let mut held = vec![(created, Status::ACTIVE)];
        for (suspend, pause) in changes {
            let (_, now) = *held.last().unwrap();
            let to = match now {
                Status::ACTIVE if suspend => Status::SUSPENDED,
                Status::ACTIVE => Status::DISABLED,
                _ => Status::ACTIVE,
            };
            let at = LeafIndex(ledger.leaves.len() as u64);
            let change = status(thing, to, &[]);
            prop_assert_eq!(ledger.state((controller, 0), STATUS, &change), Seen::Accepted);
            held.push((at, to));
            for _ in 0..pause {
                let record = ledger.record(stranger, "x").signed(0, 3);
                prop_assert_eq!(ledger.see(&record), Seen::Accepted);
            }
        }
        let state = ledger.state_of(thing);
        let dropped = held.len().saturating_sub(Thing::STATUS_CHANGES);
        for position in (0..ledger.leaves.len() as u64 + 2).map(LeafIndex) {
            let right = held.iter().rposition(|(at, _)| *at < position);
            match (right, state.status_at(position)) {
                (None, then) => prop_assert_eq!(then, StatusThen::NotRegistered),
                (Some(at), StatusThen::Known(change)) => {
                    prop_assert!(at >= dropped);
                    prop_assert_eq!((change.at, change.status), held[at]);
                }
                (Some(at), then) => {
                    prop_assert_eq!(then, StatusThen::Forgotten);
                    prop_assert!(at < dropped);
                }
            }
        }
    }
}
