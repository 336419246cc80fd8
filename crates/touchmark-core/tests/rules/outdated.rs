//! Between its admission and its place in the log the state may change under a submission, also by
//! what stands before it in the same batch. What becomes of it depends on its place alone.

use crate::ledger::*;
use touchmark_core::channel::access::Access;
use touchmark_core::directory::inception::Inception;
use touchmark_core::directory::rotation::Rotation;
use touchmark_core::entry::Purposes;
use touchmark_wire::ids::{ChannelId, KeyNumber, ThingId};
use touchmark_wire::registry::{EvidenceFormat, RefusalCode, StatementKind, Status, Writers};

const URL: EvidenceFormat = EvidenceFormat::CARD_URL;
const EVIDENCE: StatementKind = StatementKind::EVIDENCE;
const ROTATE: StatementKind = StatementKind::ROTATE;
const STATUS: StatementKind = StatementKind::STATUS;

/// An issuer with key 0, its card with key 1, its sensor with key 2, a reader with key 3 and a
/// partner with keys 6 and 7 that sign together.
struct Stage {
    ledger: Ledger,
    issuer: ThingId,
    card: ThingId,
    sensor: ThingId,
    reader: ThingId,
    partner: ThingId,
    channel: ChannelId,
}

impl Stage {
    /// The card was read with counter 5, and the sensor may write into the issuer's channel.
    fn new() -> Self {
        let mut ledger = Ledger::new();
        let issuer = ledger.with(&device(0), 0);
        let sensor = ledger.with(&controlled(2, issuer), 2);
        let reader = ledger.with(&device(3), 3);
        let pair = Inception { keys: vec![general(6), general(7)], threshold: 2, ..device(6) };
        let presented = ledger.next(pair.id(), StatementKind::INCEPTION, pair.encode_to_vec());
        let partner = pair.id();
        let both = presented.signed_by(&[(partner, 0, 6), (partner, 1, 7)]);
        let (issued, channel) = (card(1, issuer), opening(1, Writers::GRANTED));
        let card = issued.id();
        let register = StatementKind::REGISTER;
        assert_eq!(ledger.see(&both), Seen::Accepted);
        assert_eq!(ledger.state((issuer, 0), register, &issued), Seen::Accepted);
        assert_eq!(ledger.see(&bare(URL, card_url(card, 5, 1).as_bytes())), Seen::Accepted);
        let channel = ledger.open((issuer, 0), &channel);
        let access = grant(channel, sensor);
        assert_eq!(ledger.state((issuer, 0), StatementKind::ACCESS, &access), Seen::Accepted);
        Self { ledger, issuer, card, sensor, reader, partner, channel }
    }

    fn by_issuer(&self, kind: StatementKind, payload: &impl minicbor::Encode<()>) -> Vec<u8> {
        self.ledger.next(self.issuer, kind, encoded(payload)).signed(0, 0)
    }

    /// The issuer gives a thing key `n` instead of the one that it had.
    fn exchange(&self, thing: ThingId, n: u8, purposes: Purposes) -> Vec<u8> {
        let add = vec![for_purposes(n, purposes)];
        self.by_issuer(ROTATE, &Rotation { add, close: vec![KeyNumber(0)], ..rotation(thing) })
    }

    fn new_card_key(&self) -> Vec<u8> {
        self.exchange(self.card, 4, Purposes::CARD)
    }

    fn new_sensor_key(&self) -> Vec<u8> {
        self.exchange(self.sensor, 5, Purposes::GENERAL)
    }

    /// The partner ends its key 7 and needs no second one from then on.
    fn partner_alone(&self) -> Vec<u8> {
        let close = vec![KeyNumber(1)];
        let change = Rotation { close, threshold: Some(1), ..rotation(self.partner) };
        let writing = self.ledger.next(self.partner, ROTATE, encoded(&change));
        writing.signed_by(&[(self.partner, 0, 6), (self.partner, 1, 7)])
    }

    fn wrapped(&self, url: &str) -> Vec<u8> {
        self.ledger.next(self.reader, EVIDENCE, wrapped(URL, url.as_bytes())).signed(0, 3)
    }

    /// Issuer and sensor vouch for the reader together.
    fn vouched(&self, third: Option<(ThingId, u32, u8)>) -> Vec<u8> {
        let word = encoded(&accredit(self.reader, &["reader"]));
        let actions =
            [self.sensor, self.partner].map(|by| (by, StatementKind::ACCREDIT, word.clone()));
        let writing =
            self.ledger.next(self.reader, StatementKind::GROUP, encoded(&group(&actions)));
        let (sensor, partner) = (self.sensor, self.partner);
        let signers = [(self.reader, 0, 3), (sensor, 0, 2), (partner, 0, 6)];
        writing.signed_by(&signers.into_iter().chain(third).collect::<Vec<_>>())
    }
}

/// A case: a change of the state, and what was admitted before it and has its place after it.
struct Case {
    name: &'static str,
    change: fn(&Stage) -> Vec<u8>,
    late: fn(&Stage) -> Vec<u8>,
    becomes: Seen,
}

