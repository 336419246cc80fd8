//! The directory: which things there are, their keys, status, attributes and who vouches for them.

pub mod accreditation;
pub mod inception;
pub mod prerotation;
pub mod registration;
pub mod rotation;
pub mod status;
pub mod update;

use crate::entry::{Entry, KeyState, Purposes, Thing};
use crate::rules::{Action, Stop};
use crate::view::{Draft, Read};
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use touchmark_wire::algorithm::CoseKey;
use touchmark_wire::codec;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{KeyNumber, LeafIndex, ThingId};
use touchmark_wire::limits;
use touchmark_wire::registry::RefusalCode;
use touchmark_wire::state::StateKey;

/// A key that a thing is given.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct NewKey {
    /// The key.
    #[n(0)]
    pub key: CoseKey,
    /// What it may be used for.
    #[n(1)]
    pub purposes: Purposes,
    /// What its signature counts.
    #[n(2)]
    pub weight: u16,
}

impl NewKey {
    /// A key that alone speaks for its thing.
    pub const fn new(key: CoseKey, purposes: Purposes) -> Self {
        Self { key, purposes, weight: 1 }
    }

    /// What pre-rotation declares beforehand: SHA-256 of the encoding, so the key can come with
    /// these purposes and this weight only.
    pub fn commitment(&self) -> Digest {
        Digest::of(&[&codec::encode(self)])
    }

    /// The key as its thing has it, brought by the leaf at `from`.
    pub(crate) const fn state(&self, number: KeyNumber, from: LeafIndex) -> KeyState {
        let Self { key, purposes, weight } = *self;
        KeyState { number, key, purposes, weight, from, to: None }
    }
}

/// Decodes the payload of an action.
pub(crate) fn payload<'a, T>(action: &Action<'a>) -> Result<T, Stop>
where
    T: Decode<'a, ()> + Encode<()>,
{
    codec::decode(action.payload, limits::STATEMENT).map_err(|_| {
        Stop::denied(RefusalCode::PAYLOAD, "the payload does not have the shape of this kind")
    })
}

/// The thing, if it exists.
pub(crate) fn existing(draft: &Draft<'_>, id: ThingId) -> Result<Thing, Stop> {
    draft
        .thing(id)?
        .map(|thing| thing.copied())
        .ok_or_else(|| Stop::denied(RefusalCode::UNKNOWN_THING, "the thing is not registered"))
}

/// The thing, if `action`'s actor is the thing itself or its controller.
fn governed(draft: &Draft<'_>, action: &Action<'_>, id: ThingId) -> Result<Thing, Stop> {
    let thing = existing(draft, id)?;
    if action.actor == id || thing.controller == Some(action.actor) {
        Ok(thing)
    } else {
        let cause = "the issuer is neither the thing nor its controller";
        Err(Stop::denied(RefusalCode::NOT_AUTHORISED, cause))
    }
}

/// Gives `thing` new keys, numbered on from its last; returns the numbers.
fn add_keys(
    draft: &Draft<'_>,
    id: ThingId,
    thing: &mut Thing,
    keys: &[NewKey],
) -> Result<Vec<KeyNumber>, Stop> {
    if thing.keys.len() + keys.len() > limits::KEYS {
        return Err(Stop::denied(RefusalCode::LIMIT, "a thing has at most 16 valid keys"));
    }
    let mut numbers = Vec::new();
    for new in keys {
        if new.key.check().is_err() {
            return Err(Stop::denied(RefusalCode::KEY, "a public key is not a valid point"));
        }
        if !new.purposes.is_known() || new.weight == 0 {
            let cause = "a key needs a known purpose and a weight";
            return Err(Stop::denied(RefusalCode::PAYLOAD, cause));
        }
        if thing.keys.iter().any(|known| known.key == new.key) {
            return Err(Stop::denied(RefusalCode::KEY, "the thing has this key already"));
        }
        for taken in &thing.taken {
            if draft.closed_key(id, *taken)?.is_some_and(|taken| taken.key == new.key) {
                let cause = "the thing lost this key with its status: it needs another one";
                return Err(Stop::denied(RefusalCode::NEW_KEY_REQUIRED, cause));
            }
        }
        let number = thing.next_number;
        thing.next_number = KeyNumber(number.0 + 1);
        if new.purposes.contains(Purposes::EVIDENCE) {
            thing.evidence_key = Some(number);
        }
        thing.keys.push(new.state(number, draft.position.leaf));
        numbers.push(number);
    }
    Ok(numbers)
}

/// Ends keys of a thing from this leaf on; they stay in the state with their time.
fn close_keys(
    draft: &mut Draft<'_>,
    id: ThingId,
    thing: &mut Thing,
    ends: impl Fn(&KeyState) -> bool,
) -> Vec<KeyNumber> {
    let position = draft.position.leaf;
    let (closed, kept) = core::mem::take(&mut thing.keys).into_iter().partition(ends);
    thing.keys = kept;
    let mut numbers = Vec::new();
    for mut key in closed {
        key.to = Some(position);
        numbers.push(key.number);
        draft.set(StateKey::closed_key(id, key.number), Entry::ClosedKey(key));
    }
    numbers
}
