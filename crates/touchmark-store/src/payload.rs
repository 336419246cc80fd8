//! Erasable payloads: salt and content of what the log only commits to.
//!
//! Each is a file of its own, so that erasing it takes the bytes off the disk at once; the
//! key-value engine would keep them until it rewrites its files. A file holds the salt (32) and
//! the content; its name is the commitment in hexadecimal. Of an erased one an empty file stays,
//! so that whoever has a copy cannot put it back.

use crate::error::Error;
use crate::folder;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use touchmark_wire::hash::Digest;

/// What the log commits to.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload {
    /// 32 random bytes.
    pub salt: [u8; 32],
    /// The content.
    pub content: Vec<u8>,
}

impl std::fmt::Debug for Payload {
    /// Shows no content: it may be personal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Payload({} bytes)", self.content.len())
    }
}

/// Keeps payloads. That a payload fits its commitment is for the caller to check.
pub(crate) struct Payloads {
    folder: PathBuf,
    /// Nothing is put where something is being erased.
    writing: Mutex<()>,
}

impl Payloads {
    pub(crate) fn open(folder: PathBuf) -> Result<Self, Error> {
        fs::create_dir_all(&folder).map_err(Error::file("create", &folder))?;
        Ok(Self { folder, writing: Mutex::new(()) })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Stores durably, unless it was erased; the same commitment again replaces what was there.
    pub(crate) fn put(&self, commitment: Digest, payload: &Payload) -> Result<Kept, Error> {
        let (folder, name) = self.place(commitment);
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        match fs::metadata(folder.join(&name)) {
            Ok(known) if known.len() == 0 => return Ok(Kept::NeverAgain),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::file("read", folder.join(name))(error)),
        }
        fs::create_dir_all(&folder)
            .and_then(|()| folder::sync_folder(&self.folder))
            .map_err(Error::file("create", &folder))?;
        let bytes = [&payload.salt[..], &payload.content].concat();
        folder::write_durably(&folder, &name, &bytes)?;
        Ok(Kept::Durably)
    }

    /// The payload, unless it is unknown or erased.
    pub(crate) fn read(&self, commitment: Digest) -> Result<Option<Payload>, Error> {
        let (folder, name) = self.place(commitment);
        let path = folder.join(name);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::file("read", path)(error)),
        };
        if bytes.is_empty() {
            return Ok(None);
        }
        let (salt, content) = bytes.split_first_chunk().ok_or(Error::Corrupt("payload"))?;
        Ok(Some(Payload { salt: *salt, content: content.to_vec() }))
    }

    /// Overwrites and empties; whether there was anything.
    pub(crate) fn erase(&self, commitment: Digest) -> Result<Erased, Error> {
        let (folder, name) = self.place(commitment);
        let path = folder.join(name);
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        match overwrite(&path) {
            Ok(erased) => Ok(erased),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Erased::NothingThere),
            Err(error) => Err(Error::file("overwrite", path)(error)),
        }
    }

    /// Spread over 256 folders: file systems slow down with millions of files in one.
    fn place(&self, commitment: Digest) -> (PathBuf, String) {
        let name = commitment.to_string();
        (self.folder.join(&name[..2]), name)
    }
}

/// What became of a payload that was to be kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kept {
    /// It is on the disk.
    Durably,
    /// It was erased before.
    NeverAgain,
}

/// What became of a payload that was to be erased.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Erased {
    /// It was there and is gone.
    Gone,
    /// There was none.
    NothingThere,
}

fn overwrite(path: &Path) -> std::io::Result<Erased> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    let length = file.metadata()?.len();
    if length == 0 {
        return Ok(Erased::NothingThere);
    }
    std::io::copy(&mut std::io::Read::take(std::io::repeat(0), length), &mut file)?;
    file.flush()?;
    file.sync_all()?;
    file.set_len(0)?;
    file.sync_all()?;
    Ok(Erased::Gone)
}
