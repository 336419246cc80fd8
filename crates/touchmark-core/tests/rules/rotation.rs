//! Rotation: keys are exchanged, by the thing, by its controller, under pre-rotation.

use crate::ledger::*;
use touchmark_core::directory::NewKey;
use touchmark_core::directory::prerotation::NextKeys;
use touchmark_core::directory::rotation::Rotation;
use touchmark_core::entry::Purposes;
use touchmark_core::event::Event;
use touchmark_core::view::Read as _;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{KeyNumber, LeafIndex, ThingId};
use touchmark_wire::registry::{RefusalCode, StatementKind, Status};

const ROTATE: StatementKind = StatementKind::ROTATE;

/// A controller with key 0 and its device with key 1, by `device`.
fn pair(
    make: impl Fn(ThingId) -> touchmark_core::directory::inception::Inception,
) -> (Ledger, ThingId, ThingId) {
    let mut ledger = Ledger::new();
    let controller = ledger.with(&device(0), 0);
    let id = ledger.with(&make(controller), 1);
    (ledger, controller, id)
}

fn exchange(thing: ThingId, add: &[u8], close: &[u32]) -> Rotation {
    Rotation {
        add: add.iter().map(|n| general(*n)).collect(),
        close: close.iter().map(|number| KeyNumber(*number)).collect(),
        ..rotation(thing)
    }
}

#[test]
fn a_thing_exchanges_its_keys() {
    let (mut ledger, _, id) = pair(|controller| controlled(1, controller));
    assert_eq!(ledger.state((id, 1), ROTATE, &exchange(id, &[2, 3], &[0])), Seen::Accepted);
    let added = vec![KeyNumber(1), KeyNumber(2)];
    let closed = vec![KeyNumber(0)];
    assert_eq!(ledger.last_events(), [Event::KeysRotated { thing: id, added, closed }]);
    let at = LeafIndex(2);
    let old = ledger.closed_key(id, KeyNumber(0)).unwrap().unwrap();
    assert_eq!((old.key, old.from, old.to), (public(1), LeafIndex(1), Some(at)));
    let thing = ledger.state_of(id);
    assert_eq!(thing.keys.iter().map(|key| key.from).collect::<Vec<_>>(), [at, at]);
    let by_old = ledger.record(id, "x").signed(0, 1);
    assert_eq!(ledger.see(&by_old), Seen::Refused(RefusalCode::KEY_NOT_VALID));
    let by_new = ledger.record(id, "x").signed(2, 3);
    assert_eq!(ledger.see(&by_new), Seen::Accepted);
}

/// What a key signed stays provable: it counts up to the leaf that ends it, which it may have
/// signed itself.
#[test]
fn a_key_counts_from_after_its_leaf_to_the_leaf_that_ends_it() {
    let (mut ledger, _, id) = pair(|controller| controlled(1, controller));
    assert_eq!(ledger.state((id, 1), ROTATE, &exchange(id, &[2], &[0])), Seen::Accepted);
    let old = ledger.closed_key(id, KeyNumber(0)).unwrap().unwrap();
    let valid: Vec<_> = (0..5).map(|leaf| old.is_valid_at(LeafIndex(leaf))).collect();
    assert_eq!(valid, [false, false, true, false, false]);
    let new = ledger.state_of(id).keys[0].clone();
    let valid: Vec<_> = (0..5).map(|leaf| new.is_valid_at(LeafIndex(leaf))).collect();
    assert_eq!(valid, [false, false, false, true, true]);
}

#[test]
fn a_key_that_comes_back_has_a_new_number() {
    let (mut ledger, _, id) = pair(|controller| controlled(1, controller));
    assert_eq!(ledger.state((id, 1), ROTATE, &exchange(id, &[2], &[0])), Seen::Accepted);
    assert_eq!(ledger.state_as((id, 1, 2), ROTATE, &exchange(id, &[1], &[1])), Seen::Accepted);
    let thing = ledger.state_of(id);
    assert_eq!((thing.keys[0].number, thing.next_number), (KeyNumber(2), KeyNumber(3)));
    let by_old_number = ledger.record(id, "x").signed(0, 1);
    assert_eq!(ledger.see(&by_old_number), Seen::Refused(RefusalCode::KEY_NOT_VALID));
}

