//! Keys of the administrative interface: a scope, an end, and when one was last used.
//!
//! ```text
//! <data>/apikeys.json        what there is; of a key only the hash
//! <data>/apikeys-used.json   when each was last used; written by the node alone
//! ```
//! A key is random bytes, so its plain SHA-256 says nothing about it. The running node reads the
//! file at each use: what is made or revoked beside it counts at once.

pub mod setup;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::Timestamp;

/// Begins every key, so that scanners of leaked secrets find it.
const PREFIX: &str = "tmk";
/// A use is noted when the last noted one is so old, milliseconds.
const NOTE_AFTER: u64 = 60_000;

/// What a key is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Sees what only operators see.
    Read,
    /// Drains and resumes the node.
    Operate,
}

impl Scope {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Operate => "operate",
        }
    }
}

/// What is kept of a key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// Names it in lists; part of the key.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub scopes: Vec<Scope>,
    /// SHA-256 of the whole key, hexadecimal.
    hash: String,
    /// When it was made, milliseconds since 1970-01-01T00:00:00Z.
    pub created: u64,
    /// When it ends, likewise.
    pub expires: u64,
}

impl ApiKey {
    /// A key that is nowhere yet, with what opens.
    fn random(
        name: &str,
        scopes: &[Scope],
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(Self, String), ApiKeyError> {
        let mut random = [0; 36];
        getrandom::fill(&mut random).map_err(|_| ApiKeyError::Randomness)?;
        let (id, secret) = random.split_at(4);
        let id = id.iter().fold(String::new(), |id, byte| id + &format!("{byte:02x}"));
        let secret = format!("{PREFIX}_{id}_{}", Base64UrlUnpadded::encode_string(secret));
        let key = Self {
            id,
            name: name.into(),
            scopes: scopes.to_vec(),
            hash: hash(&secret),
            created: now.0,
            expires: expires.0,
        };
        Ok((key, secret))
    }
}

/// Why a key does not open, or cannot be kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiKeyError {
    /// It is none of this node's.
    #[error("the API key is not one of this node's, or was revoked")]
    Unknown,
    /// Its time is over.
    #[error("the API key's time is over")]
    Expired,
    /// It is for something else.
    #[error("the API key does not have the scope `{}`", .0.name())]
    Scope(Scope),
    /// The file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not what its name says.
    #[error("{path} is damaged; remove it and make the keys anew")]
    Damaged {
        /// Which file.
        path: PathBuf,
    },
    /// The operating system gives no random bytes.
    #[error("there are no random bytes for a key")]
    Randomness,
}

/// The keys in a data folder.
#[derive(Debug)]
pub struct ApiKeys {
    folder: PathBuf,
    /// When each was last noted as used.
    used: Mutex<BTreeMap<String, u64>>,
}

impl ApiKeys {
    /// The keys in this data folder.
    pub fn in_folder(folder: &Path) -> Self {
        Self { folder: folder.into(), used: Mutex::default() }
    }

    /// Makes a key; returns it this once. Only its hash is kept.
    pub fn create(
        &self,
        name: &str,
        scopes: &[Scope],
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(ApiKey, String), ApiKeyError> {
        let (key, secret) = ApiKey::random(name, scopes, now, expires)?;
        self.change(|keys| {
            keys.push(key.clone());
            Ok((key, secret))
        })
    }

    /// The keys, each with its last use.
    pub fn list(&self) -> Result<Vec<(ApiKey, Option<u64>)>, ApiKeyError> {
        let used: BTreeMap<String, u64> = read(&self.used_path())?.unwrap_or_default();
        let keys = self.keys()?.into_iter();
        Ok(keys.map(|key| (key.clone(), used.get(&key.id).copied())).collect())
    }

    /// Ends a key; returns what it was.
    pub fn revoke(&self, id: &str) -> Result<ApiKey, ApiKeyError> {
        self.change(|keys| {
            let place = keys.iter().position(|key| key.id == id);
            place.map(|place| keys.remove(place)).ok_or(ApiKeyError::Unknown)
        })
    }

    /// Whether a key opens what needs `scope`, now.
    pub fn authorise(&self, given: &str, scope: Scope, now: Timestamp) -> Result<(), ApiKeyError> {
        let id = given.split('_').nth(1).unwrap_or_default();
        let keys = self.keys()?;
        // Comparing hashes tells nothing about the key by the time it takes.
        let hash = hash(given);
        let key = keys.iter().find(|key| key.id == id && key.hash == hash);
        let key = key.ok_or(ApiKeyError::Unknown)?;
        if key.expires <= now.0 {
            return Err(ApiKeyError::Expired);
        }
        if !key.scopes.contains(&scope) {
            return Err(ApiKeyError::Scope(scope));
        }
        self.note_use(&key.id, now);
        Ok(())
    }

    fn note_use(&self, id: &str, now: Timestamp) {
        let Ok(mut used) = self.used.lock() else { return };
        if used.is_empty() {
            *used = read(&self.used_path()).ok().flatten().unwrap_or_default();
        }
        let last = used.get(id).copied().unwrap_or_default();
        if now.0 < last + NOTE_AFTER {
            return;
        }
        used.insert(id.into(), now.0);
        if let Err(error) = write(&self.used_path(), &*used) {
            tracing::warn!(%error, "the use of an API key cannot be noted");
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.join("apikeys.json")
    }

    fn used_path(&self) -> PathBuf {
        self.folder.join("apikeys-used.json")
    }

    fn keys(&self) -> Result<Vec<ApiKey>, ApiKeyError> {
        Ok(read(&self.path())?.unwrap_or_default())
    }

    fn lock_path(&self) -> PathBuf {
        self.folder.join("apikeys.lock")
    }

    /// Changes the file, if the change succeeds; two commands at once wait for each other.
    fn change<T>(
        &self,
        change: impl FnOnce(&mut Vec<ApiKey>) -> Result<T, ApiKeyError>,
    ) -> Result<T, ApiKeyError> {
        let _lock = lock(&self.lock_path())?;
        let mut keys = self.keys()?;
        let changed = change(&mut keys)?;
        write(&self.path(), &keys)?;
        Ok(changed)
    }
}

/// Locks a file until what is returned is dropped; waits for whoever has it.
fn lock(path: &Path) -> Result<File, ApiKeyError> {
    let at = |source| ApiKeyError::File { path: path.into(), source };
    let file = writable(path).map_err(at)?;
    file.lock().map_err(at)?;
    Ok(file)
}

/// As [`lock`]; `None` if somebody has it now.
fn try_lock(path: &Path) -> Result<Option<File>, ApiKeyError> {
    let at = |source| ApiKeyError::File { path: path.into(), source };
    let file = writable(path).map_err(at)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(source)) => Err(at(source)),
    }
}

