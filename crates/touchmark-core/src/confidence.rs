//! Confidence: how far a record can be believed, with the reasons (spec/confidence.md).
//!
//! A pure function from a leaf and the state: what was signed, who vouched, who was authorised at
//! the leaf's position. Node, client and auditor run this same code, so they agree. It says
//! nothing about whether the log is the certified one: that is the [`crate::verdict`]'s part.
//!
//! Each reason has a level that it does not let the record above; the lowest of them decides.

mod firmware;
mod reason;

pub use firmware::{FIRMWARE, minimum_of};
pub use reason::{Code, Reason};

use crate::entry::{Accreditation, Fork, StatusChange, StatusThen, Thing, WordThen};
use crate::evidence::{self, Inner, WrappedEvidence};
use crate::refusal::Unreadable;
use crate::view::{Held, Read};
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use firmware::Revision;
use touchmark_wire::codec;
use touchmark_wire::ids::{ChannelId, LeafIndex, ThingId};
use touchmark_wire::leaf::{BareEvidence, Leaf};
use touchmark_wire::limits;
use touchmark_wire::registry::{RefusalCode, StatementKind, Status};
use touchmark_wire::statement::Statement;

/// How far a record can be believed, from not at all upwards.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// It has no effect: denied, or the second statement at a place of a chain.
    Void,
    /// Genuine, but of a thing that was not authorised then.
    Unauthorised,
    /// Of an authorised thing, with a reason to doubt it.
    Doubtful,
    /// Genuine and authorised; nobody who would know vouches for all that it says.
    Plausible,
    /// Genuine, authorised, and the thing's organisation vouches for all who took part.
    Trusted,
}

impl Level {
    /// Every level, the lowest first.
    pub const ALL: [Self; 5] =
        [Self::Void, Self::Unauthorised, Self::Doubtful, Self::Plausible, Self::Trusted];

    /// As it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Void => "void",
            Self::Unauthorised => "unauthorised",
            Self::Doubtful => "doubtful",
            Self::Plausible => "plausible",
            Self::Trusted => "trusted",
        }
    }
}

/// How far a record can be believed, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Confidence {
    /// The lowest level of the reasons.
    pub level: Level,
    /// What was found, in the order of examination.
    pub reasons: Vec<Reason>,
}

/// Examines the leaf at `at`; `state` is that of any later moment. `None` for what is no record
/// and no evidence: statements of the directory are facts, not data.
pub fn of_leaf(
    at: LeafIndex,
    leaf: &[u8],
    state: &dyn Read,
) -> Result<Option<Confidence>, Unreadable> {
    let Ok(leaf) = Leaf::decode(leaf) else { return Ok(None) };
    let Some(Told { said, by, channel }) = told(&leaf) else { return Ok(None) };
    let chain = by.zip(channel);
    let mut examination = Examination { at, state, chain, reasons: Vec::new() };
    match leaf {
        Leaf::Denied { code, .. } => {
            examination.note(Code::Denied, None, RefusalCode(code).to_string());
        }
        Leaf::Fork { first, .. } => examination.note(Code::Fork, by, first.to_string()),
        Leaf::Sighting { code, .. } => {
            examination.note(Code::Sighting, None, RefusalCode(code).to_string());
        }
        Leaf::Accepted(_) | Leaf::Evidence(_) | Leaf::Batch(_) => {}
    }
    if !matches!(leaf, Leaf::Denied { .. } | Leaf::Fork { .. }) {
        match (said, by) {
            (Said::Data, Some(device)) => examination.device(device)?,
            (Said::Evidence(card), reader) => examination.card(card, reader)?,
            (Said::Data, None) => return Ok(None),
        }
    }
    Ok(Some(examination.conclude()))
}

/// What a leaf tells, and by whom.
struct Told {
    said: Said,
    by: Option<ThingId>,
    channel: Option<ChannelId>,
}

enum Said {
    /// A thing's own data.
    Data,
    /// What a card signed.
    Evidence(ThingId),
}

fn told(leaf: &Leaf<'_>) -> Option<Told> {
    match leaf {
        Leaf::Evidence(bare) => bare_evidence(bare),
        // No deeper: sightings nested by a stranger would take the whole stack.
        Leaf::Sighting { leaf, .. } => match Leaf::decode(leaf).ok()? {
            Leaf::Evidence(bare) => bare_evidence(&bare),
            Leaf::Accepted(bytes) => statement(&Statement::parse(bytes).ok()?),
            _ => None,
        },
        Leaf::Batch(_) => None,
        Leaf::Accepted(bytes)
        | Leaf::Denied { statement: bytes, .. }
        | Leaf::Fork { second: bytes, .. } => statement(&Statement::parse(bytes).ok()?),
    }
}

