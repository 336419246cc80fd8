//! Errors of the engine, split by who is to blame.

use std::net::SocketAddr;
use std::path::PathBuf;
use touchmark_batch::Halt;
use touchmark_wire::ids::Height;

/// Why the engine does not start, or why it stopped.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Operator: another process uses the directory.
    #[error("{} is in use by another process", .0.display())]
    Locked(PathBuf),
    /// Operator: the directory cannot be created or locked.
    #[error("cannot use {}: {reason}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the operating system says.
        reason: String,
    },
    /// Operator: the address cannot be listened on.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system says.
        reason: String,
    },
    /// Operator: a setting that cannot work, in one sentence.
    #[error("invalid configuration: {0}")]
    Configuration(&'static str),
    /// Operator: keys that do not decode or do not belong together.
    #[error("invalid key material: {0}")]
    Keys(&'static str),
    /// Operator: the ledger holds batches that this engine's store does not, and no other member
    /// could supply them. Going on would certify a second history.
    #[error("the ledger is at height {ledger}, the engine's store only at {store}")]
    Behind {
        /// Last batch of the ledger.
        ledger: Height,
        /// Last finalized batch of the engine.
        store: Height,
    },
    /// The ledger refused to go on.
    #[error(transparent)]
    Halted(#[from] Halt),
    /// The ledger broke its contract with the engine, in one sentence.
    #[error("the ledger misbehaved: {0}")]
    Ledger(&'static str),
    /// A finalized batch is missing from the engine's store.
    #[error("the finalized batch {0} is missing from the engine's store")]
    Missing(Height),
    /// The engine's own store fails.
    #[error("the engine's store fails: {0}")]
    Store(String),
    /// A part of the engine ended that never should.
    #[error("the engine failed: {0}")]
    Internal(String),
}
