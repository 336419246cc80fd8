//! Copies of a node's ledger, their check, and the way back.

use crate::cli::answer::Answer;
use crate::cli::config::DataFolder;
use crate::cli::failure::{Failure, Fault};
use crate::cli::session::Session;
use crate::cli::sheet::Sheet;
use crate::cli::verify::root_of_trust;
use crate::upkeep;
use std::path::{Path, PathBuf};
use touchmark_store::{Manifest, Purpose, Reading};
use touchmark_wire::ids::NetworkId;

/// Copy the ledger of a node that does not run into a new folder
///
/// The copy holds log, state, indexes and payloads, the proof that the network certified them
/// (`proof.tmb`), and neither keys nor votes. A running node makes one when it is asked over HTTP:
/// POST /v1/admin/backup, with an API key of the scope `operate`.
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
/// and entries, must be those that the network certified.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct VerifyBackup {
    /// The backup
    backup: PathBuf,
    #[command(flatten)]
    trust: Trusted,
    /// Also read all leaves that are in object storage and not in the backup, where the configuration
    /// names it, and compare them with their hashes in the backup
    #[arg(long)]
    objects: bool,
    #[command(flatten)]
    data: DataFolder,
}

/// Whose word a backup has to have.
#[derive(clap::Args, Debug)]
struct Trusted {
    /// Network to trust: its id in hexadecimal, or its genesis document. Without it the backup is
    /// checked against the network that it names itself, which proves only that it is consistent
    #[arg(long, value_name = "ID|FILE")]
    trust: Option<String>,
}

impl Trusted {
    fn network(&self, session: &mut Session<'_, '_>) -> Result<Option<NetworkId>, Failure> {
        let root = self.trust.as_ref().map(|text| root_of_trust(session, text)).transpose()?;
        Ok(root.map(|(network, _)| network))
    }
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
    #[command(flatten)]
    trust: Trusted,
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
    let trusted = verify.trust.network(session)?;
    let objects = if verify.objects { verify.data.with_objects(session)?.1 } else { None };
    if verify.objects && objects.is_none() {
        return Err(Failure::new(Fault::Config, "no object storage is named")
            .hint("name it with `objects.url` in the file that --config names, or TOUCHMARK__OBJECTS__URL"));
    }
    let progress = |reading| show(session, reading);
    let manifest = upkeep::verify_backup(&backup, trusted, objects.as_ref(), progress)?;
    if trusted.is_none() {
        say_untrusted(session, &manifest);
    }
    if manifest.sealed > 0 && !verify.objects {
        session.say(&format!(
            "{} leaves are not in the backup but in object storage; --objects reads and checks them",
            manifest.sealed
        ));
    }
    let mut sheet = sheet(&manifest, "backup", &backup);
    sheet.add("trusted", trusted.is_some());
    Ok(Answer::sheet(&sheet))
}

pub(super) fn restore(session: &mut Session<'_, '_>, restore: &Restore) -> Result<Answer, Failure> {
    let data = restore.data.path(session)?;
    let trusted = restore.trust.network(session)?;
    let backup = session.path(&restore.backup);
    let restored = upkeep::restore(&backup, &data, trusted, |reading| show(session, reading))?;
    if !restored.trusted {
        say_untrusted(session, &restored.manifest);
    }
    if !restored.complete {
        session.say(
            "no node can run in this folder: a backup holds neither keys nor votes. The ledger is \
             whole; `touchmark node rebuild` proves it batch by batch",
        );
    }
    if restored.manifest.sealed > 0 {
        session.say(&format!(
            "{} leaves are in object storage: whatever works in this folder needs that, too",
            restored.manifest.sealed
        ));
    }
    let mut sheet = sheet(&restored.manifest, "data", &data);
    sheet.add("complete", restored.complete).add("trusted", restored.trusted);
    Ok(Answer::sheet(&sheet))
}

/// Small backups need no bar, so megabytes will do.
fn show(session: &mut Session<'_, '_>, Reading { purpose, done, of }: Reading) {
    let unit = match purpose {
        Purpose::Check => "checked megabyte",
        Purpose::Restore => "restored megabyte",
        Purpose::Sealed => return session.progress("checked bundle", done, of),
    };
    session.progress(unit, done / 1_000_000, of / 1_000_000);
}

fn say_untrusted(session: &mut Session<'_, '_>, manifest: &Manifest) {
    session.say(&format!(
        "checked against the root of trust in the backup itself, of network {}: that proves no more \
         than that the backup is consistent. Give the network that you trust with --trust",
        manifest.network
    ));
}

fn sheet(manifest: &Manifest, name: &'static str, folder: &Path) -> Sheet {
    let mut sheet = Sheet::default();
    sheet
        .add(name, folder.display().to_string())
        .add("network", manifest.network.to_string())
        .add("height", manifest.height.0)
        .add("size", manifest.size.0)
        .add("sealed", manifest.sealed)
        .add("root", manifest.root.to_string())
        .add("state root", manifest.state_root.to_string())
        .add("bytes", manifest.bytes());
    sheet
}
