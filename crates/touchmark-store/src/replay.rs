//! A log executed again from its leaves alone, by whoever trusts nobody's state.

use crate::cache::CacheLimits;
use crate::error::Error;
use crate::folder::Folder;
use crate::store::{Commits, Store};
use std::path::Path;
use std::sync::Arc;
use touchmark_batch::Batch;
use touchmark_core::admission::Verifier;
use touchmark_ledger::{Deviation, Durable as _, Execution, ReplayError, StateView as _, Tip};
use touchmark_wire::genesis::Genesis;

/// A log that is being executed again, with the state that it has led to so far.
///
/// The state is in a store that serves this replay and nothing else: its batches have headers that
/// were made here, and heights without leaves are missing.
pub struct Replay {
    store: Store,
    verifier: Arc<dyn Verifier + Send + Sync>,
}

/// Why a replay does not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayFailure {
    /// The log is not what the rules make of it.
    #[error("{0}")]
    Deviation(Deviation),
    /// The store that holds the state.
    #[error(transparent)]
    Store(#[from] Error),
    /// This machine's fault, in one sentence.
    #[error("the log cannot be executed again: {0}")]
    Unable(String),
}

impl Replay {
    /// Begins with the first leaf of a network's log; `path` is a new or empty folder.
    pub fn begin(
        path: &Path,
        genesis: &Genesis,
        genesis_batch: &Arc<Batch>,
        verifier: Arc<dyn Verifier + Send + Sync>,
    ) -> Result<Self, Error> {
        let folder = Folder::claim(path, genesis.network_id())?;
        let limits = CacheLimits::default();
        let store = Store::in_folder(folder, genesis, genesis_batch, limits, Commits::Together)?;
        Ok(Self { store, verifier })
    }

    /// Executes the next batch from its leaves, the batch leaf last.
    pub fn take(&mut self, leaves: &[Vec<u8>]) -> Result<Execution, ReplayFailure> {
        let view = self.store.snapshot();
        let verifier = self.verifier.as_ref();
        let replayed = touchmark_ledger::replay(view.as_ref(), verifier, leaves);
        let (batch, execution) = replayed.map_err(|error| match error {
            ReplayError::Deviation(deviation) => ReplayFailure::Deviation(deviation),
            ReplayError::Unreadable => ReplayFailure::Unable("the state cannot be read".to_owned()),
            ReplayError::Unable(why) => ReplayFailure::Unable(why),
        })?;
        let committed = self.store.commit(Arc::new(batch), &execution);
        committed.map_err(|halt| ReplayFailure::Unable(halt.to_string()))?;
        Ok(execution)
    }

    /// Where it is.
    pub fn tip(&self) -> Arc<Tip> {
        self.store.snapshot().tip()
    }
}