#[test]
fn rotations_are_denied() {
    let (ledger, controller, id) = pair(|controller| controlled(1, controller));
    let many: Vec<u8> = (20..36).collect();
    let (own, above) = ((id, 1), (controller, 0));
    let threshold = |threshold| Rotation { threshold: Some(threshold), ..exchange(id, &[2], &[]) };
    let next = |threshold, count| {
        let keys = vec![Digest::default(); count];
        Rotation { next: Some(NextKeys { threshold, keys }), ..rotation(id) }
    };
    let mut weightless = exchange(id, &[2], &[]);
    weightless.add[0].weight = 0;
    let denied = Seen::Denied;
    for (name, by, rotation, expected) in [
        ("nothing", own, rotation(id), Seen::Accepted),
        ("by the controller", above, exchange(id, &[2], &[0]), Seen::Accepted),
        (
            "of the controller",
            own,
            exchange(controller, &[2], &[]),
            denied(RefusalCode::NOT_AUTHORISED),
        ),
        (
            "of nobody",
            own,
            exchange(ThingId([1; 20]), &[], &[]),
            denied(RefusalCode::UNKNOWN_THING),
        ),
        ("an unknown key ends", own, exchange(id, &[2], &[1]), denied(RefusalCode::KEY_NUMBER)),
        ("17 keys", own, exchange(id, &many, &[]), denied(RefusalCode::LIMIT)),
        ("16 keys", own, exchange(id, &many, &[0]), Seen::Accepted),
        ("17 next keys", own, next(1, 17), denied(RefusalCode::LIMIT)),
        ("no next keys", own, next(1, 0), denied(RefusalCode::PAYLOAD)),
        ("next threshold 0", own, next(0, 1), denied(RefusalCode::PAYLOAD)),
        ("16 next keys", own, next(1, 16), Seen::Accepted),
        ("its next keys", above, next(1, 1), denied(RefusalCode::NOT_AUTHORISED)),
        ("its threshold", above, threshold(1), denied(RefusalCode::NOT_AUTHORISED)),
        ("the same key", own, exchange(id, &[1], &[]), denied(RefusalCode::KEY)),
        ("a key twice", own, exchange(id, &[2, 2], &[]), denied(RefusalCode::KEY)),
        ("no weight", own, weightless, denied(RefusalCode::PAYLOAD)),
        ("threshold 0", own, threshold(0), denied(RefusalCode::THRESHOLD)),
        ("threshold 2 of 2", own, threshold(2), Seen::Accepted),
        ("threshold 3 of 2", own, threshold(3), denied(RefusalCode::THRESHOLD)),
        ("no key, by itself", own, exchange(id, &[], &[0]), Seen::Accepted),
        ("no key, by the controller", above, exchange(id, &[], &[0]), Seen::Accepted),
    ] {
        let mut ledger = ledger.clone();
        let (thing, keys) = (ledger.state_of(id), ledger.entries.len());
        assert_eq!(ledger.state(by, ROTATE, &rotation), expected, "{name}");
        if expected != Seen::Accepted {
            assert_eq!((ledger.state_of(id), ledger.entries.len()), (thing, keys), "{name}");
        }
    }
    let mut ledger = ledger;
    let broken = ledger.next(id, ROTATE, vec![0xa0]).signed(0, 1);
    assert_eq!(ledger.see(&broken), Seen::Denied(RefusalCode::PAYLOAD));
}

#[test]
fn a_thing_that_nobody_controls_keeps_its_last_key() {
    let mut ledger = Ledger::new();
    let id = ledger.with(&device(1), 1);
    let none = ledger.state((id, 1), ROTATE, &exchange(id, &[], &[0]));
    assert_eq!(none, Seen::Denied(RefusalCode::THRESHOLD));
    assert_eq!(ledger.state((id, 1), ROTATE, &exchange(id, &[2], &[0])), Seen::Accepted);
}

#[test]
fn a_stranger_exchanges_no_keys() {
    let (mut ledger, _, id) = pair(|controller| controlled(1, controller));
    let stranger = ledger.with(&device(3), 3);
    let outcome = ledger.state((stranger, 3), ROTATE, &exchange(id, &[3], &[0]));
    assert_eq!(outcome, Seen::Denied(RefusalCode::NOT_AUTHORISED));
}

mod prerotation {
    use super::*;

    /// Key 1 now, key 2 committed to.
    fn declared() -> (Ledger, ThingId, ThingId) {
        pair(|controller| prerotated(1, 2, Some(controller)))
    }

