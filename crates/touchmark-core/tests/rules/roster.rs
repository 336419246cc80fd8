//! Whoever reads only the log reaches the directory that the state holds.

use crate::ledger::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use touchmark_core::directory::inception::Inception;
use touchmark_core::directory::update::Update;
use touchmark_core::entry::Entry;
use touchmark_core::event::Event;
use touchmark_core::roster::{Contradiction, NUMBER, Roster, SERIAL, number};
use touchmark_core::view::{Read as _, View as _};
use touchmark_wire::ids::{LeafIndex, ThingId};
use touchmark_wire::registry::{EntryKind, StatementKind, Status, ThingKind};
use touchmark_wire::state::StateKey;

/// The organisation: keys 0, 1, 2, of which two must sign.
fn organisation() -> Inception {
    Inception {
        kind: ThingKind::ORGANISATION,
        keys: vec![general(0), general(1), general(2)],
        threshold: 2,
        ..device(0)
    }
}

struct World {
    ledger: Ledger,
    organisation: ThingId,
    stranger: ThingId,
    things: Vec<ThingId>,
    /// Private keys: the next one to use.
    fresh: u8,
}

impl World {
    fn new() -> Self {
        let mut ledger = Ledger::new();
        let inception = organisation();
        let organisation = inception.id();
        let first = ledger.next(organisation, StatementKind::INCEPTION, encoded(&inception));
        let signed = first.signed_by(&[(organisation, 0, 0), (organisation, 2, 2)]);
        assert_eq!(ledger.see(&signed), Seen::Accepted);
        let stranger = ledger.with(&device(3), 3);
        Self { ledger, organisation, stranger, things: Vec::new(), fresh: 10 }
    }

    /// Two of the organisation's members state.
    fn state(&mut self, kind: StatementKind, payload: &impl minicbor::Encode<()>) -> Seen {
        let id = self.organisation;
        let next = self.ledger.next(id, kind, encoded(payload));
        self.ledger.see(&next.signed_by(&[(id, 0, 0), (id, 1, 1)]))
    }

    fn fresh(&mut self) -> u8 {
        self.fresh += 1;
        self.fresh
    }

    fn roster(&self) -> Roster {
        let mut roster = Roster::new(self.ledger.network(), self.organisation);
        for (at, leaf) in (0..).zip(&self.ledger.leaves) {
            roster.take(LeafIndex(at), leaf).unwrap();
        }
        roster
    }

    /// The roster from the leaves alone that say something of the organisation, in two readings.
    fn resumed(&self, cut: usize) -> Roster {
        let mut kept: Vec<(LeafIndex, &Vec<u8>)> = Vec::new();
        let mut roster = Roster::new(self.ledger.network(), self.organisation);
        for (at, leaf) in (0..).map(LeafIndex).zip(&self.ledger.leaves) {
            if at.0 == cut as u64 {
                roster = Roster::new(self.ledger.network(), self.organisation);
                for (at, leaf) in &kept {
                    drop(roster.take(*at, leaf).unwrap());
                }
            }
            if !roster.take(at, leaf).unwrap().is_empty() {
                kept.push((at, leaf));
            }
        }
        roster
    }

    fn init(&mut self, kind: ThingKind) -> Inception {
        let n = self.fresh();
        let number = self.roster().next_number(kind).to_string();
        let attributes = [(NUMBER, number), (SERIAL, format!("S-{n}"))];
        let attributes = attributes.map(|(name, value)| (name.to_owned(), value));
        Inception { kind, attributes: Some(attributes.into()), ..card(n, self.organisation) }
    }
}

#[derive(Clone, Debug)]
enum Act {
    Init(bool),
    InitInGroup,
    Revoke(usize, usize),
    Reinstate(usize),
    Specify(usize, String),
    Vouch(usize, bool),
    NewKey(usize),
    /// A stranger names the organisation as its controller.
    Impostor,
    /// A stranger vouches, revokes, and is denied or of no concern.
    Noise(usize),
    Record,
}

