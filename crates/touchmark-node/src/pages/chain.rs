//! One chain of a thing: its main chain, or the one in a channel.

use super::address::{Asked, Name};
use super::document::Document;
use super::reader::Reader;
use super::thing::{cursor, entries};
use super::unable::Unable;
use super::wording::id;
use axum::extract::State;
use maud::html;
use serde::Deserialize;
use touchmark_api::{LeafView, Listing};
use touchmark_wire::ids::{ChannelId, ThingId};

/// Which chain, and where in it.
#[derive(Deserialize)]
pub(super) struct Wanted {
    channel: Option<String>,
    cursor: Option<String>,
}

/// `GET /t/{id}/chain?channel=…`
pub(super) async fn page(
    State(reader): State<Reader>,
    Name(thing): Name,
    Asked(asked): Asked<Wanted>,
) -> Result<Document, Unable> {
    let thing: ThingId = thing.parse().map_err(|_| Unable::no_id("thing"))?;
    let channel = asked.channel.as_deref().map(str::parse::<ChannelId>).transpose();
    let channel = channel.map_err(|_| Unable::no_id("channel"))?;
    let query = channel.map(|channel| format!("&channel={channel}")).unwrap_or_default();
    let path = format!("/v1/things/{thing}/chain?limit=20{query}");
    let path = path + &cursor(asked.cursor.as_deref())?;
    let chain: Listing<LeafView> = reader.json(&path).await?;
    let title = if channel.is_some() { "Channel" } else { "Chain" };
    let main = html! {
        article {
            section.verdict.unknown aria-labelledby="title" {
                p.label { (title) }
                h1 #title { "Statements in order" }
                p { "by " (id(&thing.to_string())) }
                @if let Some(channel) = channel { p { "in channel " a.id href={ "/c/" (channel) } { (channel) } } }
                p.lead { "Each names the one before it, so none can be taken out or put between." }
            }
            section aria-label="Statements" {
                @if chain.items.is_empty() { p { "There are none." } }
                (entries(&chain))
                @if let Some(next) = &chain.next {
                    nav aria-label="Pages of the chain" {
                        a.button href={ "/t/" (thing) "/chain?cursor=" (next) (query) } { "Later ones" }
                    }
                }
            }
        }
    };
    Ok(Document::new(title, main))
}
