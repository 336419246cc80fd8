//! What a submission does to the state: the table of families and the order of checks.

use crate::admission::{
    Signed, Submission, VerifiedAppointment, VerifiedEvidence, VerifiedStatement,
};
use crate::chain::{self, Kept, Place};
use crate::directory::prerotation::Revealed;
use crate::entry::{Entry, Fork, Purposes};
use crate::event::Event;
use crate::refusal::{Outcome, Refusal, Unreadable};
use crate::view::{Draft, InChannel, Position, Read, View};
use crate::{appointment, channel, directory, evidence, group, record};
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{ChannelId, EvidenceId, LeafIndex, Sequence, StatementId, ThingId};
use touchmark_wire::leaf::Leaf;
use touchmark_wire::merkle;
use touchmark_wire::registry::{ContentFormat, RefusalCode, StatementKind};
use touchmark_wire::state::StateKey;
use touchmark_wire::statement::Content;

/// A family of statements: one row of the table.
pub(crate) struct Family {
    /// Its number.
    pub(crate) kind: StatementKind,
    /// What the signing keys must be declared for.
    pub(crate) purpose: Purposes,
    /// Whether a suspended or disabled thing may still state this.
    pub(crate) while_paused: bool,
    /// Whether it may be part of an atomic group.
    pub(crate) in_group: bool,
    /// Whether its rule reads the payload, which then stands in the statement itself, as CBOR.
    pub(crate) reads_payload: bool,
    /// Its rule.
    pub(crate) apply: fn(&mut Draft<'_>, &Action<'_>) -> Result<(), Stop>,
}

const FAMILIES: [Family; 12] = [
    directory::inception::FAMILY,
    directory::registration::FAMILY,
    directory::update::FAMILY,
    directory::rotation::FAMILY,
    directory::status::FAMILY,
    directory::accreditation::FAMILY,
    record::FAMILY,
    evidence::FAMILY,
    group::FAMILY,
    channel::opening::FAMILY,
    channel::access::FAMILY,
    appointment::FAMILY,
];

/// Something a thing wants done: a statement, or one action of a group.
pub struct Action<'a> {
    /// Who wants it.
    pub actor: ThingId,
    /// What it is.
    pub kind: StatementKind,
    /// Its details.
    pub payload: &'a [u8],
    /// The keys that signed, of all signers.
    pub signers: &'a [Signed],
    /// With evidence: the inner signature, checked.
    pub evidence: Option<&'a Result<VerifiedEvidence, Refusal>>,
    /// With an appointment: the approvals, checked.
    pub appointment: Option<&'a Result<VerifiedAppointment, Refusal>>,
}

/// Why a rule ended early.
#[derive(Debug)]
pub enum Stop {
    /// The leaf is logged as denied, without effect.
    Denied(Refusal),
    /// The leaf is logged as a sighting: in the histories, without other effect.
    Sighting(Refusal),
    /// The state cannot be read.
    Unreadable,
}

impl Stop {
    /// Denies.
    pub(crate) const fn denied(code: RefusalCode, cause: &'static str) -> Self {
        Self::Denied(Refusal::new(code, cause))
    }
}

impl From<Unreadable> for Stop {
    fn from(_: Unreadable) -> Self {
        Self::Unreadable
    }
}

/// What to do with a submission.
#[derive(Debug)]
pub enum Decision {
    /// Append this leaf and make these changes.
    Append(Box<Effect>),
    /// It is in the log already.
    Known(LeafIndex),
    /// It is in the log already, as the proof of a fork.
    KnownFork(LeafIndex, Refusal),
    /// Store nothing.
    Refuse(Refusal),
    /// Its signatures were checked under other keys than those that count here. Its bytes are to be
    /// admitted anew, on this view: what becomes of a submission depends on its bytes and the state
    /// at its place in the log alone, not on when, or with what, a node happened to admit it.
    Outdated,
}

impl Decision {
    pub(crate) fn append(effect: Effect) -> Self {
        Self::Append(Box::new(effect))
    }

    /// What to tell the submitter, once the effect is taken, if there is one.
    pub fn into_outcome(self) -> Outcome {
        match self {
            Self::Append(effect) => effect.outcome,
            Self::Known(leaf) => Outcome::Known(leaf),
            Self::KnownFork(leaf, refusal) => Outcome::Forked(leaf, refusal),
            Self::Refuse(refusal) => Outcome::Refused(refusal),
            Self::Outdated => {
                let cause = "a signature was checked under a key that is not the one that counts";
                Outcome::Refused(Refusal::new(RefusalCode::KEY_NOT_VALID, cause))
            }
        }
    }
}

/// A leaf and everything that follows from it.
#[derive(Debug)]
pub struct Effect {
    /// The encoded leaf.
    pub leaf: Vec<u8>,
    /// RFC 9162 hash of the leaf.
    pub leaf_hash: Digest,
    /// New values of state entries, in key order.
    pub changes: Vec<(StateKey, Arc<Entry>)>,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// The things whose histories the leaf is in.
    pub about: Vec<ThingId>,
    /// The things among whose mentions it is.
    pub mentioned: Vec<ThingId>,
    /// The channel that it is about or in.
    pub channel: Option<InChannel>,
    /// The place in a chain that it takes.
    pub place: Option<ChainPlace>,
    /// The evidence that is first seen here.
    pub evidence: Option<EvidenceId>,
    /// What to tell the submitter.
    pub outcome: Outcome,
}

