//! What can go wrong, split by who can do something about it.

use std::path::PathBuf;
use touchmark_core::refusal::Unreadable;
use touchmark_wire::ids::{Height, LeafIndex, NetworkId, TreeSize};

/// Why the store does not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // The operator's: the folder.
    /// Another process has the folder open.
    #[error(
        "{folder} is in use{}: stop that process first, or name another folder",
        by_process(*process)
    )]
    InUse {
        /// The data folder.
        folder: PathBuf,
        /// Its process id, where it could be read.
        process: Option<u32>,
    },
    /// The folder holds another network's log.
    #[error(
        "{folder} holds network {found}, not {wanted}: start with that network's genesis, or name an \
         empty folder"
    )]
    OtherNetwork {
        /// The data folder.
        folder: PathBuf,
        /// Whose log it holds.
        found: NetworkId,
        /// Whose log was asked for.
        wanted: NetworkId,
    },
    /// The folder's log begins with another batch of height 0.
    #[error(
        "{folder} holds this network's log with another first batch: it was written by an \
         incompatible program, name an empty folder"
    )]
    OtherGenesis {
        /// The data folder.
        folder: PathBuf,
    },
    /// The folder was written by another version of this program.
    #[error(
        "{folder} has the store format {found:?}, this program knows format {known}: use the program \
         that wrote it, or restore a backup into an empty folder"
    )]
    UnknownFormat {
        /// The data folder.
        folder: PathBuf,
        /// What it says about itself.
        found: String,
        /// What this program writes.
        known: u32,
    },
    /// The folder has files in it that are not a store's.
    #[error("{folder} is neither empty nor a store: name another folder")]
    NotAStore {
        /// The folder.
        folder: PathBuf,
    },

    /// A backup or restore into a folder that has something in it.
    #[error("{folder} is not empty: name a new folder")]
    NotEmpty {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder has no manifest: no backup, or one that was never finished.
    #[error("{folder} is not a finished backup: make it again")]
    NotABackup {
        /// The folder.
        folder: PathBuf,
    },
    /// A backup is not what was written.
    #[error("the backup in {folder} is damaged at {what}: use another one")]
    DamagedBackup {
        /// The backup's folder.
        folder: PathBuf,
        /// The file that is missing or differs.
        what: String,
    },

    // The caller's: what was asked for.
    /// A leaf that the log does not have (yet).
    #[error("leaf {leaf} is not in the log, which has {size} leaves")]
    NoLeaf {
        /// The leaf.
        leaf: LeafIndex,
        /// The log's size.
        size: TreeSize,
    },
    /// A size that the log has not reached, or an old size above a new one.
    #[error("there is no tree of {asked} leaves in a log of {size}")]
    NoTree {
        /// The size that was asked for.
        asked: TreeSize,
        /// The log's size.
        size: TreeSize,
    },
    /// A consistency proof from the empty tree.
    #[error("every log begins with the empty tree, so nothing proves it: ask from size 1 on")]
    EmptyTree,
    /// A tile or bundle that is not full yet, or of an impossible width.
    #[error("the log has no such tile")]
    NoTile,

    // The machine's: disk and file system.
    /// A file could not be read or written.
    #[error("cannot {doing} {path}: {source}")]
    File {
        /// What was tried.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// The key-value engine failed, mostly for the disk's sake.
    #[error("the disk or its key-value engine failed: {0}")]
    Engine(String),
    /// An earlier write failed; nothing is written until the next start.
    #[error("writing was given up earlier: {0}; free or repair the disk, then start again")]
    Halted(String),

    // Whoever keeps the sealed part of the log.
    /// Leaves that are not here could not be written to where they are kept, or not be read there, or
    /// are wrong there.
    #[error("the sealed leaves from {leaf} on: {reason}")]
    Sealed {
        /// The first leaf of the bundle.
        leaf: LeafIndex,
        /// What is wrong.
        reason: String,
    },

    // Nobody's who is here: what is stored is wrong.
    /// A stored batch does not lead to what its header claims.
    #[error(
        "batch {height} does not lead to the roots in its header ({reason}): nothing was changed, \
         restore a backup"
    )]
    Diverged {
        /// The first such batch.
        height: Height,
        /// What differs.
        reason: String,
    },
    /// Stored bytes are not what was written.
    #[error("the stored {0} is damaged: rebuild the store, or restore a backup")]
    Corrupt(&'static str),
}

impl Error {
    pub(crate) fn file(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { doing, path, source }
    }
}

impl From<fjall::Error> for Error {
    fn from(error: fjall::Error) -> Self {
        Self::Engine(reason(&error))
    }
}

impl From<Error> for Unreadable {
    fn from(_: Error) -> Self {
        Self
    }
}

/// The engine's failure as a person reads it.
pub(crate) fn reason(error: &fjall::Error) -> String {
    match error {
        fjall::Error::Io(source) => source.to_string(),
        fjall::Error::Poisoned => {
            "an earlier write in the background failed, as it does when the disk is full".into()
        }
        other => other.to_string(),
    }
}

fn by_process(process: Option<u32>) -> String {
    process.map_or_else(String::new, |id| format!(" by process {id}"))
}
