//! Rotation: keys are exchanged.

use super::prerotation::{NextKeys, require_committed, require_revealed};
use super::status::ends_keys;
use super::{NewKey, add_keys, close_keys, governed, payload};
use crate::entry::{Purposes, Thing};
use crate::event::Event;
use crate::rules::{Action, Family, Stop};
use crate::view::Draft;
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use touchmark_wire::ids::{KeyNumber, ThingId};
use touchmark_wire::registry::{RefusalCode, StatementKind};

pub(crate) const FAMILY: Family = Family {
    kind: StatementKind::ROTATE,
    purpose: Purposes::CONTROL,
    while_paused: false,
    in_group: true,
    reads_payload: true,
    apply,
};

/// Payload of a rotation (deterministic CBOR map).
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(map)]
pub struct Rotation {
    /// Whose keys.
    #[n(1)]
    pub thing: ThingId,
    /// New keys, numbered on from the thing's next number.
    #[n(2)]
    pub add: Vec<NewKey>,
    /// Keys that end.
    #[n(3)]
    pub close: Vec<KeyNumber>,
    /// What may come after these keys; begins pre-rotation or goes on with it.
    #[n(4)]
    pub next: Option<NextKeys>,
    /// New threshold, without pre-rotation.
    #[n(5)]
    pub threshold: Option<u16>,
}

fn apply(draft: &mut Draft<'_>, action: &Action<'_>) -> Result<(), Stop> {
    let rotation: Rotation = payload(action)?;
    let id = rotation.thing;
    let mut thing = governed(draft, action, id)?;
    if ends_keys(thing.status()) && !rotation.add.is_empty() {
        let cause = "a thing whose keys its status ended gets others with its reinstatement";
        return Err(Stop::denied(RefusalCode::NEW_KEY_REQUIRED, cause));
    }
    require_revealed(&thing, action)?;
    if action.actor == id {
        require_own(&thing, &rotation)?;
    } else {
        require_controllers(&thing, &rotation)?;
    }
    require_committed(&thing, &rotation.add)?;
    if rotation.close.iter().any(|number| thing.key(*number).is_none()) {
        return Err(Stop::denied(RefusalCode::KEY_NUMBER, "a key to end is not a valid key"));
    }
    let closed = close_keys(draft, id, &mut thing, |key| rotation.close.contains(&key.number));
    let added = add_keys(draft, id, &mut thing, &rotation.add)?;
    if action.actor == id {
        let committed = thing.next.as_ref().map(|next| next.threshold);
        let threshold = committed.or(rotation.threshold).unwrap_or(thing.threshold);
        if threshold != thing.threshold {
            (thing.threshold, thing.threshold_from) = (threshold, draft.position.leaf);
        }
        thing.next = rotation.next;
    }
    require_signable(&thing)?;
    draft.set_thing(id, thing);
    draft.concerns(id);
    draft.happened(Event::KeysRotated { thing: id, added, closed });
    Ok(())
}

/// Who rotates its own keys under pre-rotation gets the threshold that it had committed to, and
/// commits again.
fn require_own(thing: &Thing, rotation: &Rotation) -> Result<(), Stop> {
    let denied = |cause| Err(Stop::denied(RefusalCode::NOT_COMMITTED, cause));
    if let Some(next) = &rotation.next {
        next.check()?;
    }
    if thing.next.is_some() && rotation.threshold.is_some() {
        return denied("under pre-rotation the threshold is the one that was committed to");
    }
    if thing.next.is_some() && rotation.next.is_none() {
        return denied("a thing with pre-rotation commits to its next keys again");
    }
    Ok(())
}

/// A controller ends keys, and gives others where there is no pre-rotation; what a thing needs and
/// commits to is its own word.
fn require_controllers(thing: &Thing, rotation: &Rotation) -> Result<(), Stop> {
    let denied = |cause| Err(Stop::denied(RefusalCode::NOT_AUTHORISED, cause));
    if rotation.next.is_some() || rotation.threshold.is_some() {
        return denied("only the thing itself declares its next keys and its threshold");
    }
    if thing.next.is_some() && !rotation.add.is_empty() {
        return denied(
            "a controller may end the keys of a thing with pre-rotation, not give it others",
        );
    }
    Ok(())
}

/// The keys of a thing reach its threshold, or a controller can give it others.
pub(super) fn require_signable(thing: &Thing) -> Result<(), Stop> {
    let weight: u32 = thing.keys.iter().map(|key| u32::from(key.weight)).sum();
    let null_key = thing.keys.is_empty() && thing.controller.is_some();
    if thing.threshold > 0 && (null_key || weight >= u32::from(thing.threshold)) {
        Ok(())
    } else {
        let cause = "the remaining keys would not reach the thing's threshold";
        Err(Stop::denied(RefusalCode::THRESHOLD, cause))
    }
}
