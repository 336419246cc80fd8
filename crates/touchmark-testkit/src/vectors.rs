//! Our own test vectors: made from fixed seeds, so that every run writes the same bytes.

mod anchors;
mod batches;
mod channels;
mod faults;
mod handovers;
mod ratchet;
mod status;
mod words;
mod writer;

pub use anchors::anchors;
pub use batches::batches;
pub use handovers::handovers;
pub use ratchet::ratchet;
pub use status::{cosigned_checkpoint, status_proof};
pub use words::words;

use crate::committee::Panel;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use touchmark_core::directory::NewKey;
use touchmark_core::directory::accreditation::Accredit;
use touchmark_core::directory::inception::{Inception, OwnerPolicy};
use touchmark_core::directory::prerotation::NextKeys;
use touchmark_core::directory::rotation::Rotation;
use touchmark_core::directory::status::SetStatus;
use touchmark_core::directory::update::Update;
use touchmark_core::entry::Purposes;
use touchmark_core::evidence::{Context, WrappedEvidence};
use touchmark_core::group::{Group, GroupAction};
use touchmark_wire::codec;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{KeyNumber, NetworkId, ThingId};
use touchmark_wire::leaf::Mark;
use touchmark_wire::registry::{ContentFormat, EvidenceFormat, StatementKind, Status, ThingKind};
use touchmark_wire::statement::Content;
use writer::{Key, Writer, bare, card_payload, card_url, hex, marked};

/// The network whose id is 32 times this byte.
const NETWORK: NetworkId = NetworkId(Digest([0x4e; 32]));

/// Of the genesis: one owner.
const FIRST: Panel<'_> = Panel { number: 0, validators: &[1] };
/// The owner and three others.
const SECOND: Panel<'_> = Panel { number: 1, validators: &[1, 2, 3, 4] };
/// One of them was replaced.
const THIRD: Panel<'_> = Panel { number: 2, validators: &[1, 2, 3, 5] };

/// The file `statements.json`: `accepted` on an empty ledger in this order, then each of `refused`
/// on the ledger that they lead to.
pub fn statements() -> Value {
    let mut writer = Writer::new(NETWORK);
    let cast = Cast::new();
    directory(&mut writer, &cast);
    records(&mut writer, &cast);
    evidence(&mut writer, &cast);
    changes(&mut writer, &cast);
    channels::accepted(&mut writer, &cast);
    appointment(&mut writer, &cast);
    let refused = faults::all(&writer, &cast);
    json!({
        "generator": "crates/touchmark-testkit/src/vectors.rs",
        "title": "Statements and bare evidence: accepted in this order on an empty ledger, all at height 1; then each refused one on the ledger after them",
        "network": hex(&NETWORK.0.0),
        "committee": hex(&FIRST.committee().encode_to_vec()),
        "keys": Key::table(),
        "accepted": writer.into_cases(),
        "refused": refused,
    })
}

/// The things of the vectors.
struct Cast {
    organisation: Inception,
    device: Inception,
    sensor: Inception,
    board: Inception,
    card: Inception,
    lost_card: Inception,
    lot: Inception,
}

fn thing(kind: ThingKind, keys: &[(Key, Purposes)], controller: Option<ThingId>) -> Inception {
    let keys: Vec<_> =
        keys.iter().map(|(key, purposes)| NewKey::new(key.public(), *purposes)).collect();
    let nonce = keys.iter().fold(vec![kind.0; 16], |mut nonce, key| {
        nonce[15] ^= key.key.x()[0];
        nonce
    });
    Inception {
        kind,
        keys,
        threshold: 1,
        next: None,
        nonce,
        controller,
        owners: None,
        attributes: None,
    }
}

/// A commitment to one general key.
fn next(key: Key) -> NextKeys {
    NextKeys::new(1, &[NewKey::new(key.public(), Purposes::GENERAL)])
}

