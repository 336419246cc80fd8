//! Channels, and who writes into them.

use super::answer::{Negative, Tag};
use super::extract::{Inquiry, Named, NamedPair, Paging, Params, order, parsed};
use crate::node::Node;
use crate::proof::Question;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use std::str::FromStr;
use std::sync::Arc;
use touchmark_api::{ChannelView, Listing, WriterView};
use touchmark_core::entry::{Channel, ChannelChain};
use touchmark_core::view::{Read as _, View as _};
use touchmark_store::{ChannelListing, ListedChannel, Snapshot};
use touchmark_wire::ids::{ChannelId, LeafIndex, ThingId};

/// Which channels to list.
#[derive(Deserialize)]
pub(super) struct Filter {
    author: Option<String>,
    order: Option<String>,
}

/// `GET /v1/channels`
pub(super) async fn channels(
    State(node): State<Arc<Node>>,
    Params(paging): Params<Paging>,
    Params(filter): Params<Filter>,
) -> Result<Json<Listing<ChannelView>>, Negative> {
    let author = filter.author.as_deref().map(parsed).transpose()?;
    let list = author.map_or(ChannelListing::All, ChannelListing::Author);
    let order = order(filter.order.as_deref())?;
    let after = paging.after()?.map(|Place(listed)| listed);
    let reader = node.store.snapshot();
    let limit = paging.limit();
    let mut found = reader.channels(list, order, after, limit + 1)?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|last| Place(*last).to_string());
    let items: Result<Vec<_>, Negative> = found
        .iter()
        .map(|listed| view(&reader, listed.channel, &known(&reader, listed.channel)?))
        .collect();
    Ok(Json(Listing { items: items?, next }))
}

/// `GET /v1/channels/{id}`
pub(super) async fn channel(
    State(node): State<Arc<Node>>,
    Named(id): Named<ChannelId>,
    inquiry: Inquiry,
) -> Result<Response, Negative> {
    let reader = node.store.snapshot();
    let fact = view(&reader, id, &known(&reader, id)?)?;
    drop(reader);
    let tag = Tag::of_history(fact.history.count + fact.history.mentions, &fact.history.hash);
    inquiry.answer(&node, Some(&tag), fact, Question::Channel(id)).await
}

/// `GET /v1/channels/{id}/writers`: those who have rights by a grant.
pub(super) async fn writers(
    State(node): State<Arc<Node>>,
    Named(id): Named<ChannelId>,
    Params(paging): Params<Paging>,
) -> Result<Json<Listing<WriterView>>, Negative> {
    let after = paging.after()?;
    let reader = node.store.snapshot();
    let channel = known(&reader, id)?;
    let limit = paging.limit();
    let mut found = reader.writers(id, after, limit + 1)?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(ThingId::to_string);
    let items: Result<Vec<_>, Negative> =
        found.iter().map(|thing| place(&reader, id, &channel, *thing)).collect();
    Ok(Json(Listing { items: items?, next }))
}

/// `GET /v1/channels/{id}/writers/{thing}`: anyone's rights and chain, granted or not.
pub(super) async fn writer(
    State(node): State<Arc<Node>>,
    NamedPair(id, thing): NamedPair<ChannelId, ThingId>,
    inquiry: Inquiry,
) -> Result<Response, Negative> {
    let reader = node.store.snapshot();
    if reader.thing(thing)?.is_none() {
        return Err(Negative::not_found(format!("the thing {thing}")));
    }
    let fact = place(&reader, id, &known(&reader, id)?, thing)?;
    drop(reader);
    inquiry.answer(&node, None, fact, Question::Writer(id, thing)).await
}

/// A channel that is there.
pub(super) fn known(reader: &Snapshot, id: ChannelId) -> Result<Channel, Negative> {
    reader.channel(id)?.ok_or_else(|| Negative::not_found(format!("the channel {id}")))
}

fn view(reader: &Snapshot, id: ChannelId, channel: &Channel) -> Result<ChannelView, Negative> {
    let attributes = reader.channel_attributes(id)?;
    Ok(ChannelView::new(id, channel, attributes, reader.size().0))
}

fn place(
    reader: &Snapshot,
    id: ChannelId,
    channel: &Channel,
    thing: ThingId,
) -> Result<WriterView, Negative> {
    let chain = reader.channel_chain(id, thing)?;
    let chain = chain.unwrap_or_else(|| ChannelChain::new(reader.network()));
    Ok(WriterView::new(id, channel, thing, &chain, reader.size().0))
}

/// A place in a list of channels, as a cursor.
struct Place(ListedChannel);

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.0.opened, self.0.channel)
    }
}

impl FromStr for Place {
    /// It is not ours.
    type Err = ();

    fn from_str(cursor: &str) -> Result<Self, ()> {
        let (opened, channel) = cursor.split_once('-').ok_or(())?;
        let opened = LeafIndex(opened.parse().map_err(|_| ())?);
        let channel = channel.parse().map_err(|_| ())?;
        Ok(Self(ListedChannel { opened, channel }))
    }
}
