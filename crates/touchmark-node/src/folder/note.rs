//! The key by which outside witnesses know the log of a single owner: it signs checkpoints as the
//! log (C2SP signed-note), and nothing else.
//!
//! A log that several own has none: whoever held it could have a fork cosigned alone.

use super::{Decode, Encode, FolderError, Secrecy, codec, disk, read_cbor, write};
use std::path::Path;
use touchmark_keys::software::SoftwareKey;
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::ids::NetworkId;

/// Name of the file in the data folder; owner only.
pub(super) const FILE: &str = "note.cbor";
/// Longest file, bytes.
const LIMIT: usize = 128;

#[derive(Encode, Decode)]
#[cbor(array)]
struct Seed {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    seed: [u8; 32],
    /// Whose log it signs for.
    #[n(1)]
    network: NetworkId,
}

/// What is in the data folder, if there is anything.
fn seed(folder: &Path) -> Result<Option<Seed>, FolderError> {
    let path = folder.join(FILE);
    if path.exists() { read_cbor(&path, LIMIT).map(Some) } else { Ok(None) }
}

/// The key of this network's log in the data folder, if there is one.
pub(crate) fn note_key(
    folder: &Path,
    network: NetworkId,
) -> Result<Option<SoftwareKey>, FolderError> {
    let own = seed(folder)?.filter(|seed| seed.network == network);
    let key = own.map(|Seed { seed, .. }| SoftwareKey::from_seed(Algorithm::Ed25519, &seed));
    key.transpose().map_err(|_| FolderError::Damaged { path: folder.join(FILE) })
}

/// The key in the data folder; makes it if there is none, or another log's.
pub(crate) fn require_note_key(
    folder: &Path,
    network: NetworkId,
) -> Result<SoftwareKey, FolderError> {
    if let Some(key) = note_key(folder, network)? {
        return Ok(key);
    }
    if let Some(Seed { network: other, .. }) = seed(folder)? {
        tracing::warn!(%other, "the note key in the data folder is another log's: it gets a new one");
    }
    let key = SoftwareKey::generate(Algorithm::Ed25519);
    let key = key.map_err(|error| FolderError::Keys(error.to_string()))?;
    let seed = Seed { seed: *key.seed(), network };
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

#[cfg(test)]
mod tests {
    use super::*;
    use touchmark_wire::algorithm::Signer as _;
    use touchmark_wire::hash::Digest;

    #[test]
    fn a_key_signs_for_one_network() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two] = [b"1", b"2"].map(|it| NetworkId(Digest::of(&[it])));
        let key = |network| require_note_key(folder.path(), network).unwrap().public_key().clone();
        let first = key(one);
        assert_eq!(key(one), first);
        assert!(note_key(folder.path(), two).unwrap().is_none());
        assert_ne!(key(two), first);
        assert!(note_key(folder.path(), one).unwrap().is_none());
    }
}
