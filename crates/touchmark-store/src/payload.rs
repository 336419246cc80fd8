//! Erasable payloads: salt and content of what the log only commits to.
//!
//! Each is a file of its own, so that erasing it takes the bytes off the disk at once; the
//! key-value engine would keep them until it rewrites its files. A file holds the salt (32) and
//! the content; its name is the commitment in hexadecimal. Of an erased one an empty file stays,
//! so that whoever has a copy cannot put it back.
//!
//! A file appears whole, by a rename. One that is not what its name commits to is therefore one
//! whose erasing a crash cut off, and whoever comes across it finishes that.

use crate::error::Error;
use crate::folder;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use touchmark_wire::hash::Digest;
use touchmark_wire::statement::Preimage;

/// What the log commits to.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload {
    /// 32 random bytes.
    pub salt: [u8; 32],
    /// The content.
    pub content: Vec<u8>,
}

impl Payload {
    fn of_file(bytes: &[u8]) -> Option<Self> {
        let (salt, content) = bytes.split_first_chunk()?;
        Some(Self { salt: *salt, content: content.to_vec() })
    }

    fn is_of(&self, commitment: Digest) -> bool {
        Preimage { salt: self.salt, content: &self.content }.commitment() == commitment
    }
}

impl std::fmt::Debug for Payload {
    /// Shows no content: it may be personal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Payload({} bytes)", self.content.len())
    }
}

/// Keeps payloads.
pub(crate) struct Payloads {
    folder: PathBuf,
    /// Nothing is put where something is being erased.
    writing: Mutex<()>,
}

/// What is in the place of a payload.
enum Held {
    Nothing,
    Erased,
    Whole(Payload),
}

impl Payloads {
    pub(crate) fn open(folder: PathBuf) -> Result<Self, Error> {
        fs::create_dir_all(&folder).map_err(Error::file("create", &folder))?;
        Ok(Self { folder, writing: Mutex::new(()) })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Stores durably what the commitment is of, unless it was erased.
    pub(crate) fn put(&self, commitment: Digest, payload: &Payload) -> Result<Kept, Error> {
        if !payload.is_of(commitment) {
            return Ok(Kept::Unfit);
        }
        let place = self.place(commitment);
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        match place.held(commitment)? {
            Held::Erased => return Ok(Kept::NeverAgain),
            // Writing it anew would free the old blocks with the content in them.
            Held::Whole(_) => return Ok(Kept::Durably),
            Held::Nothing => {}
        }
        place.erase_draft()?;
        self.write(&place, &[&payload.salt[..], &payload.content].concat())?;
        Ok(Kept::Durably)
    }

    /// The payload, unless it is unknown or erased.
    pub(crate) fn read(&self, commitment: Digest) -> Result<Option<Payload>, Error> {
        match self.place(commitment).held(commitment)? {
            Held::Whole(payload) => Ok(Some(payload)),
            Held::Nothing | Held::Erased => Ok(None),
        }
    }

    /// Overwrites and empties, also what is not there yet; whether there was anything.
    pub(crate) fn erase(&self, commitment: Digest) -> Result<Erased, Error> {
        let place = self.place(commitment);
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        // First, so that beside an empty file no draft is left.
        let draft = place.erase_draft()?;
        match place.held(commitment)? {
            Held::Whole(_) => {
                let path = place.path();
                overwrite(&path).map_err(Error::file("overwrite", path))?;
                return Ok(Erased::Gone);
            }
            Held::Nothing => self.write(&place, &[])?,
            Held::Erased => {}
        }
        Ok(draft)
    }

    fn write(&self, place: &Place, bytes: &[u8]) -> Result<(), Error> {
        fs::create_dir_all(&place.shelf)
            .and_then(|()| folder::sync_folder(&self.folder))
            .map_err(Error::file("create", &place.shelf))?;
        folder::write_durably(&place.shelf, &place.name, bytes)
    }

    /// Spread over 256 folders: file systems slow down with millions of files in one.
    fn place(&self, commitment: Digest) -> Place {
        let name = commitment.to_string();
        Place { shelf: self.folder.join(&name[..2]), name }
    }
}

/// Where a payload is.
struct Place {
    shelf: PathBuf,
    name: String,
}

impl Place {
    fn path(&self) -> PathBuf {
        self.shelf.join(&self.name)
    }

    /// What is here, after an erasing that a crash cut off was finished. That needs no lock: such a
    /// file becomes nothing but empty, whoever else is at it.
    fn held(&self, commitment: Digest) -> Result<Held, Error> {
        let path = self.path();
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Held::Nothing),
            Err(error) => return Err(Error::file("read", path)(error)),
        };
        match Payload::of_file(&bytes) {
            Some(payload) if payload.is_of(commitment) => Ok(Held::Whole(payload)),
            _ if bytes.is_empty() => Ok(Held::Erased),
            _ => {
                overwrite(&path).map_err(Error::file("overwrite", path))?;
                Ok(Held::Erased)
            }
        }
    }

    /// Erases what a write that was cut off left behind; whether there was anything.
    fn erase_draft(&self) -> Result<Erased, Error> {
        // As `folder::write_durably` names it.
        let draft = self.shelf.join(format!("{}.new", self.name));
        match overwrite(&draft) {
            Ok(erased) => {
                fs::remove_file(&draft)
                    .and_then(|()| folder::sync_folder(&self.shelf))
                    .map_err(Error::file("remove", draft))?;
                Ok(erased)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Erased::NothingThere),
            Err(error) => Err(Error::file("overwrite", draft)(error)),
        }
    }
}

/// What became of a payload that was to be kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kept {
    /// It is on the disk.
    Durably,
    /// It was erased before.
    NeverAgain,
    /// It is not what the commitment is of.
    Unfit,
}

/// What became of a payload that was to be erased.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Erased {
    /// It was there and is gone.
    Gone,
    /// There was none; none will be kept.
    NothingThere,
}

/// Empties a file in its own blocks; whether anything was in it.
fn overwrite(path: &Path) -> io::Result<Erased> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    let length = file.metadata()?.len();
    if length == 0 {
        return Ok(Erased::NothingThere);
    }
    io::copy(&mut io::Read::take(io::repeat(0), length), &mut file)?;
    file.flush()?;
    file.sync_all()?;
    file.set_len(0)?;
    file.sync_all()?;
    Ok(Erased::Gone)
}