    fn onward(rotation: Rotation, next: u8) -> Rotation {
        Rotation { next: Some(committed(1, &[next])), ..rotation }
    }

    #[test]
    fn the_revealed_key_signs() {
        let (mut ledger, _, id) = declared();
        let rotation = onward(exchange(id, &[2], &[0]), 3);
        let before = ledger.clone();
        for (number, n, code) in [
            (0, 1, RefusalCode::KEY_NOT_VALID),
            (2, 2, RefusalCode::KEY_NOT_VALID),
            (1, 5, RefusalCode::SIGNATURE),
        ] {
            assert_eq!(ledger.state_as((id, number, n), ROTATE, &rotation), Seen::Refused(code));
            assert_eq!(ledger, before);
        }
        assert_eq!(ledger.state_as((id, 1, 2), ROTATE, &rotation), Seen::Accepted);
        let thing = ledger.state_of(id);
        assert_eq!((thing.keys.len(), thing.next), (1, Some(committed(1, &[3]))));
        let again = onward(exchange(id, &[3], &[1]), 4);
        assert_eq!(ledger.state_as((id, 2, 3), ROTATE, &again), Seen::Accepted);
    }

    /// Whoever steals the present key can neither bring a key nor change what was committed to.
    #[test]
    fn the_present_key_takes_nothing_over() {
        let (ledger, controller, id) = declared();
        let recommit = onward(rotation(id), 7);
        let uncommitted = onward(exchange(id, &[7], &[0]), 7);
        let stolen_reveal = onward(exchange(id, &[2], &[0]), 7);
        let lower = Rotation { threshold: Some(1), ..rotation(id) };
        for (name, rotation) in [
            ("other commitments", &recommit),
            ("another key", &uncommitted),
            ("the committed key, unsigned", &stolen_reveal),
            ("another threshold", &lower),
        ] {
            let mut alone = ledger.clone();
            let outcome = alone.state((id, 1), ROTATE, rotation);
            assert_eq!(outcome, Seen::Refused(RefusalCode::KEY_NOT_VALID), "{name}");

            // Nor within a group of its own or of an accomplice.
            let part = group(&[(id, ROTATE, encoded(rotation))]);
            let mut grouped = ledger.clone();
            let outcome = grouped.state((id, 1), StatementKind::GROUP, &part);
            assert_eq!(outcome, Seen::Denied(RefusalCode::GROUP), "{name} in a group");
            let mut grouped = ledger.clone();
            let together = grouped.next(controller, StatementKind::GROUP, encoded(&part));
            let outcome = grouped.see(&together.signed_by(&[(controller, 0, 0), (id, 0, 1)]));
            assert_eq!(outcome, Seen::Denied(RefusalCode::GROUP), "{name} in another's group");
            assert_eq!(grouped.state_of(id), ledger.state_of(id), "{name}");
        }
        let mut alone = ledger.clone();
        let mixed = onward(exchange(id, &[2, 7], &[0]), 7);
        let outcome = alone.state_as((id, 1, 2), ROTATE, &mixed);
        assert_eq!(outcome, Seen::Denied(RefusalCode::NOT_COMMITTED));
    }

    #[test]
    fn the_controller_revokes_but_does_not_substitute() {
        let (ledger, controller, id) = declared();
        let (null, active) = (Status::STOLEN, Status::ACTIVE);
        for (name, rotation, expected) in [
            ("another key", exchange(id, &[7], &[0]), Seen::Denied(RefusalCode::NOT_AUTHORISED)),
            (
                "the committed key",
                exchange(id, &[2], &[0]),
                Seen::Denied(RefusalCode::NOT_AUTHORISED),
            ),
            ("no key", exchange(id, &[], &[0]), Seen::Accepted),
            ("commitments", onward(rotation(id), 7), Seen::Denied(RefusalCode::NOT_AUTHORISED)),
        ] {
            let mut ledger = ledger.clone();
            assert_eq!(ledger.state((controller, 0), ROTATE, &rotation), expected, "{name}");
            assert_eq!(ledger.state_of(id).next, Some(committed(1, &[2])), "{name}");
        }
        // Nor with a new start: the thing brings its own key back.
        let mut ledger = ledger;
        let change = status(id, null, &[]);
        assert_eq!(ledger.state((controller, 0), StatementKind::STATUS, &change), Seen::Accepted);
        for n in [7, 2] {
            let change = status(id, active, &[general(n)]);
            let outcome = ledger.state((controller, 0), StatementKind::STATUS, &change);
            assert_eq!(outcome, Seen::Denied(RefusalCode::NOT_AUTHORISED), "key {n}");
        }
        let change = status(id, active, &[]);
        assert_eq!(ledger.state((controller, 0), StatementKind::STATUS, &change), Seen::Accepted);
        let thing = ledger.state_of(id);
        assert_eq!((thing.keys, thing.next), (Vec::new(), Some(committed(1, &[2]))));
        let back = onward(exchange(id, &[2], &[]), 3);
        assert_eq!(ledger.state_as((id, 1, 2), ROTATE, &back), Seen::Accepted);
        assert_eq!(ledger.state_of(id).next, Some(committed(1, &[3])), "it stays pre-rotated");
    }

