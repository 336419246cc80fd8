//! The outside witnesses of this node's log: a file that operators edit, or have commands edit.

use crate::disk::{self, Secrecy};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use touchmark_api::client::Client;
use touchmark_wire::algorithm::PublicKey;
use touchmark_wire::certificate::{Cosigner, NoteKey};

/// Most outside witnesses.
const LIMIT: usize = 16;
/// How long another command that changes the list is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// Name of the file in the data folder.
const FILE: &str = "witnesses.toml";
const HEADING: &str = "\
# Outside witnesses of this node's log: where each takes checkpoints, and its key (C2SP vkey).
# Changes count from the next round of asking on.

";

/// An outside witness.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outside {
    /// Its submission prefix.
    pub url: String,
    /// Its key.
    pub vkey: String,
}

impl Outside {
    /// Reads where it is and what its key is.
    pub fn new(url: &str, vkey: &str) -> Result<Self, ListError> {
        let outside = Self { url: url.trim_end_matches('/').into(), vkey: vkey.into() };
        let wrong = |what: String| ListError::Wrong(what);
        outside.cosigner().map_err(|error| wrong(format!("`{vkey}`: {error}")))?;
        Client::new(&outside.url).map_err(|error| wrong(error.to_string()))?;
        if let Some(host) = outside.url.strip_prefix("https://") {
            let host = host.split('/').next().unwrap_or_default().rsplit('@').next();
            return Err(wrong(format!(
                "https://{}: this build speaks no TLS; give the http:// address of a proxy nearby",
                host.unwrap_or_default()
            )));
        }
        // What is said of a witness is for many eyes.
        if outside.url.split('/').nth(2).is_some_and(|host| host.contains('@')) {
            return Err(wrong("an address has neither user nor password".into()));
        }
        Ok(outside)
    }

    /// Its key, as notes have it.
    pub(crate) fn cosigner(
        &self,
    ) -> Result<Cosigner<'_>, touchmark_wire::certificate::CertificateError> {
        NoteKey::parse(&self.vkey).and_then(Cosigner::try_from)
    }

    /// Its public key, without the name.
    fn key(&self) -> Option<PublicKey> {
        self.cosigner().ok().map(|cosigner| cosigner.key().clone())
    }

    /// The name of its key.
    pub fn name(&self) -> &str {
        self.vkey.split('+').next().unwrap_or_default()
    }
}

/// Why the list cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// Not the address of a witness, or not its key.
    #[error("{0}")]
    Wrong(String),
    /// It is named already.
    #[error("the witness {0} is named already")]
    Exists(String),
    /// Its key is one of those that speak for the log anyway.
    #[error("the key of {0} is this log's own: a witness is somebody else")]
    Own(String),
    /// It is not named.
    #[error("no witness called {0} is named")]
    Unknown(String),
    /// More than can be asked.
    #[error("at most {LIMIT} outside witnesses are asked")]
    TooMany,
    /// The file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not what it should be.
    #[error("{path} cannot be used: {reason}")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

#[derive(Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Contents {
    #[serde(default)]
    witness: Vec<Outside>,
}

/// The list in a data folder.
#[derive(Clone, Debug)]
pub struct List {
    path: PathBuf,
}

impl List {
    /// The list in this data folder.
    pub fn in_folder(folder: &Path) -> Self {
        Self { path: folder.join(FILE) }
    }

