//! What is refused, denied or sighted, each for one reason.

mod channels;

use super::writer::{
    Key, Said, Writer, bare, card_payload, card_url, did, hex, signed, signed_by_all,
};
use super::{Cast, FIRST, NETWORK, SECOND, next};
use serde_json::{Value, json};
use touchmark_core::directory::NewKey;
use touchmark_core::directory::accreditation::Accredit;
use touchmark_core::directory::inception::Inception;
use touchmark_core::directory::rotation::Rotation;
use touchmark_core::directory::status::SetStatus;
use touchmark_core::entry::Purposes;
use touchmark_core::evidence::WrappedEvidence;
use touchmark_core::group::{Group, GroupAction};
use touchmark_wire::codec;
use touchmark_wire::genesis::Committee;
use touchmark_wire::handover::{Appointment, Approval};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{ChannelId, Epoch, Sequence, ThingId};
use touchmark_wire::limits;
use touchmark_wire::registry::{ContentFormat, EvidenceFormat, RefusalCode, StatementKind, Status};
use touchmark_wire::statement::{Claims, Content, Draft, Link};

/// How it ends.
#[derive(Clone, Copy)]
enum End {
    Refused,
    Denied,
    Sighted,
    Forked,
}

impl End {
    const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Denied => "denied",
            Self::Sighted => "sighted",
            Self::Forked => "forked",
        }
    }
}

/// Collects cases.
struct Faults<'a> {
    writer: &'a Writer,
    cast: &'a Cast,
    cases: Vec<Value>,
}

pub(super) fn all(writer: &Writer, cast: &Cast) -> Vec<Value> {
    let mut faults = Faults { writer, cast, cases: Vec::new() };
    faults.encodings();
    faults.headers();
    faults.places();
    faults.signatures();
    faults.inceptions();
    faults.rules();
    faults.commitment();
    faults.keys_and_groups();
    faults.evidence();
    faults.channels();
    faults.appointments();
    faults.cases
}