    #[test]
    fn what_was_committed_to_is_key_purposes_and_weight() {
        let (ledger, _, id) = declared();
        let of_weight = |weight| NewKey { weight, ..general(2) };
        for (name, new, expected) in [
            ("another weight", of_weight(2), Seen::Refused(RefusalCode::KEY_NOT_VALID)),
            (
                "another purpose",
                for_purposes(2, Purposes::CONTROL),
                Seen::Refused(RefusalCode::KEY_NOT_VALID),
            ),
            ("as declared", of_weight(1), Seen::Accepted),
        ] {
            let mut ledger = ledger.clone();
            let change = onward(Rotation { add: vec![new], ..exchange(id, &[], &[0]) }, 3);
            assert_eq!(ledger.state_as((id, 1, 2), ROTATE, &change), expected, "{name}");
        }
    }

    #[test]
    fn a_rotation_goes_on_with_commitments_and_the_committed_threshold() {
        let (ledger, _, id) = declared();
        let change = exchange(id, &[2], &[0]);
        for (name, change) in [
            ("no commitments", change.clone()),
            ("a threshold of its own", Rotation { threshold: Some(1), ..onward(change, 3) }),
        ] {
            let mut ledger = ledger.clone();
            let outcome = ledger.state_as((id, 1, 2), ROTATE, &change);
            assert_eq!(outcome, Seen::Denied(RefusalCode::NOT_COMMITTED), "{name}");
            assert_eq!(ledger.state_of(id).next, Some(committed(1, &[2])), "{name}");
        }
    }

    #[test]
    fn pre_rotation_begins_with_any_rotation_and_never_ends() {
        let (mut ledger, controller, id) = pair(|controller| controlled(1, controller));
        assert_eq!(ledger.state((id, 1), ROTATE, &onward(rotation(id), 2)), Seen::Accepted);
        let by_present = ledger.state((id, 1), ROTATE, &exchange(id, &[5], &[]));
        assert_eq!(by_present, Seen::Refused(RefusalCode::KEY_NOT_VALID));
        let by_controller = ledger.state((controller, 0), ROTATE, &exchange(id, &[5], &[0]));
        assert_eq!(by_controller, Seen::Denied(RefusalCode::NOT_AUTHORISED));
    }

    /// A device in the field has its present key only, and its controller can take the alert back.
    #[test]
    fn a_tamper_alert_of_a_thing_with_a_controller_needs_no_revealed_key() {
        let (mut ledger, _, id) = declared();
        let alert = status(id, Status::TAMPERED, &[]);
        assert_eq!(ledger.state((id, 1), StatementKind::STATUS, &alert), Seen::Accepted);
        assert_eq!(ledger.state_of(id).next, Some(committed(1, &[2])));
    }

