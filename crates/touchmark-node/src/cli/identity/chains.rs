//! Where an identity's chains stand: its main chain, and those in channels.

use super::folder::State;
use serde::{Deserialize, Serialize};
use touchmark_wire::ids::{ChannelId, Sequence, StatementId};
use touchmark_wire::statement::Statement;

/// Where a chain in a channel stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Standing {
    /// Place of the last statement that arrived; 0 before the first.
    sequence: u32,
    /// Its id, or the network id before the first, hexadecimal.
    last: String,
}

impl State {
    /// Whether it is known where the chain stands. A channel has to be asked for once.
    pub(crate) fn knows(&self, channel: Option<ChannelId>) -> bool {
        channel.is_none_or(|channel| self.channels.contains_key(&channel.to_string()))
    }

    /// The channels that it has written into.
    pub(crate) fn known_channels(&self) -> Vec<ChannelId> {
        self.channels.keys().filter_map(|channel| channel.parse().ok()).collect()
    }

    /// Takes over what another state of the same identity knows of channels.
    pub(crate) fn keep_channels_of(&mut self, other: &Self) {
        self.channels.clone_from(&other.channels);
    }

    /// Place and id of the last statement of a chain that arrived: 0 and the network id before.
    pub(crate) fn reached(&self, channel: Option<ChannelId>) -> (u32, &str) {
        let Some(channel) = channel else { return (self.sequence, &self.last) };
        match self.channels.get(&channel.to_string()) {
            Some(standing) => (standing.sequence, &standing.last),
            None => (0, &self.network),
        }
    }

    /// The last statement of a chain is this one.
    pub(crate) fn reach(&mut self, channel: Option<ChannelId>, sequence: u32, last: &str) {
        let last = last.to_owned();
        match channel {
            None => (self.sequence, self.last) = (sequence, last),
            Some(channel) => {
                self.channels.insert(channel.to_string(), Standing { sequence, last });
            }
        }
    }
}

/// The place of a statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    /// In which chain.
    pub(crate) channel: Option<ChannelId>,
    /// Where in it.
    pub(crate) sequence: Sequence,
    /// Which statement.
    pub(crate) id: StatementId,
}

impl Place {
    /// That of an encoded statement; nothing where it is none.
    pub(crate) fn of(statement: &[u8]) -> Option<Self> {
        let statement = Statement::parse(statement).ok()?;
        let link = statement.protected().link;
        Some(Self { channel: link.channel, sequence: link.sequence, id: statement.id() })
    }

    /// Whether a chain that `state` knows has come as far.
    pub(crate) fn has_arrived(&self, state: &State) -> bool {
        self.sequence.0 <= state.reached(self.channel).0
    }
}
