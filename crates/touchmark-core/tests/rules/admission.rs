//! Admission: keys are found, signatures checked, everything else stopped at the door.

use crate::ledger::*;
use std::cell::Cell;
use std::sync::Arc;
use touchmark_core::admission::{self, OneByOne, Submission};
use touchmark_core::directory::rotation::Rotation;
use touchmark_core::entry::{Entry, Purposes};
use touchmark_core::refusal::{Unreadable, hint};
use touchmark_core::rules::Decision;
use touchmark_core::view::View;
use touchmark_wire::genesis::Committee;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{
    ChannelId, EvidenceId, KeyNumber, LeafIndex, NetworkId, Sequence, StatementId, ThingId,
};
use touchmark_wire::leaf::Leaf;
use touchmark_wire::limits;
use touchmark_wire::registry::{EvidenceFormat, RefusalCode, StatementKind, Status};
use touchmark_wire::state::StateKey;
use touchmark_wire::statement::{Claims, Draft, Statement};

const URL: EvidenceFormat = EvidenceFormat::CARD_URL;

#[test]
fn only_statements_and_bare_evidence_come_in() {
    let mut ledger = Ledger::new();
    let id = ledger.with(&device(0), 0);
    let record = ledger.record(id, "x").signed(0, 0);
    let denied = Leaf::Denied { code: 205, statement: &record }.encode_to_vec();
    let sighting = Leaf::Sighting { code: 201, leaf: &record }.encode_to_vec();
    let fork = Leaf::Fork { first: LeafIndex(0), second: &record }.encode_to_vec();
    let batch = touchmark_wire::leaf::BatchLeaf {
        height: touchmark_wire::ids::Height(1),
        time: touchmark_wire::ids::Timestamp(0),
        state_root: touchmark_wire::hash::Digest::default(),
    };
    let batch = Leaf::Batch(batch).encode_to_vec();
    let trailing = [&record[..], &[0]].concat();
    let long = ledger.record(id, &"x".repeat(limits::STATEMENT)).signed(0, 0);
    let before = ledger.clone();
    for (name, bytes, code) in [
        ("nothing", Vec::new(), RefusalCode::MALFORMED),
        ("a denied leaf", denied, RefusalCode::MALFORMED),
        ("a sighting", sighting, RefusalCode::MALFORMED),
        ("a fork", fork, RefusalCode::MALFORMED),
        ("a batch", batch, RefusalCode::MALFORMED),
        ("half a statement", record[..record.len() / 2].to_vec(), RefusalCode::MALFORMED),
        ("more than a statement", trailing, RefusalCode::MALFORMED),
        ("too long a statement", long, RefusalCode::TOO_LONG),
        ("too long for a leaf", vec![0xff; limits::LEAF + 1], RefusalCode::TOO_LONG),
        ("too long evidence", bare(URL, &vec![0; limits::EVIDENCE + 1]), RefusalCode::TOO_LONG),
    ] {
        assert_eq!(ledger.see(&bytes), Seen::Refused(code), "{name}");
        assert_eq!(ledger, before, "{name}");
    }
}

#[test]
fn claims_name_an_issuer_of_this_network() {
    let mut ledger = Ledger::new();
    let id = ledger.with(&device(0), 0);
    let record = ledger.record(id, "x");
    for (network, expected) in [
        (NetworkId(Digest([0xbb; 32])), Seen::Refused(RefusalCode::WRONG_NETWORK)),
        (NetworkId(ledger.origin()), Seen::Accepted),
    ] {
        let issuer = id.did(&network).to_string();
        let claims = Claims { issuer: &issuer, subject: "x", issued_at: None };
        let draft = Draft {
            issuer: id,
            link: record.link,
            content: record.content,
            claims: Some(claims),
            payload: &record.payload,
        };
        assert_eq!(ledger.see(&draft.sign(KeyNumber(0), &key(0)).unwrap()), expected);
    }
}

