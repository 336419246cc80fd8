//! Inception and registration: a thing begins.

use crate::ledger::*;
use std::collections::BTreeMap;
use touchmark_core::directory::NewKey;
use touchmark_core::directory::inception::{Inception, OwnerPolicy};
use touchmark_core::directory::prerotation::NextKeys;
use touchmark_core::entry::Purposes;
use touchmark_core::event::Event;
use touchmark_wire::algorithm::CoseKey;
use touchmark_wire::codec;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{KeyNumber, LeafIndex, Sequence, ThingId};
use touchmark_wire::registry::{RefusalCode, StatementKind, Status, ThingKind};

#[test]
fn owners_who_could_never_decide_are_denied() {
    let mut ledger = Ledger::new();
    let [a, b] = [ThingId([1; 20]), ThingId([2; 20])];
    for (n, (threshold, parties)) in (0..).zip([
        (1, vec![]),
        (0, vec![(a, 1)]),
        (3, vec![(a, 1), (b, 1)]),
        (1, vec![(b, 1), (a, 1)]),
        (2, vec![(a, 1), (a, 1)]),
        (1, vec![(a, 1), (b, 0)]),
    ]) {
        let owners = Some(OwnerPolicy { threshold, parties });
        let seen = ledger.incept(&Inception { owners, ..device(n) }, n);
        assert_eq!(seen, Seen::Denied(RefusalCode::PAYLOAD), "{n}");
    }
    let owners = Some(OwnerPolicy { threshold: 2, parties: vec![(a, 1), (b, 1)] });
    assert_eq!(ledger.incept(&Inception { owners, ..device(7) }, 7), Seen::Accepted);
}

#[test]
fn a_thing_presents_itself() {
    let mut ledger = Ledger::new();
    let policy = OwnerPolicy { threshold: 1, parties: vec![(ThingId([1; 20]), 1)] };
    let attributes = BTreeMap::from([("model".to_string(), "7".to_string())]);
    let inception = Inception {
        owners: Some(policy.clone()),
        attributes: Some(attributes.clone()),
        ..prerotated(0, 1, Some(ThingId([9; 20])))
    };
    let id = ledger.with(&inception, 0);
    let thing = ledger.state_of(id);
    assert_eq!(
        (thing.kind, thing.controller, thing.threshold),
        (ThingKind::DEVICE, Some(ThingId([9; 20])), 1)
    );
    assert_eq!(thing.next, Some(committed(1, &[1])));
    assert_eq!(thing.owners, Some(Digest::of(&[&encoded(&policy)])));
    assert_eq!((thing.status(), thing.created), (Status::ACTIVE, LeafIndex(0)));
    assert_eq!(thing.next_number, KeyNumber(1));
    let key = thing.key(KeyNumber(0)).unwrap();
    assert_eq!((key.key, key.from, key.to), (public(0), LeafIndex(0), None));
    assert_eq!(
        ledger.last_events(),
        [
            Event::ThingRegistered {
                thing: id,
                kind: ThingKind::DEVICE,
                controller: thing.controller
            },
            Event::AttributesChanged {
                thing: id,
                set: attributes.into_iter().collect(),
                removed: Vec::new(),
            },
        ]
    );
}

