//! A fact that may come with its proof.

use crate::Base64;
use serde::{Deserialize, Serialize};

/// A fact, with a bundle that proves it when `?proof=1` asks for one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Proved<T> {
    /// The fact.
    #[serde(flatten)]
    pub fact: T,
    /// A bundle: `touchmark verify` checks it without a network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Base64>,
}
