//! Atomic groups: all or nothing, by the authority of everyone whose authority is used.

use crate::ledger::*;
use touchmark_core::directory::inception::Inception;
use touchmark_core::event::Event;
use touchmark_core::view::Read as _;
use touchmark_wire::ids::{KeyNumber, Sequence, ThingId};
use touchmark_wire::registry::{RefusalCode, StatementKind, Status, ThingKind};

const GROUP: StatementKind = StatementKind::GROUP;
const ACCREDIT: StatementKind = StatementKind::ACCREDIT;

/// Two organisations with keys 0 and 1, and a stranger with key 3.
fn parties() -> (Ledger, ThingId, ThingId, ThingId) {
    let mut ledger = Ledger::new();
    let [a, b, stranger] = [0, 1, 3].map(|n| ledger.with(&device(n), n));
    (ledger, a, b, stranger)
}

/// `a` and `b` vouch for each other.
fn mutual(a: ThingId, b: ThingId) -> Vec<u8> {
    let actions = [
        (a, ACCREDIT, encoded(&accredit(b, &["partner"]))),
        (b, ACCREDIT, encoded(&accredit(a, &["partner"]))),
    ];
    encoded(&group(&actions))
}

#[test]
fn everything_happens_together() {
    let (mut ledger, a, b, _) = parties();
    let statement = ledger.next(a, GROUP, mutual(a, b)).signed_by(&[(a, 0, 0), (b, 0, 1)]);
    assert_eq!(ledger.see(&statement), Seen::Accepted);
    assert!(matches!(
        ledger.last_events(),
        [Event::ThingAccredited { by: one, .. }, Event::ThingAccredited { by: two, .. }]
            if (*one, *two) == (a, b)
    ));
    assert_eq!(ledger.head_of(a).chain.sequence, Sequence(2));
    assert_eq!(ledger.head_of(b).chain.sequence, Sequence(1), "no other chain moves");
}

#[test]
fn or_nothing_happens() {
    let (mut ledger, a, b, _) = parties();
    let lot = Inception { kind: ThingKind::LOT, keys: Vec::new(), ..controlled(5, a) };
    let good = (a, StatementKind::REGISTER, lot.encode_to_vec());
    let bad = (b, ACCREDIT, encoded(&accredit(ThingId([1; 20]), &["x"])));
    let actions = encoded(&group(&[good.clone(), bad]));
    let statement = ledger.next(a, GROUP, actions).signed_by(&[(a, 0, 0), (b, 0, 1)]);
    assert_eq!(ledger.see(&statement), Seen::Denied(RefusalCode::UNKNOWN_THING));
    assert_eq!(ledger.thing(lot.id()), Ok(None));
    assert_eq!(ledger.head(lot.id()), Ok(None), "nor is it in a history");
    let twice = encoded(&group(&[good.clone(), good.clone()]));
    assert_eq!(ledger.state_bytes(a, 0, twice), Seen::Denied(RefusalCode::EXISTS));
    assert_eq!(ledger.state_bytes(a, 0, encoded(&group(&[good]))), Seen::Accepted);
}

#[test]
fn a_later_action_sees_what_an_earlier_one_did() {
    let (mut ledger, a, ..) = parties();
    let lot = Inception { kind: ThingKind::LOT, keys: Vec::new(), ..controlled(5, a) };
    let actions = encoded(&group(&[
        (a, StatementKind::REGISTER, lot.encode_to_vec()),
        (a, StatementKind::STATUS, encoded(&status(lot.id(), Status::SUSPENDED, &[]))),
        (a, StatementKind::STATUS, encoded(&status(lot.id(), Status::RETIRED, &[]))),
    ]));
    assert_eq!(ledger.state_bytes(a, 0, actions), Seen::Accepted);
    assert_eq!(ledger.state_of(lot.id()).status(), Status::RETIRED);
}

/// Signatures are not part of what is signed: whoever carries a group can leave one out or add
/// one. That must not decide about it.
#[test]
fn signatures_left_out_or_added_on_the_way_burn_nothing() {
    let (mut ledger, a, b, stranger) = parties();
    let mut rotation = rotation(b);
    (rotation.add, rotation.close) = (vec![general(4)], vec![KeyNumber(0)]);
    assert_eq!(ledger.state((b, 1), StatementKind::ROTATE, &rotation), Seen::Accepted);
    let writing = ledger.next(a, GROUP, mutual(a, b));
    let before = ledger.clone();
    for (name, signers, code) in [
        ("b did not sign", &[(a, 0, 0)][..], RefusalCode::THRESHOLD),
        ("the proposer did not", &[(b, 1, 4)], RefusalCode::THRESHOLD),
        ("b's old key", &[(a, 0, 0), (b, 0, 1)], RefusalCode::KEY_NOT_VALID),
        ("b's old key too", &[(a, 0, 0), (b, 0, 1), (b, 1, 4)], RefusalCode::KEY_NOT_VALID),
        ("a stranger", &[(a, 0, 0), (b, 1, 4), (stranger, 0, 3)], RefusalCode::NOT_AUTHORISED),
    ] {
        assert_eq!(ledger.see(&writing.signed_by(signers)), Seen::Refused(code), "{name}");
        assert_eq!(ledger, before, "{name}");
    }
    let complete = writing.signed_by(&[(a, 0, 0), (b, 1, 4)]);
    assert_eq!(ledger.see(&complete), Seen::Accepted);
    // What is left of it is the same statement.
    let known = Seen::Known(ledger.leaves.len() as u64 - 1);
    assert_eq!(ledger.see(&writing.signed_by(&[(a, 0, 0)])), known);
}

