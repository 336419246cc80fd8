//! A virtual smart card: a folder with an encrypted key file.
//!
//! ```text
//! FOLDER/memory.cbor   ["touchmark-card/1", memory]; the card exists once this does
//! FOLDER/key           key file (touchmark-keys), once the card has made its key
//! FOLDER/data          the data file, once something was written to it
//! FOLDER/lock          held while a program uses the card
//! ```

use super::{CardStore, Kept, Memory, StoreError};
use crate::profile::limit;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use touchmark_keys::disk::{self, Secrecy};
use touchmark_keys::file::{KeyFile, Protection};
use touchmark_keys::software::SoftwareKey;
use touchmark_wire::codec;
use zeroize::Zeroizing;

/// First element of the memory's file.
const MAGIC: &str = "touchmark-card/1";
/// Longest memory, bytes.
const LIMIT: usize = 2_048;
/// Length of the serial number that a new card gets, bytes; as that of a common chip.
const SERIAL: usize = 7;

/// A card in a folder, for this program alone.
#[derive(Debug)]
pub struct VirtualCard {
    folder: PathBuf,
    passphrase: Option<Zeroizing<Vec<u8>>>,
    _lock: File,
}

impl VirtualCard {
    /// Makes a blank card with a serial number of its own.
    pub fn create(folder: &Path) -> Result<(), StoreError> {
        disk::make_folder(folder)?;
        let _lock = disk::lock(folder)?.ok_or(StoreError::Busy)?;
        let memory = folder.join("memory.cbor");
        if memory.exists() {
            return Err(StoreError::Exists);
        }
        let mut serial = vec![0; SERIAL];
        getrandom::fill(&mut serial)
            .map_err(|_| io::Error::other("the operating system gave no randomness"))?;
        disk::replace(&memory, &codec::encode(&(MAGIC, Memory::blank(serial))), Secrecy::Owner)?;
        Ok(())
    }

    /// Takes the card for this program. The passphrase opens its key file; a card that has no key
    /// yet is going to encrypt it so, or to keep it plain where none is given.
    pub fn open(folder: &Path, passphrase: Option<Zeroizing<Vec<u8>>>) -> Result<Self, StoreError> {
        if !folder.join("memory.cbor").is_file() {
            return Err(StoreError::Absent);
        }
        let lock = disk::lock(folder)?.ok_or(StoreError::Busy)?;
        Ok(Self { folder: folder.to_path_buf(), passphrase, _lock: lock })
    }

    /// The key file of the card in `folder`; `None` before it has made its key.
    pub fn key_file(folder: &Path) -> Result<Option<KeyFile>, StoreError> {
        let path = folder.join("key");
        if !path.exists() {
            return Ok(None);
        }
        KeyFile::read(&path).map(Some).map_err(StoreError::Key)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl CardStore for VirtualCard {
    fn load(&mut self) -> Result<Kept, StoreError> {
        let bytes = fs::read(self.path("memory.cbor"))?;
        let (magic, memory): (String, Memory) =
            codec::decode(&bytes, LIMIT).map_err(|_| StoreError::Damaged)?;
        if magic != MAGIC {
            return Err(StoreError::Damaged);
        }
        let data = match fs::read(self.path("data")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            read => read?,
        };
        if data.len() > limit::DATA {
            return Err(StoreError::Damaged);
        }
        let passphrase = self.passphrase.as_ref().map(|bytes| bytes.as_slice());
        let key = Self::key_file(&self.folder)?
            .map(|file| file.open(passphrase).map_err(StoreError::Key))
            .transpose()?;
        Ok(Kept { memory, key, data })
    }

    fn keep(&mut self, memory: &Memory) -> Result<(), StoreError> {
        Ok(disk::replace(
            &self.path("memory.cbor"),
            &codec::encode(&(MAGIC, memory)),
            Secrecy::Owner,
        )?)
    }

    fn keep_data(&mut self, data: &[u8]) -> Result<(), StoreError> {
        Ok(disk::replace(&self.path("data"), data, Secrecy::Owner)?)
    }

    fn keep_key(&mut self, key: &SoftwareKey) -> Result<(), StoreError> {
        let protection = match &self.passphrase {
            Some(passphrase) => Protection::Passphrase(passphrase),
            None => Protection::Plain,
        };
        let file = KeyFile::seal(key, protection).map_err(StoreError::Key)?;
        file.write_new(&self.path("key")).map_err(StoreError::Key)
    }

    fn destroy_key(&mut self) -> Result<(), StoreError> {
        Ok(disk::remove(&self.path("key"))?)
    }
}
