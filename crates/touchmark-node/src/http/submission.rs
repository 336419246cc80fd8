//! Submitting statements and evidence.

use super::answer::Negative;
use super::extract::Named;
use super::leaves::{Leaves, Sequence};
use crate::intake::Decided;
use crate::node::Node;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use std::sync::Arc;
use touchmark_api::{OutcomeName, Written};
use touchmark_core::refusal::{Outcome, Refusal};
use touchmark_wire::leaf::{BareEvidence, Leaf};
use touchmark_wire::registry::{EvidenceFormat, RefusalCode};

/// `POST /v1/statements`
pub(super) async fn statements(
    State(node): State<Arc<Node>>,
    Extension(leaves): Extension<Leaves>,
) -> Result<Response, Negative> {
    match leaves {
        Leaves::One(body) => one(&node, body.into()).await,
        Leaves::Many(sequence) => many(&node, sequence).await,
        Leaves::Other => Err(Negative::malformed("the body is of no type that leaves have")),
    }
}

/// `POST /v1/evidence/{format}`: by anyone, without an identity.
pub(super) async fn evidence(
    State(node): State<Arc<Node>>,
    Named(format): Named<String>,
    body: Bytes,
) -> Result<Response, Negative> {
    let format = EvidenceFormat::from_name(&format)
        .ok_or_else(|| Negative::not_found(format!("the evidence format {format}")))?;
    let leaf = Leaf::Evidence(BareEvidence { format, bytes: &body, mark: None }).encode_to_vec();
    one(&node, leaf).await
}

async fn one(node: &Arc<Node>, leaf: Vec<u8>) -> Result<Response, Negative> {
    let Decided { id, outcome } = node.submit(vec![leaf]).await.remove(0);
    let outcome = as_at_first(node, outcome)?;
    if let Some(problem) = Written::problem(&outcome) {
        return Err(problem.into());
    }
    let status =
        if matches!(outcome, Outcome::Known(_)) { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(Written::new(id, &outcome))).into_response())
}

/// What is submitted again without having had an effect is answered as it was at first: *known*
/// alone would pass for accepted.
pub(super) fn as_at_first(node: &Node, outcome: Outcome) -> Result<Outcome, Negative> {
    let Outcome::Known(index) = outcome else { return Ok(outcome) };
    let refusal = |code| Refusal::new(RefusalCode(code), "it had no effect when it first came");
    Ok(match Leaf::decode(&node.store.snapshot().leaf(index)?) {
        Ok(Leaf::Denied { code, .. }) => Outcome::Denied(index, refusal(code)),
        Ok(Leaf::Sighting { code, .. }) => Outcome::Sighted(index, refusal(code)),
        _ => Outcome::Known(index),
    })
}

async fn many(node: &Arc<Node>, sequence: Sequence) -> Result<Response, Negative> {
    let leaves = sequence.into_items()?.into_iter().map(Into::into).collect();
    let decided = node.submit(leaves).await.into_iter();
    let written = decided
        .map(|it| Ok(Written::new(it.id, &as_at_first(node, it.outcome)?)))
        .collect::<Result<Vec<_>, Negative>>()?;
    let overloaded = RefusalCode::OVERLOADED.to_string();
    let all_overloaded = !written.is_empty()
        && written
            .iter()
            .all(|it| it.outcome == OutcomeName::Refused && it.code.as_ref() == Some(&overloaded));
    if all_overloaded {
        return Err(Negative::new(RefusalCode::OVERLOADED, "the node takes no more now"));
    }
    Ok(Json(written).into_response())
}
