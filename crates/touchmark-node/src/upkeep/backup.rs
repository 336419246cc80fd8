//! Copies of a node's ledger, and the way back.
//!
//! ```text
//! genesis.cbor, committee.cbor   the network, as in the data folder
//! ledger/                        log, state and indexes, with a manifest of its own
//! ```
//! A backup holds no key and no vote: whoever finds one cannot speak for the node, and whoever
//! restores one cannot vote a second time on what the node voted on before. So a node goes on only
//! where its own keys and votes still are.

use super::UpkeepError;
use crate::folder::{self, LEDGER, Premises};
use std::fs;
use std::path::Path;
use touchmark_store::{CacheLimits, Lock, Manifest, Reading, Store};

/// What a data folder is after a backup came back to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Restored {
    /// What it holds.
    pub manifest: Manifest,
    /// Whether a node can run in it: keys and votes are there, and go on from the backup.
    pub complete: bool,
}

/// Copies the ledger of the stopped node in `data` into a new or empty folder.
pub fn backup(data: &Path, to: &Path) -> Result<Manifest, UpkeepError> {
    let premises = Premises::open(data)?;
    let (first, limits) = (premises.first_batch(), CacheLimits::default());
    let store = Store::open(&premises.ledger(), &premises.genesis, &first, limits)?;
    write(data, &store, to)
}

/// Copies `store`, which may be in use, and the public files of its data folder.
pub(crate) fn write(data: &Path, store: &Store, to: &Path) -> Result<Manifest, UpkeepError> {
    touchmark_store::begin_backup(to)?;
    folder::copy_public(data, to)?;
    // Its manifest is written last of all: without it this is no backup.
    Ok(store.backup(&to.join(LEDGER))?)
}

/// Checks a backup without a node: every file against the manifest, the roots of log and state
/// recomputed from leaves and entries, and the network against its root of trust.
pub fn verify_backup(
    backup: &Path,
    progress: impl FnMut(Reading),
) -> Result<Manifest, UpkeepError> {
    let genesis = folder::genesis(backup)?;
    Ok(touchmark_store::verify_backup(&backup.join(LEDGER), genesis.network_id(), progress)?)
}

/// Checks a backup and puts its ledger into a data folder that has none: a new one, or that of the
/// same network's node, which then goes on from there with its own keys and votes.
pub fn restore(
    backup: &Path,
    data: &Path,
    progress: impl FnMut(Reading),
) -> Result<Restored, UpkeepError> {
    let network = folder::genesis(backup)?.network_id();
    let _lock = Lock::take(data)?;
    let ledger = data.join(LEDGER);
    if ledger.exists() {
        return Err(touchmark_store::Error::NotEmpty { folder: ledger }.into());
    }
    match folder::genesis(data) {
        Ok(there) if there.network_id() != network => {
            let (folder, found) = (data.into(), there.network_id());
            let error = touchmark_store::Error::OtherNetwork { folder, found, wanted: network };
            return Err(error.into());
        }
        Ok(_) => {}
        Err(folder::FolderError::Empty { .. }) => folder::copy_public(backup, data)?,
        Err(error) => return Err(error.into()),
    }
    // Beside its place: what is cut off is never taken for the ledger.
    let draft = data.join("ledger.new");
    if draft.exists() {
        fs::remove_dir_all(&draft).map_err(file(&draft))?;
    }
    let manifest = touchmark_store::restore(&backup.join(LEDGER), network, &draft, progress)?;
    fs::rename(&draft, &ledger)
        .and_then(|()| fs::File::open(data)?.sync_all())
        .map_err(file(&ledger))?;
    Ok(Restored { manifest, complete: folder::has_keys(data) })
}

fn file(path: &Path) -> impl Fn(std::io::Error) -> UpkeepError {
    move |source| folder::FolderError::File { path: path.into(), source }.into()
}
