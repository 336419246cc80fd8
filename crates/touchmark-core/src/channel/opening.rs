//! Opening: a thing begins a channel. The channel's id is the hash of its author and this payload,
//! so the author knows it before the log does, and nobody else can open a channel with this id.

use crate::directory::{payload, update};
use crate::entry::{Attributes, Channel, Entry, Purposes};
use crate::event::ChannelEvent;
use crate::rules::{Action, Family, Stop};
use crate::view::{Draft, InChannel, Read as _};
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use touchmark_wire::codec;
use touchmark_wire::hash::{Digest, domain};
use touchmark_wire::ids::{ChannelId, ThingId};
use touchmark_wire::registry::{ChannelKind, EntryKind, RefusalCode, StatementKind, Writers};
use touchmark_wire::state::StateKey;

pub(crate) const FAMILY: Family = Family {
    kind: StatementKind::CHANNEL,
    purpose: Purposes::CONTROL,
    while_paused: false,
    in_group: false,
    reads_payload: true,
    apply,
};

/// Payload that opens a channel (deterministic CBOR map).
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(map)]
pub struct Opening {
    /// Makes the id unique: 16 random bytes.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub nonce: Vec<u8>,
    /// Who can read it.
    #[n(2)]
    pub kind: ChannelKind,
    /// Who may write, beside the author.
    #[n(3)]
    pub writers: Writers,
    /// What it is about (name, topic); never changed.
    #[n(4)]
    #[cbor(with = "crate::entry::optional_texts", has_nil)]
    pub attributes: Option<BTreeMap<String, String>>,
}

impl Opening {
    /// The id of the channel that `author` opens with an encoded payload.
    pub fn id_of(author: ThingId, encoded: &[u8]) -> ChannelId {
        ChannelId::from_digest(&Digest::of(&[domain::CHANNEL, &author.0, encoded]))
    }

    /// The encoding that the id is the hash of.
    pub fn encode_to_vec(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// The id of the channel that `author` opens with this.
    pub fn id(&self, author: ThingId) -> ChannelId {
        Self::id_of(author, &self.encode_to_vec())
    }

    fn check(&self) -> Result<(), Stop> {
        if self.nonce.len() != 16 {
            let cause = "the nonce of a channel has 16 bytes";
            return Err(Stop::denied(RefusalCode::PAYLOAD, cause));
        }
        if self.kind.name().is_none() || self.writers.name().is_none() {
            let cause = "no such kind of channel or of writers";
            return Err(Stop::denied(RefusalCode::UNKNOWN_KIND, cause));
        }
        self.attributes.as_ref().map_or(Ok(()), update::check_attributes)
    }
}

fn apply(draft: &mut Draft<'_>, action: &Action<'_>) -> Result<(), Stop> {
    let opening: Opening = payload(action)?;
    opening.check()?;
    let (author, id) = (action.actor, Opening::id_of(action.actor, action.payload));
    if draft.channel(id)?.is_some() {
        return Err(Stop::denied(RefusalCode::EXISTS, "the channel is open already"));
    }
    let Opening { kind, writers, attributes, .. } = opening;
    let channel = Channel::new(author, kind, writers, draft.position.leaf);
    draft.set_channel(id, channel);
    if let Some(attributes) = attributes {
        let key = StateKey::channel(id, EntryKind::ATTRIBUTES);
        draft.set(key, Entry::Attributes(Attributes(attributes)));
    }
    draft.stands(InChannel::History(id));
    draft.happened(ChannelEvent::Opened { author, writers }.of(id));
    Ok(())
}
