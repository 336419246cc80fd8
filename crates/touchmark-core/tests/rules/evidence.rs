//! Evidence of cards: bare and wrapped, counters, forgeries, sightings.

use crate::ledger::*;
use touchmark_core::directory::rotation::Rotation;
use touchmark_core::event::Event;
use touchmark_core::evidence::{CardUrl, Context, WrappedEvidence};
use touchmark_core::view::Read as _;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{EvidenceId, KeyNumber, LeafIndex, ThingId};
use touchmark_wire::registry::{ContentFormat, EvidenceFormat, RefusalCode, StatementKind, Status};
use touchmark_wire::statement::Content;

const URL: EvidenceFormat = EvidenceFormat::CARD_URL;
const PAYLOAD: EvidenceFormat = EvidenceFormat::CARD_PAYLOAD;
const EVIDENCE: StatementKind = StatementKind::EVIDENCE;

struct Cast {
    ledger: Ledger,
    issuer: ThingId,
    reader: ThingId,
    card: ThingId,
}

/// Issuer with key 0, reader with key 3, card with key 1.
fn cast() -> Cast {
    let mut ledger = Ledger::new();
    let issuer = ledger.with(&device(0), 0);
    let reader = ledger.with(&device(3), 3);
    let inception = card(1, issuer);
    assert_eq!(ledger.state((issuer, 0), StatementKind::REGISTER, &inception), Seen::Accepted);
    Cast { ledger, issuer, reader, card: inception.id() }
}

impl Cast {
    fn bare(&mut self, url: &str) -> Seen {
        self.ledger.see(&bare(URL, url.as_bytes()))
    }

    fn wrapped(&mut self, format: EvidenceFormat, bytes: &[u8]) -> Seen {
        let payload = wrapped(format, bytes);
        let statement = self.ledger.next(self.reader, EVIDENCE, payload).signed(0, 3);
        self.ledger.see(&statement)
    }

    fn counter(&self) -> Option<u64> {
        self.ledger.counter(self.card, URL).unwrap().map(|counter| counter.value)
    }

    fn set_status(&mut self, to: Status, n: Option<u8>) {
        let keys: Vec<_> =
            n.map(|n| for_purposes(n, touchmark_core::entry::Purposes::CARD)).into_iter().collect();
        let change = status(self.card, to, &keys);
        assert_eq!(
            self.ledger.state((self.issuer, 0), StatementKind::STATUS, &change),
            Seen::Accepted
        );
    }
}

/// What an evidence id covers: the format and the signed text.
fn id_of(url: &[u8]) -> EvidenceId {
    let signed = &url[..url.len() - 128];
    EvidenceId(Digest::of(&[&encoded(&(URL, touchmark_wire::bundle::Bytes(signed)))]))
}

#[test]
fn counters_go_up_with_gaps_and_never_again() {
    let mut cast = cast();
    let replayed = Seen::Refused(RefusalCode::REPLAYED);
    for (counter, expected) in [
        (0, Seen::Accepted),
        (1, Seen::Accepted),
        (900, Seen::Accepted),
        (899, replayed),
        (2, replayed),
        (901, Seen::Accepted),
        (u32::MAX, Seen::Accepted),
    ] {
        let before = cast.ledger.clone();
        assert_eq!(cast.bare(&card_url(cast.card, counter, 1)), expected, "counter {counter}");
        if expected == replayed {
            assert_eq!(cast.ledger, before);
        } else {
            assert_eq!(cast.counter(), Some(u64::from(counter)));
        }
    }
    // The same counter in another text.
    let card = cast.card;
    let text = sign_url(&format!("https://other.example/?i={card}&c=ffffffff&s="), 1);
    assert_eq!(cast.bare(&text), replayed);
    assert_eq!(cast.wrapped(URL, text.as_bytes()), Seen::Denied(RefusalCode::REPLAYED));
}