const EVIDENCE_OF_CARDS: [Case; 7] = [
    Case {
        name: "known evidence, wrapped again, after its key was exchanged",
        change: Stage::new_card_key,
        late: |stage| stage.wrapped(&card_url(stage.card, 5, 1)),
        becomes: Seen::Denied(RefusalCode::FORGED),
    },
    Case {
        name: "known evidence, bare, after its key was exchanged",
        change: Stage::new_card_key,
        late: |stage| bare(URL, card_url(stage.card, 5, 1).as_bytes()),
        becomes: Seen::Refused(RefusalCode::FORGED),
    },
    Case {
        name: "new evidence, wrapped, after its key was exchanged",
        change: Stage::new_card_key,
        late: |stage| stage.wrapped(&card_url(stage.card, 6, 1)),
        becomes: Seen::Denied(RefusalCode::FORGED),
    },
    Case {
        name: "new evidence, bare, after its key was exchanged",
        change: Stage::new_card_key,
        late: |stage| bare(URL, card_url(stage.card, 6, 1).as_bytes()),
        becomes: Seen::Refused(RefusalCode::FORGED),
    },
    Case {
        name: "evidence of the key that comes, wrapped",
        change: Stage::new_card_key,
        late: |stage| stage.wrapped(&card_url(stage.card, 6, 4)),
        becomes: Seen::Accepted,
    },
    Case {
        name: "evidence of a card that is registered only now, wrapped",
        change: |stage| stage.by_issuer(StatementKind::REGISTER, &card(9, stage.issuer)),
        late: |stage| stage.wrapped(&card_url(card(9, stage.issuer).id(), 1, 9)),
        becomes: Seen::Accepted,
    },
    Case {
        name: "evidence of a card that is stolen",
        change: |stage| stage.by_issuer(STATUS, &status(stage.card, Status::STOLEN, &[])),
        late: |stage| stage.wrapped(&card_url(stage.card, 6, 1)),
        becomes: Seen::Sighted(RefusalCode::REVOKED),
    },
];

const STATEMENTS: [Case; 9] = [
    Case {
        name: "a record, after its key was exchanged",
        change: Stage::new_sensor_key,
        late: |stage| stage.ledger.record(stage.sensor, "x").signed(0, 2),
        becomes: Seen::Refused(RefusalCode::KEY_NOT_VALID),
    },
    Case {
        name: "a record of a thing that was revoked",
        change: |stage| stage.by_issuer(STATUS, &status(stage.sensor, Status::LOST, &[])),
        late: |stage| stage.ledger.record(stage.sensor, "x").signed(0, 2),
        becomes: Seen::Refused(RefusalCode::REVOKED),
    },
    Case {
        name: "a record of several signers, of whom one key ended and is no longer needed",
        change: Stage::partner_alone,
        late: |stage| {
            let (partner, head) = (stage.partner, stage.partner_alone());
            let id = touchmark_wire::statement::Statement::parse(&head).unwrap().id();
            let writing = stage.ledger.record(partner, "x").at(3, id.0);
            writing.signed_by(&[(partner, 0, 6), (partner, 1, 7)])
        },
        becomes: Seen::Refused(RefusalCode::KEY_NOT_VALID),
    },
    Case {
        name: "a group, after the key of a party was exchanged",
        change: Stage::new_sensor_key,
        late: |stage| stage.vouched(Some((stage.partner, 1, 7))),
        becomes: Seen::Refused(RefusalCode::KEY_NOT_VALID),
    },
    Case {
        name: "a group, after a party needs fewer keys",
        change: Stage::partner_alone,
        late: |stage| stage.vouched(None),
        becomes: Seen::Accepted,
    },
    Case {
        name: "a change by a controller's key that ended",
        change: |stage| stage.exchange(stage.issuer, 8, Purposes::GENERAL),
        late: |stage| {
            let (issuer, head) = (stage.issuer, stage.exchange(stage.issuer, 8, Purposes::GENERAL));
            let id = touchmark_wire::statement::Statement::parse(&head).unwrap().id();
            let sequence = stage.ledger.head_of(issuer).chain.sequence.0 + 2;
            let payload = encoded(&status(stage.card, Status::LOST, &[]));
            stage.ledger.next(issuer, STATUS, payload).at(sequence, id.0).signed(0, 0)
        },
        becomes: Seen::Refused(RefusalCode::KEY_NOT_VALID),
    },
    Case {
        name: "an entry of a writer whose right is withdrawn",
        change: |stage| {
            stage.by_issuer(StatementKind::ACCESS, &withdraw(stage.channel, stage.sensor))
        },
        late: |stage| stage.ledger.entry_in(stage.channel, stage.sensor, "x").signed(0, 2),
        becomes: Seen::Denied(RefusalCode::NOT_AUTHORISED),
    },
    Case {
        name: "an entry in a channel that is closed",
        change: |stage| stage.by_issuer(StatementKind::ACCESS, &Access::closing(stage.channel)),
        late: |stage| stage.ledger.entry_in(stage.channel, stage.sensor, "x").signed(0, 2),
        becomes: Seen::Denied(RefusalCode::CLOSED),
    },
    Case {
        name: "a fork by a key that ended",
        change: Stage::new_sensor_key,
        late: |stage| {
            let origin = stage.ledger.origin();
            stage.ledger.record(stage.sensor, "another first").at(1, origin).signed(0, 2)
        },
        becomes: Seen::Refused(RefusalCode::CONFLICT),
    },
];

#[test]
fn what_was_admitted_before_a_change_becomes_what_its_place_makes_of_it() {
    for Case { name, change, late, becomes } in EVIDENCE_OF_CARDS.into_iter().chain(STATEMENTS) {
        let stage = Stage::new();
        let (change, late) = (change(&stage), late(&stage));
        let mut ledger = stage.ledger;
        let early = ledger.admit(&late).expect(name);
        assert_eq!(ledger.see(&change), Seen::Accepted, "{name}: the change");
        let mut at_its_place = ledger.clone();
        assert_eq!(Seen::from(&ledger.execute(&early)), becomes, "{name}");
        assert_eq!(at_its_place.see(&late), becomes, "{name}: admitted at its place");
        assert_eq!(ledger, at_its_place, "{name}");
    }
}