impl Cast {
    fn new() -> Self {
        let general = Purposes::GENERAL;
        let organisation = thing(ThingKind::ORGANISATION, &[(Key::P256, general)], None);
        let by = Some(organisation.id());
        let texts = |pairs: &[(&str, &str)]| {
            let text = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
            Some(pairs.iter().map(text).collect::<BTreeMap<_, _>>())
        };
        Self {
            device: Inception {
                next: Some(next(Key::Next)),
                attributes: texts(&[("model", "T1"), ("id", "7"), ("colour", "0042")]),
                ..thing(ThingKind::DEVICE, &[(Key::Ed25519, general)], by)
            },
            sensor: thing(ThingKind::DEVICE, &[(Key::K256, general)], None),
            board: Inception {
                threshold: 2,
                owners: Some(OwnerPolicy { threshold: 1, parties: vec![(organisation.id(), 1)] }),
                ..thing(
                    ThingKind::ORGANISATION,
                    &[(Key::BoardA, general), (Key::BoardB, general), (Key::BoardC, general)],
                    None,
                )
            },
            card: thing(ThingKind::CARD, &[(Key::Card, Purposes::CARD)], by),
            lost_card: thing(ThingKind::CARD, &[(Key::LostCard, Purposes::CARD)], by),
            lot: thing(ThingKind::LOT, &[], by),
            organisation,
        }
    }
}

/// Inceptions and registrations.
fn directory(writer: &mut Writer, cast: &Cast) {
    let inception = StatementKind::INCEPTION;
    let present = |thing: &Inception| (thing.id(), inception, thing.encode_to_vec());
    writer.one("an organisation, ES256", present(&cast.organisation), (0, Key::P256));
    writer.scitt("a device, Ed25519, with claims", present(&cast.device), (0, Key::Ed25519));
    writer.one("a sensor, ES256K", present(&cast.sensor), (0, Key::K256));
    let board = cast.board.id();
    let signers = [(board, 0, Key::BoardA), (board, 2, Key::BoardC)];
    writer.several("a board of three, two sign", present(&cast.board), &signers);
    let by = cast.organisation.id();
    for (name, thing) in [
        ("a card", &cast.card),
        ("a second card", &cast.lost_card),
        ("a lot without keys", &cast.lot),
    ] {
        let register = (by, StatementKind::REGISTER, thing.encode_to_vec());
        writer.one(name, register, (0, Key::P256));
    }
}

/// Records, inline and committed.
fn records(writer: &mut Writer, cast: &Cast) {
    let record =
        |thing: &Inception, payload: &[u8]| (thing.id(), StatementKind::RECORD, payload.to_vec());
    let text = Content::Inline(ContentFormat::TEXT);
    let committed = Content::Committed(ContentFormat::SENML_CBOR);
    let commitment = Digest::of(&[&codec::encode(&(Digest([9; 32]), Digest([8; 32])))]);
    let device = (0, Key::Ed25519);
    writer.formatted("a record of text", record(&cast.device, b"21.5 C"), device, text);
    writer.formatted("an empty record", record(&cast.sensor, b""), (0, Key::K256), text);
    writer.formatted("a committed record", record(&cast.device, &commitment.0), device, committed);
    writer.formatted(
        "a record of 256 bytes",
        record(&cast.sensor, &[7; 256]),
        (0, Key::K256),
        text,
    );
    let board = cast.board.id();
    let signers = [(board, 1, Key::BoardB), (board, 0, Key::BoardA), (board, 2, Key::BoardC)];
    writer.several("a record of three signers", record(&cast.board, &[0xf6]), &signers);
}

