//! Reading: the network, things, single leaves.

use super::answer::{Body, Negative, Tag};
use super::extract::{Freshness, Judged, Named, Params, Proving};
use crate::node::Node;
use crate::proof::Question;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;
use touchmark_api::{NetworkView, Proved, ThingView, media};
use touchmark_core::view::Read as _;
use touchmark_ledger::StateView as _;
use touchmark_store::Snapshot;
use touchmark_wire::ids::{EvidenceId, LeafIndex, StatementId, ThingId};
use touchmark_wire::merkle;

/// `GET /v1/network`
pub(super) async fn network(State(node): State<Arc<Node>>) -> Json<NetworkView> {
    let batch = node.store.snapshot().tip().batch.clone();
    Json(NetworkView {
        height: batch.height().0,
        time: batch.time().0,
        size: batch.size().0,
        root: batch.header().root.to_string(),
        ..NetworkView::new(&node.genesis)
    })
}

/// `GET /v1/genesis`
pub(super) async fn genesis(State(node): State<Arc<Node>>) -> Body {
    Body(media::CBOR, node.genesis.encode_to_vec())
}

/// `GET /v1/things/{id}`
pub(super) async fn thing(
    State(node): State<Arc<Node>>,
    Named(id): Named<ThingId>,
    Params(freshness): Params<Freshness>,
    Params(proving): Params<Proving>,
    headers: HeaderMap,
) -> Result<Response, Negative> {
    freshness.wait(&node).await;
    let found = view(&node, &node.store.snapshot(), id)?;
    let fact = found.ok_or_else(|| Negative::not_found(format!("the thing {id}")))?;
    let tag = Tag::of_history(fact.history.count, &fact.history.hash);
    let proof = proving.answer(&node, Question::Status(id)).await?;
    Ok(tag.answer(&headers, Json(Proved { fact, proof })))
}

pub(super) fn view(
    node: &Node,
    reader: &Snapshot,
    id: ThingId,
) -> Result<Option<ThingView>, Negative> {
    let (Some(thing), Some(head)) = (reader.thing(id)?, reader.head(id)?) else {
        return Ok(None);
    };
    let attributes = reader.attributes(id)?;
    let size = reader.size().0;
    Ok(Some(ThingView::new(&node.genesis.network_id(), id, &thing, &head, attributes, size)))
}

/// `GET /v1/leaves/{index}`
pub(super) async fn leaf(
    State(node): State<Arc<Node>>,
    Named(index): Named<u64>,
    Params(freshness): Params<Freshness>,
    Params(proving): Params<Proving>,
    Params(judged): Params<Judged>,
    headers: HeaderMap,
) -> Result<Response, Negative> {
    freshness.wait(&node).await;
    found(&node, LeafIndex(index), &proving, &judged, &headers).await
}

/// `GET /v1/statements/{id}`
pub(super) async fn statement(
    State(node): State<Arc<Node>>,
    Named(id): Named<StatementId>,
    Params(freshness): Params<Freshness>,
    Params(proving): Params<Proving>,
    Params(judged): Params<Judged>,
    headers: HeaderMap,
) -> Result<Response, Negative> {
    freshness.wait(&node).await;
    let index = node.store.snapshot().statement(id)?;
    let index = index.ok_or_else(|| Negative::not_found(format!("the statement {id}")))?;
    found(&node, index, &proving, &judged, &headers).await
}

/// `GET /v1/evidence/{id}`
pub(super) async fn evidence(
    State(node): State<Arc<Node>>,
    Named(id): Named<EvidenceId>,
    Params(freshness): Params<Freshness>,
    Params(proving): Params<Proving>,
    Params(judged): Params<Judged>,
    headers: HeaderMap,
) -> Result<Response, Negative> {
    freshness.wait(&node).await;
    let index = node.store.snapshot().evidence_leaf(id)?;
    let index = index.ok_or_else(|| Negative::not_found(format!("the evidence {id}")))?;
    found(&node, index, &proving, &judged, &headers).await
}

/// A leaf, taken apart or as it stands in the log.
async fn found(
    node: &Node,
    index: LeafIndex,
    proving: &Proving,
    judged: &Judged,
    headers: &HeaderMap,
) -> Result<Response, Negative> {
    let reader = node.store.snapshot();
    let leaf = reader.leaf(index)?;
    let tag = Tag::of(&merkle::leaf_hash(&leaf));
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if accepts.is_some_and(|accepts| accepts.contains(media::CBOR)) {
        return Ok(tag.answer(headers, Body(media::CBOR, leaf)));
    }
    let fact = judged.view(&reader, index, &leaf)?;
    drop(reader);
    let proof = proving.answer(node, Question::Record(index)).await?;
    let answer = Json(Proved { fact, proof });
    // What is believed of a leaf changes, the leaf itself never does.
    Ok(if judged.is_wanted() { answer.into_response() } else { tag.answer(headers, answer) })
}
