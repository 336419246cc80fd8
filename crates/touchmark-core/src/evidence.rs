//! Evidence made elsewhere: a card or a device signed bytes in a format of its own. They enter
//! unchanged, wrapped in a reader's statement or bare.
//!
//! A format is a module and a row of [`FORMATS`].

mod card_payload;
mod card_url;

pub use card_payload::CardPayload;
pub use card_url::CardUrl;

use crate::admission::{VerifiedEvidence, VerifiedStatement};
use crate::entry::{Counter, Entry, KeyState, Purposes, Thing};
use crate::event::Event;
use crate::refusal::{Outcome, Refusal, Unreadable};
use crate::rules::{self, Action, Decision, Effect, Family, Stop};
use crate::standing;
use crate::view::{Draft, Position, Read, View};
use alloc::borrow::Cow;
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use touchmark_wire::bundle::Bytes;
use touchmark_wire::codec::{self, Malformed};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{EvidenceId, ThingId};
use touchmark_wire::leaf::Leaf;
use touchmark_wire::registry::{ContentFormat, EvidenceFormat, RefusalCode, StatementKind, Status};
use touchmark_wire::state::StateKey;

pub(crate) const FAMILY: Family = Family {
    kind: StatementKind::EVIDENCE,
    purpose: Purposes::RECORD,
    while_paused: false,
    in_group: false,
    reads_payload: true,
    apply,
};

/// Payload of a statement that wraps evidence (deterministic CBOR map).
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(map)]
pub struct WrappedEvidence<'a> {
    /// How to read the evidence.
    #[n(1)]
    pub format: EvidenceFormat,
    /// The signed bytes, unchanged.
    #[b(2)]
    #[cbor(with = "minicbor::bytes")]
    pub bytes: &'a [u8],
    /// What the reader adds: where, when, its own measurements.
    #[b(3)]
    pub context: Option<Context<'a>>,
}

/// What a reader adds to evidence.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Context<'a> {
    /// Format of the data.
    #[n(0)]
    pub format: ContentFormat,
    /// The data.
    #[b(1)]
    #[cbor(with = "minicbor::bytes")]
    pub data: &'a [u8],
}

/// What a format finds in its bytes.
#[derive(Clone, Debug)]
pub struct Inner {
    /// The thing that claims to have signed.
    pub thing: ThingId,
    /// Its usage counter.
    pub counter: u64,
    /// The bytes that the signature covers.
    pub message: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
}

/// A row of the table of formats.
struct Format {
    number: EvidenceFormat,
    parse: fn(&[u8]) -> Result<Inner, Malformed>,
}

const FORMATS: [Format; 2] = [
    Format { number: EvidenceFormat::CARD_URL, parse: card_url::parse },
    Format { number: EvidenceFormat::CARD_PAYLOAD, parse: card_payload::parse },
];

impl Inner {
    /// Id of the evidence: SHA-256 of the deterministic CBOR array [format, message]. It covers what
    /// was signed, not the signature, of which anyone can make another spelling.
    pub fn id(&self, format: EvidenceFormat) -> EvidenceId {
        EvidenceId(Digest::of(&[&codec::encode(&(format, Bytes(&self.message)))]))
    }
}

/// Takes evidence apart.
pub fn parse(format: EvidenceFormat, bytes: &[u8]) -> Result<Inner, Refusal> {
    let Some(row) = FORMATS.iter().find(|row| row.number == format) else {
        let cause = "this format of evidence is not in the registry";
        return Err(Refusal::new(RefusalCode::UNKNOWN_KIND, cause));
    };
    (row.parse)(bytes).map_err(|_| {
        Refusal::new(RefusalCode::MALFORMED, "the evidence does not have the shape of its format")
    })
}

/// The key that signs a thing's evidence now.
pub(crate) fn valid_key(thing: &Thing) -> Option<&KeyState> {
    thing.keys.iter().rev().find(|key| key.purposes.contains(Purposes::EVIDENCE))
}

fn apply(draft: &mut Draft<'_>, action: &Action<'_>) -> Result<(), Stop> {
    let inner = match action.evidence {
        Some(Ok(inner)) => inner,
        Some(Err(refusal)) => return Err(Stop::Denied(refusal.clone())),
        None => {
            let cause = "wrapped evidence stands in the payload itself";
            return Err(Stop::denied(RefusalCode::PAYLOAD, cause));
        }
    };
    if let Some(first) = draft.view().evidence(inner.id)? {
        standing::tell(draft, Some(action.actor), inner.thing)?;
        draft.happened(Event::EvidenceCorroborated {
            thing: inner.thing,
            evidence: inner.id,
            first,
            reader: action.actor,
        });
        return Ok(());
    }
    take(draft, inner, Some(action.actor))
}

