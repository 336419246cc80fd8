//! The key by which outside witnesses know the log of a single owner: it signs checkpoints as the
//! log (C2SP signed-note), and nothing else.
//!
//! A log that several own has none: whoever held it could have a fork cosigned alone.

use super::{Decode, Encode, FolderError, Secrecy, codec, disk, read_cbor, write};
use std::path::Path;
use touchmark_keys::software::SoftwareKey;
use touchmark_wire::algorithm::Algorithm;

/// Name of the file in the data folder; owner only.
pub(super) const FILE: &str = "note.cbor";
/// Longest file, bytes.
const LIMIT: usize = 64;

#[derive(Encode, Decode)]
#[cbor(array)]
struct Seed {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    seed: [u8; 32],
}

/// The key in the data folder, if there is one.
pub(crate) fn note_key(folder: &Path) -> Result<Option<SoftwareKey>, FolderError> {
    let path = folder.join(FILE);
    if !path.exists() {
        return Ok(None);
    }
    let Seed { seed } = read_cbor(&path, LIMIT)?;
    let key = SoftwareKey::from_seed(Algorithm::Ed25519, &seed);
    key.map(Some).map_err(|_| FolderError::Damaged { path })
}

/// The key in the data folder; makes it if there is none.
pub(crate) fn require_note_key(folder: &Path) -> Result<SoftwareKey, FolderError> {
    if let Some(key) = note_key(folder)? {
        return Ok(key);
    }
    let key = SoftwareKey::generate(Algorithm::Ed25519);
    let key = key.map_err(|error| FolderError::Keys(error.to_string()))?;
    let seed = Seed { seed: *key.seed() };
    write(&folder.join(FILE), &codec::encode(&seed), Secrecy::Owner)?;
    Ok(key)
}

/// Deletes the key: the log has several owners from now on. Says whether there was one.
pub(crate) fn forget_note_key(folder: &Path) -> Result<bool, FolderError> {
    let path = folder.join(FILE);
    let was_there = path.exists();
    disk::remove(&path).map_err(|source| FolderError::File { path, source })?;
    Ok(was_there)
}
