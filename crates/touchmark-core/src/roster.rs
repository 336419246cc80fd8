//! The roster of an organisation: the cards, readers and sensors that its own statements
//! initialised, as whoever reads only the log finds them.
//!
//! A [`Roster`] takes the leaves of the log one after the other and repeats what the accepted ones
//! did to the organisation's things, with the same rules as the node; of a log whose root is
//! certified it reaches the directory that the node answers with. It trusts that a leaf is in the
//! log and no more: a leaf that the rules would not have accepted is a [`Contradiction`].
//!
//! A thing that merely names the organisation as its controller is not in the roster: only what
//! the organisation registered itself is its word.

use crate::admission::Signed;
use crate::directory::accreditation::Accredit;
use crate::directory::inception::Inception;
use crate::directory::rotation::Rotation;
use crate::directory::status::SetStatus;
use crate::directory::update::Update;
use crate::entry::{Accreditation, Attributes, Entry, Thing};
use crate::event::Event;
use crate::group::Group;
use crate::refusal::{Refusal, Unreadable};
use crate::rules::{self, Action, Stop};
use crate::view::{Draft, Position, Read, View};
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use touchmark_wire::algorithm::CoseKey;
use touchmark_wire::codec::{self, Malformed};
use touchmark_wire::genesis::Committee;
use touchmark_wire::ids::{
    ChannelId, EvidenceId, Height, KeyNumber, LeafIndex, NetworkId, Sequence, StatementId, ThingId,
    Timestamp,
};
use touchmark_wire::leaf::Leaf;
use touchmark_wire::limits;
use touchmark_wire::registry::{EntryKind, StatementKind, ThingKind};
use touchmark_wire::state::StateKey;
use touchmark_wire::statement::{Signatures, Statement};

/// Attribute with the progressive number of a thing: 1, 2, 3 … per organisation and kind.
pub const NUMBER: &str = "number";
/// Attribute with the serial number of a thing's chip.
pub const SERIAL: &str = "serial";

/// The things of one organisation.
pub struct Roster {
    organisation: ThingId,
    state: Known,
    /// In the order of registration.
    members: Vec<ThingId>,
}

/// A thing of the roster.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// Its id.
    pub id: ThingId,
    /// Its kind, keys and status.
    pub thing: &'a Thing,
    /// Its specification, with number and serial number.
    pub attributes: Option<&'a Attributes>,
    /// The organisation's word for it.
    pub accreditation: Option<&'a Accreditation>,
}

/// The log has a leaf that the rules would not have accepted, or bytes that are no leaf.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Contradiction {
    /// Not a leaf or statement.
    Malformed(Malformed),
    /// The rules do not accept it.
    Refused(Refusal),
}

impl core::fmt::Display for Contradiction {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Malformed(malformed) => write!(f, "it is no leaf: {malformed}"),
            Self::Refused(refusal) => write!(f, "the rules do not accept it: {refusal}"),
        }
    }
}

impl core::error::Error for Contradiction {}

impl From<Malformed> for Contradiction {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl Roster {
    /// The roster before the first leaf of the log.
    pub fn new(network: NetworkId, organisation: ThingId) -> Self {
        let state = Known { network, entries: BTreeMap::new() };
        Self { organisation, state, members: Vec::new() }
    }

    /// Whose roster it is.
    pub const fn organisation(&self) -> ThingId {
        self.organisation
    }

    /// The organisation itself; nothing before its inception.
    pub fn head(&self) -> Option<&Thing> {
        self.state.known(self.organisation)
    }

    /// The things in the order of their registration.
    pub fn members(&self) -> impl Iterator<Item = Member<'_>> {
        self.members.iter().filter_map(|id| self.member(*id))
    }

