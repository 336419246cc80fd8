//! What a backup says about itself.
//!
//! ```text
//! touchmark-backup 2
//! network <hexadecimal>
//! height <decimal>
//! size <decimal>
//! root <hexadecimal>
//! state <hexadecimal>
//! sealed <decimal>
//! file <SHA-256, hexadecimal> <length, decimal> <path>
//! …
//! ```
//! The first line ends in 3 and `sealed` is there only where leaves are sealed, which are not in the
//! backup. Every line ends in a newline; paths are relative, with `/`, in order.

use crate::error::Error;
use std::fmt;
use std::path::Path;
use touchmark_ledger::Tip;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Height, NetworkId, StatementId, TreeSize};

/// What a backup holds: the checkpoint that it leads to, and every file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Manifest {
    /// Whose log.
    pub network: NetworkId,
    /// The last batch.
    pub height: Height,
    /// Leaves of the log.
    pub size: TreeSize,
    /// Root of the log.
    pub root: Digest,
    /// Root of the state.
    pub state_root: Digest,
    /// How many leaves, from the first, are not in it: it has their hashes, and object storage has
    /// them.
    pub sealed: u64,
    /// The files, by path.
    pub files: Vec<BackupFile>,
}

/// A file of a backup.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct BackupFile {
    /// Below the backup's folder.
    pub path: String,
    /// Bytes.
    pub length: u64,
    /// SHA-256 of its content.
    pub digest: Digest,
}

const FIRST: &str = "touchmark-backup 2";
/// Where leaves are sealed.
const FIRST_SEALED: &str = "touchmark-backup 3";

impl Manifest {
    /// Its file's name.
    pub(crate) const NAME: &str = "MANIFEST";

    /// Of a tip, so many leaves before which are sealed; without files.
    pub(crate) fn of(network: NetworkId, tip: &Tip, sealed: u64) -> Self {
        Self {
            network,
            height: tip.batch.height(),
            size: tip.frontier.size(),
            root: tip.frontier.root(),
            state_root: tip.state_root,
            sealed,
            files: Vec::new(),
        }
    }

    /// Bytes of all its files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.length))
    }

    /// Reads the manifest in `folder`.
    pub(crate) fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(Self::NAME);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(Error::NotABackup { folder: folder.into() });
            }
            Err(error) => return Err(Error::file("read", path)(error)),
        };
        Self::parse(&text)
            .ok_or(Error::DamagedBackup { folder: folder.into(), what: Self::NAME.into() })
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let is_sealed = match lines.next()? {
            FIRST => false,
            FIRST_SEALED => true,
            _ => return None,
        };
        let mut field = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        let (network, height, size) = (field("network")?, field("height")?, field("size")?);
        let (root, state_root) = (field("root")?, field("state")?);
        let sealed = if is_sealed { field("sealed")?.parse().ok()? } else { 0 };
        (is_sealed == (sealed > 0)).then_some(())?;
        Some(Self {
            network: network.parse().ok()?,
            height: Height(height.parse().ok()?),
            size: TreeSize(size.parse().ok()?),
            root: digest(root)?,
            state_root: digest(state_root)?,
            sealed,
            files: lines.map(BackupFile::parse).collect::<Option<_>>()?,
        })
    }
}

impl BackupFile {
    fn parse(line: &str) -> Option<Self> {
        let (hash, rest) = line.strip_prefix("file ")?.split_once(' ')?;
        let (length, path) = rest.split_once(' ')?;
        // Nothing outside of the folder.
        let inside =
            path.split('/').all(|part| !matches!(part, "" | "." | "..")) && !path.contains('\\');
        inside.then_some(())?;
        Some(Self { path: path.to_owned(), length: length.parse().ok()?, digest: digest(hash)? })
    }
}

fn digest(text: &str) -> Option<Digest> {
    // Ids of statements have the text form of any digest.
    text.parse::<StatementId>().ok().map(|id| id.0)
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = if self.sealed > 0 { FIRST_SEALED } else { FIRST };
        writeln!(
            f,
            "{first}\nnetwork {}\nheight {}\nsize {}",
            self.network, self.height, self.size
        )?;
        writeln!(f, "root {}\nstate {}", self.root, self.state_root)?;
        if self.sealed > 0 {
            writeln!(f, "sealed {}", self.sealed)?;
        }
        for BackupFile { path, length, digest } in &self.files {
            writeln!(f, "file {digest} {length} {path}")?;
        }
        Ok(())
    }
}
