//! Places in chains: order, forks, resubmission.

use crate::ledger::*;
use touchmark_core::entry::Purposes;
use touchmark_core::event::Event;
use touchmark_core::refusal::ChainHead;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{ChannelId, KeyNumber, LeafIndex, Sequence, ThingId};
use touchmark_wire::registry::{RefusalCode, StatementKind, Status};
use touchmark_wire::statement::Link;

fn with_device() -> (Ledger, ThingId) {
    let mut ledger = Ledger::new();
    let id = ledger.with(&device(0), 0);
    (ledger, id)
}

#[test]
fn only_the_next_place_after_the_head_is_taken() {
    let (mut ledger, id) = with_device();
    let (origin, head) = (ledger.origin(), ledger.head_of(id).chain.last);
    let mut other_network = ledger.clone();
    let record = ledger.record(id, "x");
    let cases = [
        ("beyond the next", record.clone().at(3, head), RefusalCode::OUT_OF_ORDER),
        ("at the end of numbers", record.clone().at(u32::MAX, head), RefusalCode::OUT_OF_ORDER),
        ("after another statement", record.clone().at(2, Digest([1; 32])), RefusalCode::CONFLICT),
        ("after the network id", record.clone().at(2, origin), RefusalCode::CONFLICT),
    ];
    let before = ledger.clone();
    for (name, writing, code) in cases {
        let outcome = ledger.submit(&writing.signed(0, 0));
        assert_eq!(Seen::from(&outcome), Seen::Refused(code), "{name}");
        let expected = ChainHead { sequence: Sequence(1), last: head };
        assert_eq!(outcome.refusal().unwrap().head, Some(expected), "{name}: the head goes along");
        assert_eq!(ledger, before, "{name}: nothing is stored");
    }
    assert_eq!(ledger.see(&record.signed(0, 0)), Seen::Accepted);
    assert_eq!(other_network.see(&record.signed(0, 0)), Seen::Accepted);
}

#[test]
fn chains_begin_from_their_network() {
    let mut ledger = Ledger::new();
    let inception = device(0);
    let foreign = ledger.next(inception.id(), StatementKind::INCEPTION, inception.encode_to_vec());
    let foreign = foreign.at(1, Digest([0xbb; 32])).signed(0, 0);
    assert_eq!(ledger.see(&foreign), Seen::Refused(RefusalCode::WRONG_NETWORK));
    assert!(ledger.entries.is_empty());
}

#[test]
fn a_statement_again_is_answered_with_its_first_place() {
    let (mut ledger, id) = with_device();
    let record = ledger.record(id, "x").signed(0, 0);
    assert_eq!(ledger.see(&record), Seen::Accepted);
    let denied = ledger.next(id, StatementKind::UPDATE, vec![0xff]).signed(0, 0);
    assert_eq!(ledger.see(&denied), Seen::Denied(RefusalCode::PAYLOAD));
    assert_eq!(
        ledger.state((id, 0), StatementKind::STATUS, &status(id, Status::RETIRED, &[])),
        Seen::Accepted
    );
    let before = ledger.clone();
    // Also when its issuer could no longer make it.
    assert_eq!(ledger.see(&record), Seen::Known(1));
    assert_eq!(ledger.see(&denied), Seen::Known(2));
    assert_eq!(ledger, before);
}

#[test]
fn another_signature_of_the_same_bytes_is_the_same_statement() {
    let (mut ledger, id) = with_device();
    let record = ledger.record(id, "x").signed(0, 0);
    assert_eq!(ledger.see(&record), Seen::Accepted);
    let start = record.len() - 32;
    let twin = [&record[..start], &negated(&record[start..])].concat();
    assert_ne!(twin, record);
    assert_eq!(ledger.see(&twin), Seen::Known(1));
    // And it counts when it comes first.
    let second = ledger.record(id, "y").signed(0, 0);
    let start = second.len() - 32;
    let twin = [&second[..start], &negated(&second[start..])].concat();
    assert_eq!(ledger.see(&twin), Seen::Accepted);
    assert_eq!(ledger.see(&second), Seen::Known(2));
}