/// Evidence of the card, bare and wrapped.
fn evidence(writer: &mut Writer, cast: &Cast) {
    let card = cast.card.id();
    let url = card_url(card, 1, Key::Card);
    writer.bare("a card's URL", bare(EvidenceFormat::CARD_URL, &url));
    let context = Context { format: ContentFormat::TEXT, data: b"gate 7" };
    for (name, format, bytes, context) in [
        ("the URL again, by a reader", EvidenceFormat::CARD_URL, url, Some(context)),
        (
            "a payload that the card signed",
            EvidenceFormat::CARD_PAYLOAD,
            card_payload(card, 1, b"readings", Some(b"stored"), Key::Card),
            None,
        ),
    ] {
        let payload = codec::encode(&WrappedEvidence { format, bytes: &bytes, context });
        let statement = (cast.device.id(), StatementKind::EVIDENCE, payload);
        writer.one(name, statement, (0, Key::Ed25519));
    }
    let bytes = card_payload(card, 2, b"more readings", None, Key::Card);
    writer.bare("a bare payload that the card signed", bare(EvidenceFormat::CARD_PAYLOAD, &bytes));
    let url = card_url(card, 2, Key::Card);
    let mark = Mark([0x6d; 16]);
    writer.bare("a URL with a mark", marked(EvidenceFormat::CARD_URL, &url, mark));
}

/// Attributes, accreditation, status, keys, a group.
fn changes(writer: &mut Writer, cast: &Cast) {
    let (by, device) = (cast.organisation.id(), cast.device.id());
    let organisation = (0, Key::P256);
    let update = Update {
        thing: device,
        set: BTreeMap::from([("place".into(), "hall 2".into()), ("b".into(), String::new())]),
        remove: vec!["model".into()],
    };
    writer.one("attributes", (by, StatementKind::UPDATE, codec::encode(&update)), organisation);
    let accredit = |thing, roles: &[&str]| {
        codec::encode(&Accredit { thing, roles: roles.iter().map(ToString::to_string).collect() })
    };
    let vouch = (by, StatementKind::ACCREDIT, accredit(device, &["reader", "laboratory"]));
    writer.one("an accreditation", vouch, organisation);
    let withdraw = (by, StatementKind::ACCREDIT, accredit(device, &[]));
    writer.one("an accreditation withdrawn", withdraw, organisation);
    let status = |thing, status, reason: Option<&str>| {
        let reason = reason.map(Into::into);
        codec::encode(&SetStatus { thing, status, reason, keys: None })
    };
    for (name, to, reason) in
        [("suspended", Status::SUSPENDED, Some("service")), ("active again", Status::ACTIVE, None)]
    {
        let change = (by, StatementKind::STATUS, status(device, to, reason));
        writer.one(name, change, organisation);
    }
    let lost = (by, StatementKind::STATUS, status(cast.lost_card.id(), Status::LOST, None));
    writer.one("a card is lost", lost, organisation);
    let rotation = Rotation {
        thing: device,
        add: vec![NewKey::new(Key::Next.public(), Purposes::GENERAL)],
        close: vec![KeyNumber(0)],
        next: Some(next(Key::AfterNext)),
        threshold: None,
    };
    let rotate = (device, StatementKind::ROTATE, codec::encode(&rotation));
    writer.one("a rotation, signed by the revealed key", rotate, (1, Key::Next));
    let part = |actor, thing| GroupAction {
        actor,
        kind: StatementKind::ACCREDIT,
        payload: accredit(thing, &["partner"]),
    };
    let (a, b) = (by, cast.sensor.id());
    let group = codec::encode(&Group(vec![part(a, b), part(b, a)]));
    let signers = [(a, 0, Key::P256), (b, 0, Key::K256)];
    writer.several("a group of two parties", (a, StatementKind::GROUP, group), &signers);
}

/// The next committee, carried by a thing that has no part in it.
fn appointment(writer: &mut Writer, cast: &Cast) {
    let payload = FIRST.appoint(NETWORK, &SECOND.committee(), &[0]);
    let statement = (cast.sensor.id(), StatementKind::APPOINT, payload);
    writer.one("the next committee is appointed", statement, (0, Key::K256));
}
