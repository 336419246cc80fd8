//! How much of an outbox's log was reported as kept.
//!
//! A crash spoils at most a frame that nobody was told of. So whatever is spoilt below this mark
//! was not spoilt by a crash, and is never cut off. The mark is written after the log is on the
//! disk and not synced itself: one that a crash took back is smaller than what was promised, never
//! greater. Before the log gets shorter the mark is removed, and that is synced.

use super::log::checksum;
use crate::disk;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// The mark of an open outbox.
#[derive(Debug)]
pub(super) struct Promise {
    path: PathBuf,
    file: Option<File>,
}

impl Promise {
    /// The mark of the outbox in `folder`.
    pub(super) fn of(folder: &Path) -> Self {
        Self { path: folder.join(NAME), file: None }
    }

    /// How much of the log was reported as kept, as far as that is known: 0 where the mark is not
    /// there, or is none.
    pub(super) fn length(&self) -> io::Result<u64> {
        match std::fs::read(&self.path) {
            Ok(bytes) => Ok(read(&bytes).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// So much of the log is on the disk, and is going to be reported.
    pub(super) fn give(&mut self, length: u64) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(open(&self.path)?),
        };
        let length = length.to_be_bytes();
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&[&length[..], &checksum(&length)].concat())
    }

    /// The log gets shorter.
    pub(super) fn take_back(&mut self) -> io::Result<()> {
        self.file = None;
        disk::remove(&self.path)
    }
}

const NAME: &str = "kept";

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn read(bytes: &[u8]) -> Option<u64> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    (rest == checksum(length)).then(|| u64::from_be_bytes(*length))
}
