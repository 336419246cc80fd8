//! The ratchet that `touchmark verify` keeps: a bundle that is older than what was seen is refused.
//!
//! Beside the ratchet's file lies the bundle that it rests on; of two that contradict each other the
//! second is put beside it, too.

use super::verdict::{failed, passed, undecided};
use crate::cli::failure::{Failure, Fault};
use crate::disk::{self, Secrecy};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use touchmark_core::verdict::{Check, Verdict};
use touchmark_wire::ids::NetworkId;
use touchmark_wire::ratchet::{Ratchet, RatchetError, Shown};

const NAME: &str = "ratchet";

/// The file of a ratchet, for this command alone.
pub(super) struct Kept {
    path: PathBuf,
    /// Nothing before the first bundle.
    ratchet: Option<Ratchet>,
    _lock: File,
}

impl Kept {
    /// Opens and locks the file at `path`; there may be none yet.
    pub(super) fn open(path: PathBuf, network: Option<NetworkId>) -> Result<Self, Failure> {
        let lock = disk::lock_by(&beside(&path, "lock"));
        let lock = lock.map_err(|error| Failure::storage(&path, &error))?;
        let lock = lock.ok_or_else(|| {
            Failure::new(Fault::Busy, format!("{} is in use", path.display()))
                .because("another command holds the ratchet, which never goes back")
                .hint("wait until the other command has ended")
        })?;
        let ratchet = match std::fs::read(&path) {
            Ok(bytes) => Some(decode(&path, &bytes)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(Failure::storage(&path, &error)),
        };
        if let (Some(ratchet), Some(network)) = (ratchet, network)
            && ratchet.network != network
        {
            let what = format!("{} follows another network than you trust", path.display());
            return Err(Failure::new(Fault::WrongNetwork, what)
                .because(format!("it follows {}, you trust {network}", ratchet.network))
                .hint("keep a ratchet of its own for each network"));
        }
        Ok(Self { path, ratchet, _lock: lock })
    }

    /// Compares what a bundle shows with what was seen, adds that check to its verdict, and goes on
    /// if the verdict is positive.
    pub(super) fn check(&mut self, bundle: &[u8], verdict: &mut Verdict) -> Result<(), Failure> {
        let Some(shown) = verdict.shown() else {
            let reason = "not run, because nothing certified is shown";
            let not_run = || undecided(NAME, "TM-NOT-RUN", reason);
            verdict.checks.push(verdict.certificate.map_or_else(not_run, |_| not_compared()));
            verdict.valid = false;
            return Ok(());
        };
        let (check, next) = match self.ratchet {
            None => {
                let reason = "nothing was seen before; from now on nothing older is taken";
                (passed(NAME, reason), Some(Ratchet::begin(&shown)))
            }
            Some(ratchet) => match ratchet.follow(&shown) {
                Ok(next) => (passed(NAME, continued(&ratchet, &shown)), Some(next)),
                Err(error) => (self.refused(bundle, &error)?, None),
            },
        };
        verdict.checks.push(check);
        match next {
            None => verdict.valid = false,
            Some(next) if verdict.valid && self.ratchet != Some(next) => self.keep(next, bundle)?,
            Some(_) => {}
        }
        Ok(())
    }

    fn refused(&self, bundle: &[u8], error: &RatchetError) -> Result<Check, Failure> {
        let (fault, hint) = match error {
            RatchetError::Network { .. } => {
                (Fault::WrongNetwork, "keep a ratchet of its own for each network".to_owned())
            }
            RatchetError::Back { .. } => {
                (Fault::LogRolledBack, "ask again, or another node".to_owned())
            }
            RatchetError::Contradiction(_) => {
                self.write("shown.tmb", bundle)?;
                let folder = self.path.display();
                let hint = format!("show {folder}.seen.tmb and {folder}.shown.tmb to auditors");
                (Fault::LogSplit, hint)
            }
            _ => (Fault::LogNotExtended, "ask another node".to_owned()),
        };
        Ok(failed(NAME, fault.code(), format!("{error}; {hint}")))
    }

    /// The bundle first: without it a ratchet could not convict anybody.
    fn keep(&mut self, next: Ratchet, bundle: &[u8]) -> Result<(), Failure> {
        self.write("seen.tmb", bundle)?;
        write(&self.path, next.encode(&mut [0; Ratchet::LIMIT]))?;
        self.ratchet = Some(next);
        Ok(())
    }

    fn write(&self, ending: &str, bytes: &[u8]) -> Result<(), Failure> {
        write(&beside(&self.path, ending), bytes)
    }
}

/// What has no height and no committee cannot be compared.
pub(super) fn not_compared() -> Check {
    undecided(
        NAME,
        "TM-NO-HEIGHT",
        "only the engine's certificate in a bundle says at which height its log is",
    )
}

fn continued(ratchet: &Ratchet, shown: &Shown<'_>) -> String {
    let (old, new) = (ratchet.position, shown.position);
    match new.height.0 - old.height.0 {
        0 => format!("it is batch {}, as was seen before", new.height),
        _ => {
            format!("it is batch {}, after batch {}, which was seen before", new.height, old.height)
        }
    }
}

fn decode(path: &Path, bytes: &[u8]) -> Result<Ratchet, Failure> {
    Ratchet::decode(bytes).map_err(|malformed| {
        let what = format!("{} is not the ratchet that was kept", path.display());
        Failure::new(Fault::Damaged, what)
            .because(malformed)
            .hint("restore it from a backup; another file name begins again, and believes any age")
    })
}

/// `path` with one more ending.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    disk::replace(path, bytes, Secrecy::Owner).map_err(|error| Failure::storage(path, &error))
}