#[test]
fn an_id_belongs_to_whoever_knows_its_inception() {
    let mut ledger = Ledger::new();
    let (mine, theirs) = (device(0), device(1));
    let before = ledger.clone();
    // My payload under their id, signed by either; their payload, signed by me.
    for (id, payload, n, code) in [
        (theirs.id(), &mine, 0, RefusalCode::WRONG_ID),
        (theirs.id(), &mine, 1, RefusalCode::WRONG_ID),
        (theirs.id(), &theirs, 3, RefusalCode::KEY_NOT_VALID),
        (theirs.id(), &theirs, 4, RefusalCode::SIGNATURE),
    ] {
        let statement = ledger.next(id, StatementKind::INCEPTION, payload.encode_to_vec());
        assert_eq!(ledger.see(&statement.signed(0, n)), Seen::Refused(code));
    }
    let number = ledger.next(mine.id(), StatementKind::INCEPTION, mine.encode_to_vec());
    assert_eq!(ledger.see(&number.signed(1, 0)), Seen::Refused(RefusalCode::UNKNOWN_THING));
    let broken = ledger.next(mine.id(), StatementKind::INCEPTION, vec![0xa0]);
    assert_eq!(ledger.see(&broken.signed(0, 0)), Seen::Refused(RefusalCode::MALFORMED));
    assert_eq!(ledger, before);
}

/// A point that is on no curve.
fn no_point() -> NewKey {
    NewKey::new(CoseKey::es256([0; 32], [1; 32]), Purposes::GENERAL)
}

/// What is wrong with an inception, and the code.
fn faulty(controller: ThingId) -> Vec<(&'static str, Inception, RefusalCode)> {
    let good = controlled(6, controller);
    let with = |change: &dyn Fn(&mut Inception)| {
        let mut inception = good.clone();
        change(&mut inception);
        inception
    };
    let many = |count: u8| (6..6 + count).map(general).collect::<Vec<_>>();
    let text = |count: usize, length: usize| {
        let name = |n: usize| (format!("{n:04}"), "x".repeat(length));
        Some((0..count).map(name).collect())
    };
    vec![
        ("a short nonce", with(&|it| it.nonce = vec![1; 15]), RefusalCode::PAYLOAD),
        ("a long nonce", with(&|it| it.nonce = vec![1; 17]), RefusalCode::PAYLOAD),
        ("an unknown kind", with(&|it| it.kind = ThingKind(99)), RefusalCode::UNKNOWN_KIND),
        (
            "17 next keys",
            with(&|it| {
                it.next = Some(NextKeys { threshold: 1, keys: vec![Digest::default(); 17] });
            }),
            RefusalCode::LIMIT,
        ),
        ("threshold 0", with(&|it| it.threshold = 0), RefusalCode::PAYLOAD),
        ("17 keys", with(&|it| it.keys = many(17)), RefusalCode::LIMIT),
        ("no point", with(&|it| it.keys.push(no_point())), RefusalCode::KEY),
        ("a key twice", with(&|it| it.keys.push(it.keys[0].clone())), RefusalCode::KEY),
        (
            "no purpose",
            with(&|it| it.keys.push(for_purposes(7, Purposes(0)))),
            RefusalCode::PAYLOAD,
        ),
        (
            "unknown purpose",
            with(&|it| it.keys.push(for_purposes(7, Purposes(32)))),
            RefusalCode::PAYLOAD,
        ),
        (
            "no weight",
            with(&|it| it.keys.push(NewKey { weight: 0, ..general(7) })),
            RefusalCode::PAYLOAD,
        ),
        ("33 attributes", with(&|it| it.attributes = text(33, 1)), RefusalCode::LIMIT),
        ("8 kB of attributes", with(&|it| it.attributes = text(9, 1_000)), RefusalCode::LIMIT),
        ("a long value", with(&|it| it.attributes = text(1, 1_025)), RefusalCode::PAYLOAD),
        (
            "no name",
            with(&|it| it.attributes = Some(BTreeMap::from([(String::new(), "x".into())]))),
            RefusalCode::PAYLOAD,
        ),
    ]
}

