//! Reading: the network, things, single leaves.

use super::Gateway;
use super::answer::{Body, IMMUTABLE, Negative, Tag};
use super::extract::{Inquiry, Named, Params};
use super::gate::PATIENCE;
use crate::batches;
use crate::node::{Node, now};
use crate::proof::Question;
use crate::rules::BUILD;
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;
use touchmark_api::{EdgeCode, NetworkView, NodeView, Problem, ThingView, media};
use touchmark_core::refusal::Unreadable;
use touchmark_core::view::Read as _;
use touchmark_ledger::StateView as _;
use touchmark_store::Snapshot;
use touchmark_wire::genesis::RULES_VERSION;
use touchmark_wire::ids::{EvidenceId, Height, LeafIndex, StatementId, ThingId};
use touchmark_wire::limits;

/// `GET /v1/network`
pub(super) async fn network(State(node): State<Arc<Node>>) -> Result<Json<NetworkView>, Negative> {
    let committee = node.committee().ok_or(Unreadable)?;
    let batch = node.store.snapshot().tip().batch.clone();
    let (appointed, origin) = (node.appointed(), &node.genesis.origin);
    let next = appointed.as_ref().and_then(|appointed| appointed.log_key(origin));
    Ok(Json(NetworkView {
        appointed: appointed.as_ref().map(|appointed| appointed.epoch.0),
        next_log_key: next.map(|key| key.to_string()),
        height: batch.height().0,
        time: batch.time().0,
        size: batch.size().0,
        root: batch.header().root.to_string(),
        ..NetworkView::new(&node.genesis, &committee)
    }))
}

/// `GET /v1/node`
pub(super) async fn node(State(node): State<Arc<Node>>) -> impl IntoResponse {
    let (status, backlog) = (node.status(), node.backlog());
    let term = Height(status.term.saturating_mul(limits::TERM));
    let view = NodeView {
        peer: node.peer().map(|peer| peer.to_string()),
        build: Some(BUILD.into()),
        rules: Some(RULES_VERSION),
        clock: now().0,
        term: status.term,
        term_ends: term.next_term().0.saturating_sub(1),
        view: status.view,
        votes: status.votes,
        connected: status.peers.iter().map(ToString::to_string).collect(),
        finalized: status.finalized.0,
        height: status.height.0,
        pending: backlog.items as u64,
        pending_bytes: backlog.bytes as u64,
        witnesses: node.follower().is_none().then(|| node.witnesses().view()),
        anchor: node.anchorage().view(),
    };
    ([(header::CACHE_CONTROL, "no-store")], Json(view))
}

/// `GET /v1/genesis`
pub(super) async fn genesis(State(node): State<Arc<Node>>) -> Body {
    Body(media::CBOR, node.genesis.encode_to_vec())
}

#[derive(Deserialize)]
pub(super) struct From {
    from: u64,
}

/// `GET /v1/batches?from=…`
pub(super) async fn batches(
    State(gateway): State<Gateway>,
    Params(From { from }): Params<From>,
) -> Result<impl IntoResponse, Negative> {
    let node = &gateway.node;
    let patience = PATIENCE.min(gateway.limits.answer_time / 2);
    // A node that ends wakes who waits as well: what counts is what there is then.
    let _ = tokio::time::timeout(patience, node.reach_height(Height(from))).await;
    let certified = batches::certified(node, Height(from)).await?;
    let certified = certified.ok_or_else(|| {
        let detail = format!("the batch {from} is not here yet");
        Negative::from(Problem::of_edge(EdgeCode::Behind, detail))
    });
    Ok(([(header::CACHE_CONTROL, "no-store")], Body(media::CBOR, certified?)))
}

/// `GET /v1/things/{id}`
pub(super) async fn thing(
    State(node): State<Arc<Node>>,
    Named(id): Named<ThingId>,
    inquiry: Inquiry,
) -> Result<Response, Negative> {
    let found = view(&node, node.store.snapshot().as_ref(), id)?;
    let fact = found.ok_or_else(|| Negative::not_found(format!("the thing {id}")))?;
    let tag = Tag::of_history(fact.history.count + fact.history.mentions, &fact.history.hash);
    inquiry.answer(&node, Some(&tag), fact, Question::Status(id)).await
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
    inquiry: Inquiry,
) -> Result<Response, Negative> {
    let reader = node.store.snapshot();
    found(&node, &inquiry, reader, LeafIndex(index)).await
}

/// `GET /v1/statements/{id}`
pub(super) async fn statement(
    State(node): State<Arc<Node>>,
    Named(id): Named<StatementId>,
    inquiry: Inquiry,
) -> Result<Response, Negative> {
    let reader = node.store.snapshot();
    let index = reader.statement(id)?;
    let index = index.ok_or_else(|| Negative::not_found(format!("the statement {id}")))?;
    found(&node, &inquiry, reader, index).await
}

/// `GET /v1/evidence/{id}`
pub(super) async fn evidence(
    State(node): State<Arc<Node>>,
    Named(id): Named<EvidenceId>,
    inquiry: Inquiry,
) -> Result<Response, Negative> {
    let reader = node.store.snapshot();
    let index = reader.evidence_leaf(id)?;
    let index = index.ok_or_else(|| Negative::not_found(format!("the evidence {id}")))?;
    found(&node, &inquiry, reader, index).await
}

/// A leaf, taken apart or as it stands in the log.
async fn found(
    node: &Node,
    inquiry: &Inquiry,
    reader: Arc<Snapshot>,
    index: LeafIndex,
) -> Result<Response, Negative> {
    let leaf = reader.leaf(index)?;
    if inquiry.prefers(media::CBOR) {
        return Ok((IMMUTABLE, Body(media::CBOR, leaf)).into_response());
    }
    let fact = inquiry.judged.view(&reader, index, &leaf)?;
    drop(reader);
    inquiry.answer(node, None, fact, Question::Record(index)).await
}
