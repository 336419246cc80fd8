//! What is done to a data folder while no node runs in it.

use crate::folder::{Folder, FolderError};
use crate::keyring::Keyring;
use std::path::Path;
use std::sync::Arc;
use touchmark_engine::genesis_context;
use touchmark_ledger::genesis_batch;
use touchmark_store::{Progress, Rebuilt};

/// Why a data folder is not as it was to become.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpkeepError {
    /// The data folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The store in it.
    #[error(transparent)]
    Store(#[from] touchmark_store::Error),
}

/// Makes state and indexes of the node in `data` anew from its log.
pub fn rebuild(data: &Path, progress: impl FnMut(Progress)) -> Result<Rebuilt, UpkeepError> {
    let folder = Folder::open(data)?;
    let first = Arc::new(genesis_batch(&folder.genesis, genesis_context()));
    let verifier = Arc::new(Keyring::default());
    let rebuilt =
        touchmark_store::rebuild(&folder.ledger(), &folder.genesis, &first, verifier, progress)?;
    Ok(rebuilt)
}
