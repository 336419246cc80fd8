//! Atomic groups: several actions that happen together or not at all. The statement stands in the
//! proposer's chain; every party whose authority is needed signs it; no other chain moves.

use crate::admission::Signed;
use crate::chain;
use crate::entry::Purposes;
use crate::refusal::{Refusal, Unreadable};
use crate::rules::{self, Action, Family, Stop};
use crate::view::{Draft, Read, View};
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use touchmark_wire::codec;
use touchmark_wire::ids::ThingId;
use touchmark_wire::limits;
use touchmark_wire::registry::{RefusalCode, StatementKind};

pub(crate) const FAMILY: Family = Family {
    kind: StatementKind::GROUP,
    purpose: Purposes::CONTROL,
    while_paused: false,
    in_group: false,
    reads_payload: true,
    apply,
};

/// Payload of a group (deterministic CBOR array): 1 to [`Group::LIMIT`] actions.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(transparent)]
pub struct Group(#[n(0)] pub Vec<GroupAction>);

impl Group {
    /// Most actions.
    pub const LIMIT: usize = 16;
}

/// One action of a group.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct GroupAction {
    /// By whose authority.
    #[n(0)]
    pub actor: ThingId,
    /// What.
    #[n(1)]
    pub kind: StatementKind,
    /// The payload that a statement of this kind would have.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub payload: Vec<u8>,
}

fn apply(draft: &mut Draft<'_>, action: &Action<'_>) -> Result<(), Stop> {
    let group: Group = codec::decode(action.payload, limits::STATEMENT)
        .map_err(|_| Stop::denied(RefusalCode::PAYLOAD, "the payload is not a list of actions"))?;
    if group.0.is_empty() || group.0.len() > Group::LIMIT {
        return Err(Stop::denied(RefusalCode::LIMIT, "a group has 1 to 16 actions"));
    }
    for part in &group.0 {
        require_active(draft, part.actor)?;
        draft.concerns(part.actor);
        let part = Action {
            actor: part.actor,
            kind: part.kind,
            payload: &part.payload,
            signers: action.signers,
            evidence: None,
            appointment: None,
        };
        rules::act(draft, &part)?;
    }
    Ok(())
}

/// The actors of an encoded group; none where it is not one.
pub(crate) fn actors(payload: &[u8]) -> Vec<ThingId> {
    let group = codec::decode::<Group>(payload, limits::STATEMENT).ok();
    let group = group.filter(|group| group.0.len() <= Group::LIMIT);
    let mut actors: Vec<_> =
        group.iter().flat_map(|group| &group.0).map(|part| part.actor).collect();
    actors.sort();
    actors.dedup();
    actors
}

/// Whether the signatures of `actor` do not suffice.
///
/// Whoever carries a statement can leave a signature out or add one without changing its id, so
/// this refuses and never denies: else a stranger could burn the proposer's place in the chain.
pub(crate) fn refuses_actor(
    view: &dyn View,
    actor: ThingId,
    signers: &[Signed],
) -> Result<Option<Refusal>, Unreadable> {
    let Some(thing) = view.thing(actor)? else {
        let signs = signers.iter().any(|signer| signer.thing == actor);
        let cause = "a signer is not registered in this network";
        return Ok(signs.then(|| Refusal::new(RefusalCode::UNKNOWN_THING, cause)));
    };
    // An actor that may not act makes the group denied, however many of its keys signed.
    let active = chain::may_state(thing.status(), FAMILY.while_paused);
    let threshold = if active { thing.threshold } else { 0 };
    Ok(chain::refuses_keys(&thing.keys, threshold, FAMILY.purpose, actor, signers))
}

/// The actor must exist and be active.
fn require_active(draft: &Draft<'_>, actor: ThingId) -> Result<(), Stop> {
    let Some(thing) = draft.view().thing(actor)? else {
        return Err(Stop::denied(RefusalCode::UNKNOWN_THING, "an actor is not registered"));
    };
    if chain::may_state(thing.status(), FAMILY.while_paused) {
        Ok(())
    } else {
        Err(Stop::denied(RefusalCode::REVOKED, "an actor is not active"))
    }
}