    /// One of the things.
    pub fn member(&self, id: ThingId) -> Option<Member<'_>> {
        let thing = self.state.known(id).filter(|_| id != self.organisation)?;
        let attributes = match self.state.get(&StateKey::thing(id, EntryKind::ATTRIBUTES)) {
            Some(Entry::Attributes(attributes)) => Some(attributes),
            _ => None,
        };
        let accreditation = match self.state.get(&StateKey::accreditation(self.organisation, id)) {
            Some(Entry::Accreditation(accreditation)) => Some(accreditation),
            _ => None,
        };
        Some(Member { id, thing, attributes, accreditation })
    }

    /// The number that the next thing of a kind gets: one more than the last that has one.
    pub fn next_number(&self, kind: ThingKind) -> u64 {
        let of_kind = |member: &Member<'_>| member.thing.kind == kind;
        let numbers = self.members().filter(of_kind).filter_map(|member| member.number());
        numbers.last().unwrap_or_default().saturating_add(1)
    }

    /// Takes the next leaf of the log; says what it did to the organisation and its things.
    ///
    /// A leaf of which nothing is said changes nothing: a roster that never takes it is the same.
    pub fn take(&mut self, at: LeafIndex, leaf: &[u8]) -> Result<Vec<Event>, Contradiction> {
        let Leaf::Accepted(bytes) = Leaf::decode(leaf)? else {
            return Ok(Vec::new());
        };
        let statement = Statement::parse(bytes)?;
        let actions = actions(&statement);
        let relevant: Vec<_> = self.relevant(&actions);
        if relevant.is_empty() {
            return Ok(Vec::new());
        }
        let signers = self.signers(&statement);
        // No rule of the directory reads height or time.
        let position = Position { leaf: at, height: Height(0), time: Timestamp(0) };
        let mut draft = Draft::new(&self.state, position);
        for (actor, kind, payload) in relevant {
            let (evidence, appointment) = (None, None);
            let action = Action { actor, kind, payload, signers: &signers, evidence, appointment };
            rules::repeat(&mut draft, &action).map_err(|stop| match stop {
                Stop::Denied(refusal) | Stop::Sighting(refusal) => Contradiction::Refused(refusal),
                Stop::Unreadable => Contradiction::Refused(Unreadable.into()),
            })?;
        }
        let changes = draft.finish();
        self.state.entries.extend(changes.entries);
        for event in &changes.events {
            if let Event::ThingRegistered { thing, .. } = event
                && *thing != self.organisation
            {
                self.members.push(*thing);
            }
        }
        Ok(changes.events)
    }

    /// The actions that are about the organisation or one of its things, those among them that an
    /// earlier one registers included.
    fn relevant<'a>(
        &self,
        actions: &[(ThingId, StatementKind, &'a [u8])],
    ) -> Vec<(ThingId, StatementKind, &'a [u8])> {
        let mut new = Vec::new();
        let mut relevant = Vec::new();
        for &(actor, kind, payload) in actions {
            let by_us = actor == self.organisation;
            let Some(subject) = subject(actor, kind, payload) else { continue };
            let known = self.state.known(subject).is_some() || new.contains(&subject);
            let counts = match kind {
                StatementKind::INCEPTION | StatementKind::REGISTER => by_us,
                StatementKind::ACCREDIT => by_us && known,
                _ => known,
            };
            if counts {
                new.push(subject);
                relevant.push((actor, kind, payload));
            }
        }
        relevant
    }

    /// The signers whose keys are known here; the rules ask for no others.
    fn signers(&self, statement: &Statement<'_>) -> Vec<Signed> {
        let kids: Vec<_> = match statement.signatures() {
            Signatures::One(_) => alloc::vec![statement.protected().kid],
            Signatures::Many(many) => many.iter().map(|entry| entry.kid()).collect(),
        };
        let mut signers = Vec::new();
        for kid in kids {
            let (thing, number) = (kid.thing, kid.key.unwrap_or_default());
            let known = self.state.known(thing);
            let present = known.and_then(|thing| thing.key(number)).map(|key| key.key);
            let revealed = || known.and_then(|known| revealed(statement, thing, known, number));
            if let Some(key) = present.or_else(revealed) {
                signers.push(Signed { thing, number, key });
            }
        }
        signers
    }
}

impl Member<'_> {
    /// An attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.and_then(|attributes| attributes.0.get(name)).map(String::as_str)
    }

    /// Its progressive number, if it has one.
    pub fn number(&self) -> Option<u64> {
        self.attribute(NUMBER).and_then(number)
    }
}