#[test]
fn the_key_that_kid_names_decides_the_algorithm() {
    let mut ledger = Ledger::new();
    let mut inception = device(0);
    inception.keys.push(general(1));
    let id = ledger.with(&inception, 0);
    let record = ledger.record(id, "x");
    let genuine = record.signed(0, 0);
    // The header of ES256 with that of Ed25519's number in its place, and the other way round.
    let place = genuine.windows(2).position(|two| two == [0x01, 0x26]).unwrap();
    let mut other = genuine.clone();
    other[place + 1] = 0x32;
    assert_eq!(ledger.see(&other), Seen::Refused(RefusalCode::KEY_NOT_VALID));
    assert_eq!(ledger.see(&record.signed(1, 0)), Seen::Refused(RefusalCode::KEY_NOT_VALID));
    assert_eq!(ledger.see(&record.signed(0, 1)), Seen::Refused(RefusalCode::KEY_NOT_VALID));
    // EdDSA without a curve (−8) is not an algorithm of the protocol.
    let mut unspecific = record.signed(1, 1);
    let place = unspecific.windows(2).position(|two| two == [0x01, 0x32]).unwrap();
    unspecific[place + 1] = 0x27;
    assert_eq!(ledger.see(&unspecific), Seen::Refused(RefusalCode::KEY_NOT_VALID));
    assert_eq!(ledger.see(&record.signed(1, 1)), Seen::Accepted);
}

#[test]
fn any_changed_byte_of_a_statement_is_refused_or_known() {
    let mut ledger = Ledger::new();
    let id = ledger.with(&device(0), 0);
    let record = ledger.record(id, "twelve degrees").signed(0, 0);
    let before = ledger.clone();
    for at in 0..record.len() {
        for difference in [1, 2, 0x20, 0x80] {
            let mut bytes = record.clone();
            bytes[at] ^= difference;
            assert!(matches!(ledger.see(&bytes), Seen::Refused(_)), "byte {at}");
        }
    }
    assert_eq!(ledger, before);
}

#[test]
fn a_thing_and_its_statements_may_come_in_one_call() {
    let mut ledger = Ledger::new();
    let mut other = ledger.clone();
    let inception = device(0);
    let id = other.with(&inception, 0);
    let one = Ledger::new().next(id, StatementKind::INCEPTION, inception.encode_to_vec());
    let record = other.record(id, "x");
    assert_eq!(other.see(&record.signed(0, 0)), Seen::Accepted);
    let change = Rotation { add: vec![general(1)], close: vec![KeyNumber(0)], ..rotation(id) };
    let rotate = other.next(id, StatementKind::ROTATE, encoded(&change));
    assert_eq!(other.see(&rotate.signed(0, 0)), Seen::Accepted);
    let outcomes = ledger.submit_all(&[one.signed(0, 0), record.signed(0, 0), rotate.signed(0, 0)]);
    assert_eq!(outcomes.iter().map(Seen::from).collect::<Vec<_>>(), [Seen::Accepted; 3]);
    assert_eq!(ledger, other);
    // The keys of the rotation, once its thing is there.
    let next = ledger.next(
        id,
        StatementKind::ROTATE,
        encoded(&Rotation { add: vec![general(2)], ..rotation(id) }),
    );
    let mut after = ledger.clone();
    assert_eq!(after.see(&next.signed(1, 1)), Seen::Accepted);
    let by_new = after.record(id, "y").signed(2, 2);
    let outcomes = ledger.submit_all(&[next.signed(1, 1), by_new]);
    assert_eq!(outcomes.iter().map(Seen::from).collect::<Vec<_>>(), [Seen::Accepted; 2]);
}

#[test]
fn what_a_refused_statement_introduces_counts_for_nothing() {
    let mut ledger = Ledger::new();
    let honest = ledger.with(&device(3), 3);
    let inception = device(0);
    let id = inception.id();
    let writing = ledger.next(id, StatementKind::INCEPTION, inception.encode_to_vec());
    let never = writing.at(5, touchmark_wire::hash::Digest([1; 32])).signed(0, 0);
    let record = ledger.record(id, "x").signed(0, 0);
    let both = ledger.record(honest, "x").signed_by(&[(honest, 0, 3), (id, 0, 0)]);
    let before = ledger.clone();
    let outcomes = ledger.submit_all(&[never, record, both]);
    let seen: Vec<_> = outcomes.iter().map(Seen::from).collect();
    assert_eq!(
        seen,
        [
            Seen::Refused(RefusalCode::OUT_OF_ORDER),
            Seen::Refused(RefusalCode::UNKNOWN_THING),
            Seen::Refused(RefusalCode::UNKNOWN_THING),
        ]
    );
    assert_eq!(ledger, before);
}

