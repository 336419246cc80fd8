//! A log as somebody shows it: a node, a server of files, or a folder.
//!
//! Nothing of it is believed. A [`Tip`] is what the network certified; a [`Tree`] gives only what
//! leads to a certified root. So whoever reads through these two reads the network's log, or is
//! told whose fault it is that there is none.

mod error;
mod source;
mod tip;
mod tree;

pub use error::ShownError;
pub use source::Source;
pub use tip::{Signer, Tip};
pub(crate) use tip::{committee, cosigned, receipted};
pub use tree::{Entries, Tree};
pub(crate) use tree::{end, levels};

/// Names of the files that a log has beside its tiles, where it is served as files.
pub(crate) mod file {
    /// The newest checkpoint (C2SP tlog-tiles).
    pub(crate) const CHECKPOINT: &str = "checkpoint";
    /// The genesis document.
    pub(crate) const GENESIS: &str = "genesis.cbor";
    /// The folder of proofs.
    pub(crate) const PROOFS: &str = "proof";

    /// The proof that the network certified the log when it had so many leaves.
    pub(crate) fn proof(size: touchmark_wire::ids::TreeSize) -> String {
        format!("{PROOFS}/{size}.tmb")
    }
}