#[test]
fn a_second_arrival_is_answered_with_the_first_position() {
    let mut cast = cast();
    let url = card_url(cast.card, 5, 1);
    assert_eq!(cast.bare(&url), Seen::Accepted);
    let taken = Event::EvidenceTaken {
        thing: cast.card,
        evidence: id_of(url.as_bytes()),
        format: URL,
        counter: 5,
        reader: None,
    };
    assert_eq!(cast.ledger.last_events(), [taken]);
    let before = cast.ledger.clone();
    assert_eq!(cast.bare(&url), Seen::Known(3));
    assert_eq!(cast.ledger, before);
    assert_eq!(cast.wrapped(URL, url.as_bytes()), Seen::Accepted);
    let corroborated = Event::EvidenceCorroborated {
        thing: cast.card,
        evidence: id_of(url.as_bytes()),
        first: LeafIndex(3),
        reader: cast.reader,
    };
    assert_eq!(cast.ledger.last_events(), [corroborated]);
    assert_eq!(cast.counter(), Some(5));
    assert_eq!(cast.bare(&url), Seen::Known(3), "still the first position");
}

/// From a card's signature anyone makes another one that is as valid. It is the same evidence, so the
/// genuine one is not a replay, whichever comes first.
#[test]
fn another_signature_of_the_same_message_is_the_same_evidence() {
    let mut ledger = Ledger::new();
    let issuer = ledger.with(&device(0), 0);
    let inception = card(6, issuer);
    assert_eq!(ledger.state((issuer, 0), StatementKind::REGISTER, &inception), Seen::Accepted);
    let reader = ledger.with(&device(3), 3);
    let url = card_url(inception.id(), 5, 6);
    let (text, s) = url.split_at(url.len() - 64);
    let twin = text.to_string() + &hex(&negated(&unhex(s)));
    let payload = card_payload(inception.id(), 5, b"p", None, 6);
    let (start, s) = payload.split_at(payload.len() - 32);
    let payload_twin = [start, &negated(s)].concat();
    for (format, first, second) in
        [(URL, twin.as_bytes(), url.as_bytes()), (PAYLOAD, &payload_twin, &payload)]
    {
        let position = ledger.leaves.len() as u64;
        assert_eq!(ledger.see(&bare(format, first)), Seen::Accepted, "{format}");
        assert_eq!(ledger.see(&bare(format, second)), Seen::Known(position), "{format}");
        let wrapping = ledger.next(reader, EVIDENCE, wrapped(format, second)).signed(0, 3);
        assert_eq!(ledger.see(&wrapping), Seen::Accepted, "{format}: a second witness");
        assert!(matches!(ledger.last_events(), [Event::EvidenceCorroborated { .. }]));
    }
}

#[test]
fn wrapped_evidence_counts_with_its_reader() {
    let mut cast = cast();
    let url = card_url(cast.card, 5, 1);
    assert_eq!(cast.wrapped(URL, url.as_bytes()), Seen::Accepted);
    let (reader, card) = (cast.reader, cast.card);
    let event = &cast.ledger.last_events()[0];
    assert!(
        matches!(event, Event::EvidenceTaken { thing, reader: Some(by), counter: 5, .. } if *thing == card && *by == reader)
    );
    assert_eq!(cast.bare(&url), Seen::Known(3));
    let context = Context { format: ContentFormat::TEXT, data: b"gate 7" };
    let url = card_url(cast.card, 6, 1);
    let payload = WrappedEvidence { format: URL, bytes: url.as_bytes(), context: Some(context) };
    assert_eq!(cast.ledger.state((cast.reader, 3), EVIDENCE, &payload), Seen::Accepted);
}

#[test]
fn each_format_has_its_counter() {
    let mut cast = cast();
    assert_eq!(cast.bare(&card_url(cast.card, 5, 1)), Seen::Accepted);
    let payload = card_payload(cast.card, 2, b"12 C", None, 1);
    assert_eq!(cast.ledger.see(&bare(PAYLOAD, &payload)), Seen::Accepted);
    assert_eq!(cast.counter(), Some(5));
    assert_eq!(cast.ledger.counter(cast.card, PAYLOAD).unwrap().unwrap().value, 2);
}

