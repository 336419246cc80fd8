//! Payloads that the log only commits to: kept beside it, shown to whoever asks, until they are
//! erased.

use super::answer::Negative;
use super::extract::Named;
use super::negotiation::Accepted;
use crate::node::Node;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use touchmark_api::{PayloadView, media};
use touchmark_store::{Erased, Error, Kept, Payload};
use touchmark_wire::codec::Malformed;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::LeafIndex;
use touchmark_wire::leaf::Leaf;
use touchmark_wire::registry::{ContentFormat, RefusalCode};
use touchmark_wire::statement::{Content, Preimage, Statement};

/// `POST /v1/leaves/{index}/payload`: whoever has salt and content proves that by them.
pub(super) async fn keep(
    State(node): State<Arc<Node>>,
    Named(index): Named<u64>,
    body: Bytes,
) -> Result<StatusCode, Negative> {
    let (commitment, _) = commitment(&node, LeafIndex(index))?;
    let preimage = Preimage::decode(&body).map_err(|malformed| match malformed {
        Malformed::TooLong { .. } => Negative::new(RefusalCode::TOO_LONG, malformed.to_string()),
        _ => Negative::malformed("the body is not the array [salt, content] in CBOR"),
    })?;
    let payload = Payload { salt: preimage.salt, content: preimage.content.to_vec() };
    match on_disk(move || node.store.put_payload(commitment, &payload)).await? {
        Kept::Durably => Ok(StatusCode::NO_CONTENT),
        Kept::NeverAgain => Err(Negative::new(
            RefusalCode::NOT_AUTHORISED,
            "this payload was erased, and this node does not keep it again",
        )),
        Kept::Unfit => {
            let detail = format!("salt and content are not what leaf {index} commits to");
            Err(Negative::new(RefusalCode::PAYLOAD, detail))
        }
    }
}

/// `GET /v1/leaves/{index}/payload`
pub(super) async fn payload(
    State(node): State<Arc<Node>>,
    Named(index): Named<u64>,
    headers: HeaderMap,
) -> Result<Response, Negative> {
    let (commitment, format) = commitment(&node, LeafIndex(index))?;
    let held = on_disk(move || node.store.payload(commitment)).await?;
    let Payload { salt, content } =
        held.ok_or_else(|| Negative::not_found(format!("the payload of leaf {index}")))?;
    // What can be erased is not to stay in anybody's cache.
    let uncached = [(header::CACHE_CONTROL, "no-store")];
    if Accepted::of(&headers).prefers(media::CBOR) {
        let bytes = Preimage { salt, content: &content }.encode_to_vec();
        return Ok((uncached, [(header::CONTENT_TYPE, media::CBOR)], bytes).into_response());
    }
    let view = PayloadView {
        position: index,
        content_format: format.0,
        salt: salt[..].into(),
        content: content[..].into(),
    };
    Ok((uncached, Json(view)).into_response())
}

/// Erases what a leaf commits to; whoever may was asked before.
pub(super) async fn erase(node: Arc<Node>, index: LeafIndex) -> Result<StatusCode, Negative> {
    let (commitment, _) = commitment(&node, index)?;
    match on_disk(move || node.store.erase_payload(commitment)).await? {
        Erased::Gone => {
            tracing::info!(%index, "a payload was erased");
            Ok(StatusCode::NO_CONTENT)
        }
        Erased::NothingThere => Err(Negative::not_found(format!("the payload of leaf {index}"))),
    }
}

/// What an accepted leaf commits to.
fn commitment(node: &Node, index: LeafIndex) -> Result<(Digest, ContentFormat), Negative> {
    let leaf = node.store.snapshot().leaf(index)?;
    let statement = match Leaf::decode(&leaf) {
        Ok(Leaf::Accepted(bytes)) => Statement::parse(bytes).ok(),
        _ => None,
    };
    let committed = statement.and_then(|statement| match statement.protected().content {
        Content::Committed(format) => Some((Digest(statement.payload().try_into().ok()?), format)),
        Content::Inline(_) => None,
    });
    committed.ok_or_else(|| {
        let detail = format!("leaf {index} is no accepted statement with a committed payload");
        Negative::new(RefusalCode::NOT_FOUND, detail)
    })
}

/// Files are read and synced off the threads that answer.
async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Negative> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(Negative::new(RefusalCode::INTERNAL, "the payload store broke off")),
    }
}
