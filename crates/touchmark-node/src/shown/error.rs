//! Why a log that somebody shows is not read, by who is to blame.

use std::io;
use std::path::PathBuf;
use touchmark_api::client::ClientError;
use touchmark_wire::ids::NetworkId;

/// Why a log is not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShownError {
    /// The caller's: neither the address of a server nor a folder with a log.
    #[error("`{name}` is neither the address of a node or server nor a folder with a log")]
    Nowhere {
        /// What was given.
        name: String,
    },
    /// The network's, or the other side's.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A file of a folder cannot be read.
    #[error("cannot read {path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is a log, and nothing in it yet.
    #[error("the log of {name} has no leaf yet")]
    Empty {
        /// Who shows it.
        name: String,
    },
    /// A part of the log is missing.
    #[error("{name} does not have {path}")]
    Missing {
        /// Who shows it.
        name: String,
        /// Which part.
        path: String,
    },
    /// The log of another network than the trusted one.
    #[error("{name} shows network {found}, you trust {trusted}")]
    OtherNetwork {
        /// Who shows it.
        name: String,
        /// Whose log it says that it is.
        found: NetworkId,
        /// Whose word counts.
        trusted: NetworkId,
    },
    /// Nothing proves that the network certified what is shown.
    #[error("nothing proves that the network certified what {name} shows: {reason}")]
    Uncertified {
        /// Who shows it.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// What is shown is not what the network certified.
    #[error("{name} shows a log that is not the certified one: {reason}")]
    False {
        /// Who shows it.
        name: String,
        /// What is wrong.
        reason: String,
    },
}
