//! One process for each folder.

use crate::error::Error;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

/// A folder that this process alone uses, until this is dropped or the process ends.
#[derive(Debug)]
pub struct Lock {
    /// Unlocked when it is closed.
    _file: File,
}

impl Lock {
    /// The locked file; it holds the process id.
    pub const NAME: &str = "LOCK";

    /// Locks a folder, and makes it if it is missing. Never waits: a folder that is locked is
    /// refused with the id of the process that has it.
    pub fn take(folder: &Path) -> Result<Self, Error> {
        fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
        let path = folder.join(Self::NAME);
        let failed = |doing| Error::file(doing, path.clone());
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(failed("open"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // The holder may be about to write its id: then there is none to name.
                let _ = file.read_to_string(&mut text);
                let process = text.trim().parse().ok();
                return Err(Error::InUse { folder: folder.into(), process });
            }
            Err(TryLockError::Error(error)) => return Err(failed("lock")(error)),
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(failed("write"))?;
        Ok(Self { _file: file })
    }
}
