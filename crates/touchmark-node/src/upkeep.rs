//! What is done to a data folder beside the running of a node.

mod backup;
mod certified;
mod examination;

pub(crate) use backup::write as write_backup;
pub use backup::{Restored, backup, restore, verify_backup};
pub(crate) use certified::Certified;
pub(crate) use examination::Examined;

use crate::folder::{FolderError, Premises};
use crate::kept::KeptLog;
use crate::keyring::Keyring;
use crate::node::ObjectsConfig;
use crate::proof::ProofError;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use touchmark_store::{Progress, Rebuilt, SealedLog};
use touchmark_wire::ids::NetworkId;

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
    /// The order engine's part of it.
    #[error(transparent)]
    Engine(#[from] touchmark_engine::Error),
    /// The object storage that is named cannot be one.
    #[error(transparent)]
    Objects(#[from] touchmark_objects::Error),
    /// A proof of its last batch.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// Nothing proves that the network certified what a backup holds.
    #[error("nothing proves that its network certified the backup in {backup}: {reason}")]
    Unproved {
        /// The backup's folder.
        backup: PathBuf,
        /// What is wrong with the proof.
        reason: String,
    },
    /// A backup of another network than the trusted one.
    #[error("the backup in {backup} is of network {found}, you trust {trusted}")]
    Untrusted {
        /// The backup's folder.
        backup: PathBuf,
        /// Whose it says that it is.
        found: NetworkId,
        /// Whose word counts.
        trusted: NetworkId,
    },
}

/// Makes state and indexes of the node in `data` anew from its log, of which a part may be in object
/// storage.
pub fn rebuild(
    data: &Path,
    objects: Option<&ObjectsConfig>,
    progress: impl FnMut(Progress),
) -> Result<Rebuilt, UpkeepError> {
    let premises = Premises::open(data)?;
    let (ledger, genesis) = (premises.ledger(), &premises.genesis);
    let verifier = Arc::new(Keyring::default());
    let first = premises.first_batch();
    let kept = kept(objects, genesis.network_id())?;
    let rebuilt = touchmark_store::rebuild(&ledger, genesis, &first, verifier, kept, progress)?;
    Ok(rebuilt)
}

/// Where the sealed part of a network's log is kept, if that is said.
fn kept(
    objects: Option<&ObjectsConfig>,
    network: NetworkId,
) -> Result<Option<Arc<dyn SealedLog>>, touchmark_objects::Error> {
    let kept = objects.map(|objects| KeptLog::open(&objects.place, network)).transpose()?;
    Ok(kept.map(|kept| kept as Arc<dyn SealedLog>))
}
