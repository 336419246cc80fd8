//! A chain as the state keeps it.

use crate::channel;
use crate::entry::{ChannelChain, Entry, Fork, Head};
use crate::refusal::{ChainHead, Refusal, Unreadable};
use crate::rules::Stop;
use crate::view::{Draft, InChannel, Read as _, View};
use touchmark_wire::ids::{ChannelId, Sequence, StatementId, ThingId};
use touchmark_wire::state::StateKey;

/// A chain of an issuer.
#[derive(Clone, Debug)]
pub(crate) enum Chain {
    /// Its main chain.
    Main(Head),
    /// Its chain in a channel.
    InChannel {
        /// Which channel.
        channel: ChannelId,
        /// The chain.
        chain: ChannelChain,
        /// Why the issuer may not write there.
        refusal: Option<Refusal>,
    },
}

impl Chain {
    /// The chain, begun or not; `None` where there is no such channel.
    pub(crate) fn of(
        view: &dyn View,
        issuer: ThingId,
        channel: Option<ChannelId>,
    ) -> Result<Option<Self>, Unreadable> {
        let Some(id) = channel else {
            let head = view.head(issuer)?.unwrap_or_else(|| Head::new(view.network()));
            return Ok(Some(Self::Main(head)));
        };
        let Some(channel) = view.channel(id)? else { return Ok(None) };
        let chain = view.channel_chain(id, issuer)?;
        let chain = chain.unwrap_or_else(|| ChannelChain::new(view.network()));
        let refusal = channel::refuses_writer(&channel, issuer, chain.rights);
        Ok(Some(Self::InChannel { channel: id, chain, refusal }))
    }

    /// Where it stands, as a client needs it to go on.
    pub(crate) const fn head(&self) -> ChainHead {
        let (sequence, last) = match self {
            Self::Main(head) => (head.sequence, head.last),
            Self::InChannel { chain, .. } => (chain.sequence, chain.last),
        };
        ChainHead { sequence, last }
    }

    /// Its first fork, if it was ever forked.
    pub(crate) const fn fork(&self) -> Option<Fork> {
        match self {
            Self::Main(head) => head.fork,
            Self::InChannel { chain, .. } => chain.fork,
        }
    }

    /// It forked.
    pub(crate) const fn set_fork(&mut self, fork: Fork) {
        match self {
            Self::Main(head) => head.fork = Some(fork),
            Self::InChannel { chain, .. } => chain.fork = Some(fork),
        }
    }

    /// The statement at `sequence` stands.
    pub(crate) fn advance(&mut self, sequence: Sequence, id: StatementId) {
        match self {
            Self::Main(head) => head.advance(sequence, id),
            Self::InChannel { chain, .. } => chain.advance(sequence, id),
        }
    }

    /// Whether the issuer may write into the channel that the chain is in.
    pub(crate) fn require_writer(&self) -> Result<(), Stop> {
        match self {
            Self::InChannel { refusal: Some(refusal), .. } => Err(Stop::Denied(refusal.clone())),
            Self::InChannel { refusal: None, .. } | Self::Main(_) => Ok(()),
        }
    }

    /// Writes the chain, and where the leaf that continues or forks it stands.
    pub(crate) fn write(self, draft: &mut Draft<'_>, issuer: ThingId) {
        match self {
            Self::Main(head) => draft.set_head(issuer, head),
            Self::InChannel { channel, chain, refusal } => {
                draft.set(StateKey::channel_chain(channel, issuer), Entry::ChannelChain(chain));
                draft.stands(match refusal {
                    None => InChannel::History(channel),
                    Some(_) => InChannel::Mention(channel),
                });
            }
        }
    }
}
