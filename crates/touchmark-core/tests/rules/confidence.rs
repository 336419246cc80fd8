//! Confidence: each reason on a ledger where it holds, and the level that follows.

use crate::ledger::*;
use std::collections::{BTreeMap, BTreeSet};
use touchmark_core::confidence::{self, Code, Confidence, Level};
use touchmark_core::directory::inception::Inception;
use touchmark_core::directory::update::Update;
use touchmark_core::entry::{Accreditation, Thing};
use touchmark_wire::ids::{LeafIndex, ThingId};
use touchmark_wire::leaf::Leaf;
use touchmark_wire::limits;
use touchmark_wire::registry::{EntryKind, EvidenceFormat, StatementKind, Status, ThingKind};
use touchmark_wire::state::StateKey;

const URL: EvidenceFormat = EvidenceFormat::CARD_URL;

/// An organisation (key 0), a card (1), a reader (2), a sensor (3) that it registered and vouches
/// for; a stranger (4).
struct Cast {
    ledger: Ledger,
    organisation: ThingId,
    card: ThingId,
    reader: ThingId,
    sensor: ThingId,
    stranger: ThingId,
    counter: u32,
    seen: BTreeSet<Code>,
}

impl Cast {
    fn new() -> Self {
        let mut ledger = Ledger::new();
        let organisation = ledger.with(&device(0), 0);
        let reader = Inception { kind: ThingKind::READER, ..controlled(2, organisation) };
        let things = [card(1, organisation), reader, controlled(3, organisation)];
        let [card, reader, sensor] = things.map(|inception| {
            let registered = ledger.state((organisation, 0), StatementKind::REGISTER, &inception);
            assert_eq!(registered, Seen::Accepted);
            inception.id()
        });
        let stranger = ledger.with(&device(4), 4);
        let (counter, seen) = (0, BTreeSet::new());
        let mut cast = Self { ledger, organisation, card, reader, sensor, stranger, counter, seen };
        for (thing, role) in [(card, "card"), (reader, "reader"), (sensor, "sensor")] {
            cast.vouch(thing, &[role]);
        }
        cast
    }

    fn state(&mut self, kind: StatementKind, payload: &impl minicbor::Encode<()>) {
        assert_eq!(self.ledger.state((self.organisation, 0), kind, payload), Seen::Accepted);
    }

    fn vouch(&mut self, thing: ThingId, roles: &[&str]) {
        self.state(StatementKind::ACCREDIT, &accredit(thing, roles));
    }

    fn set(&mut self, thing: ThingId, to: Status) {
        self.state(StatementKind::STATUS, &status(thing, to, &[]));
    }

    fn specify(&mut self, thing: ThingId, name: &str, value: &str) {
        let set = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        self.state(StatementKind::UPDATE, &Update { thing, set, remove: Vec::new() });
    }

    fn url(&mut self, card: ThingId, n: u8) -> Vec<u8> {
        self.counter += 1;
        card_url(card, self.counter, n).into_bytes()
    }

    /// A bare tap of the card.
    fn tap(&mut self) -> LeafIndex {
        let url = self.url(self.card, 1);
        self.submit(&bare(URL, &url))
    }

    /// A tap of the card that `reader` with private key `n` passes on.
    fn read(&mut self, reader: ThingId, n: u8) -> LeafIndex {
        let url = self.url(self.card, 1);
        let next = self.ledger.next(reader, StatementKind::EVIDENCE, wrapped(URL, &url));
        self.submit(&next.signed(0, n))
    }

    fn measure(&mut self) -> LeafIndex {
        let record = self.ledger.record(self.sensor, "21.5").signed(0, 3);
        self.submit(&record)
    }

    fn submit(&mut self, bytes: &[u8]) -> LeafIndex {
        let before = self.ledger.leaves.len();
        let outcome = self.ledger.submit(bytes);
        assert_eq!(outcome.leaf(), Some(LeafIndex(before as u64)), "{outcome:?}");
        LeafIndex(before as u64)
    }