    /// Who is named; nobody where there is no file.
    pub fn read(&self) -> Result<Vec<Outside>, ListError> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(ListError::File { path: self.path.clone(), source }),
        };
        let damaged = |reason: String| ListError::Damaged { path: self.path.clone(), reason };
        let read: Result<Contents, _> = toml::from_str(&text);
        let read = read.map_err(|error| damaged(error.to_string().trim().into()))?;
        if read.witness.len() > LIMIT {
            return Err(ListError::TooMany);
        }
        let checked = read.witness.iter().map(|it| Outside::new(&it.url, &it.vkey));
        let checked: Result<Vec<_>, _> = checked.collect();
        let named = checked.map_err(|error| damaged(error.to_string()))?;
        for (place, one) in named.iter().enumerate() {
            if named[..place].iter().any(|before| before.key() == one.key()) {
                return Err(damaged(format!("the key of {} is named twice", one.name())));
            }
        }
        Ok(named)
    }

    /// Names one more. One key counts once, whatever its names and addresses; keys of one name would
    /// be mistaken for each other by people. `own` are the keys that speak for the log.
    pub fn add(&self, outside: Outside, own: &[PublicKey]) -> Result<(), ListError> {
        if outside.key().is_some_and(|key| own.contains(&key)) {
            return Err(ListError::Own(outside.name().into()));
        }
        self.change(|named| {
            let same = |it: &Outside| it.key() == outside.key() || it.name() == outside.name();
            if named.iter().any(same) {
                return Err(ListError::Exists(outside.name().into()));
            }
            if named.len() >= LIMIT {
                return Err(ListError::TooMany);
            }
            named.push(outside);
            Ok(())
        })
    }

    /// Names it no more.
    pub fn remove(&self, name: &str) -> Result<(), ListError> {
        self.change(|named| {
            let place = named.iter().position(|it| it.name() == name || it.vkey == name);
            named.remove(place.ok_or_else(|| ListError::Unknown(name.into()))?);
            Ok(())
        })
    }

    fn change(
        &self,
        change: impl FnOnce(&mut Vec<Outside>) -> Result<(), ListError>,
    ) -> Result<(), ListError> {
        let at = |source| ListError::File { path: self.path.clone(), source };
        let _turn = disk::wait_for_lock(&self.path.with_extension("lock"), PATIENCE).map_err(at)?;
        let mut witness = self.read()?;
        change(&mut witness)?;
        let text = toml::to_string(&Contents { witness });
        let text = text.map_err(|error| ListError::Wrong(error.to_string()))?;
        disk::replace(&self.path, format!("{HEADING}{text}").as_bytes(), Secrecy::Public)
            .map_err(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchmark_keys::software::SoftwareKey;
    use touchmark_wire::algorithm::{Algorithm, Signer as _};

    const URL: &str = "http://127.0.0.1:8080/witness";
    /// signed-note's example, as a log's key.
    const LOG: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

    fn key(seed: u8) -> PublicKey {
        SoftwareKey::from_seed(Algorithm::Ed25519, &[seed; 32]).unwrap().public_key().clone()
    }

    fn vkey(name: &str, seed: u8) -> String {
        Cosigner::new(name, key(seed)).unwrap().note_key().to_string()
    }

    #[test]
    fn what_is_named_is_read_again_until_it_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let list = List::in_folder(folder.path());
        assert_eq!(list.read().unwrap(), []);
        let one = Outside::new(&format!("{URL}/"), &vkey("one.example", 1)).unwrap();
        assert_eq!((one.url.as_str(), one.name()), (URL, "one.example"));
        list.add(one.clone(), &[]).unwrap();
        assert!(matches!(list.add(one.clone(), &[]), Err(ListError::Exists(_))));
        list.add(Outside::new(URL, &vkey("two.example", 2)).unwrap(), &[]).unwrap();
        assert_eq!(list.read().unwrap()[0], one);
        list.remove("one.example").unwrap();
        assert!(matches!(list.remove("one.example"), Err(ListError::Unknown(_))));
        assert_eq!(list.read().unwrap().len(), 1);
        for n in 3..18 {
            let one = Outside::new(URL, &vkey(&format!("w{n}.example"), n)).unwrap();
            list.add(one, &[]).unwrap();
        }
        let more = list.add(Outside::new(URL, &vkey("w18.example", 18)).unwrap(), &[]);
        assert!(matches!(more, Err(ListError::TooMany)));
    }

    #[test]
    fn what_is_no_witness_is_refused_also_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let list = List::in_folder(folder.path());
        // A log's own key cosigns nothing.
        let good = vkey("one.example", 1);
        for (url, key) in [
            (URL, LOG),
            (URL, "one.example"),
            ("example", &good),
            ("https://witness.example", &good),
            ("http://name:word@127.0.0.1:8080/witness", &good),
            ("https://name:word@127.0.0.1:8080/witness", &good),
        ] {
            assert!(matches!(Outside::new(url, key), Err(ListError::Wrong(_))), "{url} {key}");
            let text = format!("[[witness]]\nurl = \"{url}\"\nvkey = \"{key}\"\n");
            fs::write(folder.path().join(FILE), text).unwrap();
            assert!(matches!(list.read(), Err(ListError::Damaged { .. })), "{url} {key}");
        }
        fs::write(folder.path().join(FILE), "[[witnesses]]\n").unwrap();
        assert!(matches!(list.read(), Err(ListError::Damaged { .. })));
    }
    #[test]
    fn one_key_counts_once_and_the_logs_own_never() {
        let folder = tempfile::tempdir().unwrap();
        let list = List::in_folder(folder.path());
        list.add(Outside::new(URL, &vkey("one.example", 1)).unwrap(), &[]).unwrap();
        let again = Outside::new("http://127.0.0.1:1", &vkey("two.example", 1)).unwrap();
        assert!(matches!(list.add(again, &[]), Err(ListError::Exists(_))));
        let own = Outside::new(URL, &vkey("own.example", 3)).unwrap();
        assert!(matches!(list.add(own, &[key(2), key(3)]), Err(ListError::Own(_))));
        assert_eq!(list.read().unwrap().len(), 1);
        // Also where somebody wrote the file.
        let entry = |name| format!("[[witness]]\nurl = \"{URL}\"\nvkey = \"{}\"\n", vkey(name, 1));
        for names in [["one.example", "two.example"], ["one.example", "one.example"]] {
            fs::write(folder.path().join(FILE), names.map(entry).concat()).unwrap();
            assert!(matches!(list.read(), Err(ListError::Damaged { .. })), "{names:?}");
        }
    }
}
