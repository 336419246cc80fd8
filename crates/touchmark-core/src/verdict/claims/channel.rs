//! What a bundle claims of channels.

use super::{Finding, Judge, Judgement, State};
use crate::chain;
use crate::channel::refuses_writer;
use crate::entry::{Channel, ChannelChain, Entry, Fork, KeyState};
use crate::record;
use alloc::format;
use alloc::string::String;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{ChannelId, LeafIndex, ThingId};
use touchmark_wire::registry::{EntryKind, Writers};
use touchmark_wire::state::StateKey;

impl State<'_> {
    fn channel(&self, id: ChannelId) -> Result<Channel, Finding> {
        match self.entry(&StateKey::channel(id, EntryKind::CHANNEL))?.as_deref() {
            Some(Entry::Channel(channel)) => Ok(channel.clone()),
            _ => Err(Finding::fail("TM-UNKNOWN-CHANNEL", format!("there is no channel {id}"))),
        }
    }

    fn channel_chain(
        &self,
        channel: ChannelId,
        thing: ThingId,
    ) -> Result<Option<ChannelChain>, Finding> {
        Ok(match self.entry(&StateKey::channel_chain(channel, thing))?.as_deref() {
            Some(Entry::ChannelChain(chain)) => Some(chain.clone()),
            _ => None,
        })
    }

    /// The fork of one of an issuer's chains, whose head the bundle has to show.
    pub(super) fn fork_of(
        &self,
        issuer: ThingId,
        channel: Option<ChannelId>,
    ) -> Result<Option<Fork>, Finding> {
        match channel {
            None => Ok(self.head(issuer)?.chain.fork),
            Some(channel) => Ok(self.channel_chain(channel, issuer)?.and_then(|it| it.chain.fork)),
        }
    }

    /// The id of the last statement of one of an issuer's chains.
    pub(super) fn last_of(
        &self,
        issuer: ThingId,
        channel: Option<ChannelId>,
    ) -> Result<Digest, Finding> {
        match channel {
            None => Ok(self.head(issuer)?.chain.last),
            // A chain that has not begun has no last statement.
            Some(channel) => Ok(self
                .channel_chain(channel, issuer)?
                .map_or(Digest::default(), |it| it.chain.last)),
        }
    }
}

impl Judge<'_> {
    /// Who opened it, who may write, and whether it is closed.
    pub(super) fn channel(&self, id: ChannelId, about: &mut dyn FnMut(ThingId)) -> Judgement {
        let channel = self.state.channel(id)?;
        about(channel.author);
        let Channel { author, opened, .. } = channel;
        let writers = match channel.writers {
            Writers::ANYONE => "anyone may write",
            _ => "it and those to whom it grants that may write",
        };
        let open = match channel.closed {
            Some(leaf) => format!("closed at leaf {leaf}; until then {writers}"),
            None => String::from(writers),
        };
        Ok(format!("{id} was opened by {author} at leaf {opened}; {open}").into())
    }

    /// As for a thing: the running hash over the listed leaves must be the certified one.
    pub(super) fn complete_channel(
        &self,
        id: ChannelId,
        leaves: &[LeafIndex],
        about: &mut dyn FnMut(ThingId),
    ) -> Judgement {
        let channel = self.state.channel(id)?;
        about(channel.author);
        let count = leaves.len();
        if !self.is_list(leaves, &channel.history)? {
            let all = channel.history.count;
            let reason = format!(
                "of {all} leaves in the history of channel {id}, {count} are shown, or altered"
            );
            return Err(Finding::fail("TM-INCOMPLETE", reason));
        }
        let author = channel.author;
        let all = format!("these {count} leaves are the whole history of channel {id} of {author}");
        let closed = channel.closed.map(|leaf| format!("; it was closed at leaf {leaf}"));
        let apart = match channel.mentions.count {
            0 => String::new(),
            mentions => format!("; {mentions} more are of those who might not write"),
        };
        Ok((all + &closed.unwrap_or_default() + &apart).into())
    }

    /// Whether a thing may write into a channel now.
    pub(super) fn writer(
        &self,
        id: ChannelId,
        thing: ThingId,
        about: &mut dyn FnMut(ThingId),
    ) -> Judgement {
        let channel = self.state.channel(id)?;
        about(channel.author);
        about(thing);
        let chain_there = self.state.channel_chain(id, thing)?;
        let rights = chain_there.as_ref().map(|chain| chain.rights).unwrap_or_default();
        if let Some(refusal) = refuses_writer(&channel, thing, rights) {
            let code = refusal.code.name().unwrap_or_default();
            let reason = format!("{thing} may not write into channel {id}: {}", refusal.cause);
            return Err(Finding::fail(code, reason));
        }
        // The channel lets it; the rules of every statement must, too.
        let it = self.state.registered(thing)?;
        if !chain::may_state(it.status(), record::FAMILY.while_paused) {
            let reason = format!("{thing} may not write into channel {id}: it is {}", it.status());
            return Err(Finding::fail("TM-REVOKED", reason));
        }
        let counts = |key: &&KeyState| key.purposes.contains(record::FAMILY.purpose);
        let weight: u32 = it.keys.iter().filter(counts).map(|key| u32::from(key.weight)).sum();
        if weight < u32::from(it.threshold) {
            let reason = format!("{thing} cannot write into channel {id}: no keys for records");
            return Err(Finding::fail("TM-KEY-NOT-VALID", reason));
        }
        let why = match chain_there.and_then(|chain| chain.since) {
            _ if thing == channel.author => String::from("as its author"),
            Some(leaf) => format!("since leaf {leaf}"),
            None => String::from("as anyone may"),
        };
        Ok(format!("{thing} may write into channel {id}, {why}").into())
    }
}