#[test]
fn what_is_not_evidence_of_the_card_does_not_count() {
    let mut cast = cast();
    let nobody = ThingId([1; 20]);
    let (card, reader) = (cast.card, cast.reader);
    let mut forged = card_url(card, 5, 1).into_bytes();
    *forged.last_mut().unwrap() ^= 1;
    let other_text = card_url(card, 5, 1).replace("p=1", "p=2").into_bytes();
    for (name, format, bytes, code) in [
        ("another card's key", URL, card_url(card, 5, 4).into_bytes(), RefusalCode::FORGED),
        ("a changed signature", URL, forged, RefusalCode::FORGED),
        ("a changed text", URL, other_text, RefusalCode::FORGED),
        ("an unknown card", URL, card_url(nobody, 5, 1).into_bytes(), RefusalCode::UNKNOWN_THING),
        ("no card", URL, card_url(reader, 5, 3).into_bytes(), RefusalCode::PURPOSE),
        ("no URL", URL, b"https://".to_vec(), RefusalCode::MALFORMED),
        ("no text", URL, vec![0xff; 9], RefusalCode::MALFORMED),
        ("no payload", PAYLOAD, b"https://".to_vec(), RefusalCode::MALFORMED),
        ("an unknown format", EvidenceFormat(63), Vec::new(), RefusalCode::UNKNOWN_KIND),
    ] {
        let before = cast.ledger.clone();
        assert_eq!(cast.ledger.see(&bare(format, &bytes)), Seen::Refused(code), "bare: {name}");
        assert_eq!(cast.ledger, before, "{name}");
        assert_eq!(cast.wrapped(format, &bytes), Seen::Denied(code), "wrapped: {name}");
        assert_eq!(cast.counter(), None, "{name}");
    }
    // The genuine one still counts.
    assert_eq!(cast.bare(&card_url(card, 5, 1)), Seen::Accepted);
}

#[test]
fn wrappings_are_denied() {
    let mut cast = cast();
    let url = card_url(cast.card, 5, 1);
    let no_shape = cast.ledger.next(cast.reader, EVIDENCE, vec![0xa0]).signed(0, 3);
    assert_eq!(cast.ledger.see(&no_shape), Seen::Denied(RefusalCode::PAYLOAD));
    let commitment = Digest::of(&[url.as_bytes()]).0.to_vec();
    let committed = Writing {
        content: Content::Committed(ContentFormat::CBOR),
        ..cast.ledger.next(cast.reader, EVIDENCE, commitment)
    };
    assert_eq!(cast.ledger.see(&committed.signed(0, 3)), Seen::Denied(RefusalCode::PAYLOAD));
    let long = card_payload(cast.card, 1, &vec![0; 17_000], None, 1);
    assert_eq!(cast.wrapped(PAYLOAD, &long), Seen::Denied(RefusalCode::MALFORMED));
    let outcome = cast.ledger.see(&bare(PAYLOAD, &long));
    assert_eq!(outcome, Seen::Refused(RefusalCode::TOO_LONG));
}

