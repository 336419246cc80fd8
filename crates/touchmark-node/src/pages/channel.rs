//! A channel: who may write into it, and what is in it.

use super::address::{Asked, Name};
use super::document::Document;
use super::reader::Reader;
use super::thing::{checks, cursor, entries};
use super::unable::Unable;
use super::wording::{self, Tone, id, leaf};
use super::{check, taking};
use axum::extract::State;
use maud::{Markup, html};
use serde::Deserialize;
use touchmark_api::{ChannelView, LeafView, Listing, Problem, WriterView};
use touchmark_core::verdict::Verdict;
use touchmark_wire::ids::ChannelId;

/// Writers that are shown.
const WRITERS: usize = 100;

/// Where its list of entries goes on.
#[derive(Deserialize)]
pub(super) struct Wanted {
    cursor: Option<String>,
}

/// `GET /c/{id}`
pub(super) async fn page(
    State(reader): State<Reader>,
    Name(name): Name,
    Asked(asked): Asked<Wanted>,
) -> Result<Document, Unable> {
    let channel: ChannelId = name.parse().map_err(|_| Unable::no_id("channel"))?;
    let path = format!("/v1/channels/{channel}");
    let view: ChannelView = reader.json(&path).await?;
    let cursor = cursor(asked.cursor.as_deref())?;
    let leaves: Listing<LeafView> = reader.json(&format!("{path}/leaves?limit=20{cursor}")).await?;
    let writers: Listing<WriterView> =
        reader.json(&format!("{path}/writers?limit={WRITERS}")).await?;
    let verdict = check::verdict(&reader, &format!("channel={channel}")).await;
    let main = html! {
        article {
            (standing(&view, &verdict))
            (facts(&view))
            (granted(&view, &writers))
            (log(&view, &leaves))
            (proofs(&view))
        }
    };
    Ok(Document::new(title(&view), main))
}

/// What people call a channel: the name that it was given, else the start of its id.
fn title(view: &ChannelView) -> String {
    let short: String = view.id.chars().take(8).collect();
    view.attributes.get("name").cloned().unwrap_or_else(|| format!("Channel {short}…"))
}

fn standing(view: &ChannelView, verdict: &Result<Verdict, Problem>) -> Markup {
    let (tone, word, meaning) = match (view.closed, view.writers.as_str()) {
        (Some(_), _) => {
            (Tone::Caution, "Closed", "Nobody writes into it any more. What is in it stays.")
        }
        (None, "anyone") => (Tone::Good, "Open to anyone", "Every thing may write into it."),
        (None, _) => {
            (Tone::Good, "Open", "Its author writes into it, and those to whom it grants that.")
        }
    };
    html! {
        section.verdict.(tone.class()) aria-labelledby="title" {
            p.label { "Channel" }
            h1 #title { (title(view)) }
            (wording::verdict(word, meaning, "that what is written in it is true, or that anybody \
                reads it."))
            (checks(verdict))
        }
    }
}

fn facts(view: &ChannelView) -> Markup {
    html! {
        section aria-labelledby="facts" {
            h2 #facts { "What it is" }
            dl.sheet {
                div { dt { "Id" } dd { code.bytes { (view.id) } } }
                div { dt { "Author" } dd { (id(&view.author)) } }
                div { dt { "Opened" } dd { (leaf(view.opened)) } }
                @if let Some(closed) = view.closed {
                    div { dt { "Closed" } dd { (leaf(closed)) } }
                }
                @for (name, value) in &view.attributes {
                    div { dt { (name) } dd { span.text { (value) } } }
                }
            }
        }
    }
}

fn granted(view: &ChannelView, writers: &Listing<WriterView>) -> Markup {
    html! {
        @if view.writers != "anyone" {
            section aria-labelledby="writers" {
                h2 #writers { "Who was granted writing" }
                @if writers.items.is_empty() { p { "Nobody but its author." } }
                ol.entries {
                    @for writer in &writers.items {
                        li {
                            (id(&writer.thing))
                            span.by {
                                a href={ "/t/" (writer.thing) "/chain?channel=" (view.id) } {
                                    (writer.head.sequence) " entries"
                                }
                                @if let Some(since) = writer.since { ", since " (leaf(since)) }
                            }
                        }
                    }
                }
                @if writers.next.is_some() { p { "There are more." } }
            }
        }
    }
}

fn log(view: &ChannelView, leaves: &Listing<LeafView>) -> Markup {
    html! {
        section aria-labelledby="history" {
            h2 #history { "What is in it" }
            p { (view.history.count) " leaves: its opening, who was granted writing, its entries. "
                "Their list is complete, and that can be proved."
                @if view.history.mentions > 0 {
                    " " (view.history.mentions) " more are of those who might not write."
                }
            }
            (entries(leaves))
            @if let Some(next) = &leaves.next {
                nav aria-label="Pages of the channel" {
                    a.button href={ "/c/" (view.id) "?cursor=" (next) "#history" } { "More entries" }
                }
            }
        }
    }
}

fn proofs(view: &ChannelView) -> Markup {
    let name = &view.id;
    taking::section(&html! {
        li { a.button.strong href={ "/v1/proofs?channel=" (name) "&complete_channel=" (name) }
            download={ "channel-" (name) ".tmb" } { "Proof that nothing is missing" } }
        li { a.button href={ "/v1/channels/" (name) } { "As JSON" } }
        li { a.button href={ "/v1/channels/" (name) "/leaves" } { "Entries as JSON" } }
    })
}