/// A place in a chain, with the statement that has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChainPlace {
    /// Whose chain.
    pub issuer: ThingId,
    /// In which channel.
    pub channel: Option<ChannelId>,
    /// Which place.
    pub sequence: Sequence,
    /// Which statement.
    pub id: StatementId,
}

/// Decides on `submission`, which would stand at `position`.
pub fn decide(
    view: &dyn View,
    submission: &Submission,
    position: Position,
) -> Result<Decision, Unreadable> {
    if !submission.holds(view)? {
        return Ok(Decision::Outdated);
    }
    match submission {
        Submission::Statement(statement) => decide_statement(view, statement, position),
        Submission::Evidence(evidence) => evidence::decide_bare(view, evidence, position),
    }
}

fn decide_statement(
    view: &dyn View,
    statement: &VerifiedStatement,
    position: Position,
) -> Result<Decision, Unreadable> {
    let family = Family::of(statement);
    let chain = match chain::place(view, statement, family.map(|family| family.purpose))? {
        Place::Next(chain) => chain,
        Place::Known(leaf) => return Ok(Decision::Known(leaf)),
        Place::KnownFork(leaf, chain) => return Ok(Decision::KnownFork(leaf, forked(&chain))),
        Place::Fork { first, chain } => return fork(view, statement, position, first, chain),
        Place::Refused(refusal) => return Ok(Decision::Refuse(refusal)),
    };
    let Some(family) = family else {
        let cause = match statement.link.channel {
            None => "this kind of statement is not in the registry",
            Some(_) => "only records and evidence are stated in a channel",
        };
        return Ok(Decision::Refuse(Refusal::new(RefusalCode::UNKNOWN_KIND, cause)));
    };
    if let Some(refusal) = family.refuses_signers(view, statement)? {
        return Ok(Decision::Refuse(refusal));
    }
    let start = || start(view, statement, position, &chain);
    let mut draft = start();
    let applied = chain
        .require_writer()
        .and_then(|()| family.require_readable(statement))
        .and_then(|()| (family.apply)(&mut draft, &statement.action()));
    let stop = match applied {
        Ok(()) => return accept(draft, statement).map(Decision::append),
        Err(stop) => stop,
    };
    match stop {
        Stop::Unreadable => Err(Unreadable),
        Stop::Denied(refusal) => deny(start(), statement, refusal).map(Decision::append),
        Stop::Sighting(refusal) => {
            evidence::sight_wrapped(start(), statement, refusal).map(Decision::append)
        }
    }
}

pub(crate) fn act(draft: &mut Draft<'_>, action: &Action<'_>) -> Result<(), Stop> {
    match family(action.kind) {
        Some(family) if family.in_group => (family.apply)(draft, action),
        _ => Err(Stop::denied(RefusalCode::GROUP, "this kind of action cannot be in a group")),
    }
}

/// Repeats what an accepted action did; who signed it was checked when it was accepted.
pub(crate) fn repeat(draft: &mut Draft<'_>, action: &Action<'_>) -> Result<(), Stop> {
    match family(action.kind) {
        Some(family) => (family.apply)(draft, action),
        None => Err(Stop::denied(RefusalCode::UNKNOWN_KIND, "no such kind of statement")),
    }
}

fn family(kind: StatementKind) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| family.kind == kind)
}

