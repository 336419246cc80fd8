//! Cards for applications: what is known of one, and the action of a tap.

use super::Gateway;
use super::answer::{Negative, Tag};
use super::extract::{Inquiry, Named};
use crate::node::Node;
use crate::proof::{self, Question};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;
use tokio::sync::Mutex;
use touchmark_api::{Base64, CardView, Problem, Tap, TapAction, TapVerdict, TapView, Written};
use touchmark_core::evidence;
use touchmark_core::refusal::Outcome;
use touchmark_core::view::Read as _;
use touchmark_wire::ids::{EvidenceId, ThingId};
use touchmark_wire::leaf::{BareEvidence, Leaf};
use touchmark_wire::registry::{EvidenceFormat, RefusalCode};

/// The formats that cards make.
const FORMATS: [EvidenceFormat; 2] = [EvidenceFormat::CARD_URL, EvidenceFormat::CARD_PAYLOAD];

/// `GET /v1/cards/{id}`
pub(super) async fn card(
    State(node): State<Arc<Node>>,
    Named(id): Named<ThingId>,
    inquiry: Inquiry,
) -> Result<Response, Negative> {
    let reader = node.store.snapshot();
    let missing = || Negative::not_found(format!("the card {id}"));
    let thing = reader.thing(id)?.ok_or_else(missing)?;
    let head = reader.head(id)?.ok_or_else(missing)?;
    let mut counters = Vec::new();
    for format in FORMATS {
        counters.extend(reader.counter(id, format)?.map(|counter| (format, counter)));
    }
    let fact = CardView::new(id, &thing, reader.attributes(id)?, counters, reader.size().0);
    drop(reader);
    let tag =
        Tag::of_history(head.history.count + head.mentions.count, &head.history.hash.to_string());
    inquiry.answer(&node, Some(&tag), fact, Question::Status(id)).await
}

/// Lets one update of the same URL at a time through, so that exactly one hears that it was the
/// first. Different URLs of one counter are told apart by the rules.
pub(super) struct Turns(Vec<Mutex<()>>);

impl Default for Turns {
    fn default() -> Self {
        Self((0..Self::COUNT).map(|_| Mutex::default()).collect())
    }
}

impl Turns {
    /// Two URLs share a turn by chance, which costs one of them a batch.
    const COUNT: usize = 4_096;

    fn of(&self, evidence: &EvidenceId) -> &Mutex<()> {
        let [first, second, ..] = evidence.0.0;
        &self.0[usize::from(u16::from_be_bytes([first, second])) % Self::COUNT]
    }
}

/// `POST /v1/taps`
pub(super) async fn tap(
    State(gateway): State<Gateway>,
    body: Bytes,
) -> Result<Json<TapView>, Negative> {
    let tap: Tap = serde_json::from_slice(&body)
        .map_err(|error| Negative::malformed(format!("the body is no tap: {error}")))?;
    let bytes = tap.url.as_bytes();
    let inner = evidence::parse(EvidenceFormat::CARD_URL, bytes)
        .map_err(|refusal| Negative::from(Problem::from(&refusal)))?;
    let leaf = Leaf::Evidence(BareEvidence { format: EvidenceFormat::CARD_URL, bytes });
    let leaf = leaf.encode_to_vec();
    let node = &gateway.node;
    let outcome = match tap.action {
        TapAction::Validate => node.foresee(leaf).await,
        TapAction::Update => {
            let _turn = gateway.turns.of(&inner.id(EvidenceFormat::CARD_URL)).lock().await;
            node.submit(vec![leaf]).await.remove(0).outcome
        }
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
        Some(leaf) if !used_before => match proof::receipt(node, leaf).await {
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