/// An empty file, for its owner only.
fn writable(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

/// What a file says; `None` where there is none.
fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, ApiKeyError> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|_| ApiKeyError::Damaged { path: path.into() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ApiKeyError::File { path: path.into(), source }),
    }
}

fn hash(key: &str) -> String {
    Digest::of(&[key.as_bytes()]).to_string()
}

/// Writes a file, readable by its owner only, so that it is there whole or as it was.
fn write(path: &Path, value: &impl Serialize) -> Result<(), ApiKeyError> {
    let at = |source| ApiKeyError::File { path: path.into(), source };
    let draft = path.with_extension("new");
    let text = serde_json::to_vec_pretty(value).map_err(|error| at(error.into()))?;
    let mut file = writable(&draft).map_err(at)?;
    file.write_all(&text).and_then(|()| file.sync_all()).map_err(at)?;
    fs::rename(&draft, path).map_err(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);
    const LATER: Timestamp = Timestamp(2_000_000);

    #[test]
    fn a_key_opens_what_it_is_for_until_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let keys = ApiKeys::in_folder(folder.path());
        let (key, secret) = keys.create("ops", &[Scope::Read], NOW, LATER).unwrap();
        assert!(secret.starts_with(&format!("tmk_{}_", key.id)) && secret.len() > 50, "{secret}");
        keys.authorise(&secret, Scope::Read, NOW).unwrap();
        let scope = keys.authorise(&secret, Scope::Operate, NOW).unwrap_err();
        assert!(matches!(scope, ApiKeyError::Scope(Scope::Operate)), "{scope}");
        let expired = keys.authorise(&secret, Scope::Read, LATER).unwrap_err();
        assert!(matches!(expired, ApiKeyError::Expired), "{expired}");
        let mut wrong = secret.clone();
        wrong.pop();
        for wrong in [wrong.as_str(), "", "tmk", &key.id, &key.hash] {
            let unknown = keys.authorise(wrong, Scope::Read, NOW).unwrap_err();
            assert!(matches!(unknown, ApiKeyError::Unknown), "{wrong}: {unknown}");
        }
    }

    #[test]
    fn what_is_kept_does_not_open_and_is_the_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let keys = ApiKeys::in_folder(folder.path());
        let (_, secret) = keys.create("ops", &[Scope::Read], NOW, LATER).unwrap();
        keys.authorise(&secret, Scope::Read, NOW).unwrap();
        let random = secret.rsplit('_').next().unwrap();
        for entry in fs::read_dir(folder.path()).unwrap() {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            assert!(!text.contains(random), "{}", path.display());
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            for path in [keys.path(), keys.used_path(), keys.lock_path()] {
                let mode = fs::metadata(&path).unwrap().permissions().mode();
                assert_eq!(mode & 0o077, 0, "{}", path.display());
            }
        }
    }

    #[test]
    fn a_running_node_learns_of_new_and_revoked_keys_and_notes_their_use() {
        let folder = tempfile::tempdir().unwrap();
        let (node, command) =
            (ApiKeys::in_folder(folder.path()), ApiKeys::in_folder(folder.path()));
        let (key, secret) = command.create("ops", &[Scope::Operate], NOW, LATER).unwrap();
        assert_eq!(command.list().unwrap()[0].1, None);
        node.authorise(&secret, Scope::Operate, NOW).unwrap();
        assert_eq!(command.list().unwrap()[0].1, Some(NOW.0));
        command.revoke(&key.id).unwrap();
        assert!(node.authorise(&secret, Scope::Operate, NOW).is_err());
        assert!(matches!(command.revoke(&key.id), Err(ApiKeyError::Unknown)));
    }
}
