//! The store, with a clock beside it.

use prometheus_client::metrics::histogram::Histogram;
use std::sync::Arc;
use std::time::Instant;
use touchmark_batch::{Batch, Halt};
use touchmark_core::entry::Entry;
use touchmark_core::refusal::Unreadable;
use touchmark_core::view::View;
use touchmark_ledger::trie::{Page, PagePath, Pages};
use touchmark_ledger::{Durable, Execution, StateView, Tip};
use touchmark_store::Store;
use touchmark_wire::ids::{
    ChannelId, EvidenceId, LeafIndex, NetworkId, Sequence, StatementId, ThingId,
};
use touchmark_wire::state::StateKey;

/// A store that notes how long its commits take, in seconds.
pub(super) struct Measured {
    pub(super) store: Arc<Store>,
    pub(super) commits: Histogram,
}

impl Durable for Measured {
    fn commit(&self, batch: Arc<Batch>, execution: &Execution) -> Result<(), Halt> {
        let start = Instant::now();
        let committed = Durable::commit(self.store.as_ref(), batch, execution);
        self.commits.observe(start.elapsed().as_secs_f64());
        committed
    }

    fn snapshot(&self) -> Arc<dyn StateView> {
        Durable::snapshot(self.store.as_ref())
    }
}

impl StateView for Measured {
    fn tip(&self) -> Arc<Tip> {
        self.store.tip()
    }
}

impl View for Measured {
    fn network(&self) -> NetworkId {
        self.store.network()
    }

    fn entry(&self, key: &StateKey) -> Result<Option<Arc<Entry>>, Unreadable> {
        self.store.entry(key)
    }

    fn statement_at(
        &self,
        issuer: ThingId,
        channel: Option<ChannelId>,
        sequence: Sequence,
    ) -> Result<Option<(LeafIndex, StatementId)>, Unreadable> {
        self.store.statement_at(issuer, channel, sequence)
    }

    fn evidence(&self, id: EvidenceId) -> Result<Option<LeafIndex>, Unreadable> {
        self.store.evidence(id)
    }
}

impl Pages for Measured {
    fn page(&self, path: &PagePath) -> Result<Option<Arc<Page>>, Unreadable> {
        self.store.page(path)
    }
}