#[test]
fn a_revoked_card_is_sighted_and_nothing_advances() {
    for to in [Status::SUSPENDED, Status::DISABLED, Status::STOLEN, Status::LOST, Status::RETIRED] {
        let mut cast = cast();
        assert_eq!(cast.bare(&card_url(cast.card, 5, 1)), Seen::Accepted);
        cast.set_status(to, None);
        let sighted = Seen::Sighted(RefusalCode::REVOKED);
        let url = card_url(cast.card, 6, 1);
        assert_eq!(cast.bare(&url), sighted, "{to}");
        let event = Event::ThingSighted {
            thing: cast.card,
            evidence: id_of(url.as_bytes()),
            code: RefusalCode::REVOKED,
            reader: None,
        };
        assert_eq!(cast.ledger.last_events(), [event]);
        assert_eq!(cast.counter(), Some(5), "{to}");
        assert_eq!(cast.bare(&url), Seen::Known(5));
        let wrapped = card_url(cast.card, 7, 1);
        assert_eq!(cast.wrapped(URL, wrapped.as_bytes()), sighted, "{to}");
        assert_eq!(cast.counter(), Some(5), "{to}");
        let forged = card_url(cast.card, 8, 4);
        assert_eq!(cast.bare(&forged), Seen::Refused(RefusalCode::FORGED), "{to}");
        // What was read before it was revoked is no sighting, in whatever text.
        let used = card_url(cast.card, 5, 1);
        assert_eq!(cast.bare(&used), Seen::Known(3), "{to}");
        let card = cast.card;
        for counter in [4, 5] {
            let old = sign_url(&format!("https://x.example/?i={card}&c={counter:06}&s="), 1);
            assert_eq!(cast.bare(&old), Seen::Refused(RefusalCode::REPLAYED), "{to}: {counter}");
            let outcome = cast.wrapped(URL, old.as_bytes());
            assert_eq!(outcome, Seen::Denied(RefusalCode::REPLAYED), "{to}: {counter}, wrapped");
        }
    }
}

#[test]
fn a_replaced_card_counts_again_under_its_new_key() {
    let mut cast = cast();
    assert_eq!(cast.bare(&card_url(cast.card, 5, 1)), Seen::Accepted);
    cast.set_status(Status::LOST, None);
    cast.set_status(Status::ACTIVE, Some(4));
    assert_eq!(cast.bare(&card_url(cast.card, 5, 4)), Seen::Known(3), "the message is known");
    assert_eq!(cast.bare(&card_url(cast.card, 4, 4)), Seen::Refused(RefusalCode::REPLAYED));
    assert_eq!(cast.bare(&card_url(cast.card, 6, 4)), Seen::Accepted);
    assert_eq!(cast.bare(&card_url(cast.card, 7, 1)), Seen::Refused(RefusalCode::FORGED));
}

#[test]
fn a_card_that_loses_its_key_without_a_status_is_sighted() {
    let mut cast = cast();
    let close = Rotation { close: vec![KeyNumber(0)], ..rotation(cast.card) };
    assert_eq!(cast.ledger.state((cast.issuer, 0), StatementKind::ROTATE, &close), Seen::Accepted);
    let url = card_url(cast.card, 5, 1);
    assert_eq!(cast.bare(&url), Seen::Sighted(RefusalCode::REVOKED));
}

#[test]
fn any_changed_byte_of_a_signed_payload_fails() {
    let mut cast = cast();
    let genuine = card_payload(cast.card, 5, b"[{\"n\":\"t\",\"v\":21}]", Some(b"stored"), 1);
    for at in 0..genuine.len() {
        for difference in [1, 0x20, 0x80] {
            let mut bytes = genuine.clone();
            bytes[at] ^= difference;
            let outcome = cast.ledger.see(&bare(PAYLOAD, &bytes));
            assert!(
                matches!(
                    outcome,
                    Seen::Refused(
                        RefusalCode::FORGED | RefusalCode::MALFORMED | RefusalCode::UNKNOWN_THING
                    )
                ),
                "byte {at}: {outcome:?}"
            );
        }
    }
    assert_eq!(cast.ledger.see(&bare(PAYLOAD, &genuine)), Seen::Accepted);
}

#[test]
fn card_data_cannot_be_left_out_or_added() {
    let mut cast = cast();
    let signed = |data: Option<&[u8]>| card_payload(cast.card, 5, b"p", data, 1);
    let (with, without) = (signed(Some(b"stored")), signed(None));
    let signature = |bytes: &[u8]| bytes[bytes.len() - 64..].to_vec();
    let moved = |to: &[u8], from: &[u8]| [&to[..to.len() - 64], &signature(from)[..]].concat();
    for bytes in [moved(&with, &without), moved(&without, &with)] {
        assert_eq!(cast.ledger.see(&bare(PAYLOAD, &bytes)), Seen::Refused(RefusalCode::FORGED));
    }
}

