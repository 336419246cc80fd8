//! Access: a channel's author gives a thing rights in it, withdraws them, or closes the channel.

use super::refuses_writer;
use crate::directory::{existing, payload};
use crate::entry::{ChannelChain, Entry, Purposes, Rights};
use crate::event::ChannelEvent;
use crate::rules::{Action, Family, Stop};
use crate::standing;
use crate::view::{Draft, InChannel, Read as _};
use minicbor::{Decode, Encode};
use touchmark_wire::ids::{ChannelId, ThingId};
use touchmark_wire::registry::{RefusalCode, StatementKind, Writers};
use touchmark_wire::state::StateKey;

pub(crate) const FAMILY: Family = Family {
    kind: StatementKind::ACCESS,
    purpose: Purposes::CONTROL,
    while_paused: false,
    in_group: false,
    reads_payload: true,
    apply,
};

/// Payload of a change of rights (deterministic CBOR map).
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(map)]
pub struct Access {
    /// In which channel.
    #[n(1)]
    pub channel: ChannelId,
    /// Whose rights; nobody's in particular closes the channel for everyone, its author included.
    #[n(2)]
    pub thing: Option<ThingId>,
    /// All rights that the thing has from now on; none withdraws.
    #[n(3)]
    pub rights: Rights,
}

impl Access {
    /// Gives a thing these rights and no others.
    pub const fn of(channel: ChannelId, thing: ThingId, rights: Rights) -> Self {
        Self { channel, thing: Some(thing), rights }
    }

    /// Closes a channel for good.
    pub const fn closing(channel: ChannelId) -> Self {
        Self { channel, thing: None, rights: Rights::NONE }
    }
}

fn apply(draft: &mut Draft<'_>, action: &Action<'_>) -> Result<(), Stop> {
    let access: Access = payload(action)?;
    let Some(channel) = draft.channel(access.channel)? else {
        return Err(Stop::denied(RefusalCode::UNKNOWN_CHANNEL, "there is no such channel"));
    };
    if channel.author != action.actor {
        let cause = "the issuer is not the author of the channel";
        return Err(Stop::denied(RefusalCode::NOT_AUTHORISED, cause));
    }
    if let Some(refusal) = refuses_writer(&channel, action.actor, Rights::NONE) {
        return Err(Stop::Denied(refusal));
    }
    if let Some(thing) = access.thing {
        if channel.writers == Writers::ANYONE || thing == channel.author {
            let cause = "the thing may write into this channel without a grant";
            return Err(Stop::denied(RefusalCode::STATUS, cause));
        }
        set_rights(draft, &access, thing, action.actor)?;
    } else if access.rights == Rights::NONE {
        let mut channel = channel;
        channel.closed = Some(draft.position.leaf);
        draft.set_channel(access.channel, channel);
        draft.happened(ChannelEvent::Closed.of(access.channel));
    } else {
        let cause =
            "rights are given to a thing; without one, all that can be said is that none are left";
        return Err(Stop::denied(RefusalCode::PAYLOAD, cause));
    }
    draft.stands(InChannel::History(access.channel));
    Ok(())
}

fn set_rights(
    draft: &mut Draft<'_>,
    access: &Access,
    thing: ThingId,
    author: ThingId,
) -> Result<(), Stop> {
    let Access { channel, rights, .. } = *access;
    existing(draft, thing)?;
    if !rights.is_known() {
        return Err(Stop::denied(RefusalCode::PAYLOAD, "no such right in a channel"));
    }
    let chain = draft.channel_chain(channel, thing)?;
    let mut chain = chain.unwrap_or_else(|| ChannelChain::new(draft.view().network()));
    if chain.rights == rights {
        let cause = "the thing has exactly these rights already";
        return Err(Stop::denied(RefusalCode::STATUS, cause));
    }
    (chain.rights, chain.since) = (rights, Some(draft.position.leaf));
    draft.set(StateKey::channel_chain(channel, thing), Entry::ChannelChain(chain));
    standing::tell(draft, Some(author), thing)?;
    let event = if rights == Rights::NONE {
        ChannelEvent::AccessWithdrawn { thing }
    } else {
        ChannelEvent::AccessGranted { thing, rights }
    };
    draft.happened(event.of(channel));
    Ok(())
}