#[test]
fn a_key_of_another_purpose_does_not_consent() {
    let (mut ledger, a, ..) = parties();
    let mut reader = device(6);
    reader.keys = vec![general(6), for_purposes(7, touchmark_core::entry::Purposes::RECORD)];
    let reader = ledger.with(&reader, 6);
    let writing = ledger.next(a, GROUP, mutual(a, reader));
    let outcome = ledger.see(&writing.signed_by(&[(a, 0, 0), (reader, 1, 7)]));
    assert_eq!(outcome, Seen::Refused(RefusalCode::PURPOSE));
}

#[test]
fn every_actor_reaches_its_own_threshold() {
    let (mut ledger, a, ..) = parties();
    let mut board = device(6);
    (board.keys, board.threshold) = (vec![general(6), general(7), general(8)], 2);
    let id = board.id();
    let present = ledger.next(id, StatementKind::INCEPTION, board.encode_to_vec());
    assert_eq!(ledger.see(&present.signed_by(&[(id, 0, 6), (id, 1, 7)])), Seen::Accepted);
    let writing = ledger.next(a, GROUP, mutual(a, id));
    let one = writing.signed_by(&[(a, 0, 0), (id, 2, 8)]);
    assert_eq!(ledger.see(&one), Seen::Refused(RefusalCode::THRESHOLD));
    let two = writing.signed_by(&[(a, 0, 0), (id, 2, 8), (id, 0, 6)]);
    assert_eq!(ledger.see(&two), Seen::Accepted);
}

#[test]
fn groups_are_denied() {
    let (mut ledger, a, b, _) = parties();
    let paused = ledger.with(&device(6), 6);
    let pause = status(paused, Status::SUSPENDED, &[]);
    assert_eq!(ledger.state((paused, 6), StatementKind::STATUS, &pause), Seen::Accepted);
    let one = || (a, ACCREDIT, encoded(&accredit(b, &["x"])));
    let of_kind = |kind| encoded(&group(&[(a, kind, vec![0xf6])]));
    let own = &[(a, 0, 0)][..];
    let gone = ThingId([1; 20]);
    let by = |actor: ThingId| encoded(&group(&[(actor, ACCREDIT, encoded(&accredit(b, &["x"])))]));
    for (name, payload, signers, code) in [
        ("no list", vec![0xa0], own, RefusalCode::PAYLOAD),
        ("empty", encoded(&group(&[])), own, RefusalCode::LIMIT),
        ("17", encoded(&group(&vec![one(); 17])), own, RefusalCode::LIMIT),
        ("an inception", of_kind(StatementKind::INCEPTION), own, RefusalCode::GROUP),
        ("a record", of_kind(StatementKind::RECORD), own, RefusalCode::GROUP),
        ("evidence", of_kind(StatementKind::EVIDENCE), own, RefusalCode::GROUP),
        ("a group", of_kind(GROUP), own, RefusalCode::GROUP),
        ("an unknown kind", of_kind(StatementKind(99)), own, RefusalCode::GROUP),
        ("a broken part", of_kind(ACCREDIT), own, RefusalCode::PAYLOAD),
        ("nobody", by(gone), own, RefusalCode::UNKNOWN_THING),
        ("someone paused", by(paused), &[(a, 0, 0), (paused, 0, 6)], RefusalCode::REVOKED),
    ] {
        let statement = ledger.next(a, GROUP, payload).signed_by(signers);
        assert_eq!(ledger.see(&statement), Seen::Denied(code), "{name}");
    }
    let sixteen = encoded(&group(&vec![one(); 16]));
    assert_eq!(ledger.state_bytes(a, 0, sixteen), Seen::Accepted);
}

#[test]
fn a_group_may_speak_for_one_party_other_than_its_proposer() {
    let (mut ledger, a, b, _) = parties();
    let actions = encoded(&group(&[(b, ACCREDIT, encoded(&accredit(a, &["x"])))]));
    let statement = ledger.next(a, GROUP, actions).signed_by(&[(a, 0, 0), (b, 0, 1)]);
    let count = ledger.head_of(b).history.count;
    assert_eq!(ledger.see(&statement), Seen::Accepted);
    assert_eq!(ledger.head_of(b).history.count, count + 1, "b's word is in b's history");
}

impl Ledger {
    fn state_bytes(&mut self, issuer: ThingId, n: u8, payload: Vec<u8>) -> Seen {
        let statement = self.next(issuer, GROUP, payload).signed(0, n);
        self.see(&statement)
    }
}
