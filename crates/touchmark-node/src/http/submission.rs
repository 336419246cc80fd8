//! Submitting statements and evidence.

use super::answer::Negative;
use crate::intake::Decided;
use crate::node::Node;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use touchmark_api::{OutcomeName, Written, media};
use touchmark_core::refusal::Outcome;
use touchmark_wire::leaf::{BareEvidence, Leaf};
use touchmark_wire::registry::{EvidenceFormat, RefusalCode};

/// Most items of one request.
const ITEMS: usize = 10_000;

/// `POST /v1/statements`
pub(super) async fn statements(
    State(node): State<Arc<Node>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Negative> {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = media_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    match media_type {
        media::COSE | media::CBOR => Ok(one(&node, body.to_vec()).await),
        media::CBOR_SEQ => many(&node, &body).await,
        _ => {
            let detail = format!("send {} or {}", media::COSE, media::CBOR_SEQ);
            let mut negative = Negative::new(RefusalCode::MALFORMED, detail);
            negative.problem.status = StatusCode::UNSUPPORTED_MEDIA_TYPE.as_u16();
            Err(negative)
        }
    }
}

/// `POST /v1/evidence/{format}`: by anyone, without an identity.
pub(super) async fn evidence(
    State(node): State<Arc<Node>>,
    Path(format): Path<String>,
    body: Bytes,
) -> Result<Response, Negative> {
    let format = EvidenceFormat::from_name(&format)
        .ok_or_else(|| Negative::not_found(format!("the evidence format {format}")))?;
    let leaf = Leaf::Evidence(BareEvidence { format, bytes: &body }).encode_to_vec();
    Ok(one(&node, leaf).await)
}

async fn one(node: &Arc<Node>, leaf: Vec<u8>) -> Response {
    let Decided { id, outcome } = node.submit(vec![leaf]).await.remove(0);
    if let Some(problem) = Written::problem(&outcome) {
        return Negative::from(problem).into_response();
    }
    let status =
        if matches!(outcome, Outcome::Known(_)) { StatusCode::OK } else { StatusCode::CREATED };
    (status, Json(Written::new(id, &outcome))).into_response()
}

async fn many(node: &Arc<Node>, body: &[u8]) -> Result<Response, Negative> {
    let leaves = items(body)?;
    let decided = node.submit(leaves).await;
    let written: Vec<_> = decided.iter().map(|it| Written::new(it.id, &it.outcome)).collect();
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

/// Splits a CBOR sequence (RFC 8742).
fn items(mut body: &[u8]) -> Result<Vec<Vec<u8>>, Negative> {
    let mut items = Vec::new();
    while !body.is_empty() {
        let mut decoder = minicbor::Decoder::new(body);
        let skipped = decoder.skip();
        if skipped.is_err() {
            let detail = format!("item {} of the sequence is not CBOR", items.len());
            return Err(Negative::malformed(detail));
        }
        let (item, rest) = body.split_at(decoder.position());
        items.push(item.to_vec());
        body = rest;
        if items.len() > ITEMS {
            let detail = format!("a sequence has at most {ITEMS} items");
            return Err(Negative::new(RefusalCode::TOO_LONG, detail));
        }
    }
    Ok(items)
}
