//! Files that are either the old ones or the new ones, whenever the power fails.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// Between two attempts at a lock.
const LOCK_PAUSE: Duration = Duration::from_millis(2);

/// Who reads a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Secrecy {
    /// Its owner alone.
    Owner,
    /// Whoever the system lets.
    Public,
}

/// Puts `bytes` in the place of the file at `path`, and waits until that is on the disk.
pub fn replace(path: &Path, bytes: &[u8], secrecy: Secrecy) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Another process may be replacing the same file.
    let temporary = folder.join(format!(".{name}.{}.new", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    if secrecy == Secrecy::Owner {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let mut file = options.open(&temporary)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    let replaced = written.and_then(|()| std::fs::rename(&temporary, path));
    if replaced.is_err() {
        // What it failed with matters more.
        let _ = std::fs::remove_file(&temporary);
    }
    replaced?;
    sync(folder)
}

/// Removes a file, if it is there, and waits until that is on the disk.
pub fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync(path.parent().unwrap_or(Path::new("."))),
    }
}

/// Makes a folder that only its owner enters, and those above it.
pub fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    path.parent().map_or(Ok(()), sync)
}

/// Locks `folder` for this process by a file in it, until that is dropped; none where another
/// process has done so.
pub fn lock(folder: &Path) -> io::Result<Option<File>> {
    lock_by(&folder.join("lock"))
}

/// As [`lock`], by the file at `path`, which is made if it is not there.
pub fn lock_by(path: &Path) -> io::Result<Option<File>> {
    let file = File::create(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// As [`lock_by`], and waits so long at most for another process that has done so; the file is for
/// its owner only.
pub fn wait_for_lock(path: &Path, patience: Duration) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    let limit = Instant::now() + patience;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < limit => thread::sleep(LOCK_PAUSE),
            Err(TryLockError::WouldBlock) => {
                let busy = "another process has it locked for too long";
                return Err(io::Error::new(io::ErrorKind::TimedOut, busy));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

fn sync(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}
