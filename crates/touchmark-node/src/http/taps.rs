//! The action of a tap.

use super::answer::Negative;
use crate::node::Node;
use crate::proof;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use touchmark_api::{Base64, Problem, Tap, TapAction, TapVerdict, TapView, Written};
use touchmark_core::evidence;
use touchmark_core::refusal::{Outcome, Refusal};
use touchmark_wire::hash::{Digest, domain};
use touchmark_wire::leaf::{BareEvidence, Leaf, Mark};
use touchmark_wire::registry::{EvidenceFormat, RefusalCode};

/// Says that requests are repetitions of one (draft-ietf-httpapi-idempotency-key-header).
pub(super) const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// `POST /v1/taps`
///
/// An update's leaf has a mark of its own, so of any that are under way, here or at other nodes, the
/// log takes one, and whose mark that has was the first.
pub(super) async fn tap(
    State(node): State<Arc<Node>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<TapView>, Negative> {
    let tap: Tap = serde_json::from_slice(&body)
        .map_err(|error| Negative::malformed(format!("the body is no tap: {error}")))?;
    let bytes = tap.url.as_bytes();
    let inner = evidence::parse(EvidenceFormat::CARD_URL, bytes)
        .map_err(|refusal| Negative::from(Problem::from(&refusal)))?;
    let mark = mark(&headers)?;
    let bare = BareEvidence { format: EvidenceFormat::CARD_URL, bytes, mark: Some(mark) };
    let leaf = Leaf::Evidence(bare).encode_to_vec();
    let outcome = match tap.action {
        TapAction::Validate => node.foresee(leaf).await,
        TapAction::Update => update(&node, leaf).await?,
    };
    let Some(verdict) = TapVerdict::of(&outcome) else {
        let problem = Written::problem(&outcome);
        return Err(problem.map_or_else(|| Negative::malformed("it is no tap"), Negative::from));
    };
    let refusal = outcome.refusal();
    let used_before = matches!(outcome, Outcome::Known(_));
    let is_stored = used_before || tap.action == TapAction::Update;
    let position = outcome.leaf().filter(|_| is_stored);
    let receipt = match position {
        Some(leaf) if !used_before => match proof::receipt(&node, leaf).await {
            Ok(receipt) => Some(Base64(receipt)),
            // The tap is used up: its verdict must not be lost with somebody else's signature.
            Err(error) if node.attestor().is_none() => {
                tracing::warn!(%error, "no receipt for a tap");
                None
            }
            Err(error) => return Err(error.into()),
        },
        _ => None,
    };
    let replayed = RefusalCode::REPLAYED;
    let code = refusal.map(|refusal| refusal.code).or(used_before.then_some(replayed));
    let detail = refusal.map(|refusal| refusal.cause);
    Ok(Json(TapView {
        verdict,
        action: tap.action,
        card: inner.thing.to_string(),
        counter: inner.counter,
        code: code.map(|code| code.to_string()),
        detail: detail.or(used_before.then_some("this URL was used before")).map(str::to_owned),
        hint: code.map(|code| touchmark_core::refusal::hint(code).to_owned()),
        position: position.map(|leaf| leaf.0),
        receipt,
        size: node.store.snapshot().size().0,
    }))
}

/// Uses a tap up; what became of it also when this very update was made before.
async fn update(node: &Node, leaf: Vec<u8>) -> Result<Outcome, Negative> {
    let outcome = node.submit(vec![leaf.clone()]).await.remove(0).outcome;
    let Outcome::Known(at) = outcome else { return Ok(outcome) };
    let kept = node.store.snapshot().leaf(at)?;
    Ok(match Leaf::decode(&kept) {
        Ok(Leaf::Evidence(_)) if kept == leaf => Outcome::Accepted(at),
        Ok(Leaf::Sighting { code, leaf: kept }) if kept == leaf => {
            Outcome::Sighted(at, Refusal::new(RefusalCode(code), "the card was not authorised"))
        }
        _ => outcome,
    })
}

/// Whose update this is: everybody's own, or that of all who know the key of the request. The mark
/// stands in the log, where nobody can read the key from it.
fn mark(headers: &HeaderMap) -> Result<Mark, Negative> {
    /// Shorter ones could be guessed.
    const LENGTHS: RangeInclusive<usize> = 16..=255;
    let mut mark = [0; 16];
    let Some(key) = headers.get(IDEMPOTENCY_KEY) else {
        getrandom::fill(&mut mark)
            .map_err(|_| Negative::new(RefusalCode::STORAGE, "this node has no randomness"))?;
        return Ok(Mark(mark));
    };
    if !LENGTHS.contains(&key.len()) {
        let detail = "`Idempotency-Key` has 16 to 255 bytes; a random UUID is a good one";
        return Err(Negative::malformed(detail));
    }
    let digest = Digest::of(&[domain::TAP_MARK, key.as_bytes()]);
    mark.copy_from_slice(&digest.0[..16]);
    Ok(Mark(mark))
}
