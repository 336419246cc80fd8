//! What is done to a data folder beside the running of a node.

mod backup;

pub(crate) use backup::write as write_backup;
pub use backup::{Restored, backup, restore, verify_backup};

use crate::folder::{FolderError, Premises};
use crate::keyring::Keyring;
use std::path::Path;
use std::sync::Arc;
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
    let premises = Premises::open(data)?;
    let (ledger, genesis) = (premises.ledger(), &premises.genesis);
    let verifier = Arc::new(Keyring::default());
    let first = premises.first_batch();
    let rebuilt = touchmark_store::rebuild(&ledger, genesis, &first, verifier, progress)?;
    Ok(rebuilt)
}
