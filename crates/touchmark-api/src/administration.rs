//! What an operator sees and does over HTTP.

use serde::{Deserialize, Serialize};
use std::fmt;

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

/// A copy of the ledger that a node makes beside its work.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct BackupView {
    /// Name of its folder, below `backups` in the node's data folder.
    pub name: String,
    /// How far it is.
    pub state: BackupState,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What it holds, once it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contents: Option<BackupContents>,
}

/// A set-up code.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SetUp {
    /// As the node printed it; hyphens, spaces and case do not count.
    pub code: String,
}

impl fmt::Debug for SetUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SetUp(…)")
    }
}

/// The API key that a set-up code made.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SetUpView {
    /// Names it in lists.
    pub id: String,
    /// What it is for.
    pub scopes: Vec<String>,
    /// When it ends, milliseconds since 1970-01-01T00:00:00Z.
    pub expires: u64,
    /// The key, shown this once.
    pub key: String,
}

impl fmt::Debug for SetUpView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("SetUpView");
        shown.field("id", &self.id).field("scopes", &self.scopes).field("expires", &self.expires);
        shown.finish_non_exhaustive()
    }
}

/// How far a backup is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum BackupState {
    /// It is being made.
    Running,
    /// It is whole and synced.
    Done,
    /// It could not be made; nothing is left of it.
    Failed,
}

/// What a backup holds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct BackupContents {
    /// Height of its last batch.
    pub height: u64,
    /// Leaves of its log.
    pub size: u64,
    /// Root of the log, hexadecimal.
    pub root: String,
    /// Root of the state, hexadecimal.
    pub state_root: String,
    /// Bytes of its files.
    pub bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_in_what_is_shown_for_finding_faults() {
        let asked = SetUp { code: "the code".into() };
        let (id, key) = ("0a1b2c3d".to_owned(), "the key".into());
        let made = SetUpView { id, scopes: Vec::new(), expires: 7, key };
        let shown = format!("{asked:?} {made:?}");
        assert!(shown.contains("0a1b2c3d") && shown.contains('7'), "{shown}");
        assert!(!shown.contains("the code") && !shown.contains("the key"), "{shown}");
    }
}
