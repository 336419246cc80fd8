//! `touchmark mirror`: a verified copy of a log that any server of files can serve.

use super::answer::Answer;
use super::clock::Clock;
use super::failure::{Failure, Fault};
use super::session::Session;
use super::sheet::Sheet;
use super::verify::root_of_trust;
use crate::mirror::{Copied, Mirror, MirrorError};
use crate::shown::{ShownError, Source};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;
use touchmark_wire::ids::NetworkId;

/// Copy a log into a folder that any server of files can serve, and verify what is copied
///
/// Every leaf must lead to a root that the network certified, and the new log must continue what is
/// in the folder. Only what is new is read; a run that was cut off goes on. The checkpoint is put in
/// its place last, so nobody reads one whose tiles are missing.
#[derive(clap::Args, Debug)]
pub(super) struct Copy {
    /// Node or server of files with a log, by its URL, or a folder with one
    #[arg(value_name = "SOURCE")]
    source: String,
    /// Folder for the copy
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
    /// Network to trust: its id in hexadecimal, or its genesis document; otherwise the context's, or
    /// that of the folder. Where nothing says which, the source's own is taken and shown
    #[arg(long, value_name = "ID|FILE")]
    trust: Option<String>,
    /// Go on, and look for what is new so often
    #[arg(long, value_name = "SECONDS")]
    every: Option<NonZeroU32>,
}

pub(super) fn run(session: &mut Session<'_, '_>, copy: &Copy) -> Result<Answer, Failure> {
    let to = session.path(&copy.to);
    let trusted = trusted(session, copy, &to)?;
    let source = Source::open(&copy.source, &session.environment.folder)?;
    let genesis = source.genesis(trusted)?;
    if trusted.is_none() {
        session.say_trusting(genesis.network_id());
    }
    let mut mirror = Mirror::open(&to, genesis)?;
    let answer = |copied: &Copied, network| {
        let mut sheet = self::sheet(copied, &to, network);
        sheet.add("trusted", trusted.is_some());
        Answer::sheet(&sheet)
    };
    let network = mirror.genesis().network_id();
    let copied = update(session, &mut mirror, &source)?;
    let answer = answer(&copied, network);
    if let Some(seconds) = copy.every {
        session.answer(&answer);
        go_on(session, &mut mirror, &source, seconds)?;
    }
    Ok(answer)
}

/// Looks again and again, until the program is asked to end or the log contradicts itself.
fn go_on(
    session: &mut Session<'_, '_>,
    mirror: &mut Mirror,
    source: &Source,
    seconds: NonZeroU32,
) -> Result<(), Failure> {
    let mut clock = Clock::new(Duration::from_secs(seconds.get().into()))?;
    // What keeps failing is said once.
    let mut last = None;
    while !clock.was_stopped_before_next() {
        match update(session, mirror, source) {
            Ok(copied) => {
                let size = copied.tip.as_of.size;
                if copied.from.0 < size.0 || last.take().is_some() {
                    session.say(&format!("{size} leaves, {} of them new", size.0 - copied.from.0));
                }
            }
            Err(failure) if failure.code == Fault::LogSplit.code() => return Err(failure),
            Err(failure) => {
                let said = failure.to_string();
                if last.as_ref() != Some(&said) {
                    session.say(&said);
                }
                last = Some(said);
            }
        }
    }
    Ok(())
}

fn update(
    session: &mut Session<'_, '_>,
    mirror: &mut Mirror,
    source: &Source,
) -> Result<Copied, Failure> {
    let progress = |done: touchmark_wire::ids::TreeSize, all: touchmark_wire::ids::TreeSize| {
        session.progress("leaf", done.0, all.0);
    };
    Ok(mirror.update(source, progress)?)
}

fn trusted(
    session: &mut Session<'_, '_>,
    copy: &Copy,
    to: &Path,
) -> Result<Option<NetworkId>, Failure> {
    if let Some(text) = &copy.trust {
        return Ok(Some(root_of_trust(session, text)?.0));
    }
    match session.trusted()? {
        Some(network) => Ok(Some(network)),
        None => Ok(Mirror::network(to)?),
    }
}

fn sheet(copied: &Copied, folder: &Path, network: NetworkId) -> Sheet {
    let as_of = copied.tip.as_of;
    let mut sheet = Sheet::default();
    sheet
        .add("mirror", folder.display().to_string())
        .add("network", network.to_string())
        .add("from", copied.from.0)
        .add("copied", as_of.size.0 - copied.from.0)
        .add("height", as_of.height.0)
        .add("time", as_of.time)
        .add("size", as_of.size.0)
        .add("root", as_of.root.to_string())
        .add("state root", copied.tip.state_root.to_string());
    sheet
}

impl From<MirrorError> for Failure {
    fn from(error: MirrorError) -> Self {
        let text = error.to_string();
        match error {
            MirrorError::Shown(error) => error.into(),
            MirrorError::Damaged { .. } => Self::new(Fault::Damaged, text)
                .hint("keep the folder if you want to know why, and copy into another one"),
            MirrorError::InUse { .. } => {
                Self::new(Fault::Busy, text).hint("stop that process, or name another folder")
            }
            MirrorError::File { .. } => Self::new(Fault::Storage, text)
                .hint("check free space and permissions of the folder"),
            MirrorError::RolledBack { .. } => Self::new(Fault::LogRolledBack, text)
                .because("it is the beginning of what was copied: the source is behind, or was set back")
                .hint("wait, or copy from another source"),
            MirrorError::Split { evidence, .. } => Self::new(Fault::LogSplit, text)
                .because("the network's committee signed two logs of which neither continues the other")
                .hint(format!(
                    "show both to the network's operators and to whoever relies on it: they are in {}",
                    evidence.display()
                )),
        }
    }
}

impl From<ShownError> for Failure {
    fn from(error: ShownError) -> Self {
        let text = error.to_string();
        match error {
            ShownError::Client(error) => error.into(),
            ShownError::Nowhere { .. } => Self::new(Fault::Unknown, text)
                .hint("give a URL such as http://127.0.0.1:8080, or a folder that `touchmark mirror` made"),
            ShownError::File { .. } => {
                Self::new(Fault::File, text).hint("check the folder and its permissions")
            }
            ShownError::Empty { .. } => {
                Self::new(Fault::Answer, text).hint("try again when something was written")
            }
            ShownError::OtherNetwork { .. } => Self::new(Fault::WrongNetwork, text)
                .hint("use another source, or another root of trust"),
            ShownError::Uncertified { .. } => {
                Self::new(Fault::Unproved, text).hint("use another source")
            }
            ShownError::Missing { .. } | ShownError::False { .. } => {
                Self::new(Fault::FalseLog, text).hint("keep what it shows, and use another source")
            }
        }
    }
}
