//! Locking an identity for good, when the device that holds it is tampered with.
//!
//! ```text
//! identities/NAME/locked      the reason; from when it is there, nothing but the alert is signed
//! ```
//!
//! The mark needs no lock of the identity, so whoever notices the tampering sets it at once, while
//! another process is using the identity. That process looks for it before every signature.

use super::folder::{Identity, State};
use crate::cli::failure::{Failure, Fault};
use crate::disk::{self, Secrecy};
use std::io::Write as _;
use std::path::Path;
use touchmark_keys::file::KeyFile;

/// Longest reason that is kept, bytes: what a change of status can say.
const REASON: usize = 128;

/// Locks the identity in `home`; when this returns the mark is on the disk. The first reason stays.
pub(crate) fn lock(home: &Path, name: &str, reason: &str) -> Result<(), Failure> {
    // A name that is none must not make a folder.
    super::folder::state_of(home, name)?;
    let path = super::folder::folder_of(home, name).join(LOCKED);
    if path.exists() {
        return Ok(());
    }
    let end = (0..=REASON.min(reason.len())).rev().find(|at| reason.is_char_boundary(*at));
    let reason = &reason[..end.unwrap_or_default()];
    disk::replace(&path, reason.as_bytes(), Secrecy::Owner)
        .map_err(|error| Failure::storage(&path, &error))
}

/// Why an identity in `home` is locked, if it is.
pub(crate) fn locked(home: &Path, name: &str) -> Result<Option<String>, Failure> {
    read(&super::folder::folder_of(home, name))
}

const LOCKED: &str = "locked";

fn read(folder: &Path) -> Result<Option<String>, Failure> {
    let path = folder.join(LOCKED);
    match std::fs::read_to_string(&path) {
        Ok(reason) => Ok(Some(reason)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::storage(&path, &error)),
    }
}

impl Identity {
    /// Why it is locked, if it is.
    pub(crate) fn locked(&self) -> Result<Option<String>, Failure> {
        read(self.folder())
    }

    /// Refuses where the identity is locked.
    pub(crate) fn require_unlocked(&self) -> Result<(), Failure> {
        match self.locked()? {
            None => Ok(()),
            Some(reason) => Err(locked_out(&self.name, &reason)),
        }
    }

    /// Overwrites and removes every private key: nothing is signed with them again, on this medium
    /// as far as it overwrites in place.
    pub(crate) fn destroy_keys(&self) -> Result<(), Failure> {
        let folder = self.folder().join("keys");
        let failed = |error: std::io::Error| Failure::storage(&folder, &error);
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let length = std::fs::metadata(&path).map_err(failed)?.len();
            let mut file = std::fs::OpenOptions::new().write(true).open(&path).map_err(failed)?;
            let zeroes = vec![0; usize::try_from(length).unwrap_or_default()];
            file.write_all(&zeroes).and_then(|()| file.sync_all()).map_err(failed)?;
            std::fs::remove_file(&path).map_err(failed)?;
        }
        Ok(())
    }

    /// Whether a private key is still there.
    pub(crate) fn has_keys(&self) -> bool {
        let entries = std::fs::read_dir(self.folder().join("keys"));
        entries.is_ok_and(|mut entries| entries.next().is_some())
    }

    /// Goes on with a new key that the controller gave it: `state` is what the network has now.
    pub(crate) fn unlock(&mut self, key: &KeyFile, state: State) -> Result<(), Failure> {
        self.discard()?;
        self.add_key_file(key)?;
        self.state = state;
        self.save()?;
        let path = self.folder().join(LOCKED);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Failure::storage(&path, &error))
            }
            _ => Ok(()),
        }
    }
}

/// The answer to whoever wants something signed.
pub(crate) fn locked_out(name: &str, reason: &str) -> Failure {
    Failure::new(Fault::Locked, format!("identity `{name}` is locked"))
        .because(format!("its device was tampered with: {reason}"))
        .hint("its controller reinstates the thing with a new key: `touchmark center reinstate`")
}