#[test]
fn a_denied_statement_uses_its_place_and_a_refused_one_does_not() {
    let (mut ledger, id) = with_device();
    let denied = ledger.next(id, StatementKind::UPDATE, vec![0xff]).signed(0, 0);
    assert_eq!(ledger.see(&denied), Seen::Denied(RefusalCode::PAYLOAD));
    assert_eq!(ledger.head_of(id).chain.sequence, Sequence(2));
    let event = Event::StatementDenied { issuer: id, code: RefusalCode::PAYLOAD };
    assert_eq!(ledger.last_events(), [event]);

    let record = ledger.record(id, "x");
    let unknown = ledger.next(id, StatementKind(99), Vec::new());
    let channel = Link { channel: Some(ChannelId([1; 20])), ..record.link };
    let in_channel = Writing { link: channel, ..record.clone() };
    let third = ledger.clone();
    for (bytes, code) in [
        (unknown.signed(0, 0), RefusalCode::UNKNOWN_KIND),
        (in_channel.signed(0, 0), RefusalCode::UNKNOWN_CHANNEL),
        (record.signed(0, 3), RefusalCode::SIGNATURE),
        (record.signed(0, 1), RefusalCode::KEY_NOT_VALID),
        (record.signed(1, 0), RefusalCode::KEY_NOT_VALID),
    ] {
        assert_eq!(ledger.see(&bytes), Seen::Refused(code));
        assert_eq!(ledger, third);
    }
    assert_eq!(ledger.see(&record.signed(0, 0)), Seen::Accepted);
}

#[test]
fn a_fork_is_proved_once() {
    let (mut ledger, id) = with_device();
    let second = ledger.record(id, "one");
    let twin = ledger.record(id, "two").signed(0, 0);
    let third_twin = ledger.record(id, "three").signed(0, 0);
    assert_eq!(ledger.see(&second.signed(0, 0)), Seen::Accepted);
    assert_eq!(ledger.see(&twin), Seen::Forked);
    assert_eq!(ledger.last_events(), [Event::ForkProved { issuer: id, first: LeafIndex(1) }]);
    assert_eq!(ledger.head_of(id).chain.fork.map(|fork| fork.leaf), Some(LeafIndex(2)));
    assert_eq!(ledger.head_of(id).chain.sequence, Sequence(2), "a fork takes no place");
    let before = ledger.clone();
    assert_eq!(ledger.see(&third_twin), Seen::Refused(RefusalCode::CONFLICT));
    // The same bytes again are answered with where the proof is.
    let again = ledger.submit(&twin);
    assert_eq!((Seen::from(&again), again.leaf()), (Seen::Forked, Some(LeafIndex(2))));
    assert!(again.refusal().unwrap().head.is_some(), "and with the head, to go on from");
    assert_eq!(ledger, before);
    // The chain goes on.
    let next = ledger.record(id, "next").signed(0, 0);
    assert_eq!(ledger.see(&next), Seen::Accepted);
    assert_eq!(ledger.head_of(id).chain.fork.map(|fork| fork.leaf), Some(LeafIndex(2)));
}

#[test]
fn a_fork_may_be_at_any_place_that_is_taken() {
    for (sequence, first) in [(1, 0), (2, 1), (3, 2)] {
        let (mut ledger, id) = with_device();
        let (origin, one) = (ledger.origin(), ledger.head_of(id).chain.last);
        let denied = ledger.next(id, StatementKind::UPDATE, vec![0xff]).signed(0, 0);
        assert_eq!(ledger.see(&denied), Seen::Denied(RefusalCode::PAYLOAD));
        let two = ledger.head_of(id).chain.last;
        let record = ledger.record(id, "x").signed(0, 0);
        assert_eq!(ledger.see(&record), Seen::Accepted);
        let previous = [origin, one, two][sequence as usize - 1];
        let fork = ledger.record(id, "other").at(sequence, previous).signed(0, 0);
        assert_eq!(ledger.see(&fork), Seen::Forked);
        let event = Event::ForkProved { issuer: id, first: LeafIndex(first) };
        assert_eq!(ledger.last_events(), [event]);
    }
}

/// Key 0 makes place 2, then key 1 takes over at place 3.
fn rotated() -> (Ledger, ThingId, [Digest; 3]) {
    let (mut ledger, id) = with_device();
    let one = ledger.head_of(id).chain.last;
    let record = ledger.record(id, "x").signed(0, 0);
    assert_eq!(ledger.see(&record), Seen::Accepted);
    let two = ledger.head_of(id).chain.last;
    let mut rotation = rotation(id);
    (rotation.add, rotation.close) = (vec![general(1)], vec![KeyNumber(0)]);
    assert_eq!(ledger.state((id, 0), StatementKind::ROTATE, &rotation), Seen::Accepted);
    let three = ledger.head_of(id).chain.last;
    let record = ledger.record(id, "y").signed(1, 1);
    assert_eq!(ledger.see(&record), Seen::Accepted);
    (ledger, id, [one, two, three])
}

