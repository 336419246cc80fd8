//! Accreditation: the issuer vouches for a thing, or withdraws that. Trust is the graph of these
//! statements, which anyone walks and proves.

use super::{existing, payload};
use crate::entry::{Entry, Purposes};
use crate::event::Event;
use crate::rules::{Action, Family, Stop};
use crate::standing;
use crate::view::{Draft, Read};
use alloc::string::String;
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use touchmark_wire::ids::ThingId;
use touchmark_wire::registry::{RefusalCode, StatementKind};
use touchmark_wire::state::StateKey;

pub(crate) const FAMILY: Family = Family {
    kind: StatementKind::ACCREDIT,
    purpose: Purposes::CONTROL,
    while_paused: false,
    in_group: true,
    reads_payload: true,
    apply,
};

/// Payload of an accreditation (deterministic CBOR map).
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(map)]
pub struct Accredit {
    /// For whom.
    #[n(1)]
    pub thing: ThingId,
    /// As what; empty withdraws.
    #[n(2)]
    pub roles: Vec<String>,
}

impl Accredit {
    /// Most roles, and the longest, bytes.
    const LIMITS: (usize, usize) = (16, 64);
}

fn apply(draft: &mut Draft<'_>, action: &Action<'_>) -> Result<(), Stop> {
    let accredit: Accredit = payload(action)?;
    let (by, thing) = (action.actor, accredit.thing);
    let mut subject = existing(draft, thing)?;
    let (count, length) = Accredit::LIMITS;
    if accredit.roles.len() > count || accredit.roles.iter().any(|role| role.len() > length) {
        return Err(Stop::denied(RefusalCode::LIMIT, "at most 16 roles of 64 bytes"));
    }
    let at = draft.position.leaf;
    let mut word = draft.accreditation(by, thing)?.unwrap_or_default();
    let event = if accredit.roles.is_empty() {
        if word.present().is_none() {
            let cause = "there is no accreditation to withdraw";
            return Err(Stop::denied(RefusalCode::STATUS, cause));
        }
        word.withdraw(at);
        Event::AccreditationWithdrawn { by, thing }
    } else {
        word.give(accredit.roles.clone(), at);
        if subject.controller == Some(by) && subject.confirmed.is_none() {
            subject.confirmed = Some(at);
            draft.set_thing(thing, subject);
        }
        Event::ThingAccredited { by, thing, roles: accredit.roles }
    };
    draft.set(StateKey::accreditation(by, thing), Entry::Accreditation(word));
    standing::tell(draft, Some(by), thing)?;
    draft.happened(event);
    Ok(())
}