impl Faults<'_> {
    fn case(&mut self, name: &str, bytes: &[u8], end: End, code: RefusalCode) {
        let code = code.name().expect("a registered code");
        let case =
            json!({ "name": name, "bytes": hex(bytes), "outcome": end.name(), "code": code });
        self.cases.push(case);
    }

    fn refused(&mut self, name: &str, bytes: &[u8], code: RefusalCode) {
        self.case(name, bytes, End::Refused, code);
    }

    /// The next record of the organisation, changed.
    fn record<'d>(&self, change: impl FnOnce(&mut Draft<'d>)) -> Vec<u8> {
        let issuer = self.cast.organisation.id();
        let link = self.writer.link(issuer, StatementKind::RECORD);
        let content = Content::Inline(ContentFormat::TEXT);
        let mut draft = Draft { issuer, link, content, claims: None, payload: b"record" };
        change(&mut draft);
        signed(&draft, 0, Key::P256)
    }

    fn statement(&self, (issuer, kind, payload): Said, number: u32, key: Key) -> Vec<u8> {
        let link = self.writer.link(issuer, kind);
        let content = Content::Inline(ContentFormat::CBOR);
        signed(&Draft { issuer, link, content, claims: None, payload: &payload }, number, key)
    }

    fn by_organisation(&self, kind: StatementKind, payload: Vec<u8>) -> Vec<u8> {
        self.statement((self.cast.organisation.id(), kind, payload), 0, Key::P256)
    }

    /// The frame, in other encodings.
    fn encodings(&mut self) {
        let good = self.record(|_| {});
        let protected = usize::from(good[3]);
        // After the head of two bytes and that of the header comes the empty map.
        let unprotected = 4 + protected;
        let put = |at: usize, remove: usize, insert: &[u8]| {
            [&good[..at], insert, &good[at + remove..]].concat()
        };
        for (name, bytes) in [
            ("nothing", Vec::new()),
            ("without its tag", good[1..].to_vec()),
            ("another tag", put(0, 1, &[0xd1])),
            ("a longer tag", put(0, 1, &[0xd8, 0x12])),
            ("an array of five", put(1, 1, &[0x85])),
            ("an indefinite array", [&put(1, 1, &[0x9f])[..], &[0xff]].concat()),
            ("an unprotected header", put(unprotected, 1, &[0xa1, 0x04, 0x41, 0x00])),
            ("a longer empty map", put(unprotected, 1, &[0xb8, 0x00])),
            ("an indefinite empty map", put(unprotected, 1, &[0xbf, 0xff])),
            ("a longer head of the payload", put(unprotected + 1, 1, &[0x58, 0x06])),
            ("a detached payload", put(unprotected + 1, 7, &[0xf6])),
            ("cut off", good[..good.len() - 1].to_vec()),
            ("a byte at the end", put(good.len(), 0, &[0x00])),
        ] {
            self.refused(name, &bytes, RefusalCode::MALFORMED);
        }
        let long = vec![0; limits::STATEMENT];
        let long = self.record(|draft| draft.payload = &long[..limits::STATEMENT - 100]);
        self.refused("longer than a statement may be", &long, RefusalCode::TOO_LONG);
    }

    /// The protected header, in other encodings; the signature is not looked at.
    fn headers(&mut self) {
        let good = self.record(|_| {});
        let (start, end) = (4, 4 + usize::from(good[3]));
        let header = &good[start..end];
        let kid = 5..29;
        let with = |header: &[u8]| {
            let head = [0x58, header.len() as u8];
            [&good[..2], &head, header, &good[end..]].concat()
        };
        let put = |at: usize, remove: usize, insert: &[u8]| {
            with(&[&header[..at], insert, &header[at + remove..]].concat())
        };
        let grown = |insert: &[u8], at: usize| {
            let mut longer = [&header[..at], insert, &header[at..]].concat();
            longer[0] += 1;
            with(&longer)
        };
        assert_eq!(header[kid.clone()][..3], [0x04, 0x55, self.cast.organisation.id().0[0]]);
        let swapped = [&header[..1], &header[3..5], &header[1..3], &header[5..]].concat();
        for (name, bytes) in [
            ("a longer integer", put(2, 1, &[0x38, 0x06])),
            ("keys in another order", with(&swapped)),
            ("a key twice", grown(&[0x01, 0x26], 3)),
            ("an unknown label", grown(&[0x05, 0x40], kid.end - 1)),
            ("critical labels", grown(&[0x02, 0x81, 0x04], 3)),
            (
                "a key number of two bytes for one",
                with(&[&header[..6], &[0x56], &header[7..27], &[0], &header[27..]].concat()),
            ),
            (
                "no key number",
                with(&[&header[..6], &[0x54], &header[7..27], &header[28..]].concat()),
            ),
            ("sequence 0", put(end - start - 35, 1, &[0x00])),
        ] {
            self.refused(name, &bytes, RefusalCode::MALFORMED);
        }
        let other = self.cast.device.id();
        for (name, issuer) in [
            ("claims of another thing", did(NETWORK, other)),
            ("claims of another method", format!("did:web:{other}")),
        ] {
            let claims = Claims { issuer: &issuer, subject: "x", issued_at: None };
            let bytes = self.record(|draft| draft.claims = Some(claims));
            self.refused(name, &bytes, RefusalCode::MALFORMED);
        }
    }

    /// Places in the chain.
    fn places(&mut self) {
        let mut at = |name, code, change: &dyn Fn(&mut Link)| {
            let bytes = self.record(|draft| change(&mut draft.link));
            self.refused(name, &bytes, code);
        };
        at("after a missing one", RefusalCode::OUT_OF_ORDER, &|link| link.sequence.0 += 1);
        at("after another one", RefusalCode::CONFLICT, &|link| link.previous = Digest([1; 32]));
        at("in an unknown channel", RefusalCode::UNKNOWN_CHANNEL, &|link| {
            link.channel = Some(ChannelId([1; 20]));
        });
        at("of an unknown kind", RefusalCode::UNKNOWN_KIND, &|link| link.kind = StatementKind(999));
        let fork = self.record(|draft| {
            (draft.link.sequence, draft.link.previous) = (Sequence(1), NETWORK.0);
        });
        self.case("a second first statement", &fork, End::Forked, RefusalCode::FORK);
    }

    /// Keys and signatures.
    fn signatures(&mut self) {
        let good = self.record(|_| {});
        let mut wrong = good.clone();
        *wrong.last_mut().expect("not empty") ^= 1;
        self.refused("a wrong signature", &wrong, RefusalCode::SIGNATURE);
        let short = [&good[..good.len() - 66], &[0x58, 63], &good[good.len() - 63..]].concat();
        self.refused("a short signature", &short, RefusalCode::SIGNATURE);
        let record = |thing: &Inception| (thing.id(), StatementKind::RECORD, vec![0xf6]);
        let stranger = (ThingId([0x5c; 20]), StatementKind::RECORD, vec![0xf6]);
        for (name, statement, number, key, code) in [
            (
                "another's key",
                record(&self.cast.organisation),
                0,
                Key::Stranger,
                RefusalCode::SIGNATURE,
            ),
            (
                "another algorithm",
                record(&self.cast.organisation),
                0,
                Key::Ed25519,
                RefusalCode::KEY_NOT_VALID,
            ),
            (
                "a key that never was",
                record(&self.cast.organisation),
                7,
                Key::P256,
                RefusalCode::KEY_NOT_VALID,
            ),
            (
                "a key that has ended",
                record(&self.cast.device),
                0,
                Key::Ed25519,
                RefusalCode::KEY_NOT_VALID,
            ),
            (
                "a key of another purpose",
                record(&self.cast.card),
                0,
                Key::Card,
                RefusalCode::PURPOSE,
            ),
            ("a lost card", record(&self.cast.lost_card), 0, Key::LostCard, RefusalCode::REVOKED),
            (
                "one of two signers",
                record(&self.cast.board),
                0,
                Key::BoardA,
                RefusalCode::THRESHOLD,
            ),
            ("an unknown issuer", stranger, 0, Key::Stranger, RefusalCode::UNKNOWN_THING),
        ] {
            let bytes = self.statement(statement, number, key);
            self.refused(name, &bytes, code);
        }
        let issuer = self.cast.organisation.id();
        let link = self.writer.link(issuer, StatementKind::RECORD);
        let content = Content::Inline(ContentFormat::TEXT);
        let draft = Draft { issuer, link, content, claims: None, payload: b"record" };
        let signers = [(issuer, 0, Key::P256), (self.cast.sensor.id(), 0, Key::K256)];
        let bytes = signed_by_all(&draft, &signers);
        self.refused("a signer without a part in it", &bytes, RefusalCode::NOT_AUTHORISED);
    }

    fn inceptions(&mut self) {
        let kind = StatementKind::INCEPTION;
        let new = Inception {
            nonce: vec![0xab; 16],
            keys: vec![NewKey::new(Key::Stranger.public(), Purposes::GENERAL)],
            ..self.cast.organisation.clone()
        };
        let wrong_id = (ThingId([0x5c; 20]), kind, new.encode_to_vec());
        let bytes = self.statement(wrong_id, 0, Key::Stranger);
        self.refused("another id than that of the payload", &bytes, RefusalCode::WRONG_ID);
        let (issuer, payload) = (new.id(), new.encode_to_vec());
        let link = Link { previous: Digest([1; 32]), ..self.writer.link(issuer, kind) };
        let content = Content::Inline(ContentFormat::CBOR);
        let draft = Draft { issuer, link, content, claims: None, payload: &payload };
        let bytes = signed(&draft, 0, Key::Stranger);
        self.refused("another network", &bytes, RefusalCode::WRONG_NETWORK);
        let short = Inception { nonce: vec![1; 15], ..new.clone() };
        let twice = Inception { keys: [&new.keys[..], &new.keys[..]].concat(), ..new };
        for (name, thing, code) in [
            ("a short nonce", short, RefusalCode::PAYLOAD),
            ("a key twice", twice, RefusalCode::KEY),
        ] {
            let bytes = self.statement((thing.id(), kind, thing.encode_to_vec()), 0, Key::Stranger);
            self.case(name, &bytes, End::Denied, code);
        }
    }

    /// Rules of the directory.
    fn rules(&mut self) {
        let (card, device) = (self.cast.card.id(), self.cast.device.id());
        let status = |thing, status, keys: Option<Key>| {
            let keys = keys.map(|key| vec![NewKey::new(key.public(), Purposes::CARD)]);
            codec::encode(&SetStatus { thing, status, reason: None, keys })
        };
        let accredit =
            |thing, role: &str| codec::encode(&Accredit { thing, roles: vec![role.into()] });
        let lost = self.cast.lost_card.id();
        let nobody = ThingId([0x5c; 20]);
        for (name, kind, payload, code) in [
            ("a payload of no shape", StatementKind::UPDATE, vec![0xff], RefusalCode::PAYLOAD),
            (
                "a thing twice",
                StatementKind::REGISTER,
                self.cast.card.encode_to_vec(),
                RefusalCode::EXISTS,
            ),
            (
                "nobody's card",
                StatementKind::REGISTER,
                self.cast.sensor.encode_to_vec(),
                RefusalCode::NOT_AUTHORISED,
            ),
            (
                "the same status",
                StatementKind::STATUS,
                status(card, Status::ACTIVE, None),
                RefusalCode::STATUS,
            ),
            (
                "an unknown status",
                StatementKind::STATUS,
                status(card, Status(99), None),
                RefusalCode::UNKNOWN_KIND,
            ),
            (
                "back without a key",
                StatementKind::STATUS,
                status(lost, Status::ACTIVE, None),
                RefusalCode::NEW_KEY_REQUIRED,
            ),
            (
                "an accreditation of nobody",
                StatementKind::ACCREDIT,
                accredit(nobody, "x"),
                RefusalCode::UNKNOWN_THING,
            ),
            (
                "a long role",
                StatementKind::ACCREDIT,
                accredit(device, &"r".repeat(65)),
                RefusalCode::LIMIT,
            ),
        ] {
            let bytes = self.by_organisation(kind, payload);
            self.case(name, &bytes, End::Denied, code);
        }
        let change = status(device, Status::SUSPENDED, None);
        let own = self.statement((device, StatementKind::STATUS, change), 1, Key::Next);
        self.case("its own status", &own, End::Denied, RefusalCode::NOT_AUTHORISED);
    }

    /// No rule reads what is committed to.
    fn commitment(&mut self) {
        let thing = self.cast.device.id();
        let accredit = codec::encode(&Accredit { thing, roles: vec!["reader".into()] });
        let committed = Content::Committed(ContentFormat::CBOR);
        let bytes = self.record(|draft| {
            draft.link.kind = StatementKind::ACCREDIT;
            (draft.content, draft.payload) = (committed, &accredit);
        });
        self.case(
            "a commitment that is an accreditation too",
            &bytes,
            End::Denied,
            RefusalCode::PAYLOAD,
        );
    }

    fn keys_and_groups(&mut self) {
        let (organisation, device) = (self.cast.organisation.id(), self.cast.device.id());
        let key = |key: Key| NewKey::new(key.public(), Purposes::GENERAL);
        let rotation = |thing, add: &[NewKey], following: Option<Key>| {
            let (add, next) = (add.to_vec(), following.map(next));
            codec::encode(&Rotation { thing, add, close: Vec::new(), next, threshold: None })
        };
        let rotate = StatementKind::ROTATE;
        let stolen = rotation(device, &[], Some(Key::Stranger));
        let bytes = self.statement((device, rotate, stolen.clone()), 1, Key::Next);
        self.refused("the present key changes the commitments", &bytes, RefusalCode::KEY_NOT_VALID);
        let (after, stranger) = (key(Key::AfterNext), key(Key::Stranger));
        let mixed = rotation(device, &[after.clone(), stranger.clone()], Some(Key::Stranger));
        let last = rotation(device, std::slice::from_ref(&after), None);
        for (name, payload) in
            [("a key that was not committed to", mixed), ("the end of pre-rotation", last)]
        {
            let bytes = self.statement((device, rotate, payload), 2, Key::AfterNext);
            self.case(name, &bytes, End::Denied, RefusalCode::NOT_COMMITTED);
        }
        let heavy = rotation(device, &[NewKey { weight: 2, ..after }], Some(Key::Stranger));
        let bytes = self.statement((device, rotate, heavy), 2, Key::AfterNext);
        self.refused("another weight than committed to", &bytes, RefusalCode::KEY_NOT_VALID);
        for (name, payload) in [
            ("a controller substitutes", rotation(device, &[stranger], None)),
            ("a controller commits", rotation(device, &[], Some(Key::Stranger))),
        ] {
            let bytes = self.by_organisation(rotate, payload);
            self.case(name, &bytes, End::Denied, RefusalCode::NOT_AUTHORISED);
        }
        let unknown = codec::encode(&Rotation {
            thing: organisation,
            add: Vec::new(),
            close: vec![touchmark_wire::ids::KeyNumber(5)],
            next: None,
            threshold: None,
        });
        let bytes = self.by_organisation(rotate, unknown);
        self.case("an unknown key ends", &bytes, End::Denied, RefusalCode::KEY_NUMBER);

        let group = |actor, kind, payload| {
            (
                device,
                StatementKind::GROUP,
                codec::encode(&Group(vec![GroupAction { actor, kind, payload }])),
            )
        };
        let bytes = self.statement(group(device, rotate, stolen), 1, Key::Next);
        self.case("the same in a group", &bytes, End::Denied, RefusalCode::GROUP);
        let record = group(device, StatementKind::RECORD, Vec::new());
        let bytes = self.statement(record, 1, Key::Next);
        self.case("a record in a group", &bytes, End::Denied, RefusalCode::GROUP);
        let bytes =
            self.statement(group(organisation, StatementKind::UPDATE, vec![0xff]), 1, Key::Next);
        self.refused("a party that did not sign", &bytes, RefusalCode::THRESHOLD);
    }

    fn evidence(&mut self) {
        let (card, lost, device) =
            (self.cast.card.id(), self.cast.lost_card.id(), self.cast.device.id());
        let url = EvidenceFormat::CARD_URL;
        let mut changed = card_payload(card, 9, b"readings", None, Key::Card);
        let at = changed.windows(8).position(|part| part == b"readings").expect("it is in there");
        changed[at] ^= 1;
        for (name, format, bytes, code) in [
            ("a used counter", url, card_url(card, 0, Key::Card), RefusalCode::REPLAYED),
            ("a forged URL", url, card_url(card, 9, Key::Stranger), RefusalCode::FORGED),
            (
                "an unknown card",
                url,
                card_url(ThingId([0x5c; 20]), 9, Key::Card),
                RefusalCode::UNKNOWN_THING,
            ),
            ("no card", url, card_url(device, 9, Key::Next), RefusalCode::PURPOSE),
            ("no URL", url, b"https://touch.example/".to_vec(), RefusalCode::MALFORMED),
            ("a changed payload", EvidenceFormat::CARD_PAYLOAD, changed, RefusalCode::FORGED),
            ("an unknown format", EvidenceFormat(63), Vec::new(), RefusalCode::UNKNOWN_KIND),
        ] {
            self.refused(&format!("bare: {name}"), &bare(format, &bytes), code);
            let payload = codec::encode(&WrappedEvidence { format, bytes: &bytes, context: None });
            let statement = (device, StatementKind::EVIDENCE, payload);
            let bytes = self.statement(statement, 1, Key::Next);
            self.case(&format!("wrapped: {name}"), &bytes, End::Denied, code);
        }
        let sighting = bare(url, &card_url(lost, 3, Key::LostCard));
        self.case("a lost card is seen", &sighting, End::Sighted, RefusalCode::REVOKED);
        let long = bare(url, &vec![b'x'; limits::EVIDENCE + 1]);
        self.refused("longer than evidence may be", &long, RefusalCode::TOO_LONG);
    }

    /// Appointments of what comes after genesis' committee, and of what cannot.
    fn appointments(&mut self) {
        let second = SECOND.committee();
        let with =
            |epoch, threshold| Committee { epoch: Epoch(epoch), threshold, ..second.clone() };
        let appoint = |next: &Committee| FIRST.appoint(NETWORK, next, &[0]);
        let forged = Appointment {
            committee: &second.encode_to_vec(),
            approvals: vec![Approval { validator: 0, signature: [1; 64] }],
        };
        for (name, payload, code) in [
            ("a second appointment in a term", appoint(&second), RefusalCode::APPOINTMENT_PENDING),
            ("nobody approves", FIRST.appoint(NETWORK, &second, &[]), RefusalCode::NOT_APPROVED),
            ("a forged approval", forged.encode_to_vec(), RefusalCode::NOT_APPROVED),
            ("a threshold of four of four", appoint(&with(1, 4)), RefusalCode::COMMITTEE),
            ("a number too many", appoint(&with(7, 3)), RefusalCode::OTHER_COMMITTEE),
            (
                "the number of genesis' committee",
                appoint(&with(0, 3)),
                RefusalCode::OTHER_COMMITTEE,
            ),
            ("no appointment", vec![0xf6], RefusalCode::PAYLOAD),
        ] {
            let said = (self.cast.sensor.id(), StatementKind::APPOINT, payload);
            let bytes = self.statement(said, 0, Key::K256);
            self.case(name, &bytes, End::Denied, code);
        }
    }
}