/// Who steals a key that has ended cannot mark the chain of who has it no longer.
#[test]
fn a_fork_counts_under_keys_that_were_valid_there_and_still_are() {
    let (ledger, id, [one, two, three]) = rotated();
    let conflict = Seen::Refused(RefusalCode::CONFLICT);
    for (name, sequence, previous, (number, n), expected) in [
        ("the old key, at its time", 2, one, (0, 0), conflict),
        ("the new key, before its time", 2, one, (1, 1), conflict),
        ("the old key, beside the rotation that ends it", 3, two, (0, 0), conflict),
        ("the new key, beside the rotation that brings it", 3, two, (1, 1), Seen::Forked),
        ("the old key, after its time", 4, three, (0, 0), conflict),
        ("the new key, at its time", 4, three, (1, 1), Seen::Forked),
    ] {
        let fork = ledger.record(id, "other").at(sequence, previous).signed(number, n);
        let mut ledger = ledger.clone();
        let before = ledger.clone();
        assert_eq!(ledger.see(&fork), expected, "{name}");
        assert_eq!(ledger == before, expected == conflict, "{name}");
    }
}

#[test]
fn a_fork_of_a_strangers_hand_is_none() {
    let (mut ledger, id) = with_device();
    let stranger = ledger.with(&device(3), 3);
    let record = ledger.record(id, "x");
    assert_eq!(ledger.see(&record.signed(0, 0)), Seen::Accepted);
    let other = Writing { payload: b"other".to_vec(), ..record };
    let before = ledger.clone();
    for (bytes, code) in [
        (other.signed(0, 3), RefusalCode::SIGNATURE),
        (other.signed_by(&[(stranger, 0, 3)]), RefusalCode::CONFLICT),
    ] {
        assert_eq!(ledger.see(&bytes), Seen::Refused(code));
        assert_eq!(ledger, before);
    }
}

/// Whoever carries a second statement can add a signature to it.
#[test]
fn a_signature_of_a_stranger_hides_no_fork() {
    let (mut ledger, id) = with_device();
    let stranger = ledger.with(&device(3), 3);
    let record = ledger.record(id, "x");
    assert_eq!(ledger.see(&record.signed(0, 0)), Seen::Accepted);
    let other = Writing { payload: b"other".to_vec(), ..record };
    assert_eq!(ledger.see(&other.signed_by(&[(id, 0, 0), (stranger, 0, 3)])), Seen::Forked);
    assert_eq!(ledger.see(&other.signed_by(&[(id, 0, 0)])), Seen::Forked, "the same statement");
}

/// One key of a board, or a key for something else, proves nothing against the whole.
#[test]
fn a_fork_needs_the_purpose_and_the_threshold() {
    let mut ledger = Ledger::new();
    let mut board = device(0);
    board.keys = vec![
        general(0),
        general(1),
        for_purposes(2, Purposes::RECORD),
        for_purposes(3, Purposes::EVIDENCE),
    ];
    board.threshold = 2;
    let id = board.id();
    let present = ledger.next(id, StatementKind::INCEPTION, board.encode_to_vec());
    assert_eq!(ledger.see(&present.signed_by(&[(id, 0, 0), (id, 1, 1)])), Seen::Accepted);
    let record = ledger.record(id, "x");
    let accredit = ledger.next(id, StatementKind::ACCREDIT, encoded(&accredit(id, &["itself"])));
    let unknown = ledger.next(id, StatementKind(99), Vec::new());
    assert_eq!(ledger.see(&record.signed_by(&[(id, 0, 0), (id, 1, 1)])), Seen::Accepted);
    let other = Writing { payload: b"other".to_vec(), ..record };
    let conflict = Seen::Refused(RefusalCode::CONFLICT);
    for (name, writing, signers, expected) in [
        ("one of two", &other, &[(id, 0, 0)][..], conflict),
        ("one and an evidence key", &other, &[(id, 0, 0), (id, 3, 3)], conflict),
        ("one and a record key, for control", &accredit, &[(id, 0, 0), (id, 2, 2)], conflict),
        ("of an unknown kind", &unknown, &[(id, 0, 0), (id, 1, 1)], conflict),
        ("one and a record key", &other, &[(id, 0, 0), (id, 2, 2)], Seen::Forked),
        ("two for control", &accredit, &[(id, 0, 0), (id, 1, 1)], Seen::Forked),
        ("two and an evidence key", &other, &[(id, 0, 0), (id, 1, 1), (id, 3, 3)], Seen::Forked),
    ] {
        let mut ledger = ledger.clone();
        assert_eq!(ledger.see(&writing.signed_by(signers)), expected, "{name}");
    }
}