fn any_act() -> impl Strategy<Value = Act> {
    let which = any::<usize>;
    prop_oneof![
        4 => any::<bool>().prop_map(Act::Init),
        1 => Just(Act::InitInGroup),
        3 => (which(), 2..=7usize).prop_map(|(which, status)| Act::Revoke(which, status)),
        3 => which().prop_map(Act::Reinstate),
        2 => (which(), "[a-c]{1,2}").prop_map(|(which, name)| Act::Specify(which, name)),
        2 => (which(), any::<bool>()).prop_map(|(which, vouch)| Act::Vouch(which, vouch)),
        1 => which().prop_map(Act::NewKey),
        1 => Just(Act::Impostor),
        1 => which().prop_map(Act::Noise),
        1 => Just(Act::Record),
    ]
}

impl World {
    fn act(&mut self, act: Act) {
        let pick = |which: usize, things: &[ThingId]| {
            (!things.is_empty()).then(|| things[which % things.len()])
        };
        match act {
            Act::Init(is_card) => {
                let kind = if is_card { ThingKind::CARD } else { ThingKind::READER };
                let inception = self.init(kind);
                assert_eq!(self.state(StatementKind::REGISTER, &inception), Seen::Accepted);
                self.things.push(inception.id());
            }
            Act::InitInGroup => {
                let (id, inception) = (self.organisation, self.init(ThingKind::READER));
                let reader = inception.id();
                let group = group(&[
                    (id, StatementKind::REGISTER, inception.encode_to_vec()),
                    (id, StatementKind::ACCREDIT, encoded(&accredit(reader, &["reader"]))),
                ]);
                assert_eq!(self.state(StatementKind::GROUP, &group), Seen::Accepted);
                self.things.push(reader);
            }
            Act::Revoke(which, to) => {
                let Some(thing) = pick(which, &self.things) else { return };
                let mut change = status(thing, Status(to as u8), &[]);
                change.reason = Some(format!("reason {to}"));
                self.state(StatementKind::STATUS, &change);
            }
            Act::Reinstate(which) => {
                let Some(thing) = pick(which, &self.things) else { return };
                let key = general(self.fresh());
                self.state(StatementKind::STATUS, &status(thing, Status::ACTIVE, &[key]));
            }
            Act::Specify(which, name) => {
                let Some(thing) = pick(which, &self.things) else { return };
                let set = BTreeMap::from([(name, "new".to_owned())]);
                let remove = vec!["a".to_owned()];
                self.state(StatementKind::UPDATE, &Update { thing, set, remove });
            }
            Act::Vouch(which, vouch) => {
                let Some(thing) = pick(which, &self.things) else { return };
                let roles: &[&str] = if vouch { &["reader"] } else { &[] };
                self.state(StatementKind::ACCREDIT, &accredit(thing, roles));
            }
            Act::NewKey(which) => {
                let Some(thing) = pick(which, &self.things) else { return };
                let mut exchange = rotation(thing);
                exchange.add.push(general(self.fresh()));
                self.state(StatementKind::ROTATE, &exchange);
            }
            Act::Impostor => {
                let n = self.fresh();
                self.ledger.with(&controlled(n, self.organisation), n);
            }
            Act::Noise(which) => {
                let Some(thing) = pick(which, &self.things) else { return };
                let by = (self.stranger, 3);
                self.ledger.state(by, StatementKind::ACCREDIT, &accredit(thing, &["fake"]));
                let change = status(thing, Status::STOLEN, &[]);
                let seen = self.ledger.state(by, StatementKind::STATUS, &change);
                assert!(matches!(seen, Seen::Denied(_)));
            }
            Act::Record => {
                let record = self.ledger.record(self.stranger, "data").signed(0, 3);
                self.ledger.see(&record);
            }
        }
    }

