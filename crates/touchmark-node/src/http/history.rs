//! Lists of leaves: the log, histories of things with their mentions, records, taps, and single
//! chains.

use super::answer::Negative;
use super::extract::{Judged, Named, Paging, Params, order, parsed};
use crate::node::Node;
use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use serde::Deserialize;
use std::ops::Range;
use std::sync::Arc;
use touchmark_api::{Kind, LeafView, Listing};
use touchmark_store::{Order, Snapshot};
use touchmark_wire::ids::{ChannelId, LeafIndex, Sequence, ThingId};
use touchmark_wire::registry::StatementKind;

/// Most leaves that are looked at for one page. A page of a rare kind may so hold fewer items than
/// asked for and yet have a next one.
const LOOKED_AT: usize = 2_000;

/// Which part of the log, and from which end.
#[derive(Deserialize)]
pub(super) struct Window {
    since: Option<u64>,
    until: Option<u64>,
    order: Option<String>,
}

impl Window {
    fn range(&self, reader: &Snapshot) -> Range<u64> {
        let size = reader.size().0;
        self.since.unwrap_or_default()..self.until.unwrap_or(size).min(size)
    }
}

/// Which leaves of a list.
#[derive(Deserialize, Default)]
pub(super) struct Selection {
    kind: Option<String>,
    issuer: Option<String>,
}

impl Selection {
    fn issuer(&self) -> Result<Option<ThingId>, Negative> {
        self.issuer.as_deref().map(parsed).transpose()
    }

    fn takes(&self, view: &LeafView) -> bool {
        let statement = view.statement.as_ref();
        let is_kind = |kind: &String| {
            kind == view.kind.name() || statement.is_some_and(|it| it.kind == *kind)
        };
        let is_issuer = |issuer: &String| statement.is_some_and(|it| it.issuer == *issuer);
        self.kind.as_ref().is_none_or(is_kind) && self.issuer.as_ref().is_none_or(is_issuer)
    }

    /// The issuer in the form that leaves present it in.
    fn normal(mut self) -> Result<Self, Negative> {
        self.issuer = self.issuer()?.map(|issuer| issuer.to_string());
        if let Some(kind) = self.kind.as_deref()
            && !Kind::ALL.iter().any(|known| known.name() == kind)
            && StatementKind::from_name(kind).is_none()
        {
            let detail = format!("`{kind}` is no kind of leaf or statement");
            return Err(Negative::malformed(detail));
        }
        Ok(self)
    }
}

/// What a list goes through.
enum Walk {
    /// The whole log.
    Log,
    /// The history of a thing, and its mentions.
    History(ThingId),
    /// The leaves about or in a channel.
    Channel(ChannelId),
}

impl Walk {
    /// All that concerns a thing, or everything.
    fn of(thing: Option<ThingId>) -> Self {
        thing.map_or(Self::Log, Self::History)
    }

    /// Positions beyond the cursor, in order, at most [`LOOKED_AT`].
    fn positions(
        &self,
        reader: &Snapshot,
        range: &Range<u64>,
        order: Order,
        after: Option<LeafIndex>,
    ) -> Result<Vec<LeafIndex>, Negative> {
        let mut range = range.clone();
        match (order, after) {
            (Order::OldestFirst, Some(after)) => {
                range.start = range.start.max(after.0.saturating_add(1));
            }
            (Order::NewestFirst, Some(after)) => range.end = range.end.min(after.0),
            (_, None) => {}
        }
        let before = match order {
            Order::OldestFirst => range.start.checked_sub(1).map(LeafIndex),
            Order::NewestFirst => Some(LeafIndex(range.end)),
        };
        let mut positions = match self {
            Self::History(thing) => reader.history(*thing, order, before, LOOKED_AT)?,
            Self::Channel(channel) => reader.channel_leaves(*channel, order, before, LOOKED_AT)?,
            Self::Log => {
                let positions = range.map(LeafIndex);
                return Ok(match order {
                    Order::OldestFirst => positions.take(LOOKED_AT).collect(),
                    Order::NewestFirst => positions.rev().take(LOOKED_AT).collect(),
                });
            }
        };
        positions.retain(|position| range.contains(&position.0));
        Ok(positions)
    }
}

/// How a list is cut, and how its items are shown.
pub(super) struct Cut {
    window: Window,
    paging: Paging,
    judged: Judged,
}

impl<S: Send + Sync> FromRequestParts<S> for Cut {
    type Rejection = Negative;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Negative> {
        Ok(Self {
            window: Params::from_request_parts(parts, state).await?.0,
            paging: Params::from_request_parts(parts, state).await?.0,
            judged: Params::from_request_parts(parts, state).await?.0,
        })
    }
}

