//! The rules that every statement shares: its place in a chain and the keys that signed it.

mod kept;

pub(crate) use kept::Kept;

use crate::admission::{Signed, VerifiedStatement};
use crate::entry::{KeyState, Purposes};
use crate::refusal::{Refusal, Unreadable};
use crate::view::{Read, View};
use alloc::vec::Vec;
use touchmark_wire::ids::{Did, LeafIndex, NetworkId, ThingId};
use touchmark_wire::registry::{RefusalCode, Status};
use touchmark_wire::statement::Claims;

/// Where a statement stands relative to its chain.
pub(crate) enum Place {
    /// Next in this chain.
    Next(Kept),
    /// It is in the log already.
    Known(LeafIndex),
    /// It is in the log already, as the proof that this chain forked.
    KnownFork(LeafIndex, Kept),
    /// Its place is taken by another statement, for the first time in this chain.
    Fork { first: LeafIndex, chain: Kept },
    /// Nowhere.
    Refused(Refusal),
}

/// Finds a statement's place. `purpose` is what its kind asks of keys, where the kind is known.
pub(crate) fn place(
    view: &dyn View,
    statement: &VerifiedStatement,
    purpose: Option<Purposes>,
) -> Result<Place, Unreadable> {
    let link = &statement.link;
    let Some(chain) = Kept::of(view, statement.issuer, link.channel)? else {
        let cause = "there is no such channel";
        return Ok(Place::Refused(Refusal::new(RefusalCode::UNKNOWN_CHANNEL, cause)));
    };
    let head = chain.head();
    if link.sequence <= head.sequence {
        return taken(view, statement, purpose, chain);
    }
    let refused = |code, cause| {
        let head = Some(head);
        Ok(Place::Refused(Refusal { head, ..Refusal::new(code, cause) }))
    };
    if link.sequence.0 - head.sequence.0 > 1 {
        return refused(RefusalCode::OUT_OF_ORDER, "statements before this one are missing");
    }
    if link.previous == head.last {
        return Ok(Place::Next(chain));
    }
    if link.sequence.0 == 1 {
        refused(RefusalCode::WRONG_NETWORK, "the chain starts from another network's id")
    } else {
        refused(RefusalCode::CONFLICT, "the statement before is not the head of the chain")
    }
}

fn taken(
    view: &dyn View,
    statement: &VerifiedStatement,
    purpose: Option<Purposes>,
    chain: Kept,
) -> Result<Place, Unreadable> {
    let link = &statement.link;
    let Some((first, id)) = view.statement_at(statement.issuer, link.channel, link.sequence)?
    else {
        return Err(Unreadable);
    };
    if id == statement.id {
        return Ok(Place::Known(first));
    }
    if let Some(fork) = chain.chain().fork.filter(|fork| fork.statement == statement.id) {
        return Ok(Place::KnownFork(fork.leaf, chain));
    }
    let could_state = match purpose {
        Some(purpose) => could_state(view, statement, purpose, first)?,
        None => false,
    };
    if chain.chain().fork.is_none() && could_state {
        return Ok(Place::Fork { first, chain });
    }
    Ok(Place::Refused(Refusal {
        head: Some(chain.head()),
        ..Refusal::new(RefusalCode::CONFLICT, "this place of the chain is taken")
    }))
}

/// Whether the second statement is the issuer's word as well as the first one, which stands at
/// `first`: what its signatures must reach is what held there and still holds.
///
/// A key that has ended proves nothing any more, so whoever steals it cannot mark the chain for
/// ever; nor does a place at which the issuer had another threshold, as the state does not say
/// which (docs/adr/0010-forks-under-what-still-holds.md). Signatures of others neither help nor
/// hinder.
fn could_state(
    view: &dyn View,
    statement: &VerifiedStatement,
    purpose: Purposes,
    first: LeafIndex,
) -> Result<bool, Unreadable> {
    let issuer = statement.issuer;
    let Some(thing) = view.thing(issuer)? else {
        return Ok(false);
    };
    // What a thing begins with holds for its inception, too.
    let begins = thing.threshold_from == first && thing.created == first;
    if thing.threshold_from >= first && !begins {
        return Ok(false);
    }
    let mut counted = Vec::new();
    let mut weight = 0u32;
    for signer in statement.signers.iter().filter(|signer| signer.thing == issuer) {
        // A statement is valid under keys that it brings itself.
        let counts = |key: &&KeyState| {
            key.key == signer.key
                && (key.is_valid_at(first) || key.from == first)
                && key.purposes.contains(purpose)
        };
        if let Some(key) = thing.key(signer.number).filter(counts)
            && !counted.contains(&key.key)
        {
            weight += u32::from(key.weight);
            counted.push(key.key);
        }
    }
    Ok(weight >= u32::from(thing.threshold))
}

/// Whether the issuer that claims name is a thing of this network.
pub(crate) fn is_of(claims: &Claims<'_>, network: &NetworkId) -> bool {
    claims.issuer.parse::<Did>().is_ok_and(|did| did == did.thing.did(network))
}

/// Whether a thing of this status may make a statement.
pub(crate) fn may_state(status: Status, while_paused: bool) -> bool {
    match status {
        Status::ACTIVE => true,
        Status::SUSPENDED | Status::DISABLED => while_paused,
        _ => false,
    }
}

/// Whether the signatures of `thing`'s keys among `signers` fall short of `threshold`. Each public
/// key counts once, whatever numbers it has.
pub(crate) fn refuses_keys(
    keys: &[KeyState],
    threshold: u16,
    purpose: Purposes,
    thing: ThingId,
    signers: &[Signed],
) -> Option<Refusal> {
    let mut weight = 0u32;
    let mut counted = Vec::new();
    for signer in signers.iter().filter(|signer| signer.thing == thing) {
        let known = keys.iter().find(|key| key.number == signer.number && key.to.is_none());
        let Some(key) = known.filter(|key| key.key == signer.key) else {
            let cause = "the signing key is not, or no longer, a key of the issuer";
            return Some(Refusal::new(RefusalCode::KEY_NOT_VALID, cause));
        };
        if !key.purposes.contains(purpose) {
            let cause = "the signing key was not declared for this purpose";
            return Some(Refusal::new(RefusalCode::PURPOSE, cause));
        }
        if !counted.contains(&key.key) {
            counted.push(key.key);
            weight += u32::from(key.weight);
        }
    }
    (weight < u32::from(threshold)).then(|| {
        let cause = "the signatures do not reach the issuer's threshold";
        Refusal::new(RefusalCode::THRESHOLD, cause)
    })
}
