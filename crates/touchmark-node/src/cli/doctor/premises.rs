//! The folder itself: whether its files are there, go together, and are kept secret.

use super::Patient;
use super::finding::Finding;
use super::presence::Presence;
use crate::cli::failure::Failure;
use crate::folder::{self, Equipment, FolderError};
use std::path::Path;
use touchmark_wire::genesis::Genesis;
use touchmark_wire::hash::Digest;

/// What a folder with a node has; otherwise what is wrong with it.
pub(super) fn whole(data: &Path) -> Result<(Genesis, Equipment, Digest), Finding> {
    let failed = |error: FolderError| Finding::of("folder", &error.into());
    if folder::is_forming(data) {
        let error = FolderError::Forming { path: data.into() };
        let failure = Failure::from(error);
        let hint = failure.hint.unwrap_or_default();
        return Err(Finding::warning("folder", failure.what, hint));
    }
    let genesis = folder::genesis(data).map_err(failed)?;
    let equipment = Equipment::read(data, &genesis).map_err(failed)?;
    let peer = equipment.secrets.peer();
    let peer = peer.map_err(|error| failed(FolderError::Keys(error.to_string())))?;
    Ok((genesis, equipment, peer))
}

pub(super) fn folder(patient: &Patient) -> Finding {
    let network = patient.genesis.network_id();
    let found = format!("{} has a node of network {network}", patient.data().display());
    Finding::fine("folder", found)
}

/// Whether others can read what only the owner is to read.
pub(super) fn secrecy(patient: &Patient) -> Finding {
    const NAME: &str = "keys";
    let files = match folder::secret_files(patient.data()) {
        Ok(files) => files,
        Err(error) => return Finding::of(NAME, &error.into()),
    };
    let open: Vec<_> = files.iter().filter(|file| is_open(file)).collect();
    let Some(first) = open.first() else {
        return Finding::fine(NAME, "they are there, and only their owner reads them");
    };
    let names: Vec<_> = open.iter().map(|file| file.display().to_string()).collect();
    let found = format!("others of this machine can read {}", names.join(", "));
    let hint =
        format!("`chmod 600 {}`; if anybody may have read it, the key is lost", first.display());
    Finding::failed(NAME, found, hint)
}

/// Whether anybody but the owner may use the file.
#[cfg(unix)]
fn is_open(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open(_: &Path) -> bool {
    false
}

/// Whether the ledger and what the node has voted for go together.
pub(super) fn ledger(patient: &Patient) -> Finding {
    const NAME: &str = "ledger";
    match folder::has_ledger_and_votes(patient.data()) {
        (false, false) => return Finding::fine(NAME, "none yet: the node has not run here"),
        (true, false) => {
            return Finding::failed(
                NAME,
                "`ledger` is there and `consensus` is not: what the node has voted for is missing",
                "put back its last `consensus` folder, never an older copy",
            );
        }
        (false, true) => {
            return Finding::warning(
                NAME,
                "`consensus` is there and `ledger` is not",
                "start the node, which makes it anew of the batches that it has, or restore a backup",
            );
        }
        (true, true) => {}
    }
    match &patient.presence {
        Presence::Nobody(Some(examined)) if examined.is_ordered => {
            Finding::fine(NAME, format!("height {}, and the votes go with it", examined.height))
        }
        Presence::Nobody(Some(examined)) => Finding::failed(
            NAME,
            format!(
                "`consensus` does not know the ledger's last batch, {}: one of the two was \
                 set back",
                examined.height
            ),
            "put back the last `consensus` folder; of the two, only `ledger` may come from a backup",
        ),
        Presence::Unreadable(failure) => Finding::of(NAME, failure),
        Presence::Node(node) => Finding::fine(NAME, format!("height {}", node.network.height)),
        Presence::Nobody(None) | Presence::Silent { .. } => {
            Finding::fine(NAME, "it is there, with what the node has voted for")
        }
    }
}