    fn confidence(&mut self, at: LeafIndex) -> Confidence {
        let leaf = &self.ledger.leaves[at.0 as usize];
        let found = confidence::of_leaf(at, leaf, &self.ledger).unwrap().unwrap();
        self.seen.extend(found.reasons.iter().map(|reason| reason.code));
        found
    }

    /// The leaf has this level, for this reason among others.
    fn expect(&mut self, at: LeafIndex, level: Level, code: Code) {
        let found = self.confidence(at);
        let codes: Vec<_> = found.reasons.iter().map(|reason| reason.code).collect();
        assert!(codes.contains(&code), "{code:?} of {codes:?}");
        assert_eq!(found.level, level, "{codes:?}");
        assert!(code.ceiling() >= level);
        for reason in &found.reasons {
            let sentence = reason.to_string();
            assert!(!sentence.contains(['{', '}']) && !sentence.contains("  "), "{sentence}");
        }
    }
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table, one row for each reason")]
fn every_reason_is_found_where_it_holds() {
    let mut cast = Cast::new();
    let (card, reader, sensor, organisation) =
        (cast.card, cast.reader, cast.sensor, cast.organisation);

    // All is well; a phone without identity; a reader of somebody else.
    let read = cast.read(reader, 2);
    cast.expect(read, Level::Trusted, Code::ReaderTrusted);
    cast.expect(read, Level::Trusted, Code::CardKnown);
    cast.expect(read, Level::Trusted, Code::SignedByCard);
    let tap = cast.tap();
    cast.expect(tap, Level::Plausible, Code::ReaderTrustless);
    let foreign = cast.read(cast.stranger, 4);
    cast.expect(foreign, Level::Plausible, Code::ReaderUnknown);
    let measured = cast.measure();
    cast.expect(measured, Level::Trusted, Code::DeviceTrusted);
    cast.expect(measured, Level::Trusted, Code::SignedByIssuer);
    cast.expect(measured, Level::Trusted, Code::Authorised);
    let own = cast.ledger.record(cast.stranger, "x").signed(0, 4);
    let own = cast.submit(&own);
    cast.expect(own, Level::Plausible, Code::DeviceUnknown);

    // A card that only says itself whose it is.
    let fake = cast.ledger.with(&super::ledger::card(5, organisation), 5);
    let url = cast.url(fake, 5);
    let faked = cast.submit(&bare(URL, &url));
    cast.expect(faked, Level::Doubtful, Code::CardUnknown);
    cast.expect(faked, Level::Doubtful, Code::OrganisationUnconfirmed);

    // Firmware.
    cast.specify(organisation, "device-firmware-minimum", "2.1");
    let measured = cast.measure();
    cast.expect(measured, Level::Plausible, Code::FirmwareUnknown);
    cast.specify(sensor, "firmware", "2.0.9");
    cast.expect(measured, Level::Doubtful, Code::FirmwareOutdated);
    cast.specify(sensor, "firmware", "2.10");
    cast.expect(measured, Level::Trusted, Code::FirmwareCurrent);

    // The organisation takes its word back; what was before stays.
    let before = cast.read(reader, 2);
    cast.vouch(reader, &[]);
    cast.vouch(sensor, &[]);
    let after = cast.read(reader, 2);
    let measured_after = cast.measure();
    cast.expect(before, Level::Trusted, Code::ReaderTrusted);
    cast.expect(after, Level::Plausible, Code::ReaderWithdrawn);
    cast.expect(measured, Level::Trusted, Code::DeviceTrusted);
    cast.expect(measured_after, Level::Plausible, Code::DeviceWithdrawn);
    cast.vouch(card, &[]);
    let withdrawn = cast.tap();
    cast.expect(withdrawn, Level::Doubtful, Code::CardWithdrawn);
    cast.vouch(card, &["card"]);
    cast.vouch(reader, &["reader"]);
    // Vouching again neither takes away what was before nor closes the gap.
    cast.vouch(reader, &["reader", "gate"]);
    cast.expect(before, Level::Trusted, Code::ReaderTrusted);
    cast.expect(after, Level::Plausible, Code::ReaderWithdrawn);
    cast.expect(withdrawn, Level::Doubtful, Code::CardWithdrawn);

    // A stolen card; a tampered one, which comes back.
    cast.set(card, Status::STOLEN);
    let sighted = cast.tap();
    cast.expect(sighted, Level::Unauthorised, Code::Sighting);
    cast.expect(sighted, Level::Unauthorised, Code::NotAuthorised);
    let read_by_trusted = cast.read(reader, 2);
    cast.expect(read_by_trusted, Level::Unauthorised, Code::Sighting);
    cast.set(card, Status::TAMPERED);
    let tampered = cast.tap();
    cast.expect(tampered, Level::Unauthorised, Code::Tampered);
    let key = for_purposes(6, touchmark_core::entry::Purposes::CARD);
    cast.state(StatementKind::STATUS, &status(card, Status::ACTIVE, &[key]));
    // One tap is kept back.
    let old = cast.url(card, 6);
    let url = cast.url(card, 6);
    let next = cast.ledger.next(reader, StatementKind::EVIDENCE, wrapped(URL, &url));
    let back = cast.submit(&next.signed(0, 2));
    cast.expect(back, Level::Trusted, Code::TamperedBefore);

    // Denied: a counter below one that was used, in a reader's statement.
    let next = cast.ledger.next(reader, StatementKind::EVIDENCE, wrapped(URL, &old));
    let denied = cast.submit(&next.signed(0, 2));
    cast.expect(denied, Level::Void, Code::Denied);

    // A fork of the reader's chain.
    let twin = cast.ledger.record(reader, "a").signed(0, 2);
    let fork = cast.ledger.record(reader, "b").signed(0, 2);
    let twin = cast.submit(&twin);
    let fork = cast.submit(&fork);
    cast.expect(fork, Level::Void, Code::Fork);
    cast.expect(twin, Level::Plausible, Code::ForkedLater);
    let url = cast.url(card, 6);
    let next = cast.ledger.next(reader, StatementKind::EVIDENCE, wrapped(URL, &url));
    let forked = cast.submit(&next.signed(0, 2));
    cast.expect(forked, Level::Doubtful, Code::Forked);

    // The organisation itself.
    let url = cast.url(card, 6);
    let ghost = cast.ledger.with(&controlled(7, ThingId([9; 20])), 7);
    let record = cast.ledger.record(ghost, "x").signed(0, 7);
    let ghostly = cast.submit(&record);
    cast.expect(ghostly, Level::Doubtful, Code::OrganisationUnconfirmed);
    // It names the organisation, which later takes it for its own.
    let pretender = cast.ledger.with(&controlled(8, organisation), 8);
    let record = cast.ledger.record(pretender, "x").signed(0, 8);
    let pretended = cast.submit(&record);
    cast.vouch(pretender, &["sensor"]);
    cast.specify(pretender, "firmware", "3");
    let record = cast.ledger.record(pretender, "y").signed(0, 8);
    let meant = cast.submit(&record);
    cast.expect(pretended, Level::Doubtful, Code::OrganisationUnconfirmed);
    cast.expect(meant, Level::Trusted, Code::DeviceTrusted);
    cast.set(organisation, Status::SUSPENDED);
    let headless = cast.submit(&bare(URL, &url));
    cast.expect(headless, Level::Doubtful, Code::OrganisationRevoked);

    // Whether it was active is not known from the state any more.
    let organisation = (cast.organisation, 0);
    for turn in 0..Thing::STATUS_CHANGES {
        let to = if turn % 2 == 0 { Status::ACTIVE } else { Status::SUSPENDED };
        let change = encoded(&status(organisation.0, to, &[]));
        let next = cast.ledger.next(organisation.0, StatementKind::STATUS, change);
        cast.submit(&next.signed(organisation.1, 0));
    }
    cast.expect(headless, Level::Doubtful, Code::OrganisationForgotten);

    // Read of a state without it.
    let mut other = cast.ledger.clone();
    other.entries.remove(&StateKey::thing(organisation.0, EntryKind::THING));
    std::mem::swap(&mut cast.ledger, &mut other);
    cast.expect(headless, Level::Doubtful, Code::OrganisationUnknown);
    cast.ledger = other;

    // Read of another moment: a thing that the state does not have, and a status out of reach.
    for (code, forget) in [(Code::NotRegistered, true), (Code::StatusForgotten, false)] {
        let mut cast = Cast::new();
        let at = cast.measure();
        let key = StateKey::thing(cast.sensor, EntryKind::THING);
        if forget {
            cast.ledger.entries.remove(&key);
            cast.expect(at, Level::Unauthorised, code);
        } else {
            for _ in 0..Thing::STATUS_CHANGES {
                cast.set(cast.sensor, Status::SUSPENDED);
                cast.set(cast.sensor, Status::ACTIVE);
            }
            cast.expect(at, Level::Plausible, code);
        }
        assert!(cast.seen.contains(&code));
    }
    cast.seen.extend([Code::NotRegistered, Code::StatusForgotten]);
    for (code, level) in [
        (Code::CardForgotten, Level::Doubtful),
        (Code::ReaderForgotten, Level::Plausible),
        (Code::DeviceForgotten, Level::Plausible),
    ] {
        let mut cast = Cast::new();
        let (thing, at) = match code {
            Code::CardForgotten => (cast.card, cast.tap()),
            Code::ReaderForgotten => (cast.reader, cast.read(cast.reader, 2)),
            _ => (cast.sensor, cast.measure()),
        };
        for turn in 0..Accreditation::PERIODS {
            cast.vouch(thing, &[["one", "other"][turn % 2]]);
        }
        cast.expect(at, level, code);
    }
    cast.seen.extend([Code::CardForgotten, Code::ReaderForgotten, Code::DeviceForgotten]);
    let missing: Vec<_> = Code::ALL.iter().filter(|code| !cast.seen.contains(code)).collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
}

#[test]
fn statements_of_the_directory_have_no_confidence() {
    let cast = Cast::new();
    for (at, leaf) in (0..).zip(&cast.ledger.leaves) {
        let found = confidence::of_leaf(LeafIndex(at), leaf, &cast.ledger).unwrap();
        assert_eq!(found, None, "leaf {at}");
    }
}

#[test]
fn levels_and_codes_are_ordered_and_distinct() {
    assert!(Level::ALL.is_sorted());
    let codes: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(codes.len(), Code::ALL.len());
    assert!(codes.iter().all(|code| code.starts_with("TM-")));
}

#[test]
fn the_specification_has_every_reason_with_its_ceiling() {
    let spec = include_str!("../../../../spec/confidence.md");
    for code in Code::ALL {
        let row = format!("| {} | `{}` | ", code.as_str(), code.ceiling().as_str());
        assert!(spec.contains(&row), "{row}");
    }
    assert_eq!(spec.matches("| TM-").count(), Code::ALL.len());
}

#[test]
fn what_happens_later_changes_no_earlier_authorisation() {
    let mut cast = Cast::new();
    let (reader, card) = (cast.reader, cast.card);
    let read = cast.read(reader, 2);
    let then = cast.confidence(read);
    cast.set(card, Status::STOLEN);
    cast.set(reader, Status::LOST);
    cast.vouch(reader, &[]);
    assert_eq!(cast.confidence(read), then);
}

/// Nobody's rules make such a leaf, but whoever judges bytes must come to an end.
#[test]
fn sightings_in_sightings_say_nothing() {
    let mut leaf = bare(URL, b"https://a.example/?i=");
    while leaf.len() + 16 < limits::LEAF {
        leaf = Leaf::Sighting { code: 201, leaf: &leaf }.encode_to_vec();
    }
    assert_eq!(confidence::of_leaf(LeafIndex(1), &leaf, &Ledger::new()), Ok(None));
}
