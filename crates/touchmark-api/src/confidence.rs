//! How far a record can be believed, as a node and `touchmark verify` present it.

use serde::{Deserialize, Serialize};
use touchmark_core::confidence::{Confidence, Reason};

/// How far a record can be believed, and why.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ConfidenceView {
    /// `void`, `unauthorised`, `doubtful`, `plausible` or `trusted`: the lowest that a reason
    /// allows.
    pub level: String,
    /// What was found.
    pub reasons: Vec<ReasonView>,
}

/// One thing that was found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ReasonView {
    /// Stable code.
    pub code: String,
    /// The level above which it lets no record.
    pub ceiling: String,
    /// About which thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thing: Option<String>,
    /// One sentence.
    pub reason: String,
}

impl From<&Confidence> for ConfidenceView {
    fn from(confidence: &Confidence) -> Self {
        Self {
            level: confidence.level.as_str().into(),
            reasons: confidence.reasons.iter().map(ReasonView::from).collect(),
        }
    }
}

impl From<&Reason> for ReasonView {
    fn from(reason: &Reason) -> Self {
        Self {
            code: reason.code.as_str().into(),
            ceiling: reason.code.ceiling().as_str().into(),
            thing: reason.thing.map(|thing| thing.to_string()),
            reason: reason.to_string(),
        }
    }
}