    /// Who steals the present key of a thing without controller cannot end it.
    #[test]
    fn the_end_of_a_thing_is_signed_by_revealed_keys() {
        let mut ledger = Ledger::new();
        let id = ledger.with(&prerotated(1, 2, None), 1);
        let (null_key, not_committed) = (RefusalCode::KEY_NOT_VALID, RefusalCode::NOT_COMMITTED);
        for end in [Status::STOLEN, Status::LOST, Status::TAMPERED, Status::RETIRED] {
            for (name, signer, keys, expected) in [
                ("the present key", (id, 0, 1), &[][..], Seen::Refused(null_key)),
                ("it reveals the next", (id, 0, 1), &[2], Seen::Refused(null_key)),
                ("another key", (id, 1, 7), &[7], Seen::Refused(null_key)),
                ("another beside", (id, 1, 2), &[2, 7], Seen::Denied(not_committed)),
                ("the committed key", (id, 1, 2), &[2], Seen::Accepted),
            ] {
                let mut ledger = ledger.clone();
                let keys: Vec<_> = keys.iter().map(|n| general(*n)).collect();
                let change = status(id, end, &keys);
                let outcome = ledger.state_as(signer, StatementKind::STATUS, &change);
                assert_eq!(outcome, expected, "{end}: {name}");
                let ended = expected == Seen::Accepted;
                assert_eq!(ledger.state_of(id).status(), if ended { end } else { Status::ACTIVE });
                assert_eq!(ledger.state_of(id).keys.is_empty(), ended, "{end}: {name}");
            }
            let change = status(id, end, &[general(2)]);
            let part = group(&[(id, StatementKind::STATUS, encoded(&change))]);
            let mut grouped = ledger.clone();
            let outcome = grouped.state((id, 1), StatementKind::GROUP, &part);
            assert_eq!(outcome, Seen::Denied(RefusalCode::GROUP), "{end} in a group");
        }
        // What can be taken back needs no more than the present key.
        let pause = status(id, Status::SUSPENDED, &[]);
        assert_eq!(ledger.state((id, 1), StatementKind::STATUS, &pause), Seen::Accepted);
        let change = status(id, Status::ACTIVE, &[general(2)]);
        let outcome = ledger.state((id, 1), StatementKind::STATUS, &change);
        assert_eq!(outcome, Seen::Denied(RefusalCode::NOT_AUTHORISED), "no key on the side");
        let retire = status(id, Status::RETIRED, &[general(2)]);
        assert_eq!(ledger.state_as((id, 1, 2), StatementKind::STATUS, &retire), Seen::Accepted);
        let revealed = ledger.closed_key(id, KeyNumber(1)).unwrap().unwrap();
        assert_eq!(Some(revealed.from), revealed.to, "the leaf that it signed is provable");
    }

    #[test]
    fn a_thing_whose_keys_all_ended_comes_back_by_the_committed_key() {
        let (mut ledger, controller, id) = declared();
        assert_eq!(ledger.state((controller, 0), ROTATE, &exchange(id, &[], &[0])), Seen::Accepted);
        let record = ledger.record(id, "x").signed(0, 1);
        assert_eq!(ledger.see(&record), Seen::Refused(RefusalCode::KEY_NOT_VALID));
        let back = onward(exchange(id, &[2], &[]), 3);
        assert_eq!(ledger.state_as((id, 1, 2), ROTATE, &back), Seen::Accepted);
        assert_eq!(
            ledger.state_as((id, 1, 2), StatementKind::ACCREDIT, &accredit(id, &["x"])),
            Seen::Accepted
        );
    }

    #[test]
    fn several_revealed_keys_reach_the_threshold() {
        let mut ledger = Ledger::new();
        let mut inception = device(0);
        inception.keys = vec![general(0), general(1)];
        inception.threshold = 2;
        inception.next = Some(committed(3, &[2, 3, 4]));
        let id = inception.id();
        let present = ledger.next(id, StatementKind::INCEPTION, inception.encode_to_vec());
        assert_eq!(ledger.see(&present.signed_by(&[(id, 0, 0), (id, 1, 1)])), Seen::Accepted);
        let change = onward(exchange(id, &[2, 3, 4], &[0, 1]), 5);
        let rotate = ledger.next(id, ROTATE, encoded(&change));
        // The committed threshold counts, not the present one.
        let short = Seen::Refused(RefusalCode::THRESHOLD);
        assert_eq!(ledger.see(&rotate.signed_by(&[(id, 2, 2), (id, 3, 3)])), short);
        // One holder cannot make its own key heavy enough in the very payload that it signs.
        let heavy = NewKey { weight: 3, ..general(2) };
        let alone = Rotation { add: vec![heavy], ..change };
        let alone = ledger.next(id, ROTATE, encoded(&alone));
        let outcome = ledger.see(&alone.signed_by(&[(id, 2, 2)]));
        assert_eq!(outcome, Seen::Refused(RefusalCode::KEY_NOT_VALID));
        let all = rotate.signed_by(&[(id, 2, 2), (id, 3, 3), (id, 4, 4)]);
        assert_eq!(ledger.see(&all), Seen::Accepted);
        assert_eq!(ledger.state_of(id).threshold, 3);
    }
}