mod urls {
    use super::*;

    const CARD: ThingId = ThingId([0x5a; 20]);

    fn parse(text: &str) -> Option<(u64, String)> {
        CardUrl::parse(text).ok().map(|url| (url.counter, url.signed.to_string()))
    }

    #[test]
    fn may_stand_in_many_forms() {
        let signature = "0AF".repeat(43)[..128].to_string();
        let upper = CARD.to_string().to_uppercase();
        for (text, counter) in [
            (format!("https://h.example/?i={CARD}&c=00000a&s="), 10),
            (format!("https://h.example/?c=ffffffff&i={upper}&s="), 0xffff_ffff),
            (
                format!("https://id.gs1.example/01/09506000134352/21/7?17=26&i={CARD}&c=00000A&s="),
                10,
            ),
            (format!("h?x&&=&i={CARD}&c=000000&s="), 0),
        ] {
            assert_eq!(parse(&format!("{text}{signature}")), Some((counter, text)));
        }
    }

    #[test]
    fn must_stand_in_one_form() {
        let (i, s) = (format!("i={CARD}"), "AB".repeat(64));
        let long = format!("https://h/?{i}&x={}&c=000001&s={s}", "x".repeat(1_024));
        for (name, text) in [
            ("no query", format!("https://h/{i}&c=000001&s={s}")),
            ("no card", format!("https://h/?c=000001&s={s}")),
            ("no counter", format!("https://h/?{i}&s={s}")),
            ("no signature", format!("https://h/?{i}&c=000001")),
            ("an empty signature", format!("https://h/?{i}&c=000001&s=")),
            ("a short signature", format!("https://h/?{i}&c=000001&s={}", &s[2..])),
            ("a long signature", format!("https://h/?{i}&c=000001&s={s}AB")),
            (
                "a signature in small letters",
                format!("https://h/?{i}&c=000001&s={}", s.to_lowercase()),
            ),
            ("half a byte", format!("https://h/?{i}&c=000001&s={}", &s[1..])),
            ("a signature of no digits", format!("https://h/?{i}&c=000001&s={}", "xy".repeat(64))),
            ("a parameter behind", format!("https://h/?{i}&c=000001&s={s}&x=1")),
            ("the same text behind", format!("https://h/?{i}&c=000001&s={s}&x={s}")),
            ("a fragment behind", format!("https://h/?{i}&c=000001&s={s}#x")),
            ("the signature first", format!("https://h/?s={s}&{i}&c=000001")),
            ("two cards", format!("https://h/?{i}&{i}&c=000001&s={s}")),
            ("two counters", format!("https://h/?{i}&c=000001&c=000002&s={s}")),
            ("two signatures", format!("https://h/?{i}&s={s}&c=000001&s={s}")),
            ("7 digits", format!("https://h/?{i}&c=0000001&s={s}")),
            ("no digits", format!("https://h/?{i}&c=&s={s}")),
            ("a sign", format!("https://h/?{i}&c=+00001&s={s}")),
            ("a short id", format!("https://h/?i=aaaa&c=000001&s={s}")),
            ("an id of no base32", format!("https://h/?i={}&c=000001&s={s}", "1".repeat(32))),
            ("a space", format!("https://h/ ?{i}&c=000001&s={s}")),
            ("a line end", format!("https://h/?{i}&c=000001&s={s}\n")),
            ("other letters", format!("https://hä/?{i}&c=000001&s={s}")),
            ("an escaped name", format!("https://h/?{i}&%63=000001&s={s}")),
            ("more than a tag holds", long),
            ("nothing", String::new()),
        ] {
            assert_eq!(parse(&text), None, "{name}");
        }
    }
}