impl Family {
    /// The family of a statement; none where its kind is unknown, or not stated in such a chain.
    fn of(statement: &VerifiedStatement) -> Option<&'static Self> {
        let link = &statement.link;
        family(link.kind).filter(|family| link.channel.is_none() || channel::takes(family.kind))
    }

    /// Whether the signing keys do not suffice, as the state knows them; inception and pre-rotation
    /// bring keys that it does not know.
    fn refuses_signers(
        &self,
        view: &dyn View,
        statement: &VerifiedStatement,
    ) -> Result<Option<Refusal>, Unreadable> {
        if let Some(refusal) = self.refuses_others(view, statement)? {
            return Ok(Some(refusal));
        }
        if self.kind == StatementKind::INCEPTION {
            return Ok(directory::inception::refuses_signers(&statement.action()));
        }
        let Some(thing) = view.thing(statement.issuer)? else {
            let cause = "the issuer is not registered in this network";
            return Ok(Some(Refusal::new(RefusalCode::UNKNOWN_THING, cause)));
        };
        if !chain::may_state(thing.status(), self.while_paused) {
            let cause = "the issuer is not active";
            return Ok(Some(Refusal::new(RefusalCode::REVOKED, cause)));
        }
        let action = statement.action();
        if let Some(revealed) = Revealed::of(&thing, &action) {
            return Ok(revealed.refuses(self.purpose, action.actor, action.signers));
        }
        let (keys, threshold) = (&thing.keys, thing.threshold);
        Ok(chain::refuses_keys(keys, threshold, self.purpose, action.actor, action.signers))
    }

    /// Whether someone signed who has no part in the statement, or an actor of a group did not
    /// sign enough.
    fn refuses_others(
        &self,
        view: &dyn View,
        statement: &VerifiedStatement,
    ) -> Result<Option<Refusal>, Unreadable> {
        let actors = match self.kind {
            StatementKind::GROUP => group::actors(statement.payload()),
            _ => Vec::new(),
        };
        let is_party = |id: &ThingId| *id == statement.issuer || actors.contains(id);
        if !statement.signers.iter().all(|signer| is_party(&signer.thing)) {
            let cause = "a signer has no part in the statement";
            return Ok(Some(Refusal::new(RefusalCode::NOT_AUTHORISED, cause)));
        }
        for actor in actors.into_iter().filter(|actor| *actor != statement.issuer) {
            if let Some(refusal) = group::refuses_actor(view, actor, &statement.signers)? {
                return Ok(Some(refusal));
            }
        }
        Ok(None)
    }

    /// No rule reads what is committed to, encrypted, or said to be of another format.
    fn require_readable(&self, statement: &VerifiedStatement) -> Result<(), Stop> {
        if !self.reads_payload || statement.content == Content::Inline(ContentFormat::CBOR) {
            Ok(())
        } else {
            let cause = "the payload of this kind is CBOR in the statement itself";
            Err(Stop::denied(RefusalCode::PAYLOAD, cause))
        }
    }
}

/// A draft in which the statement has taken its place in the chain.
fn start<'v>(
    view: &'v dyn View,
    statement: &VerifiedStatement,
    position: Position,
    chain: &Kept,
) -> Draft<'v> {
    let mut draft = Draft::new(view, position);
    let mut chain = chain.clone();
    chain.chain_mut().advance(statement.link.sequence, statement.id);
    chain.write(&mut draft, statement.issuer);
    draft.concerns(statement.issuer);
    draft
}

fn accept(draft: Draft<'_>, statement: &VerifiedStatement) -> Result<Effect, Unreadable> {
    let evidence = statement.evidence.as_ref().and_then(|inner| inner.as_ref().ok());
    let first = match evidence {
        Some(inner) if draft.view().evidence(inner.id)?.is_none() => Some(inner.id),
        _ => None,
    };
    let outcome = Outcome::Accepted(draft.position.leaf);
    let leaf = Cow::Borrowed(statement.bytes());
    let mut effect = effect(draft, leaf, Some(statement.leaf_hash), outcome)?;
    effect.place = Some(statement.place());
    effect.evidence = first;
    Ok(effect)
}

fn deny(
    mut draft: Draft<'_>,
    statement: &VerifiedStatement,
    refusal: Refusal,
) -> Result<Effect, Unreadable> {
    draft.happened(Event::StatementDenied { issuer: statement.issuer, code: refusal.code });
    let leaf = Leaf::Denied { code: refusal.code.0, statement: statement.bytes() };
    let outcome = Outcome::Denied(draft.position.leaf, refusal);
    let mut effect = effect(draft, Cow::Owned(leaf.encode_to_vec()), None, outcome)?;
    effect.place = Some(statement.place());
    Ok(effect)
}

fn fork(
    view: &dyn View,
    statement: &VerifiedStatement,
    position: Position,
    first: LeafIndex,
    mut chain: Kept,
) -> Result<Decision, Unreadable> {
    let refusal = forked(&chain);
    chain.chain_mut().fork = Some(Fork { leaf: position.leaf, statement: statement.id });
    let mut draft = Draft::new(view, position);
    chain.write(&mut draft, statement.issuer);
    draft.concerns(statement.issuer);
    draft.happened(Event::ForkProved { issuer: statement.issuer, first });
    let leaf = Leaf::Fork { first, second: statement.bytes() };
    let outcome = Outcome::Forked(position.leaf, refusal);
    effect(draft, Cow::Owned(leaf.encode_to_vec()), None, outcome).map(Decision::append)
}

fn forked(chain: &Kept) -> Refusal {
    Refusal {
        head: Some(chain.head()),
        ..Refusal::new(RefusalCode::FORK, "another statement has this place of the chain")
    }
}

/// Closes a draft: the leaf goes into the histories of everything it concerns.
pub(crate) fn effect(
    mut draft: Draft<'_>,
    leaf: Cow<'_, [u8]>,
    leaf_hash: Option<Digest>,
    outcome: Outcome,
) -> Result<Effect, Unreadable> {
    let leaf_hash = leaf_hash.unwrap_or_else(|| merkle::leaf_hash(&leaf));
    draft.extend_histories(&leaf_hash)?;
    let changes = draft.finish();
    Ok(Effect {
        leaf: leaf.into_owned(),
        leaf_hash,
        changes: changes.entries,
        events: changes.events,
        about: changes.about,
        mentioned: changes.mentioned,
        channel: changes.channel,
        place: None,
        evidence: None,
        outcome,
    })
}
