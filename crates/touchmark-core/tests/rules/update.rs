//! Update: attributes of a thing.

use crate::ledger::*;
use std::collections::BTreeMap;
use touchmark_core::directory::inception::Inception;
use touchmark_core::directory::update::Update;
use touchmark_core::event::Event;
use touchmark_core::view::Read as _;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::ThingId;
use touchmark_wire::registry::{ContentFormat, RefusalCode, StatementKind};
use touchmark_wire::statement::Content;

const UPDATE: StatementKind = StatementKind::UPDATE;

fn update(thing: ThingId, set: &[(&str, &str)], remove: &[&str]) -> Update {
    Update {
        thing,
        set: set.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
        remove: remove.iter().map(ToString::to_string).collect(),
    }
}

fn trio() -> (Ledger, ThingId, ThingId, ThingId) {
    let mut ledger = Ledger::new();
    let controller = ledger.with(&device(0), 0);
    let thing = ledger.with(&controlled(1, controller), 1);
    let stranger = ledger.with(&device(3), 3);
    (ledger, controller, thing, stranger)
}

#[test]
fn the_thing_and_its_controller_set_and_remove() {
    let (mut ledger, controller, thing, stranger) = trio();
    let set = update(thing, &[("maker", "7"), ("model", "x")], &[]);
    assert_eq!(ledger.state((controller, 0), UPDATE, &set), Seen::Accepted);
    let change = update(thing, &[("model", "y")], &["maker", "never"]);
    assert_eq!(ledger.state((thing, 1), UPDATE, &change), Seen::Accepted);
    assert_eq!(
        ledger.last_events(),
        [Event::AttributesChanged {
            thing,
            set: vec![("model".into(), "y".into())],
            removed: vec!["maker".into(), "never".into()],
        }]
    );
    let expected = BTreeMap::from([("model".to_string(), "y".to_string())]);
    assert_eq!(ledger.attributes(thing).unwrap().0, expected);
    let outcome = ledger.state((stranger, 3), UPDATE, &set);
    assert_eq!(outcome, Seen::Denied(RefusalCode::NOT_AUTHORISED));
    assert_eq!(ledger.attributes(thing).unwrap().0, expected);
}

/// The number that a control center allots, and the chip that it found, are its word.
#[test]
fn a_thing_under_a_controller_neither_numbers_itself_nor_names_its_chip() {
    let (mut ledger, controller, thing, _) = trio();
    let given = update(thing, &[("number", "7"), ("serial", "S-7")], &[]);
    let not_its_word = Seen::Denied(RefusalCode::NOT_AUTHORISED);
    assert_eq!(ledger.state((thing, 1), UPDATE, &given), not_its_word, "before it is confirmed");
    assert_eq!(ledger.state((controller, 0), UPDATE, &given), Seen::Accepted);
    let vouched = ledger.state((controller, 0), StatementKind::ACCREDIT, &accredit(thing, &["a"]));
    assert_eq!(vouched, Seen::Accepted);
    for (set, remove) in [
        (&[("number", "8")][..], &[][..]),
        (&[("serial", "S-8")], &[]),
        (&[("model", "x")], &["number"]),
        (&[], &["serial"]),
    ] {
        let own = update(thing, set, remove);
        assert_eq!(ledger.state((thing, 1), UPDATE, &own), not_its_word, "{set:?} {remove:?}");
        let part = group(&[(thing, UPDATE, encoded(&own))]);
        assert_eq!(ledger.state((thing, 1), StatementKind::GROUP, &part), not_its_word);
    }
    let model = update(thing, &[("model", "x")], &["never"]);
    assert_eq!(ledger.state((thing, 1), UPDATE, &model), Seen::Accepted);
    assert_eq!(ledger.attributes(thing).unwrap().0["number"], "7");
}

/// Presenting itself under a controller, a thing brings no number either; nobody's thing does.
#[test]
fn numbers_come_with_a_controllers_registration_only() {
    let (mut ledger, controller, ..) = trio();
    let numbered = |inception: Inception, name: &str| {
        let attributes = [(name.to_string(), "7".to_string())];
        Inception { attributes: Some(BTreeMap::from(attributes)), ..inception }
    };
    let not_its_word = Seen::Denied(RefusalCode::NOT_AUTHORISED);
    for name in ["number", "serial"] {
        let own = numbered(controlled(4, controller), name);
        assert_eq!(ledger.incept(&own, 4), not_its_word, "{name}");
        assert_eq!(ledger.thing(own.id()).unwrap(), None);
        let registered = ledger.state((controller, 0), StatementKind::REGISTER, &own);
        assert_eq!(registered, Seen::Accepted, "{name}");
        let free = numbered(device(5), name);
        assert_eq!(ledger.incept(&free, 5), Seen::Accepted, "{name}");
    }
}