/// A progressive number as the attribute has it: decimal, without sign or leading zeroes.
pub fn number(text: &str) -> Option<u64> {
    let number = text.parse().ok().filter(|number| *number > 0)?;
    let plain = !text.starts_with(['+', '0']);
    plain.then_some(number)
}

/// What a statement does: itself, or the parts of a group.
fn actions<'a>(statement: &'a Statement<'_>) -> Vec<(ThingId, StatementKind, &'a [u8])> {
    let (issuer, kind) = (statement.protected().kid.thing, statement.protected().link.kind);
    if kind != StatementKind::GROUP {
        return alloc::vec![(issuer, kind, statement.payload())];
    }
    parts(statement.payload()).unwrap_or_default()
}

/// The parts of a group, which stay where they are.
fn parts(payload: &[u8]) -> Option<Vec<(ThingId, StatementKind, &[u8])>> {
    codec::decode::<Group>(payload, limits::STATEMENT).ok()?;
    let mut decoder = minicbor::Decoder::new(payload);
    let count = decoder.array().ok()??;
    let mut parts = Vec::new();
    for _ in 0..count {
        decoder.array().ok()?;
        let (actor, kind) = (decoder.decode().ok()?, decoder.decode().ok()?);
        parts.push((actor, kind, decoder.bytes().ok()?));
    }
    Some(parts)
}

/// Which thing an action of the directory is about.
fn subject(actor: ThingId, kind: StatementKind, payload: &[u8]) -> Option<ThingId> {
    match kind {
        StatementKind::INCEPTION => Some(actor),
        StatementKind::REGISTER => Some(Inception::id_of(payload)),
        StatementKind::UPDATE => decoded(payload).map(|it: Update| it.thing),
        StatementKind::ROTATE => decoded(payload).map(|it: Rotation| it.thing),
        StatementKind::STATUS => decoded(payload).map(|it: SetStatus| it.thing),
        StatementKind::ACCREDIT => decoded(payload).map(|it: Accredit| it.thing),
        _ => None,
    }
}

fn decoded<'a, T: Decode<'a, ()> + Encode<()>>(payload: &'a [u8]) -> Option<T> {
    codec::decode(payload, limits::STATEMENT).ok()
}

/// The key that a rotation brings under this number, which may sign it.
fn revealed(
    statement: &Statement<'_>,
    id: ThingId,
    thing: &Thing,
    number: KeyNumber,
) -> Option<CoseKey> {
    let is_rotation = statement.protected().link.kind == StatementKind::ROTATE;
    let rotation = is_rotation.then(|| decoded::<Rotation>(statement.payload())).flatten()?;
    let place = number.0.checked_sub(thing.next_number.0)?;
    let new = rotation.add.get(usize::try_from(place).ok()?)?;
    (rotation.thing == id).then_some(new.key)
}

/// The entries of the organisation and its things.
struct Known {
    network: NetworkId,
    entries: BTreeMap<StateKey, Arc<Entry>>,
}

impl Known {
    fn get(&self, key: &StateKey) -> Option<&Entry> {
        self.entries.get(key).map(AsRef::as_ref)
    }

    fn known(&self, id: ThingId) -> Option<&Thing> {
        match self.get(&StateKey::thing(id, EntryKind::THING)) {
            Some(Entry::Thing(thing)) => Some(thing),
            _ => None,
        }
    }
}

impl View for Known {
    fn network(&self) -> NetworkId {
        self.network
    }

    fn genesis_committee(&self) -> Result<Arc<Committee>, Unreadable> {
        // No rule of the directory asks who certifies.
        Err(Unreadable)
    }

    fn entry(&self, key: &StateKey) -> Result<Option<Arc<Entry>>, Unreadable> {
        Ok(self.entries.get(key).cloned())
    }

    fn statement_at(
        &self,
        _: ThingId,
        _: Option<ChannelId>,
        _: Sequence,
    ) -> Result<Option<(LeafIndex, StatementId)>, Unreadable> {
        Ok(None)
    }

    fn evidence(&self, _: EvidenceId) -> Result<Option<LeafIndex>, Unreadable> {
        Ok(None)
    }
}

impl Read for Roster {
    fn read(&self, key: &StateKey) -> Result<Option<Arc<Entry>>, Unreadable> {
        self.state.entry(key)
    }
}