/// Requests of different people are admitted in one call: what one of them claims to be of a
/// thing's chain must not decide under which keys its genuine statements are checked.
#[test]
fn nobody_brings_keys_to_anothers_chain() {
    let mut ledger = Ledger::new();
    let id = ledger.with(&prerotated(1, 2, None), 1);
    let stranger = ledger.with(&device(3), 3);
    let change = |add: u8, next: u8| Rotation {
        add: vec![general(add)],
        next: Some(committed(1, &[next])),
        ..rotation(id)
    };
    let genuine = ledger.next(id, StatementKind::ROTATE, encoded(&change(2, 4)));
    let forged = ledger.next(id, StatementKind::ROTATE, encoded(&change(3, 3)));
    let mut after = ledger.clone();
    assert_eq!(after.see(&genuine.signed(1, 2)), Seen::Accepted);
    let record = after.record(id, "x").signed(1, 2);
    let foreign = ledger.next(stranger, StatementKind::ROTATE, encoded(&rotation(stranger)));
    let on_forged = |previous: &[u8]| {
        foreign.clone().at(foreign.link.sequence.0, Statement::parse(previous).unwrap().id().0)
    };
    let forged = forged.signed(1, 3);
    let outcomes = ledger.submit_all(&[
        forged.clone(),
        genuine.signed(1, 2),
        record,
        on_forged(&forged).signed(1, 3),
    ]);
    assert_eq!(
        outcomes.iter().map(Seen::from).collect::<Vec<_>>(),
        [
            Seen::Refused(RefusalCode::KEY_NOT_VALID),
            Seen::Accepted,
            Seen::Accepted,
            Seen::Refused(RefusalCode::KEY_NOT_VALID),
        ]
    );
}

#[test]
fn revealed_keys_may_follow_each_other_in_one_call() {
    let mut ledger = Ledger::new();
    let id = ledger.with(&prerotated(1, 2, None), 1);
    let change = |add: u8, close: u32, next: u8| Rotation {
        add: vec![general(add)],
        close: vec![KeyNumber(close)],
        next: Some(committed(1, &[next])),
        ..rotation(id)
    };
    let mut other = ledger.clone();
    let mut inputs = Vec::new();
    for (number, key) in (1..).zip(2..5) {
        let rotation = change(key, number - 1, key + 1);
        let rotate = other.next(id, StatementKind::ROTATE, encoded(&rotation)).signed(number, key);
        assert_eq!(other.see(&rotate), Seen::Accepted);
        let record = other.record(id, "x").signed(number, key);
        assert_eq!(other.see(&record), Seen::Accepted);
        inputs.extend([rotate, record]);
    }
    let mut in_parts = ledger.clone();
    let outcomes = ledger.submit_all(&inputs);
    assert!(outcomes.iter().all(|outcome| Seen::from(outcome) == Seen::Accepted), "{outcomes:?}");
    assert_eq!(ledger, other);
    // The first ones again, of which the log has a part: its numbers are not counted twice.
    assert_eq!(in_parts.see(&inputs[0]), Seen::Accepted);
    let outcomes = in_parts.submit_all(&inputs);
    let seen: Vec<_> = outcomes.iter().map(Seen::from).collect();
    assert_eq!(seen[1..], [Seen::Accepted; 5]);
    assert_eq!(in_parts, other);
}

fn holds(submission: &Submission, ledger: &Ledger) -> bool {
    !matches!(ledger.decide(submission), Decision::Outdated)
}

