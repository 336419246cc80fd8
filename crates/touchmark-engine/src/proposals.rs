//! The batches that this node proposed and whose fate is open.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use touchmark_batch::Batch;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::Height;

/// Own proposals by height. A height may have several: a view can pass without its proposal.
#[derive(Debug, Default)]
pub(crate) struct Proposals {
    open: Mutex<BTreeMap<Height, Vec<Arc<Batch>>>>,
}

impl Proposals {
    pub(crate) fn add(&self, batch: Arc<Batch>) {
        self.lock().entry(batch.height()).or_default().push(batch);
    }

    /// `digest` is final at `height`: returns the proposals that lost by it.
    pub(crate) fn settle(&self, height: Height, digest: Digest) -> Vec<Arc<Batch>> {
        let mut open = self.lock();
        let later = open.split_off(&Height(height.0.saturating_add(1)));
        let settled = std::mem::replace(&mut *open, later);
        settled.into_values().flatten().filter(|batch| batch.digest() != digest).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Height, Vec<Arc<Batch>>>> {
        // No call leaves the map half changed.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
