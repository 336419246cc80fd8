//! Inception: a thing presents itself. Its id is the hash of this payload, so nobody can present
//! it with other keys.

use super::prerotation::NextKeys;
use super::{NewKey, add_keys, payload};
use crate::chain;
use crate::entry::{Attributes, Entry, KeyState, Purposes, StatusChange, Thing};
use crate::event::Event;
use crate::refusal::Refusal;
use crate::rules::{Action, Family, Stop};
use crate::view::{Draft, Read};
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use touchmark_wire::codec;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{KeyNumber, LeafIndex, ThingId};
use touchmark_wire::registry::{EntryKind, RefusalCode, StatementKind, Status, ThingKind};
use touchmark_wire::state::StateKey;

pub(crate) const FAMILY: Family = Family {
    kind: StatementKind::INCEPTION,
    // A single key that cannot control (a card's) may still present its thing.
    purpose: Purposes::ANY,
    while_paused: false,
    in_group: false,
    reads_payload: true,
    apply,
};

/// Payload of an inception (deterministic CBOR map).
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(map)]
pub struct Inception {
    /// What the thing stands for.
    #[n(1)]
    pub kind: ThingKind,
    /// Its first keys, numbered from 0.
    #[n(2)]
    pub keys: Vec<NewKey>,
    /// Sum of weights that a statement in its name needs.
    #[n(3)]
    pub threshold: u16,
    /// Begins pre-rotation.
    #[n(4)]
    pub next: Option<NextKeys>,
    /// Makes the id unique: 16 random bytes.
    #[n(5)]
    #[cbor(with = "minicbor::bytes")]
    pub nonce: Vec<u8>,
    /// Who may change its status and, without pre-rotation, its keys.
    #[n(6)]
    pub controller: Option<ThingId>,
    /// Who owns it, from the start.
    #[n(7)]
    pub owners: Option<OwnerPolicy>,
    /// First attributes.
    #[n(8)]
    #[cbor(with = "crate::entry::optional_texts", has_nil)]
    pub attributes: Option<BTreeMap<String, String>>,
}

/// Who decides for a thing together: parties whose weights reach the threshold.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct OwnerPolicy {
    /// Sum of weights that a decision needs.
    #[n(0)]
    pub threshold: u16,
    /// The parties, each a thing with its weight, sorted by id.
    #[n(1)]
    pub parties: Vec<(ThingId, u16)>,
}

impl OwnerPolicy {
    /// Whether the parties stand in their order, each once, and can decide.
    fn is_sound(&self) -> bool {
        let weight: u64 = self.parties.iter().map(|(_, weight)| u64::from(*weight)).sum();
        self.parties.is_sorted_by(|a, b| a.0 < b.0)
            && self.parties.iter().all(|(_, weight)| *weight > 0)
            && (1..=weight).contains(&u64::from(self.threshold))
    }
}

impl Inception {
    /// The thing id that an encoded inception gives.
    pub fn id_of(encoded: &[u8]) -> ThingId {
        ThingId::from_digest(&Digest::of(&[encoded]))
    }

    /// The encoding that the id is the hash of.
    pub fn encode_to_vec(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// The id of the thing.
    pub fn id(&self) -> ThingId {
        Self::id_of(&self.encode_to_vec())
    }

    /// What is wrong with it whoever submits it.
    fn check(&self) -> Result<(), Stop> {
        let malformed = |cause| Err(Stop::denied(RefusalCode::PAYLOAD, cause));
        if self.nonce.len() != 16 {
            return malformed("the nonce of an inception has 16 bytes");
        }
        if self.kind.name().is_none() {
            return Err(Stop::denied(RefusalCode::UNKNOWN_KIND, "no such kind of thing"));
        }
        if let Some(next) = &self.next {
            next.check()?;
        }
        let weight: u32 = self.keys.iter().map(|key| u32::from(key.weight)).sum();
        if self.threshold == 0 || (!self.keys.is_empty() && weight < u32::from(self.threshold)) {
            return malformed("the keys together must reach the threshold, which is at least 1");
        }
        if self.keys.is_empty() && self.controller.is_none() {
            return malformed("a thing without keys needs a controller");
        }
        if !self.owners.as_ref().is_none_or(OwnerPolicy::is_sound) {
            return malformed(
                "owners stand by id, each once with a weight, and reach the threshold",
            );
        }
        Ok(())
    }

    /// Registers the thing, at the word of `by`.
    pub(super) fn register(
        &self,
        draft: &mut Draft<'_>,
        id: ThingId,
        by: ThingId,
    ) -> Result<(), Stop> {
        self.check()?;
        if draft.thing(id)?.is_some() {
            return Err(Stop::denied(RefusalCode::EXISTS, "the thing is registered already"));
        }
        let at = draft.position.leaf;
        let mut thing = Thing {
            kind: self.kind,
            controller: self.controller,
            threshold: self.threshold,
            keys: Vec::new(),
            next_number: KeyNumber(0),
            next: self.next.clone(),
            owners: self.owners.as_ref().map(|owners| Digest::of(&[&codec::encode(owners)])),
            statuses: alloc::vec![StatusChange { status: Status::ACTIVE, at, reason: None }],
            created: at,
            evidence_key: None,
            threshold_from: at,
            confirmed: (self.controller == Some(by)).then_some(at),
            taken: Vec::new(),
        };
        add_keys(draft, id, &mut thing, &self.keys)?;
        if let Some(attributes) = &self.attributes {
            super::update::require_word(&thing, by, attributes.keys())?;
        }
        draft.set_thing(id, thing);
        if let Some(attributes) = &self.attributes {
            super::update::check_attributes(attributes)?;
            let entry = Entry::Attributes(Attributes(attributes.clone()));
            draft.set(StateKey::thing(id, EntryKind::ATTRIBUTES), entry);
        }
        draft.concerns(id);
        draft.happened(Event::ThingRegistered {
            thing: id,
            kind: self.kind,
            controller: self.controller,
        });
        if let Some(attributes) = &self.attributes {
            let set = attributes.clone().into_iter().collect();
            draft.happened(Event::AttributesChanged { thing: id, set, removed: Vec::new() });
        }
        Ok(())
    }
}

fn apply(draft: &mut Draft<'_>, action: &Action<'_>) -> Result<(), Stop> {
    let inception: Inception = payload(action)?;
    inception.register(draft, action.actor, action.actor)
}

/// Whether the keys that the inception brings do not suffice to sign it.
pub(crate) fn refuses_signers(action: &Action<'_>) -> Option<Refusal> {
    let Ok(inception) = payload::<Inception>(action) else {
        let cause = "the payload is not an inception";
        return Some(Refusal::new(RefusalCode::PAYLOAD, cause));
    };
    let keys: Vec<KeyState> = (0..)
        .zip(&inception.keys)
        .map(|(number, new)| new.state(KeyNumber(number), LeafIndex(0)))
        .collect();
    let threshold = inception.threshold.max(1);
    chain::refuses_keys(&keys, threshold, FAMILY.purpose, action.actor, action.signers)
}
