//! Update: attributes of a thing (specification, serial number, progressive number) are set or
//! removed.

use super::{governed, payload};
use crate::entry::{Entry, Purposes};
use crate::event::Event;
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

fn apply(draft: &mut Draft<'_>, action: &Action<'_>) -> Result<(), Stop> {
    let update: Update = payload(action)?;
    governed(draft, action, update.thing)?;
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

/// Bounds what a thing's attributes take in the state.
pub(super) fn check_attributes(attributes: &BTreeMap<String, String>) -> Result<(), Stop> {
    let bytes: usize = attributes.iter().map(|(name, value)| name.len() + value.len() + 6).sum();
    if attributes.len() > limits::ATTRIBUTES || bytes > limits::STATE_VALUE - 8 {
        return Err(Stop::denied(RefusalCode::LIMIT, "more attributes than a thing may have"));
    }
    if attributes.iter().any(|(name, value)| name.is_empty() || value.len() > limits::TEXT) {
        return Err(Stop::denied(RefusalCode::PAYLOAD, "an attribute has no name or a long value"));
    }
    Ok(())
}
