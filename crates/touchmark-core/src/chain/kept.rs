//! A chain as the state keeps it.

use crate::channel;
use crate::entry::{Chain, ChannelChain, Entry, Head};
use crate::refusal::{ChainHead, Refusal, Unreadable};
use crate::rules::Stop;
use crate::view::{Draft, InChannel, Read as _, View};
use touchmark_wire::ids::{ChannelId, ThingId};
use touchmark_wire::state::StateKey;

/// A chain of an issuer, in the entry that it has there.
#[derive(Clone, Debug)]
pub(crate) enum Kept {
    /// Its main chain.
    Main(Head),
    /// Its chain in a channel.
    InChannel {
        /// Which channel.
        channel: ChannelId,
        /// The chain, with the issuer's rights.
        entry: ChannelChain,
        /// Why the issuer may not write there.
        refusal: Option<Refusal>,
    },
}

impl Kept {
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
        let entry = view.channel_chain(id, issuer)?;
        let entry = entry.unwrap_or_else(|| ChannelChain::new(view.network()));
        let refusal = channel::refuses_writer(&channel, issuer, entry.rights);
        Ok(Some(Self::InChannel { channel: id, entry, refusal }))
    }

    /// The chain itself.
    pub(crate) const fn chain(&self) -> &Chain {
        match self {
            Self::Main(head) => &head.chain,
            Self::InChannel { entry, .. } => &entry.chain,
        }
    }

    /// The chain itself, to be changed.
    pub(crate) const fn chain_mut(&mut self) -> &mut Chain {
        match self {
            Self::Main(head) => &mut head.chain,
            Self::InChannel { entry, .. } => &mut entry.chain,
        }
    }

    /// Where it stands, as a client needs it to go on.
    pub(crate) fn head(&self) -> ChainHead {
        self.chain().into()
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
            Self::InChannel { channel, entry, refusal } => {
                draft.set(StateKey::channel_chain(channel, issuer), Entry::ChannelChain(entry));
                draft.stands(match refusal {
                    None => InChannel::History(channel),
                    Some(_) => InChannel::Mention(channel),
                });
            }
        }
    }
}
