//! Status: suspended, stolen, lost, tampered, retired, and back.

use super::prerotation::{require_committed, require_revealed};
use super::rotation::require_signable;
use super::{NewKey, add_keys, close_keys, existing, payload};
use crate::entry::{Purposes, StatusChange, Thing};
use crate::event::Event;
use crate::rules::{Action, Family, Stop};
use crate::view::Draft;
use alloc::string::String;
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use touchmark_wire::ids::ThingId;
use touchmark_wire::limits;
use touchmark_wire::registry::{RefusalCode, StatementKind, Status};

pub(crate) const FAMILY: Family = Family {
    kind: StatementKind::STATUS,
    purpose: Purposes::CONTROL,
    while_paused: true,
    in_group: true,
    reads_payload: true,
    apply,
};

/// Payload of a change of status (deterministic CBOR map).
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(map)]
pub struct SetStatus {
    /// Whose status.
    #[n(1)]
    pub thing: ThingId,
    /// The new one.
    #[n(2)]
    pub status: Status,
    /// The application's own reason.
    #[n(3)]
    pub reason: Option<String>,
    /// With a return to active: new keys. With the end that a thing under pre-rotation declares
    /// itself: the committed keys that sign it.
    #[n(4)]
    pub keys: Option<Vec<NewKey>>,
}

impl SetStatus {
    /// Whether a thing that nobody controls declares its end: nobody could take that back. Where
    /// there is a controller, a tamper alert can be, so the present key suffices for it.
    pub(super) fn is_own_end(&self, thing: &Thing, actor: ThingId) -> bool {
        self.thing == actor && thing.controller.is_none() && ends_keys(self.status)
    }
}

fn apply(draft: &mut Draft<'_>, action: &Action<'_>) -> Result<(), Stop> {
    let change: SetStatus = payload(action)?;
    let id = change.thing;
    let mut thing = existing(draft, id)?;
    if action.actor != thing.controller.unwrap_or(id) && !reports_itself(action, &change) {
        let cause = "only the controller, or a thing without one, changes its status";
        return Err(Stop::denied(RefusalCode::NOT_AUTHORISED, cause));
    }
    if action.actor == id && !crate::chain::may_state(thing.status(), true) {
        return Err(Stop::denied(RefusalCode::REVOKED, "the thing cannot bring itself back"));
    }
    if action.actor != id && existing(draft, action.actor)?.status() != Status::ACTIVE {
        let cause = "a controller that is not active itself changes nobody else's status";
        return Err(Stop::denied(RefusalCode::REVOKED, cause));
    }
    let keys = change.keys.clone().unwrap_or_default();
    check_transition(&thing, change.status)?;
    check_keys(&thing, &change, action)?;
    if change.reason.as_ref().is_some_and(|reason| reason.len() > 128) {
        return Err(Stop::denied(RefusalCode::LIMIT, "a reason has at most 128 bytes"));
    }
    require_revealed(&thing, action)?;
    require_committed(&thing, &keys)?;
    let mut closed = Vec::new();
    if ends_keys(change.status) {
        closed = close_keys(draft, id, &mut thing, |_| true);
    }
    let added = add_keys(draft, id, &mut thing, &keys)?;
    if ends_keys(change.status) {
        closed.extend(close_keys(draft, id, &mut thing, |_| true));
        if !closed.is_empty() {
            thing.taken.clone_from(&closed);
        }
    } else {
        require_signable(&thing)?;
    }
    if thing.statuses.len() == Thing::STATUS_CHANGES {
        thing.statuses.remove(0);
    }
    let at = draft.position.leaf;
    let reason = change.reason.clone();
    thing.statuses.push(StatusChange { status: change.status, at, reason });
    draft.set_thing(id, thing);
    draft.concerns(id);
    draft.happened(Event::StatusChanged {
        thing: id,
        status: change.status,
        reason: change.reason,
    });
    if !added.is_empty() || !closed.is_empty() {
        draft.happened(Event::KeysRotated { thing: id, added, closed });
    }
    Ok(())
}

/// A thing may always say that it was tampered with: that ends its keys, and only its controller
/// brings it back (docs/adr/tamper-alerts.md).
fn reports_itself(action: &Action<'_>, change: &SetStatus) -> bool {
    action.actor == change.thing && change.status == Status::TAMPERED
}

/// Whether a status takes all keys away: from then on only a new key speaks for the thing.
pub const fn ends_keys(status: Status) -> bool {
    matches!(status, Status::STOLEN | Status::LOST | Status::TAMPERED | Status::RETIRED)
}

fn check_transition(thing: &Thing, to: Status) -> Result<(), Stop> {
    let from = thing.status();
    let denied = |cause| Err(Stop::denied(RefusalCode::STATUS, cause));
    if to.name().is_none() {
        return Err(Stop::denied(RefusalCode::UNKNOWN_KIND, "no such status"));
    }
    if from == Status::RETIRED {
        return denied("a retired thing never comes back");
    }
    if from == to {
        return denied("the thing has this status already");
    }
    if ends_keys(from) && matches!(to, Status::SUSPENDED | Status::DISABLED) {
        return denied("a thing without a valid key must be reinstated first");
    }
    Ok(())
}

/// Keys come with a return to active. Under pre-rotation the thing's own rotation brings them, and
/// they come here only to sign its end.
fn check_keys(thing: &Thing, change: &SetStatus, action: &Action<'_>) -> Result<(), Stop> {
    let (to, count) = (change.status, change.keys.as_ref().map_or(0, Vec::len));
    if count > limits::KEYS {
        return Err(Stop::denied(RefusalCode::LIMIT, "at most 16 keys"));
    }
    if thing.next.is_some() {
        if count > 0 && !change.is_own_end(thing, action.actor) {
            let cause = "the keys of a thing with pre-rotation come by its own rotation";
            return Err(Stop::denied(RefusalCode::NOT_AUTHORISED, cause));
        }
        return Ok(());
    }
    if to != Status::ACTIVE && count > 0 {
        let cause = "new keys come only with a return to active";
        return Err(Stop::denied(RefusalCode::STATUS, cause));
    }
    let had_keys = thing.next_number.0 > 0;
    if to == Status::ACTIVE && ends_keys(thing.status()) && had_keys && count == 0 {
        let cause = "coming back from stolen, lost or tampered needs a new key";
        return Err(Stop::denied(RefusalCode::NEW_KEY_REQUIRED, cause));
    }
    Ok(())
}