impl Cut {
    /// One page of the leaves that `takes` takes.
    fn page(
        &self,
        node: &Node,
        walk: &Walk,
        takes: impl Fn(&LeafView) -> bool,
    ) -> Result<Json<Listing<LeafView>>, Negative> {
        let reader = &node.store.snapshot();
        let after = self.paging.after()?.map(LeafIndex);
        let order = order(self.window.order.as_deref())?;
        let positions = walk.positions(reader, &self.window.range(reader), order, after)?;
        let mut items = Vec::new();
        for (looked_at, position) in (1..).zip(&positions) {
            if looked_at % Snapshot::FETCHED == 1 {
                reader.fetch(&positions[looked_at - 1..]);
            }
            let leaf = reader.leaf(*position)?;
            if takes(&LeafView::new(*position, &leaf)) {
                items.push(self.judged.view(reader, *position, &leaf)?);
            }
            let more = looked_at < positions.len() || looked_at == LOOKED_AT;
            if more && (items.len() == self.paging.limit() || looked_at == LOOKED_AT) {
                return Ok(Json(Listing { items, next: Some(position.to_string()) }));
            }
        }
        Ok(Json(Listing { items, next: None }))
    }
}

/// `GET /v1/leaves`
pub(super) async fn leaves(
    State(node): State<Arc<Node>>,
    cut: Cut,
    Params(selection): Params<Selection>,
) -> Result<Json<Listing<LeafView>>, Negative> {
    let walk = Walk::of(selection.issuer()?);
    let selection = selection.normal()?;
    cut.page(&node, &walk, |view| selection.takes(view))
}

/// `GET /v1/things/{id}/history`
pub(super) async fn history(
    State(node): State<Arc<Node>>,
    Named(thing): Named<ThingId>,
    cut: Cut,
    Params(selection): Params<Selection>,
) -> Result<Json<Listing<LeafView>>, Negative> {
    let selection = selection.normal()?;
    cut.page(&node, &Walk::History(thing), |view| selection.takes(view))
}

/// `GET /v1/channels/{id}/leaves`
pub(super) async fn channel(
    State(node): State<Arc<Node>>,
    Named(channel): Named<ChannelId>,
    cut: Cut,
    Params(selection): Params<Selection>,
) -> Result<Json<Listing<LeafView>>, Negative> {
    let selection = selection.normal()?;
    cut.page(&node, &Walk::Channel(channel), |view| selection.takes(view))
}

/// `GET /v1/records`
pub(super) async fn records(
    State(node): State<Arc<Node>>,
    cut: Cut,
    Params(selection): Params<Selection>,
) -> Result<Json<Listing<LeafView>>, Negative> {
    let walk = Walk::of(selection.issuer()?);
    let kind = StatementKind::RECORD.name().map(str::to_owned);
    let selection = Selection { kind, ..selection }.normal()?;
    let takes = |view: &LeafView| view.kind == Kind::Accepted && selection.takes(view);
    cut.page(&node, &walk, takes)
}

/// Whose taps.
#[derive(Deserialize)]
pub(super) struct TapFilter {
    card: Option<String>,
}

/// `GET /v1/taps`: evidence, wrapped and bare, that counts or is a sighting.
pub(super) async fn taps(
    State(node): State<Arc<Node>>,
    cut: Cut,
    Params(filter): Params<TapFilter>,
) -> Result<Json<Listing<LeafView>>, Negative> {
    let card: Option<ThingId> = filter.card.as_deref().map(parsed).transpose()?;
    let walk = Walk::of(card);
    let card = card.map(|card| card.to_string());
    let takes = |view: &LeafView| {
        let counts = matches!(view.kind, Kind::Accepted | Kind::Evidence | Kind::Sighting);
        let evidence = view.evidence.as_ref().filter(|_| counts);
        evidence.is_some_and(|it| card.as_ref().is_none_or(|card| it.thing == *card))
    };
    cut.page(&node, &walk, takes)
}

/// Which chain of an issuer.
#[derive(Deserialize)]
pub(super) struct ChainFilter {
    channel: Option<String>,
}

/// `GET /v1/things/{id}/chain`: the statements of one chain, by sequence.
pub(super) async fn chain(
    State(node): State<Arc<Node>>,
    Named(issuer): Named<ThingId>,
    Params(paging): Params<Paging>,
    Params(filter): Params<ChainFilter>,
) -> Result<Json<Listing<LeafView>>, Negative> {
    let channel: Option<ChannelId> = filter
        .channel
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|_| Negative::malformed("a channel id is 32 characters of base32"))?;
    let after: u32 = paging.after()?.unwrap_or(0);
    let reader = node.store.snapshot();
    let from = Sequence(after.saturating_add(1));
    let limit = paging.limit();
    let mut found = reader.chain(issuer, channel, from, limit + 1)?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|last| last.sequence.to_string());
    let items: Result<Vec<_>, Negative> = found
        .iter()
        .map(|statement| Ok(LeafView::new(statement.leaf, &reader.leaf(statement.leaf)?)))
        .collect();
    Ok(Json(Listing { items: items?, next }))
}
