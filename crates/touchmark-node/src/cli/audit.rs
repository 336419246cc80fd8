//! `touchmark audit`: a network's log executed again, and what several sources show compared.

mod report;

use super::answer::Answer;
use super::failure::{Exit, Failure, Fault};
use super::session::Session;
use super::verify::root_of_trust;
use crate::audit::{self, AuditError, Standing};
use crate::rules;
use crate::shown::{ShownError, Source, Tip};
use report::{Compared, Found, Report};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;
use touchmark_wire::genesis::Genesis;
use touchmark_wire::ids::NetworkId;

/// Execute a whole log again with the rules, and compare what several sources show
///
/// The first source's log is replayed from its leaves: each leaf and each state root must be what
/// the rules say, whoever signed them. The log of every further source must begin with it, or be its
/// beginning. Exit code 1 for a negative verdict.
#[derive(clap::Args, Debug)]
pub(super) struct Audit {
    /// Nodes or servers of files with the log, by their URLs, or folders that `touchmark mirror` made
    #[arg(required = true, value_name = "SOURCE")]
    sources: Vec<String>,
    /// Network to trust: its id in hexadecimal, or its genesis document; otherwise the context's
    #[arg(long, value_name = "ID|FILE")]
    trust: Option<String>,
    /// Where to keep what proves a negative verdict: checkpoints, certificates and receipts
    #[arg(long, value_name = "FOLDER")]
    evidence: Option<PathBuf>,
    /// Folder for the state meanwhile, removed at the end; otherwise one in the system's folder for
    /// temporary files
    #[arg(long, value_name = "FOLDER")]
    work: Option<PathBuf>,
}

pub(super) fn run(session: &mut Session<'_, '_>, audit: &Audit) -> Result<Answer, Failure> {
    let trusted = trusted(session, audit)?;
    let folder = session.environment.folder.clone();
    let (first, others) = audit.sources.split_first().expect("clap asks for one");
    let source = Source::open(first, &folder)?;
    let genesis = source.genesis(Some(trusted))?;
    rules::require(&genesis)?;
    let tip = Tip::read(&source, &genesis)?;
    let work = Work::begin(session, audit.work.as_deref())?;
    let begun = Instant::now();
    let size = tip.as_of.size;
    let replayed = audit::replay(&source, &tip, &genesis, &work.0, |done| {
        session.progress("leaf", done.0, size.0);
    })?;
    let time = begun.elapsed();
    let signers = tip.signers(&source, &genesis);
    let found = Found { source, tip, signers };
    let compared = others.iter().map(|name| compare(name, &folder, &genesis, &found)).collect();
    let report = Report { network: trusted, first: found, replayed, time, compared };
    if let Some(folder) = &audit.evidence {
        keep(&session.path(folder), &report)?;
    }
    Ok(report.answer().ending(report.exit()))
}

/// Looks at what another source shows. That it does not answer, or shows nothing that counts, is a
/// result.
fn compare(name: &str, folder: &Path, genesis: &Genesis, first: &Found) -> Compared {
    let look = || -> Result<(Found, Standing), ShownError> {
        let source = Source::open(name, folder)?;
        source.genesis(Some(genesis.network_id()))?;
        let tip = Tip::read(&source, genesis)?;
        let standing = audit::compare((&first.source, &first.tip), (&source, &tip))?;
        let signers = tip.signers(&source, genesis);
        Ok((Found { source, tip, signers }, standing))
    };
    Compared { name: name.to_owned(), result: look().map_err(Failure::from) }
}

fn trusted(session: &mut Session<'_, '_>, audit: &Audit) -> Result<NetworkId, Failure> {
    if let Some(text) = &audit.trust {
        return Ok(root_of_trust(session, text)?.0);
    }
    session.trusted()?.ok_or_else(|| {
        Failure::new(Fault::Usage, "no network is trusted")
            .because("an audit under the source's own word would prove nothing")
            .hint("give the network's id or genesis document with --trust")
    })
}

/// Writes what proves a negative verdict.
fn keep(folder: &Path, report: &Report) -> Result<(), Failure> {
    let files = report.evidence();
    if files.is_empty() {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(|error| Failure::storage(folder, &error))?;
    for (name, bytes) in files {
        let path = folder.join(name);
        fs::write(&path, bytes).map_err(|error| Failure::storage(&path, &error))?;
    }
    Ok(())
}

/// A folder for the state, removed at the end.
struct Work(PathBuf);

impl Work {
    fn begin(session: &Session<'_, '_>, given: Option<&Path>) -> Result<Self, Failure> {
        if let Some(path) = given.map(|path| session.path(path)) {
            let is_empty = fs::read_dir(&path).map(|mut entries| entries.next().is_none());
            if is_empty.unwrap_or(!path.exists()) {
                return Ok(Self(path));
            }
            let what = format!("{} is not empty", path.display());
            return Err(Failure::new(Fault::Exists, what)
                .because("everything in it would be removed at the end")
                .hint("name a new folder with --work"));
        }
        let variable = session.environment.variables.get("TMPDIR").map(PathBuf::from);
        let temporary = variable.unwrap_or_else(std::env::temp_dir);
        let mut name = [0; 8];
        getrandom::fill(&mut name).map_err(|error| {
            Failure::new(Fault::Internal, "the system gives no random bytes").because(error)
        })?;
        Ok(Self(temporary.join(format!("touchmark-audit-{:016x}", u64::from_be_bytes(name)))))
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        // Nothing of it is needed any more; the system removes what cannot be removed here.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl From<AuditError> for Failure {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::Shown(error) => error.into(),
            AuditError::Store(error) => error.into(),
            AuditError::Unable(why) => {
                Self::new(Fault::Storage, "the log cannot be executed again")
                    .because(why)
                    .hint("check free space, or name a folder with more of it with --work")
            }
        }
    }
}

/// What an exit code rests on.
fn worst(exits: impl IntoIterator<Item = Exit>) -> Exit {
    let rank = |exit: &Exit| match exit {
        Exit::Refused => 4,
        Exit::Internal => 3,
        Exit::Unavailable => 2,
        Exit::Misuse => 1,
        Exit::Fine => 0,
    };
    exits.into_iter().max_by_key(rank).unwrap_or(Exit::Fine)
}