    /// The roster has what the state has, and nothing else.
    fn check(&self, roster: &Roster) {
        let ids: Vec<_> = roster.members().map(|member| member.id).collect();
        assert_eq!(ids, self.things);
        for member in roster.members() {
            assert_eq!(Some(member.thing), self.ledger.thing(member.id).unwrap().as_deref());
            let attributes = member.attributes.cloned().unwrap_or_default();
            assert_eq!(attributes, self.ledger.attributes(member.id).unwrap());
            let word = self.ledger.accreditation(self.organisation, member.id).unwrap();
            assert_eq!(member.accreditation, word.as_ref());
            for number in 0..member.thing.next_number.0 {
                let key = StateKey::closed_key(member.id, touchmark_wire::ids::KeyNumber(number));
                assert_eq!(roster.read(&key), self.ledger.entry(&key));
            }
        }
        for kind in [ThingKind::CARD, ThingKind::READER] {
            let of_kind = |member: &touchmark_core::roster::Member<'_>| member.thing.kind == kind;
            let numbers: Vec<_> =
                roster.members().filter(of_kind).map(|member| member.number().unwrap()).collect();
            let expected: Vec<_> = (1..=numbers.len() as u64).collect();
            assert_eq!(numbers, expected, "numbers of {kind}: no gap, none twice");
        }
        assert_eq!(roster.head(), self.ledger.thing(self.organisation).unwrap().as_deref());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_log_alone_gives_the_directory(
        acts in prop::collection::vec(any_act(), 1..40),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut world = World::new();
        for act in acts {
            world.act(act);
        }
        world.check(&world.roster());
        world.check(&world.resumed(cut.index(world.ledger.leaves.len())));
    }
}

#[test]
fn changes_are_told_and_others_are_not() {
    let mut world = World::new();
    world.act(Act::Init(true));
    world.act(Act::Revoke(0, 4));
    world.act(Act::Impostor);
    world.act(Act::Noise(0));
    let mut roster = Roster::new(world.ledger.network(), world.organisation);
    let told: Vec<Vec<Event>> = (0..)
        .zip(&world.ledger.leaves)
        .map(|(at, leaf)| roster.take(LeafIndex(at), leaf).unwrap())
        .collect();
    assert_eq!(told[2], world.ledger.events[2], "what the node says of the initialisation");
    assert_eq!(told[3], world.ledger.events[3], "and of the revocation");
    assert!(matches!(told[3][0], Event::StatusChanged { status: Status::STOLEN, .. }));
    assert!(told[1].is_empty() && told[4..].iter().all(Vec::is_empty), "{told:?}");
}

#[test]
fn a_leaf_that_the_rules_would_not_accept_is_a_contradiction() {
    let mut world = World::new();
    world.act(Act::Init(true));
    let card = world.things[0];
    let mut roster = world.roster();
    let members = || vec![(world.organisation, 0, 0), (world.organisation, 1, 1)];
    let again = encoded(&status(card, Status::ACTIVE, &[]));
    let leaf = world.ledger.next(world.organisation, StatementKind::STATUS, again);
    let end = LeafIndex(world.ledger.leaves.len() as u64);
    let taken = roster.take(end, &leaf.signed_by(&members()));
    assert!(matches!(taken, Err(Contradiction::Refused(_))), "{taken:?}");
    assert!(matches!(roster.take(end, b"\xff"), Err(Contradiction::Malformed(_))));
    assert_eq!(roster.member(card).unwrap().thing.status(), Status::ACTIVE, "nothing happened");
}

#[test]
fn a_pre_rotated_reader_rotates_by_itself() {
    let mut world = World::new();
    let organisation = world.organisation;
    let inception = prerotated(20, 21, Some(organisation));
    assert_eq!(world.state(StatementKind::REGISTER, &inception), Seen::Accepted);
    let reader = inception.id();
    world.things.push(reader);
    let mut exchange = rotation(reader);
    exchange.add.push(general(21));
    exchange.next = Some(committed(1, &[22]));
    let rotated = world.ledger.state_as((reader, 1, 21), StatementKind::ROTATE, &exchange);
    assert_eq!(rotated, Seen::Accepted);
    let roster = world.roster();
    assert_eq!(roster.member(reader).unwrap().thing, &world.ledger.state_of(reader));
    let attributes = StateKey::thing(reader, EntryKind::ATTRIBUTES);
    assert!(!matches!(
        world.ledger.entries.get(&attributes).map(AsRef::as_ref),
        Some(Entry::Thing(_))
    ));
}

#[test]
fn numbers_are_plain() {
    assert_eq!(number("1"), Some(1));
    assert_eq!(number("18446744073709551615"), Some(u64::MAX));
    for wrong in ["", "0", "01", "+1", "-1", "1 ", "1.0", "18446744073709551616"] {
        assert_eq!(number(wrong), None, "{wrong}");
    }
}
