//! What the ledger reads: the finalized state, and layers of executed batches above it.

use crate::execution::Execution;
use crate::trie::{Page, PagePath, Pages};
use std::sync::Arc;
use touchmark_batch::{Batch, Halt};
use touchmark_core::entry::Entry;
use touchmark_core::refusal::Unreadable;
use touchmark_core::view::View;
use touchmark_wire::genesis::Committee;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{
    ChannelId, EvidenceId, LeafIndex, NetworkId, Sequence, StatementId, ThingId,
};
use touchmark_wire::merkle::Frontier;
use touchmark_wire::state::StateKey;

/// The finalized state, as one batch left it. Implemented by the store.
pub trait StateView: View + Pages + Send + Sync {
    /// The last finalized batch.
    fn tip(&self) -> Arc<Tip>;
}

/// A store that makes finalized batches durable.
pub trait Durable: Send + Sync {
    /// Writes a batch with everything that follows from it, all or nothing, and returns after the
    /// sync. `batch` is the next after the tip.
    fn commit(&self, batch: Arc<Batch>, execution: &Execution) -> Result<(), Halt>;

    /// The finalized state as it is now, unaffected by later commits.
    fn snapshot(&self) -> Arc<dyn StateView>;
}

/// Where the finalized log and state stand.
#[derive(Clone, Debug)]
pub struct Tip {
    /// The batch.
    pub batch: Arc<Batch>,
    /// The log after it.
    pub frontier: Frontier,
    /// Root of the state after it.
    pub state_root: Digest,
}

/// A finalized state with executed, not yet finalized batches above it, oldest first.
pub(crate) struct Layered<'a> {
    pub(crate) base: &'a dyn StateView,
    pub(crate) layers: &'a [Arc<Execution>],
    /// The batch in the making.
    pub(crate) top: &'a Execution,
}

impl Layered<'_> {
    /// Asks from the newest layer down.
    fn find<T>(&self, ask: impl Fn(&Execution) -> Option<T>) -> Option<T> {
        ask(self.top).or_else(|| self.layers.iter().rev().find_map(|layer| ask(layer)))
    }
}

impl View for Layered<'_> {
    fn network(&self) -> NetworkId {
        self.base.network()
    }

    fn genesis_committee(&self) -> Result<Arc<Committee>, Unreadable> {
        self.base.genesis_committee()
    }

    fn entry(&self, key: &StateKey) -> Result<Option<Arc<Entry>>, Unreadable> {
        match self.find(|layer| layer.entries.get(key).cloned()) {
            Some(entry) => Ok(Some(entry)),
            None => self.base.entry(key),
        }
    }

    fn statement_at(
        &self,
        issuer: ThingId,
        channel: Option<ChannelId>,
        sequence: Sequence,
    ) -> Result<Option<(LeafIndex, StatementId)>, Unreadable> {
        let place = (issuer, channel, sequence);
        match self.find(|layer| layer.places.get(&place).copied()) {
            Some(known) => Ok(Some(known)),
            None => self.base.statement_at(issuer, channel, sequence),
        }
    }

    fn evidence(&self, id: EvidenceId) -> Result<Option<LeafIndex>, Unreadable> {
        match self.find(|layer| layer.evidence.get(&id).copied()) {
            Some(leaf) => Ok(Some(leaf)),
            None => self.base.evidence(id),
        }
    }
}

impl Pages for Layered<'_> {
    fn page(&self, path: &PagePath) -> Result<Option<Arc<Page>>, Unreadable> {
        match self.find(|layer| layer.pages.get(path).cloned()) {
            Some(page) => Ok(Some(page)),
            None => self.base.page(path),
        }
    }
}
