//! The store, with a clock beside it.

use prometheus_client::metrics::histogram::Histogram;
use std::sync::Arc;
use std::time::Instant;
use touchmark_batch::{Batch, Halt};
use touchmark_ledger::{Durable, Execution, StateView};
use touchmark_store::Store;

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