/// Between admission and its place in the log the state may change. A submission then either
/// still holds, or says that it must be admitted anew.
#[test]
fn what_was_admitted_before_a_change_is_admitted_anew() {
    let mut ledger = Ledger::new();
    let issuer = ledger.with(&device(0), 0);
    let reader = ledger.with(&device(3), 3);
    let inception = card(1, issuer);
    let card = inception.id();
    let url = card_url(card, 5, 1);
    let wrapping =
        ledger.next(reader, StatementKind::EVIDENCE, wrapped(URL, url.as_bytes())).signed(0, 3);
    let of_unknown = ledger.admit(&wrapping).unwrap();
    assert!(holds(&of_unknown, &ledger));
    assert_eq!(ledger.state((issuer, 0), StatementKind::REGISTER, &inception), Seen::Accepted);
    assert!(!holds(&of_unknown, &ledger), "the card is known now");

    let of_card = ledger.admit(&bare(URL, url.as_bytes())).unwrap();
    let in_wrapping = ledger.admit(&wrapping).unwrap();
    assert!(holds(&of_card, &ledger) && holds(&in_wrapping, &ledger));
    let lost = status(card, Status::LOST, &[]);
    assert_eq!(ledger.state((issuer, 0), StatementKind::STATUS, &lost), Seen::Accepted);
    assert!(holds(&of_card, &ledger), "the key that it last had is still the one to check under");
    let found = status(card, Status::ACTIVE, &[for_purposes(4, Purposes::CARD)]);
    assert_eq!(ledger.state((issuer, 0), StatementKind::STATUS, &found), Seen::Accepted);
    assert!(!holds(&of_card, &ledger) && !holds(&in_wrapping, &ledger), "it has another key");
    assert_eq!(ledger.admit(&bare(URL, url.as_bytes())).unwrap_err().code, RefusalCode::FORGED);
}

#[test]
fn a_signature_holds_while_the_state_has_its_key() {
    let mut ledger = Ledger::new();
    let inception = device(0);
    let id = inception.id();
    let present = ledger.next(id, StatementKind::INCEPTION, inception.encode_to_vec()).signed(0, 0);
    let record = ledger.record(id, "x").at(2, touchmark_wire::hash::Digest::default()).signed(0, 0);
    let inputs = vec![present.clone(), record];
    let mut admitted = admission::admit(inputs, &ledger, &OneByOne).into_iter();
    let (present, record) = (admitted.next().unwrap().unwrap(), admitted.next().unwrap().unwrap());
    assert!(holds(&present, &ledger), "an inception brings its own keys");
    assert!(!holds(&record, &ledger), "its signer is not there yet");
    assert_eq!(Seen::from(&ledger.execute(&present)), Seen::Accepted);
    assert!(holds(&record, &ledger));
}

#[test]
fn every_code_has_a_hint_of_its_own() {
    let fallback = hint(RefusalCode(0));
    for row in RefusalCode::ROWS {
        let code = RefusalCode(row.number as u16);
        assert_eq!(code == RefusalCode::INTERNAL, hint(code) == fallback, "{}", row.name);
    }
    let nobody = ThingId([1; 20]);
    let mut ledger = Ledger::new();
    let outcome = ledger.submit(&ledger.record(nobody, "x").signed(0, 0));
    let refusal = outcome.refusal().unwrap();
    assert_eq!(refusal.code, RefusalCode::UNKNOWN_THING);
    assert_eq!(refusal.hint(), hint(RefusalCode::UNKNOWN_THING));
    assert!(refusal.to_string().starts_with("TM-UNKNOWN-THING: "));
}

/// Counts what is read of the state.
struct Counted<'a> {
    ledger: &'a Ledger,
    reads: Cell<usize>,
}

impl View for Counted<'_> {
    fn network(&self) -> NetworkId {
        self.ledger.network()
    }

    fn genesis_committee(&self) -> Result<Arc<Committee>, Unreadable> {
        self.ledger.genesis_committee()
    }

    fn entry(&self, key: &StateKey) -> Result<Option<Arc<Entry>>, Unreadable> {
        self.reads.set(self.reads.get() + 1);
        self.ledger.entry(key)
    }

    fn statement_at(
        &self,
        issuer: ThingId,
        channel: Option<ChannelId>,
        sequence: Sequence,
    ) -> Result<Option<(LeafIndex, StatementId)>, Unreadable> {
        self.reads.set(self.reads.get() + 1);
        self.ledger.statement_at(issuer, channel, sequence)
    }

    fn evidence(&self, id: EvidenceId) -> Result<Option<LeafIndex>, Unreadable> {
        self.reads.set(self.reads.get() + 1);
        self.ledger.evidence(id)
    }
}

