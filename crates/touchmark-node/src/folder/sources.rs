//! The nodes that a node without a vote follows: a file that operators edit.

use super::{FolderError, GENESIS, Lock, SECRETS, Secrecy, has_network, is_forming, read, write};
use serde::{Deserialize, Serialize};
use std::path::Path;
use touchmark_wire::genesis::Genesis;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    sources: Vec<String>,
}

const HEADING: &str = "\
# The nodes whose log this one follows, by their URLs; the next is asked when one gives nothing.
# Change them at will, then start the node again: none of them is trusted.

";

/// Name of the file in the data folder.
pub(super) const FILE: &str = "sources.toml";

/// The file's text.
pub(super) fn text(sources: &[String]) -> Result<String, FolderError> {
    let text = toml::to_string(&File { sources: sources.to_vec() });
    text.map(|text| format!("{HEADING}{text}"))
        .map_err(|error| FolderError::Peers { path: FILE.into(), reason: error.to_string() })
}

/// Reads the file in the data folder.
pub(super) fn of(folder: &Path) -> Result<Vec<String>, FolderError> {
    let path = folder.join(FILE);
    let text = String::from_utf8_lossy(&read(&path)?).into_owned();
    let file: Result<File, _> = toml::from_str(&text);
    let sources = file.map(|file| file.sources).map_err(|error| error.to_string());
    let sources = sources.and_then(|sources| {
        if sources.is_empty() { Err("it names no node".into()) } else { Ok(sources) }
    });
    sources.map_err(|reason| FolderError::Peers { path, reason: reason.trim().into() })
}

/// Makes the folder that of a node which follows these others: an empty one, one that has the
/// network's log without keys, as a backup leaves it, and one that follows already.
pub(crate) fn follow(path: &Path, genesis: &Genesis, nodes: &[String]) -> Result<(), FolderError> {
    let _lock = Lock::take(path)?;
    if path.join(SECRETS).exists() {
        return Err(FolderError::Taken { path: path.into() });
    }
    if [super::CONSENSUS, super::office::OFFICES].iter().any(|name| path.join(name).exists()) {
        return Err(FolderError::Incomplete { path: path.join(SECRETS) });
    }
    if is_forming(path) {
        return Err(FolderError::Forming { path: path.into() });
    }
    if path.join(GENESIS).exists() {
        let network = super::genesis(path)?.network_id();
        if network != genesis.network_id() {
            return Err(FolderError::Other { path: path.into(), network });
        }
    } else if has_network(path) {
        return Err(FolderError::Incomplete { path: path.join(GENESIS) });
    }
    write(&path.join(GENESIS), &genesis.encode_to_vec(), Secrecy::Public)?;
    write(&path.join(FILE), text(nodes)?.as_bytes(), Secrecy::Public)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_wrong_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let sources = ["http://one.example:8080".to_owned(), "https://two.example".to_owned()];
        std::fs::write(&path, text(&sources).unwrap()).unwrap();
        assert_eq!(of(folder.path()).unwrap(), sources);
        for (wrong, reason) in [("sources = []", "names no node"), ("source = []", "source")] {
            std::fs::write(&path, wrong).unwrap();
            let error = of(folder.path()).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
