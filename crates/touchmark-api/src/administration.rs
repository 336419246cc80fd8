//! What an operator sees and does over HTTP.

use serde::{Deserialize, Serialize};

/// How much of its bounds a node uses.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct LoadView {
    /// Whether it takes no writes until it is resumed.
    pub draining: bool,
    /// Open connections.
    pub connections: UseView,
    /// Requests that read, at this moment.
    pub reading: UseView,
    /// Requests that write, at this moment.
    pub writing: UseView,
    /// Listeners to events.
    pub listeners: UseView,
    /// Bytes of request bodies, at this moment.
    pub bodies: UseView,
    /// Bytes of submissions that wait for a batch.
    pub pool: UseView,
    /// Sources whose use is remembered.
    pub sources: UseView,
    /// Identities that have used up their share and wait.
    pub waiting_identities: u64,
}

/// How much of a bound is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct UseView {
    /// Used now.
    pub used: u64,
    /// The bound.
    pub limit: u64,
}

/// Whether a node takes writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct DrainView {
    /// Whether it takes none.
    pub draining: bool,
    /// Submissions that still wait for a batch.
    pub pending: u64,
}
