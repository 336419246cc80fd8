//! Copies of a node's ledger, their check, and the way back.

use crate::cli::answer::Answer;
use crate::cli::config::DataFolder;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::cli::sheet::Sheet;
use crate::upkeep;
use std::path::{Path, PathBuf};
use touchmark_store::{Manifest, Reading};

/// Copy the ledger of a node that does not run into a new folder
///
/// The copy holds log, state, indexes and payloads, and neither keys nor votes. A running node makes
/// one when it is asked over HTTP: POST /v1/admin/backup, with an API key of the scope `operate`.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Backup {
    /// New or empty folder for the copy
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
    #[command(flatten)]
    data: DataFolder,
}

/// Check a backup, without a node
///
/// Every file must be as the manifest says, and the roots of log and state, recomputed from leaves
/// and entries, must be those in the manifest.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct VerifyBackup {
    /// The backup
    backup: PathBuf,
}

/// Put a backup's ledger into a data folder that has none
///
/// The backup is checked first. Where this node's own keys and votes still are, the node goes on
/// from there, and the order engine delivers what came after the backup. In a new folder the
/// ledger is a copy that no node runs on: a backup holds no keys, so that nobody votes twice.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Restore {
    /// The backup
    backup: PathBuf,
    #[command(flatten)]
    data: DataFolder,
}

pub(super) fn make(session: &mut Session<'_, '_>, backup: &Backup) -> Result<Answer, Failure> {
    let to = session.path(&backup.to);
    let data = backup.data.path(session)?;
    let manifest = session.wait("copying the ledger", || upkeep::backup(&data, &to))?;
    Ok(Answer::sheet(&sheet(&manifest, "backup", &to)))
}

pub(super) fn verify(
    session: &mut Session<'_, '_>,
    verify: &VerifyBackup,
) -> Result<Answer, Failure> {
    let backup = session.path(&verify.backup);
    let manifest = upkeep::verify_backup(&backup, |reading| show(session, reading))?;
    Ok(Answer::sheet(&sheet(&manifest, "backup", &backup)))
}

pub(super) fn restore(session: &mut Session<'_, '_>, restore: &Restore) -> Result<Answer, Failure> {
    let data = restore.data.path(session)?;
    let backup = session.path(&restore.backup);
    let restored = upkeep::restore(&backup, &data, |reading| show(session, reading))?;
    if !restored.complete {
        session.say(
            "no node can run in this folder: a backup holds neither keys nor votes. The ledger is \
             whole; `touchmark node rebuild` proves it batch by batch",
        );
    }
    let mut sheet = sheet(&restored.manifest, "data", &data);
    sheet.add("complete", restored.complete);
    Ok(Answer::sheet(&sheet))
}

/// Small backups need no bar, so megabytes will do.
fn show(session: &mut Session<'_, '_>, Reading { done, of }: Reading) {
    session.progress("megabyte", done / 1_000_000, of / 1_000_000);
}

fn sheet(manifest: &Manifest, name: &'static str, folder: &Path) -> Sheet {
    let mut sheet = Sheet::default();
    sheet
        .add(name, folder.display().to_string())
        .add("network", manifest.network.to_string())
        .add("height", manifest.height.0)
        .add("size", manifest.size.0)
        .add("root", manifest.root.to_string())
        .add("state root", manifest.state_root.to_string())
        .add("bytes", manifest.bytes());
    sheet
}
