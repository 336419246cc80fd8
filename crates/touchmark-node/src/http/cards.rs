//! What is known of a card.

use super::answer::{Negative, Tag};
use super::extract::{Inquiry, Named};
use crate::node::Node;
use crate::proof::Question;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;
use touchmark_api::CardView;
use touchmark_core::view::Read as _;
use touchmark_wire::ids::ThingId;
use touchmark_wire::registry::EvidenceFormat;

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