#[test]
fn signatures_of_strangers_do_not_ride_along() {
    let (mut ledger, id) = with_device();
    let stranger = ledger.with(&device(3), 3);
    let record = ledger.record(id, "x");
    let before = ledger.clone();
    let both = record.signed_by(&[(id, 0, 0), (stranger, 0, 3)]);
    assert_eq!(ledger.see(&both), Seen::Refused(RefusalCode::NOT_AUTHORISED));
    let alone = record.signed_by(&[(stranger, 0, 3)]);
    assert_eq!(ledger.see(&alone), Seen::Refused(RefusalCode::NOT_AUTHORISED));
    assert_eq!(ledger, before);
    assert_eq!(ledger.see(&record.signed_by(&[(id, 0, 0)])), Seen::Accepted);
}

#[test]
fn keys_state_what_they_were_declared_for() {
    let mut ledger = Ledger::new();
    let mut inception = device(0);
    inception.keys = vec![
        general(0),
        for_purposes(1, Purposes::RECORD),
        for_purposes(2, Purposes::CONTROL),
        for_purposes(3, Purposes::AUTHENTICATE),
        for_purposes(4, Purposes::EVIDENCE),
        for_purposes(5, Purposes::AGREE),
    ];
    let id = ledger.with(&inception, 0);
    let refused = Seen::Refused(RefusalCode::PURPOSE);
    let update = encoded(&accredit(id, &["itself"]));
    for (number, record, control) in [
        (0, Seen::Accepted, Seen::Accepted),
        (1, Seen::Accepted, refused),
        (2, refused, Seen::Accepted),
        (3, refused, refused),
        (4, refused, refused),
        (5, refused, refused),
    ] {
        let n = number as u8;
        let statement = ledger.record(id, "x").signed(number, n);
        assert_eq!(ledger.see(&statement), record, "record by key {n}");
        let statement = ledger.next(id, StatementKind::ACCREDIT, update.clone()).signed(number, n);
        assert_eq!(ledger.see(&statement), control, "control by key {n}");
    }
    // A key of the right purpose does not make up for one of the wrong purpose.
    let both = ledger.record(id, "x").signed_by(&[(id, 0, 0), (id, 3, 3)]);
    assert_eq!(ledger.see(&both), refused);
}

/// Weights 2, 1, 1; threshold 3.
#[test]
fn weights_reach_the_threshold() {
    let mut ledger = Ledger::new();
    let mut inception = device(0);
    inception.keys = vec![general(0), general(1), general(2)];
    inception.keys[0].weight = 2;
    inception.threshold = 3;
    let id = inception.id();
    let present = ledger.next(id, StatementKind::INCEPTION, inception.encode_to_vec());
    let (short, exact) = (Seen::Refused(RefusalCode::THRESHOLD), Seen::Accepted);
    assert_eq!(ledger.see(&present.signed(0, 0)), short, "no single key initialises");
    assert_eq!(ledger.see(&present.signed_by(&[(id, 1, 1), (id, 2, 2)])), short);
    assert_eq!(ledger.see(&present.signed_by(&[(id, 0, 0), (id, 1, 1)])), exact);
    for (signers, expected) in [
        (&[0][..], short),
        (&[1, 2], short),
        (&[0, 1], exact),
        (&[0, 2], exact),
        (&[0, 1, 2], exact),
    ] {
        let signers: Vec<_> = signers.iter().map(|n| (id, u32::from(*n), *n)).collect();
        let record = ledger.record(id, "x").signed_by(&signers);
        assert_eq!(ledger.see(&record), expected, "{signers:?}");
    }
    let single = ledger.record(id, "x").signed(0, 0);
    assert_eq!(ledger.see(&single), short);
}