#[test]
fn a_faulty_inception_is_denied_whoever_brings_it() {
    let mut ledger = Ledger::new();
    let controller = ledger.with(&device(0), 0);
    for (name, inception, code) in faulty(controller) {
        let mut alone = ledger.clone();
        let outcome = alone.incept(&inception, 6);
        assert_eq!(outcome, Seen::Denied(code), "{name}");
        assert_eq!(alone.entries.len(), ledger.entries.len() + 1, "{name}: a chain, no thing");
        let registered = ledger.state((controller, 0), StatementKind::REGISTER, &inception);
        assert_eq!(registered, Seen::Denied(code), "{name}, registered");
    }
    let unreachable = Inception { threshold: 2, ..controlled(6, controller) };
    assert_eq!(ledger.incept(&unreachable, 6), Seen::Refused(RefusalCode::THRESHOLD));
    let registered = ledger.state((controller, 0), StatementKind::REGISTER, &unreachable);
    assert_eq!(registered, Seen::Denied(RefusalCode::PAYLOAD));
}

#[test]
fn the_largest_thing_fits_its_entry() {
    let mut ledger = Ledger::new();
    let value = "x".repeat(1_000);
    let attributes = (0..8).map(|n| (format!("{n:04}"), value.clone())).collect();
    let inception = Inception {
        keys: (0..16).map(general).collect(),
        next: Some(NextKeys { threshold: 1, keys: vec![Digest([1; 32]); 16] }),
        attributes: Some(attributes),
        ..device(0)
    };
    let id = ledger.with(&inception, 0);
    // As many changes of status as are remembered, with the longest reasons; the fixture checks
    // the entry's size at each.
    for round in 0..40 {
        let to = if round % 2 == 0 { Status::SUSPENDED } else { Status::ACTIVE };
        let change = touchmark_core::directory::status::SetStatus {
            reason: Some("r".repeat(128)),
            ..status(id, to, &[])
        };
        assert_eq!(ledger.state((id, 0), StatementKind::STATUS, &change), Seen::Accepted);
    }
    assert_eq!(ledger.state_of(id).statuses.len(), 32);
}

#[test]
fn a_thing_exists_once() {
    let mut ledger = Ledger::new();
    let controller = ledger.with(&device(0), 0);
    let inception = controlled(1, controller);
    let register =
        |ledger: &mut Ledger| ledger.state((controller, 0), StatementKind::REGISTER, &inception);
    assert_eq!(register(&mut ledger), Seen::Accepted);
    assert_eq!(register(&mut ledger), Seen::Denied(RefusalCode::EXISTS));
    // Its own inception uses the first place of its chain, which then goes on.
    assert_eq!(ledger.incept(&inception, 1), Seen::Denied(RefusalCode::EXISTS));
    let record = ledger.record(inception.id(), "x").signed(0, 1);
    assert_eq!(ledger.see(&record), Seen::Accepted);
    assert_eq!(ledger.head_of(inception.id()).chain.sequence, Sequence(2));
}

#[test]
fn only_the_named_controller_registers() {
    let mut ledger = Ledger::new();
    let controller = ledger.with(&device(0), 0);
    let stranger = ledger.with(&device(3), 3);
    let mine = controlled(1, controller);
    let refused = ledger.state((stranger, 3), StatementKind::REGISTER, &mine);
    assert_eq!(refused, Seen::Denied(RefusalCode::NOT_AUTHORISED));
    let nobodys = ledger.state((controller, 0), StatementKind::REGISTER, &device(1));
    assert_eq!(nobodys, Seen::Denied(RefusalCode::NOT_AUTHORISED));
    let broken = ledger.next(controller, StatementKind::REGISTER, vec![0xa0]).signed(0, 0);
    assert_eq!(ledger.see(&broken), Seen::Denied(RefusalCode::PAYLOAD));
    assert_eq!(ledger.state((controller, 0), StatementKind::REGISTER, &mine), Seen::Accepted);
}

