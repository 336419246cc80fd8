//! Answers to submissions.

use crate::{HeadView, Problem};
use serde::{Deserialize, Serialize};
use touchmark_core::refusal::Outcome;
use touchmark_wire::hash::Digest;
use touchmark_wire::registry::RefusalCode;

/// What became of a submission.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Written {
    /// Statement id or evidence id, hexadecimal; absent when it was refused before its signature was
    /// verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What became of it.
    pub outcome: OutcomeName,
    /// Leaf index, if it is in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// Stable code of why it has no effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Why, one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// With a conflict: where the chain stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<HeadView>,
}

/// The name of an outcome.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum OutcomeName {
    /// In the log, with its effect.
    Accepted,
    /// In the log, without effect.
    Denied,
    /// In the log as a sighting of a thing that is not authorised.
    Sighted,
    /// In the log as proof that the chain forked.
    Forked,
    /// It was in the log before.
    Known,
    /// Nothing was stored.
    Refused,
}

impl Written {
    /// The answer for `outcome`.
    pub fn new(id: Option<Digest>, outcome: &Outcome) -> Self {
        let name = match outcome {
            Outcome::Accepted(_) => OutcomeName::Accepted,
            Outcome::Denied(..) => OutcomeName::Denied,
            Outcome::Sighted(..) => OutcomeName::Sighted,
            Outcome::Forked(..) => OutcomeName::Forked,
            Outcome::Known(_) => OutcomeName::Known,
            Outcome::Refused(_) => OutcomeName::Refused,
        };
        let refusal = outcome.refusal();
        Self {
            id: id.map(|id| id.to_string()),
            outcome: name,
            position: outcome.leaf().map(|leaf| leaf.0),
            code: refusal.map(|refusal| refusal.code.to_string()),
            detail: refusal.map(|refusal| refusal.cause.into()),
            hint: refusal.map(|refusal| refusal.hint().into()),
            head: refusal.and_then(|refusal| refusal.head).map(HeadView::from),
        }
    }

    /// The problem that a negative outcome is; `None` for what has its effect.
    pub fn problem(outcome: &Outcome) -> Option<Problem> {
        let refusal = outcome.refusal()?;
        Some(Problem { position: outcome.leaf().map(|leaf| leaf.0), ..Problem::from(refusal) })
    }

    /// The problem that an answer is which says of something that it has no effect, whatever the
    /// status of the response around it.
    pub(crate) fn as_problem(&self) -> Option<Problem> {
        let code = match (&self.code, self.outcome) {
            (None, OutcomeName::Accepted | OutcomeName::Known) => return None,
            (Some(code), _) => code.clone(),
            (None, _) => RefusalCode::INTERNAL.to_string(),
        };
        let known = RefusalCode::from_name(&code).unwrap_or(RefusalCode::INTERNAL);
        let plain = Problem::new(known, "it has no effect");
        Some(Problem {
            kind: format!("/problems#{code}"),
            detail: self.detail.clone().unwrap_or(plain.detail),
            hint: self.hint.clone().unwrap_or(plain.hint),
            head: self.head.clone(),
            position: self.position,
            code,
            title: plain.title,
            status: plain.status,
        })
    }
}
