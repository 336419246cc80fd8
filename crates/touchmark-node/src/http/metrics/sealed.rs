//! What there is to say of object storage.

use super::set;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::atomic::Ordering;
use touchmark_store::SealedStatus;

/// How it goes with the leaves that are in object storage.
#[derive(Default)]
pub(super) struct Sealed {
    leaves: Gauge,
    failing: Gauge,
    reads: Counter,
    failures: Counter,
    wrong: Counter,
}

impl Sealed {
    pub(super) fn register(&self, registry: &mut Registry) {
        let about = "Leaves that are in object storage";
        registry.register("store_sealed_leaves", about, self.leaves.clone());
        let about = "Whether object storage failed at the last try";
        registry.register("store_sealed_failing", about, self.failing.clone());
        let about = "Bundles of leaves that were read from object storage";
        registry.register("store_sealed_reads", about, self.reads.clone());
        let about = "Tries to read or write there that failed";
        registry.register("store_sealed_failures", about, self.failures.clone());
        let about = "Bundles there that were not what they have to be";
        registry.register("store_sealed_wrong", about, self.wrong.clone());
    }

    /// Takes over what the store says.
    pub(super) fn show(&self, status: &SealedStatus) {
        set(&self.leaves, status.leaves);
        set(&self.failing, status.fault.is_some().into());
        let counters = [&self.reads, &self.failures, &self.wrong];
        for (counter, value) in counters.into_iter().zip([status.read, status.failed, status.wrong])
        {
            counter.inner().store(value, Ordering::Relaxed);
        }
    }
}
