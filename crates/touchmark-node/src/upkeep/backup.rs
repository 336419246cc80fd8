//! Copies of a node's ledger, and the way back.
//!
//! ```text
//! genesis.cbor, committee.cbor   the network, as in the data folder
//! proof.tmb                      a bundle: the network certified the last batch, with these roots
//! ledger/                        log, state and indexes, with a manifest of its own
//! ```
//! A backup holds no key and no vote: whoever finds one cannot speak for the node, and whoever
//! restores one cannot vote a second time on what the node voted on before. So a node goes on only
//! where its own keys and votes still are.

use super::certified::Certified;
use super::{UpkeepError, kept};
use crate::folder::{self, FolderError, LEDGER, Premises};
use crate::node::ObjectsConfig;
use crate::proof::{self, Certification, ProofError};
use std::fs;
use std::io;
use std::path::Path;
use touchmark_keys::disk::Secrecy;
use touchmark_store::{CacheLimits, Lock, Manifest, Reading, Snapshot, Store, VerifiedBackup};
use touchmark_wire::ids::NetworkId;

/// The proof's file.
const PROOF: &str = "proof.tmb";

/// What a data folder is after a backup came back to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Restored {
    /// What it holds.
    pub manifest: Manifest,
    /// Whether a node can run in it: keys and votes are there, and go on from the backup.
    pub complete: bool,
    /// Whether the root of trust that the backup was checked against came from elsewhere: it was
    /// given, or stood in the folder before.
    pub trusted: bool,
}

/// Copies the ledger of the stopped node in `data`, and its proof, into a new or empty folder.
pub fn backup(data: &Path, to: &Path) -> Result<Manifest, UpkeepError> {
    let premises = Premises::open(data)?;
    let (first, limits) = (premises.first_batch(), CacheLimits::default());
    let store = Store::open(&premises.ledger(), &premises.genesis, &first, limits)?;
    let snapshot = store.snapshot();
    let certification = Certification::archived(data, &snapshot);
    write(&premises, &store, &snapshot, certification, to)
}

/// Copies a snapshot of `store`, which may be in use, its proof, and the public files of the data
/// folder.
pub(crate) fn write(
    premises: &Premises,
    store: &Store,
    snapshot: &Snapshot,
    certification: Result<Certification, ProofError>,
    to: &Path,
) -> Result<Manifest, UpkeepError> {
    let proof = proof::of_tip(&premises.genesis, snapshot, certification?)?;
    // That the ledger is not what was certified is found out now, and not when it is needed.
    Certified::judged(&proof, premises.genesis.network_id())
        .map_err(|_| touchmark_store::Error::Corrupt("tip"))?;
    touchmark_store::begin_backup(to)?;
    folder::copy_public(&premises.path, to)?;
    folder::write(&to.join(PROOF), &proof, Secrecy::Public)?;
    // Its manifest is written last of all: without it this is no backup.
    Ok(store.backup(snapshot, &to.join(LEDGER))?)
}

/// Checks a backup without a node: every file against the manifest, the roots of log and state
/// recomputed from leaves and entries, and these against what the network certified.
///
/// Without a `trusted` network this is the one that the backup itself names, and proves only that
/// the backup agrees with itself. Leaves that are sealed are not in it: with `objects` they are read
/// there and compared.
pub fn verify_backup(
    backup: &Path,
    trusted: Option<NetworkId>,
    objects: Option<&ObjectsConfig>,
    mut progress: impl FnMut(Reading),
) -> Result<Manifest, UpkeepError> {
    let verified = verified(backup, trusted, &mut progress)?;
    let manifest = verified.manifest().clone();
    if let Some(kept) = kept(objects, manifest.network)? {
        verified.check_sealed(kept.as_ref(), progress)?;
    }
    Ok(manifest)
}

fn verified(
    backup: &Path,
    trusted: Option<NetworkId>,
    progress: impl FnMut(Reading),
) -> Result<VerifiedBackup, UpkeepError> {
    let found = folder::genesis(backup)?.network_id();
    if let Some(trusted) = trusted.filter(|trusted| *trusted != found) {
        return Err(UpkeepError::Untrusted { backup: backup.into(), found, trusted });
    }
    let unproved = |reason| UpkeepError::Unproved { backup: backup.into(), reason };
    let path = backup.join(PROOF);
    let proof = match fs::read(&path) {
        Ok(proof) => proof,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(unproved(format!("{PROOF} is missing")));
        }
        Err(error) => return Err(file(&path)(error)),
    };
    let certified = Certified::judged(&proof, found).map_err(unproved)?;
    let verified = VerifiedBackup::check(&backup.join(LEDGER), found, progress)?;
    certified.covers(verified.manifest()).map_err(unproved)?;
    Ok(verified)
}

/// Checks a backup as [`verify_backup`] does and puts its ledger into a data folder that has none:
/// a new one, or that of the same network's node, which then goes on from there with its own keys
/// and votes.
pub fn restore(
    backup: &Path,
    data: &Path,
    trusted: Option<NetworkId>,
    mut progress: impl FnMut(Reading),
) -> Result<Restored, UpkeepError> {
    let network = folder::genesis(backup)?.network_id();
    let _lock = Lock::take(data)?;
    let ledger = data.join(LEDGER);
    if ledger.exists() {
        return Err(touchmark_store::Error::NotEmpty { folder: ledger }.into());
    }
    let is_new = match folder::genesis(data) {
        Ok(there) if there.network_id() != network => {
            let (folder, found) = (data.into(), there.network_id());
            let error = touchmark_store::Error::OtherNetwork { folder, found, wanted: network };
            return Err(error.into());
        }
        Ok(_) => false,
        Err(FolderError::Empty { .. }) => true,
        Err(error) => return Err(error.into()),
    };
    let verified = verified(backup, trusted, &mut progress)?;
    if is_new {
        folder::copy_public(backup, data)?;
    }
    // Beside its place: what is cut off is never taken for the ledger.
    let draft = data.join("ledger.new");
    if draft.exists() {
        fs::remove_dir_all(&draft).map_err(file(&draft))?;
    }
    verified.restore(&draft, progress)?;
    fs::rename(&draft, &ledger)
        .and_then(|()| fs::File::open(data)?.sync_all())
        .map_err(file(&ledger))?;
    Ok(Restored {
        manifest: verified.manifest().clone(),
        complete: folder::has_keys(data),
        trusted: trusted.is_some() || !is_new,
    })
}

fn file(path: &Path) -> impl Fn(io::Error) -> UpkeepError {
    move |source| FolderError::File { path: path.into(), source }.into()
}
