//! Update: attributes of a thing (specification, serial number, progressive number) are set or
//! removed, each by who has the word on it.

use super::{governed, payload};
use crate::confidence::FIRMWARE;
use crate::entry::{Entry, Purposes, Thing};
use crate::event::Event;
use crate::roster::{NUMBER, SERIAL};
use crate::rules::{Action, Family, Stop};
use crate::view::{Draft, Read};
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use touchmark_wire::ids::ThingId;
use touchmark_wire::limits;
use touchmark_wire::registry::{EntryKind, RefusalCode, StatementKind};
use touchmark_wire::state::StateKey;

pub(crate) const FAMILY: Family = Family {
    kind: StatementKind::UPDATE,
    purpose: Purposes::CONTROL,
    while_paused: false,
    in_group: true,
    reads_payload: true,
    apply,
};

/// Payload of an update (deterministic CBOR map).
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(map)]
pub struct Update {
    /// Whose attributes.
    #[n(1)]
    pub thing: ThingId,
    /// Set to these values.
    #[n(2)]
    #[cbor(with = "crate::entry::texts")]
    pub set: BTreeMap<String, String>,
    /// Removed.
    #[n(3)]
    pub remove: Vec<String>,
}

/// Attributes that only the controller gives to what names one: its directory allots them.
const ALLOTTED: [&str; 2] = [NUMBER, SERIAL];
/// Attributes that a thing states of itself even where its controller registered it, and with that
/// gave it its specification.
const OWN: [&str; 1] = [FIRMWARE];

fn apply(draft: &mut Draft<'_>, action: &Action<'_>) -> Result<(), Stop> {
    let update: Update = payload(action)?;
    let thing = governed(draft, action, update.thing)?;
    require_word(&thing, action.actor, update.set.keys().chain(&update.remove))?;
    let mut attributes = draft.attributes(update.thing)?;
    for name in &update.remove {
        attributes.0.remove(name);
    }
    attributes.0.extend(update.set.clone());
    check_attributes(&attributes.0)?;
    let key = StateKey::thing(update.thing, EntryKind::ATTRIBUTES);
    draft.set(key, Entry::Attributes(attributes));
    draft.concerns(update.thing);
    draft.happened(Event::AttributesChanged {
        thing: update.thing,
        set: update.set.into_iter().collect(),
        removed: update.remove,
    });
    Ok(())
}

/// Whether `by`, the thing or its controller, may give and take attributes of these names.
pub(super) fn require_word<'a>(
    thing: &Thing,
    by: ThingId,
    mut names: impl Iterator<Item = &'a String>,
) -> Result<(), Stop> {
    if thing.controller.is_none_or(|controller| controller == by) {
        return Ok(());
    }
    let is_registered = thing.is_registered();
    let is_its_word = |name: &str| {
        if is_registered { OWN.contains(&name) } else { !ALLOTTED.contains(&name) }
    };
    if names.all(|name| is_its_word(name)) {
        Ok(())
    } else {
        let cause = "this attribute is the word of the thing's controller";
        Err(Stop::denied(RefusalCode::NOT_AUTHORISED, cause))
    }
}

/// Bounds what the attributes of a thing or channel take in the state.
pub(crate) fn check_attributes(attributes: &BTreeMap<String, String>) -> Result<(), Stop> {
    let bytes: usize = attributes.iter().map(|(name, value)| name.len() + value.len() + 6).sum();
    if attributes.len() > limits::ATTRIBUTES || bytes > limits::STATE_VALUE - 8 {
        return Err(Stop::denied(RefusalCode::LIMIT, "more attributes than a thing may have"));
    }
    if attributes.iter().any(|(name, value)| name.is_empty() || value.len() > limits::TEXT) {
        return Err(Stop::denied(RefusalCode::PAYLOAD, "an attribute has no name or a long value"));
    }
    Ok(())
}