/// What names keys costs a few reads for each signature, whatever it names, however many keys a
/// thing had, and whatever else is in the call.
#[test]
fn looking_keys_up_has_a_bound() {
    let mut ledger = Ledger::new();
    let owner = ledger.with(&device(0), 0);
    let worn = card(1, owner);
    assert_eq!(ledger.state((owner, 0), StatementKind::REGISTER, &worn), Seen::Accepted);
    for number in 0..40 {
        let next = for_purposes(2 + number, Purposes::CARD);
        let change = Rotation {
            add: vec![next],
            close: vec![KeyNumber(u32::from(number))],
            ..rotation(worn.id())
        };
        assert_eq!(ledger.state((owner, 0), StatementKind::ROTATE, &change), Seen::Accepted);
    }
    let signers: Vec<_> = (0..16).map(|n| (ThingId([n; 20]), u32::MAX - u32::from(n), n)).collect();
    let many = |thing: ThingId| -> Vec<_> {
        (0..16).map(|n| (thing, 1_000_000 + u32::from(n), n)).collect()
    };
    let rotating = Rotation { add: (100..116).map(general).collect(), ..rotation(owner) };
    let url = card_url(worn.id(), 1, 1).into_bytes();
    let kinds = [
        (2, ledger.record(owner, "an unknown key").signed(u32::MAX, 0)),
        (2, ledger.record(worn.id(), "an ended key").signed(0, 1)),
        (32, ledger.record(owner, "of strangers").signed_by(&signers)),
        (32, ledger.record(owner, "of sixteen").signed_by(&many(owner))),
        (2, bare(URL, &url)),
        (4, {
            let payload = wrapped(URL, &url);
            ledger.next(owner, StatementKind::EVIDENCE, payload).signed(0, 0)
        }),
        (4, ledger.next(owner, StatementKind::ROTATE, encoded(&rotating)).signed(0, 0)),
    ];
    let reads = |inputs: Vec<Vec<u8>>| {
        let counted = Counted { ledger: &ledger, reads: Cell::new(0) };
        let count = inputs.len();
        assert_eq!(admission::admit(inputs, &counted, &OneByOne).len(), count);
        counted.reads.get()
    };
    for (most, input) in &kinds {
        let alone = reads(vec![input.clone()]);
        assert!(alone <= *most, "{alone} reads");
        assert!(reads(vec![input.clone(); 20]) <= 20 * most, "no more for each of many");
    }
}

/// Whoever names an issuer can say that its chain brings keys, without any of them being true; one
/// call follows 64 of them and no more.
#[test]
fn a_call_follows_a_bounded_number_of_keys_that_a_chain_brings() {
    let (mut ledger, id) = (Ledger::new(), device(0).id());
    ledger.with(&device(0), 0);
    let mut inputs = Vec::new();
    let mut writing = ledger.next(id, StatementKind::ROTATE, Vec::new());
    for round in 0..5u8 {
        let change = Rotation {
            add: (0..16).map(|n| general(20 + 16 * round + n)).collect(),
            ..rotation(id)
        };
        writing.payload = encoded(&change);
        inputs.push(writing.signed(0, 0));
        let statement = Statement::parse(inputs.last().unwrap()).unwrap();
        let (sequence, last) = (writing.link.sequence.0 + 1, statement.id().0);
        writing = writing.at(sequence, last);
    }
    let record = |number: u32, n: u8, after: usize| {
        let statement = Statement::parse(&inputs[after]).unwrap();
        let next = ledger.record(id, "x").at(after as u32 + 3, statement.id().0);
        next.signed(number, n)
    };
    // Key 64 is the last of the fourth statement, key 65 the first of the fifth.
    for (number, n, after, found) in [(64, 83, 3, true), (65, 84, 4, false)] {
        let call = [inputs.clone(), vec![record(number, n, after)]].concat();
        let admitted = admission::admit(call, &ledger, &OneByOne).pop().unwrap();
        match admitted {
            Ok(_) => assert!(found, "key {number}"),
            Err(refusal) => {
                assert!(!found, "key {number}: {refusal}");
                assert_eq!(refusal.code, RefusalCode::KEY_NOT_VALID);
            }
        }
    }
}
