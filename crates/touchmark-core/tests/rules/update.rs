//! Update: attributes of a thing.

use crate::ledger::*;
use std::collections::BTreeMap;
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
    let set = update(thing, &[("serial", "7"), ("model", "x")], &[]);
    assert_eq!(ledger.state((controller, 0), UPDATE, &set), Seen::Accepted);
    let change = update(thing, &[("model", "y")], &["serial", "never"]);
    assert_eq!(ledger.state((thing, 1), UPDATE, &change), Seen::Accepted);
    assert_eq!(
        ledger.last_events(),
        [Event::AttributesChanged {
            thing,
            set: vec![("model".into(), "y".into())],
            removed: vec!["serial".into(), "never".into()],
        }]
    );
    let expected = BTreeMap::from([("model".to_string(), "y".to_string())]);
    assert_eq!(ledger.attributes(thing).unwrap().0, expected);
    let outcome = ledger.state((stranger, 3), UPDATE, &set);
    assert_eq!(outcome, Seen::Denied(RefusalCode::NOT_AUTHORISED));
    assert_eq!(ledger.attributes(thing).unwrap().0, expected);
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
