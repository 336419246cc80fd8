//! The rules that every statement shares: its place in a chain and the keys that signed it.

use crate::admission::{Signed, VerifiedStatement};
use crate::entry::{Head, KeyState, Purposes};
use crate::refusal::{ChainHead, Refusal, Unreadable};
use crate::view::{Read, View};
use alloc::vec::Vec;
use touchmark_wire::ids::{Did, LeafIndex, NetworkId, ThingId};
use touchmark_wire::registry::{RefusalCode, Status};
use touchmark_wire::statement::Claims;

/// Where a statement stands relative to its chain.
pub(crate) enum Place {
    /// Next after this head.
    Next(Head),
    /// It is in the log already.
    Known(LeafIndex),
    /// It is in the log already, as the proof that this chain forked.
    KnownFork(LeafIndex, Head),
    /// Its place is taken by another statement, for the first time in this chain.
    Fork { first: LeafIndex, head: Head },
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
    if link.channel.is_some() {
        let cause = "channels are not part of this version of the rules";
        return Ok(Place::Refused(Refusal::new(RefusalCode::UNKNOWN_KIND, cause)));
    }
    let head = view.head(statement.issuer)?.unwrap_or_else(|| Head::new(view.network()));
    if link.sequence <= head.sequence {
        return taken(view, statement, purpose, head);
    }
    let refused = |code, cause| {
        let head = Some(head_of(&head));
        Ok(Place::Refused(Refusal { head, ..Refusal::new(code, cause) }))
    };
    if link.sequence.0 - head.sequence.0 > 1 {
        return refused(RefusalCode::OUT_OF_ORDER, "statements before this one are missing");
    }
    if link.previous == head.last {
        return Ok(Place::Next(head));
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
    head: Head,
) -> Result<Place, Unreadable> {
    let link = &statement.link;
    let Some((first, id)) = view.statement_at(statement.issuer, link.channel, link.sequence)?
    else {
        return Err(Unreadable);
    };
    if id == statement.id {
        return Ok(Place::Known(first));
    }
    if let Some(fork) = head.fork.filter(|fork| fork.statement == statement.id) {
        return Ok(Place::KnownFork(fork.leaf, head));
    }
    let could_state = match purpose {
        Some(purpose) => could_state(view, statement, purpose, first)?,
        None => false,
    };
    if head.fork.is_none() && could_state {
        return Ok(Place::Fork { first, head });
    }
    Ok(Place::Refused(Refusal {
        head: Some(head_of(&head)),
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

/// A chain's head as a client needs it to go on.
pub(crate) fn head_of(head: &Head) -> ChainHead {
    ChainHead { sequence: head.sequence, last: head.last }
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
