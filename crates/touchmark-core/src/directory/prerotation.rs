//! Pre-rotation: a thing commits to its next keys before it needs them. From then on only those
//! keys can come, they sign what brings them, and whoever steals the present key can neither take
//! the thing over nor end it.

use super::rotation::Rotation;
use super::status::SetStatus;
use super::{NewKey, payload};
use crate::admission::Signed;
use crate::chain;
use crate::entry::{KeyState, Purposes, Thing};
use crate::refusal::Refusal;
use crate::rules::{Action, Stop};
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use touchmark_wire::codec;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{KeyNumber, LeafIndex, ThingId};
use touchmark_wire::limits;
use touchmark_wire::registry::{RefusalCode, StatementKind};

/// What a thing has committed to.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct NextKeys {
    /// The threshold that the revealed keys must reach, and the thing's own from then on.
    #[n(0)]
    pub threshold: u16,
    /// [`NewKey::commitment`] of each key that may come next.
    #[n(1)]
    pub keys: Vec<Digest>,
}

impl NextKeys {
    /// Commits to `keys`, with the threshold that holds once they came.
    pub fn new(threshold: u16, keys: &[NewKey]) -> Self {
        Self { threshold, keys: keys.iter().map(NewKey::commitment).collect() }
    }

    /// What is wrong with it whoever declares it.
    pub(super) fn check(&self) -> Result<(), Stop> {
        if self.keys.len() > limits::KEYS {
            return Err(Stop::denied(RefusalCode::LIMIT, "at most 16 next keys"));
        }
        if self.threshold == 0 || self.keys.is_empty() {
            let cause = "a commitment names next keys and a threshold of at least 1";
            return Err(Stop::denied(RefusalCode::PAYLOAD, cause));
        }
        Ok(())
    }

    fn covers(&self, new: &NewKey) -> bool {
        self.keys.contains(&new.commitment())
    }
}

/// The keys that a statement brings to its own issuer: under pre-rotation it is signed by them.
pub(crate) fn brought(kind: StatementKind, encoded: &[u8], issuer: ThingId) -> Vec<NewKey> {
    let keys = match kind {
        StatementKind::ROTATE => codec::decode::<Rotation>(encoded, limits::STATEMENT)
            .ok()
            .filter(|rotation| rotation.thing == issuer)
            .map(|rotation| rotation.add),
        StatementKind::STATUS => codec::decode::<SetStatus>(encoded, limits::STATEMENT)
            .ok()
            .filter(|change| change.thing == issuer)
            .and_then(|change| change.keys),
        _ => None,
    };
    keys.unwrap_or_default()
}

/// The committed keys that an action reveals, which then are the ones that may sign it.
pub(crate) struct Revealed {
    keys: Vec<KeyState>,
    threshold: u16,
}

impl Revealed {
    /// `None` when the thing's present keys sign.
    pub(crate) fn of(thing: &Thing, action: &Action<'_>) -> Option<Self> {
        let next = thing.next.as_ref()?;
        let add = match action.kind {
            StatementKind::ROTATE => {
                let rotation: Rotation = payload(action).ok()?;
                (rotation.thing == action.actor).then_some(rotation.add)
            }
            StatementKind::STATUS => {
                let change: SetStatus = payload(action).ok()?;
                let reveals = change.is_own_end(thing, action.actor);
                reveals.then(|| change.keys.unwrap_or_default())
            }
            _ => None,
        }?;
        let keys = (thing.next_number.0..)
            .zip(&add)
            .filter(|(_, new)| next.covers(new))
            .map(|(number, new)| new.state(KeyNumber(number), LeafIndex(0)))
            .collect();
        Some(Self { keys, threshold: next.threshold })
    }

    /// Whether the signatures of the revealed keys do not suffice.
    pub(crate) fn refuses(
        &self,
        purpose: Purposes,
        actor: ThingId,
        signers: &[Signed],
    ) -> Option<Refusal> {
        chain::refuses_keys(&self.keys, self.threshold, purpose, actor, signers)
    }
}

/// In the thing's own chain the signatures of revealed keys were checked before; in a group the
/// present keys sign, and who stole them must not change what was committed to.
pub(super) fn require_revealed(thing: &Thing, action: &Action<'_>) -> Result<(), Stop> {
    let Some(revealed) = Revealed::of(thing, action) else { return Ok(()) };
    if revealed.refuses(Purposes::CONTROL, action.actor, action.signers).is_none() {
        Ok(())
    } else {
        let cause = "what reveals keys stands in its thing's own chain";
        Err(Stop::denied(RefusalCode::GROUP, cause))
    }
}

/// New keys must be among the declared ones, where any were declared.
pub(super) fn require_committed(thing: &Thing, add: &[NewKey]) -> Result<(), Stop> {
    match &thing.next {
        Some(next) if !add.iter().all(|new| next.covers(new)) => {
            let cause = "a new key, its purposes or its weight are not what was committed to";
            Err(Stop::denied(RefusalCode::NOT_COMMITTED, cause))
        }
        _ => Ok(()),
    }
}