fn bare_evidence(bare: &BareEvidence<'_>) -> Option<Told> {
    let Inner { thing, .. } = evidence::parse(bare.format, bare.bytes).ok()?;
    Some(Told { said: Said::Evidence(thing), by: None, channel: None })
}

fn statement(statement: &Statement<'_>) -> Option<Told> {
    let by = Some(statement.protected().kid.thing);
    let channel = statement.protected().link.channel;
    match statement.protected().link.kind {
        StatementKind::RECORD => Some(Told { said: Said::Data, by, channel }),
        StatementKind::EVIDENCE => {
            let wrapped: Result<WrappedEvidence<'_>, _> =
                codec::decode(statement.payload(), limits::STATEMENT);
            let inner = wrapped.ok().and_then(|it| evidence::parse(it.format, it.bytes).ok());
            // Denied evidence need not be readable.
            let said = inner.map_or(Said::Data, |inner| Said::Evidence(inner.thing));
            Some(Told { said, by, channel })
        }
        _ => None,
    }
}

struct Examination<'a> {
    at: LeafIndex,
    state: &'a dyn Read,
    /// Who states in a channel, and in which: the chain that a fork is looked for in.
    chain: Option<(ThingId, ChannelId)>,
    reasons: Vec<Reason>,
}

impl Examination<'_> {
    fn note(&mut self, code: Code, thing: Option<ThingId>, detail: String) {
        self.reasons.push(Reason { code, thing, detail });
    }

    fn conclude(self) -> Confidence {
        let level = self.reasons.iter().map(|reason| reason.code.ceiling()).min();
        Confidence { level: level.unwrap_or(Level::Void), reasons: self.reasons }
    }

    /// A thing's own data.
    fn device(&mut self, id: ThingId) -> Result<(), Unreadable> {
        self.note(Code::SignedByIssuer, Some(id), String::new());
        let Some(thing) = self.standing(id)? else { return Ok(()) };
        let organisation = self.organisation_of(&thing);
        let word = self.word(organisation, id)?;
        let codes = [
            Code::DeviceTrusted,
            Code::DeviceWithdrawn,
            Code::DeviceUnknown,
            Code::DeviceForgotten,
        ];
        self.note_word(codes, id, word.at(self.at));
        if let Some(organisation) = organisation {
            self.organisation(organisation)?;
            self.firmware(id, &thing, organisation)?;
        }
        Ok(())
    }

    /// What a card signed, and the reader that passed it on.
    fn card(&mut self, card: ThingId, reader: Option<ThingId>) -> Result<(), Unreadable> {
        self.note(Code::SignedByCard, Some(card), String::new());
        let Some(thing) = self.standing(card)? else { return Ok(()) };
        let organisation = self.organisation_of(&thing);
        let word = self.word(organisation, card)?;
        let codes = [Code::CardKnown, Code::CardWithdrawn, Code::CardUnknown, Code::CardForgotten];
        self.note_word(codes, card, word.at(self.at));
        if let Some(organisation) = organisation {
            self.organisation(organisation)?;
        }
        let Some(reader) = reader else {
            self.note(Code::ReaderTrustless, None, String::new());
            return Ok(());
        };
        let Some(thing) = self.standing(reader)? else { return Ok(()) };
        let word = self.word(organisation, reader)?;
        let codes = [
            Code::ReaderTrusted,
            Code::ReaderWithdrawn,
            Code::ReaderUnknown,
            Code::ReaderForgotten,
        ];
        let word = word.at(self.at);
        self.note_word(codes, reader, word);
        if let Some(organisation) = organisation.filter(|_| matches!(word, WordThen::Given(_))) {
            self.firmware(reader, &thing, organisation)?;
        }
        Ok(())
    }

    /// Whether a thing was authorised then, and whether its chain and case are whole.
    fn standing(&mut self, id: ThingId) -> Result<Option<Held<Thing>>, Unreadable> {
        let Some(thing) = self.state.thing(id)? else {
            self.note(Code::NotRegistered, Some(id), String::new());
            return Ok(None);
        };
        let then = thing.status_at(self.at);
        let code = match then {
            StatusThen::NotRegistered => Code::NotRegistered,
            StatusThen::Forgotten => Code::StatusForgotten,
            StatusThen::Known(change) if change.status == Status::ACTIVE => Code::Authorised,
            StatusThen::Known(_) => Code::NotAuthorised,
        };
        let unless_active = then.status().filter(|status| *status != Status::ACTIVE);
        let detail = unless_active.map(|status| status.to_string()).unwrap_or_default();
        self.note(code, Some(id), detail);
        let before = thing.statuses.iter().rev().filter(|change| change.at < self.at);
        let tampered = before.clone().find(|change| change.status == Status::TAMPERED);
        if let Some(alert) = tampered {
            let is_now = matches!(then, StatusThen::Known(now) if now.at == alert.at);
            let code = if is_now { Code::Tampered } else { Code::TamperedBefore };
            self.note(code, Some(id), alert.at.to_string());
        }
        if let Some(fork) = self.fork_of(id)? {
            let code = if fork.leaf < self.at { Code::Forked } else { Code::ForkedLater };
            self.note(code, Some(id), fork.leaf.to_string());
        }
        Ok(Some(thing))
    }

    /// The fork of the chain that the record is in, or of another thing's main chain.
    fn fork_of(&self, id: ThingId) -> Result<Option<Fork>, Unreadable> {
        match self.chain {
            Some((issuer, channel)) if issuer == id => {
                Ok(self.state.channel_chain(channel, id)?.and_then(|it| it.chain.fork))
            }
            _ => Ok(self.state.head(id)?.and_then(|head| head.chain.fork)),
        }
    }

    /// The organisation behind a thing: its controller, once that said so itself.
    fn organisation_of(&mut self, thing: &Thing) -> Option<ThingId> {
        let named = thing.controller?;
        if thing.confirmed.is_some_and(|at| at < self.at) {
            Some(named)
        } else {
            self.note(Code::OrganisationUnconfirmed, Some(named), String::new());
            None
        }
    }

    /// Whether the organisation behind it could speak for its things then.
    fn organisation(&mut self, id: ThingId) -> Result<(), Unreadable> {
        let thing = self.state.thing(id)?;
        match thing.as_ref().map_or(StatusThen::NotRegistered, |thing| thing.status_at(self.at)) {
            StatusThen::Known(StatusChange { status: Status::ACTIVE, .. }) => {}
            StatusThen::Known(change) => {
                self.note(Code::OrganisationRevoked, Some(id), change.status.to_string());
            }
            StatusThen::Forgotten => {
                self.note(Code::OrganisationForgotten, Some(id), String::new());
            }
            StatusThen::NotRegistered => {
                self.note(Code::OrganisationUnknown, Some(id), String::new());
            }
        }
        Ok(())
    }

    /// What the organisation had said of a thing by then.
    fn word(&self, by: Option<ThingId>, id: ThingId) -> Result<Accreditation, Unreadable> {
        Ok(match by {
            Some(by) => self.state.accreditation(by, id)?.unwrap_or_default(),
            None => Accreditation::default(),
        })
    }

    fn note_word(&mut self, codes: [Code; 4], id: ThingId, word: WordThen<'_>) {
        let [given, withdrawn, none, forgotten] = codes;
        let code = match word {
            WordThen::Given(_) => given,
            WordThen::Withdrawn => withdrawn,
            WordThen::Never => none,
            WordThen::Forgotten => forgotten,
        };
        self.note(code, Some(id), String::new());
    }

    /// The thing's firmware against what its organisation asks for; nothing where it does not.
    fn firmware(
        &mut self,
        id: ThingId,
        thing: &Thing,
        organisation: ThingId,
    ) -> Result<(), Unreadable> {
        let Some(name) = minimum_of(thing.kind) else { return Ok(()) };
        let asked = self.state.attributes(organisation)?;
        let Some(asked) = asked.0.get(name) else { return Ok(()) };
        let own = self.state.attributes(id)?;
        let own = own.0.get(FIRMWARE);
        let revisions = own.and_then(|own| Some((Revision::parse(own)?, Revision::parse(asked)?)));
        let code = match revisions {
            Some((own, asked)) if own >= asked => Code::FirmwareCurrent,
            Some(_) => Code::FirmwareOutdated,
            None => Code::FirmwareUnknown,
        };
        self.note(code, Some(id), own.cloned().unwrap_or_default());
        Ok(())
    }
}