/// Counts evidence that is new.
fn take(
    draft: &mut Draft<'_>,
    inner: &VerifiedEvidence,
    reader: Option<ThingId>,
) -> Result<(), Stop> {
    let Some(thing) = draft.thing(inner.thing)? else {
        let cause = "the evidence names a thing that is not registered in this network";
        return Err(Stop::denied(RefusalCode::UNKNOWN_THING, cause));
    };
    // Before the status: a revoked card's old evidence is no new sighting.
    let last = draft.counter(inner.thing, inner.format)?;
    if last.is_some_and(|last| inner.counter <= last.value) {
        let cause = "the counter was used already, or a later one was";
        return Err(Stop::denied(RefusalCode::REPLAYED, cause));
    }
    let signs_now = valid_key(&thing).is_some_and(|key| key.key == inner.key);
    if thing.status() != Status::ACTIVE || !signs_now {
        let cause = "the thing that signed is not authorised now";
        return Err(Stop::Sighting(Refusal::new(RefusalCode::REVOKED, cause)));
    }
    let counter = Counter { value: inner.counter, at: draft.position.leaf };
    draft.set(StateKey::counter(inner.thing, inner.format), Entry::Counter(counter));
    draft.concerns(inner.thing);
    draft.happened(Event::EvidenceTaken {
        thing: inner.thing,
        evidence: inner.id,
        format: inner.format,
        counter: inner.counter,
        reader,
    });
    Ok(())
}

/// Decides on evidence without a wrapping statement: what does not count stores nothing.
pub(crate) fn decide_bare(
    view: &dyn View,
    inner: &VerifiedEvidence,
    position: Position,
) -> Result<Decision, Unreadable> {
    if let Some(first) = view.evidence(inner.id)? {
        return Ok(Decision::Known(first));
    }
    let mut draft = Draft::new(view, position);
    let (leaf, outcome) = match take(&mut draft, inner, None) {
        Ok(()) => (inner.leaf.clone(), Outcome::Accepted(position.leaf)),
        Err(Stop::Sighting(refusal)) => {
            draft = Draft::new(view, position);
            sight(&mut draft, inner, refusal.code, None)?;
            let leaf = Leaf::Sighting { code: refusal.code.0, leaf: &inner.leaf };
            (leaf.encode_to_vec(), Outcome::Sighted(position.leaf, refusal))
        }
        Err(Stop::Denied(refusal)) => return Ok(Decision::Refuse(refusal)),
        Err(Stop::Unreadable) => return Err(Unreadable),
    };
    let mut effect = rules::effect(draft, Cow::Owned(leaf), None, outcome)?;
    effect.evidence = Some(inner.id);
    Ok(Decision::append(effect))
}

/// A reader's statement with evidence of a thing that is not authorised.
pub(crate) fn sight_wrapped(
    mut draft: Draft<'_>,
    statement: &VerifiedStatement,
    refusal: Refusal,
) -> Result<Effect, Unreadable> {
    let inner = statement.evidence.as_ref().and_then(|inner| inner.as_ref().ok());
    if let Some(inner) = inner {
        sight(&mut draft, inner, refusal.code, Some(statement.issuer))?;
    }
    let leaf = Leaf::Sighting { code: refusal.code.0, leaf: statement.bytes() }.encode_to_vec();
    let outcome = Outcome::Sighted(draft.position.leaf, refusal);
    let mut effect = rules::effect(draft, Cow::Owned(leaf), None, outcome)?;
    effect.place = Some(statement.place());
    effect.evidence = inner.map(|inner| inner.id);
    Ok(effect)
}

fn sight(
    draft: &mut Draft<'_>,
    inner: &VerifiedEvidence,
    code: RefusalCode,
    reader: Option<ThingId>,
) -> Result<(), Unreadable> {
    // Who has a key that has ended, or a stolen card, can make any number of these.
    standing::tell(draft, reader, inner.thing)?;
    draft.happened(Event::ThingSighted { thing: inner.thing, evidence: inner.id, code, reader });
    Ok(())
}