#[test]
fn a_thing_without_keys_needs_a_controller() {
    let mut ledger = Ledger::new();
    let controller = ledger.with(&device(0), 0);
    let lot = Inception { kind: ThingKind::LOT, keys: Vec::new(), ..controlled(1, controller) };
    assert_eq!(ledger.incept(&lot, 1), Seen::Refused(RefusalCode::UNKNOWN_THING));
    assert_eq!(ledger.state((controller, 0), StatementKind::REGISTER, &lot), Seen::Accepted);
    assert_eq!(ledger.state_of(lot.id()).keys, []);
    let record = ledger.record(lot.id(), "x").signed(0, 1);
    assert_eq!(ledger.see(&record), Seen::Refused(RefusalCode::KEY_NOT_VALID));
}

#[test]
fn a_key_of_any_purpose_presents_its_thing() {
    let mut ledger = Ledger::new();
    let id = ledger.with(&card(1, ThingId([9; 20])), 1);
    let record = ledger.record(id, "x").signed(0, 1);
    assert_eq!(ledger.see(&record), Seen::Refused(RefusalCode::PURPOSE));
}

/// RFC 8949 §4.2.1: keys in the order of their encodings, so shorter names come first.
#[test]
fn attributes_are_in_the_order_of_deterministic_cbor() {
    let attributes =
        BTreeMap::from([("aa".to_string(), "1".to_string()), ("b".to_string(), "2".to_string())]);
    let inception = Inception { attributes: Some(attributes), ..device(0) };
    let encoded = inception.encode_to_vec();
    assert!(encoded.ends_with(&[0xa2, 0x61, b'b', 0x61, b'2', 0x62, b'a', b'a', 0x61, b'1']));
    assert_eq!(codec::decode::<Inception>(&encoded, 1_000), Ok(inception));
    let other =
        [&encoded[..encoded.len() - 9], &[0x62, b'a', b'a', 0x61, b'1', 0x61, b'b', 0x61, b'2']]
            .concat();
    assert!(codec::decode::<Inception>(&other, 1_000).is_err());
}

/// Anything can name anybody as its controller; that the controller says so, too, is another thing.
#[test]
fn a_controller_is_confirmed_by_its_own_word_only() {
    let mut ledger = Ledger::new();
    let controller = ledger.with(&device(0), 0);
    let stranger = ledger.with(&device(3), 3);
    let registered = controlled(1, controller);
    let seen = ledger.state((controller, 0), StatementKind::REGISTER, &registered);
    assert_eq!(seen, Seen::Accepted);
    assert_eq!(ledger.state_of(registered.id()).confirmed, Some(LeafIndex(2)));

    let thing = ledger.with(&controlled(2, controller), 2);
    let vouch = |roles: &[&str]| accredit(thing, roles);
    let set = |to| encoded(&status(thing, to, &[]));
    let word = |roles: &[&str]| encoded(&vouch(roles));
    for (name, (by, n), kind, payload, confirmed) in [
        ("it pauses it", (controller, 0), StatementKind::STATUS, set(Status::SUSPENDED), false),
        ("it resumes it", (controller, 0), StatementKind::STATUS, set(Status::ACTIVE), false),
        ("a stranger vouches", (stranger, 3), StatementKind::ACCREDIT, word(&["x"]), false),
        ("it vouches for itself", (thing, 2), StatementKind::ACCREDIT, word(&["x"]), false),
        ("it vouches", (controller, 0), StatementKind::ACCREDIT, word(&["sensor"]), true),
        ("no longer", (controller, 0), StatementKind::ACCREDIT, word(&[]), true),
        ("again", (controller, 0), StatementKind::ACCREDIT, word(&["sensor"]), true),
    ] {
        let at = LeafIndex(ledger.leaves.len() as u64);
        let statement = ledger.next(by, kind, payload).signed(0, n);
        assert_eq!(ledger.see(&statement), Seen::Accepted, "{name}");
        let now = ledger.state_of(thing).confirmed;
        assert_eq!(now.is_some(), confirmed, "{name}");
        assert!(now.is_none_or(|leaf| leaf <= at), "{name}");
    }
    assert_eq!(ledger.state_of(thing).confirmed, Some(LeafIndex(8)), "the first word counts");
}