/// What a controller registered has its specification from it; the thing itself reports the
/// firmware that it runs.
#[test]
fn the_specification_of_a_registered_thing_is_its_controllers() {
    let (mut ledger, controller, ..) = trio();
    let specification = [("model".to_string(), "x".to_string())];
    let inception = controlled(4, controller);
    let inception = Inception { attributes: Some(BTreeMap::from(specification)), ..inception };
    let registered = ledger.state((controller, 0), StatementKind::REGISTER, &inception);
    assert_eq!(registered, Seen::Accepted);
    let thing = inception.id();
    for (set, remove) in [(&[("model", "y")][..], &[][..]), (&[("a", "")], &[]), (&[], &["model"])]
    {
        let own = ledger.state((thing, 4), UPDATE, &update(thing, set, remove));
        assert_eq!(own, Seen::Denied(RefusalCode::NOT_AUTHORISED), "{set:?} {remove:?}");
    }
    for change in [update(thing, &[("firmware", "2")], &[]), update(thing, &[], &["firmware"])] {
        assert_eq!(ledger.state((thing, 4), UPDATE, &change), Seen::Accepted);
    }
    let change = update(thing, &[("model", "y"), ("firmware", "3")], &[]);
    assert_eq!(ledger.state((controller, 0), UPDATE, &change), Seen::Accepted);
}

#[test]
fn updates_are_denied() {
    let (mut ledger, controller, thing, _) = trio();
    let names: Vec<String> = (0..33).map(|n| format!("{n:02}")).collect();
    let pairs: Vec<_> = names.iter().map(|name| (name.as_str(), "")).collect();
    let long = "x".repeat(1_025);
    let wide: Vec<_> = names.iter().map(|name| (name.as_str(), &long[..1_024])).collect();
    for (name, change, expected) in [
        ("nobody's", update(ThingId([1; 20]), &[], &[]), Seen::Denied(RefusalCode::UNKNOWN_THING)),
        ("33", update(thing, &pairs, &[]), Seen::Denied(RefusalCode::LIMIT)),
        ("8 kB", update(thing, &wide[..8], &[]), Seen::Denied(RefusalCode::LIMIT)),
        ("a long value", update(thing, &[("a", &long)], &[]), Seen::Denied(RefusalCode::PAYLOAD)),
        ("no name", update(thing, &[("", "x")], &[]), Seen::Denied(RefusalCode::PAYLOAD)),
        ("32", update(thing, &pairs[..32], &[]), Seen::Accepted),
        ("a 33rd", update(thing, &[("a", "x")], &[]), Seen::Denied(RefusalCode::LIMIT)),
        ("another 32nd", update(thing, &[("a", "x")], &["00"]), Seen::Accepted),
    ] {
        assert_eq!(ledger.state((controller, 0), UPDATE, &change), expected, "{name}");
    }
    let broken = ledger.next(controller, UPDATE, vec![0xa0]).signed(0, 0);
    assert_eq!(ledger.see(&broken), Seen::Denied(RefusalCode::PAYLOAD));
}

/// No rule reads what is committed to, encrypted, or said to be something else.
#[test]
fn a_payload_counts_in_its_own_format_only() {
    let (mut ledger, _, thing, _) = trio();
    // 32 bytes that are a commitment and an accreditation at once.
    let accredit = encoded(&accredit(thing, &["reader"]));
    assert_eq!(accredit.len(), Digest::LEN);
    let (cbor, text) = (ContentFormat::CBOR, ContentFormat::TEXT);
    for (content, expected) in [
        (Content::Committed(cbor), Seen::Denied(RefusalCode::PAYLOAD)),
        (Content::Inline(text), Seen::Denied(RefusalCode::PAYLOAD)),
        (Content::Inline(ContentFormat::ENCRYPTED), Seen::Denied(RefusalCode::PAYLOAD)),
        (Content::Inline(cbor), Seen::Accepted),
    ] {
        let next = ledger.next(thing, StatementKind::ACCREDIT, accredit.clone());
        let statement = Writing { content, ..next }.signed(0, 1);
        assert_eq!(ledger.see(&statement), expected, "{content:?}");
    }
    for content in [Content::Committed(text), Content::Inline(text)] {
        let record = Writing { content, payload: vec![5; 32], ..ledger.record(thing, "") };
        assert_eq!(ledger.see(&record.signed(0, 1)), Seen::Accepted, "a record of {content:?}");
    }
}
