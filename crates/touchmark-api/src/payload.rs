//! Payloads that the log only commits to.

use crate::Base64;
use serde::{Deserialize, Serialize};

/// Salt and content of a committed payload, as a node keeps them until they are erased. They are
/// genuine if SHA-256 of the CBOR array `[salt, content]` is the payload in the leaf.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct PayloadView {
    /// Leaf that commits to it.
    pub position: u64,
    /// CoAP Content-Format of the content.
    pub content_format: u16,
    /// 32 random bytes.
    pub salt: Base64,
    /// The content.
    pub content: Base64,
}
