//! Problem details (RFC 9457): the one mapping from refusals to HTTP.

mod concise;

use crate::EdgeCode;
use serde::{Deserialize, Serialize};
use touchmark_core::refusal::{ChainHead, Refusal, hint};
use touchmark_wire::registry::RefusalCode;

/// Why a request was not done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[error("{code}: {detail}")]
pub struct Problem {
    /// URI reference that names the kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in a few words.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What happened and why, one sentence.
    pub detail: String,
    /// Stable code, `TM-…`.
    pub code: String,
    /// What to do about it.
    pub hint: String,
    /// With a conflict: where the chain stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<HeadView>,
    /// Where it stands in the log, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
}

/// Where a chain stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct HeadView {
    /// Place of the last statement; 0 before the first.
    pub sequence: u32,
    /// What the next statement's `previous` must be, hexadecimal.
    pub last: String,
}

impl From<ChainHead> for HeadView {
    fn from(head: ChainHead) -> Self {
        Self { sequence: head.sequence.0, last: head.last.to_string() }
    }
}

impl Problem {
    /// A problem of this code.
    pub fn new(code: RefusalCode, detail: impl Into<String>) -> Self {
        let (status, title) = status(code);
        Self {
            kind: format!("/problems#{code}"),
            title: title.into(),
            status,
            detail: detail.into(),
            code: code.to_string(),
            hint: hint(code).into(),
            head: None,
            position: None,
        }
    }

    /// A problem of the interface itself.
    pub fn of_edge(code: EdgeCode, detail: impl Into<String>) -> Self {
        let row = code.row();
        Self {
            kind: format!("/problems#{}", row.code),
            title: row.title.into(),
            status: row.status,
            detail: detail.into(),
            code: row.code.into(),
            hint: row.hint.into(),
            head: None,
            position: None,
        }
    }

    /// The registered code.
    pub fn code(&self) -> Option<RefusalCode> {
        RefusalCode::from_name(&self.code)
    }
}

impl From<&Refusal> for Problem {
    fn from(refusal: &Refusal) -> Self {
        Self { head: refusal.head.map(HeadView::from), ..Self::new(refusal.code, refusal.cause) }
    }
}

/// HTTP status and title of a code; the class is the code's blame.
fn status(code: RefusalCode) -> (u16, &'static str) {
    match code {
        RefusalCode::TOO_LONG => (413, "Too large"),
        RefusalCode::QUOTA => (429, "Too many requests"),
        RefusalCode::REVOKED | RefusalCode::FORBIDDEN | RefusalCode::NOT_AUTHORISED => {
            (403, "Not authorised")
        }
        RefusalCode::TIMEOUT => (504, "No answer in time"),
        RefusalCode(number) => match number / 100 {
            1 => (400, "Malformed"),
            2 => (422, "Denied by the rules"),
            3 => (409, "Conflict"),
            4 => (404, "Not found"),
            5 => (503, "Not available now"),
            _ => (500, "Fault of the node"),
        },
    }
}
