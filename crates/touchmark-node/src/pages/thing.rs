//! A thing: whether to believe it, and everything that is known of it.

use super::address::{Asked, Name};
use super::document::Document;
use super::reader::Reader;
use super::unable::Unable;
use super::wording::{self, capital, id, leaf, time};
use super::{check, taking};
use axum::extract::State;
use maud::{Markup, html};
use serde::Deserialize;
use touchmark_api::{LeafView, Listing, Problem, StatusView, ThingView};
use touchmark_core::verdict::Verdict;
use touchmark_wire::ids::{Did, ThingId};

/// What leads to a thing's page beside its id.
#[derive(Deserialize)]
pub(super) struct Wanted {
    /// Where its history goes on.
    cursor: Option<String>,
    /// What the search took the text for.
    taken: Option<String>,
}

/// `GET /t/{id}`, where the id may be a DID.
pub(super) async fn page(
    State(reader): State<Reader>,
    Name(name): Name,
    Asked(asked): Asked<Wanted>,
) -> Result<Document, Unable> {
    let thing = name.parse::<ThingId>().ok().or(name.parse::<Did>().ok().map(|did| did.thing));
    let Some(thing) = thing else {
        return Err(Unable::no_id("thing"));
    };
    let view: ThingView = reader.json(&format!("/v1/things/{thing}")).await?;
    let cursor = cursor(asked.cursor.as_deref())?;
    let path = format!("/v1/things/{thing}/history?limit=20{cursor}");
    let history: Listing<LeafView> = reader.json(&path).await?;
    let verdict = check::verdict(&reader, &format!("status={thing}")).await;
    let main = html! {
        @if let Some(taken) = asked.taken.as_deref().and_then(super::search::known) {
            p.note role="status" { "Taken for " (taken) "." }
        }
        article {
            (standing(&view, &verdict))
            (facts(&view))
            (keys(&view))
            (statuses(&view))
            (log(&view, &history))
            (proofs(&view))
        }
    };
    Ok(Document::new(wording::name(&view), main))
}

/// A cursor as it stands in a query: only the signs that cursors have.
pub(super) fn cursor(cursor: Option<&str>) -> Result<String, Unable> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    match cursor {
        None => Ok(String::new()),
        Some(cursor) if cursor.chars().all(allowed) => Ok(format!("&cursor={cursor}")),
        Some(_) => Err(Unable::malformed("the cursor is not one of ours")),
    }
}

fn standing(view: &ThingView, verdict: &Result<Verdict, Problem>) -> Markup {
    let (tone, word, meaning) = wording::standing(view);
    html! {
        section.verdict.(tone.class()) aria-labelledby="title" {
            p.label { (capital(&view.kind)) }
            h1 #title { (wording::name(view)) }
            (wording::verdict(word, meaning, "that what it shows or says is true, or that a theft or \
                loss was reported in time."))
            @if let Some(reason) = &view.status.reason { p { "Reason given: " q { (reason) } } }
            (checks(verdict))
        }
    }
}

/// The checks behind a verdict, or why there are none.
pub(super) fn checks(verdict: &Result<Verdict, Problem>) -> Markup {
    html! {
        @match verdict {
            Ok(verdict) => {
                h2.small { @if verdict.valid { "Proved by these checks" } @else { "Checks" } }
                (check::list(verdict))
                @if let Some(as_of) = &verdict.as_of {
                    p.small {
                        "As of " (time(as_of.time)) ", batch " (as_of.height) ", "
                        (as_of.size) " log entries. Checked by this node; the proof below lets you "
                        "check it yourself."
                    }
                }
            }
            Err(problem) => p.small {
                "There is no proof at the moment: " (problem.detail) ". " (problem.hint) "."
            },
        }
    }
}

fn facts(view: &ThingView) -> Markup {
    html! {
        section aria-labelledby="facts" {
            h2 #facts { "What it is" }
            dl.sheet {
                div { dt { "Id" } dd { code.bytes { (view.id) } } }
                div { dt { "DID" } dd { code.bytes { (view.did) } } }
                @if let Some(controller) = &view.controller {
                    div { dt { "Controller" } dd {
                        (id(controller))
                        @if view.controller_confirmed.is_none() {
                            " – it has not confirmed that, so do not take this for its thing"
                        }
                    } }
                }
                div { dt { "Registered" } dd { (leaf(view.created)) } }
                div { dt { "Chain" } dd {
                    a href={ "/t/" (view.id) "/chain" } { (view.head.sequence) " statements" }
                } }
                @if view.threshold > 1 {
                    div { dt { "Signatures needed" } dd { "keys of weight " (view.threshold) } }
                }
            }
            @if !view.attributes.is_empty() {
                h3 { "Attributes" }
                dl.sheet {
                    @for (name, value) in &view.attributes {
                        div { dt { (name) } dd { span.text { (value) } } }
                    }
                }
            }
        }
    }
}

fn keys(view: &ThingView) -> Markup {
    html! {
        section aria-labelledby="keys" {
            h2 #keys { "Keys" }
            @if view.keys.is_empty() {
                p { "It has no valid key: nothing can sign for it now." }
            } @else {
                div.scroll tabindex="0" role="region" aria-labelledby="keys" {
                    table {
                        thead { tr {
                            th scope="col" { "No." }
                            th scope="col" { "Purposes" }
                            th scope="col" { "Algorithm" }
                            th scope="col" { "Weight" }
                            th scope="col" { "From" }
                            th scope="col" { "To" }
                        } }
                        tbody {
                            @for key in &view.keys {
                                tr {
                                    th scope="row" { (key.number) }
                                    td { (key.purposes.join(", ")) }
                                    td { (key.algorithm) }
                                    td { (key.weight) }
                                    td { (leaf(key.from)) }
                                    td { @match key.to { Some(to) => (leaf(to)), None => "valid" } }
                                }
                            }
                        }
                    }
                }
            }
            @if let Some(next) = &view.next {
                p.small { (next.commitments.len()) " keys are declared to come next: a thief of the "
                    "present ones cannot replace them." }
            }
        }
    }
}

fn statuses(view: &ThingView) -> Markup {
    html! {
        section aria-labelledby="statuses" {
            h2 #statuses { "Status over time" }
            ol.timeline {
                @if view.statuses.is_empty() {
                    (status(&view.status))
                }
                @for change in view.statuses.iter().rev() {
                    (status(change))
                }
            }
        }
    }
}

fn status(change: &StatusView) -> Markup {
    html! {
        li {
            strong { (capital(&change.status)) } " since " (leaf(change.since))
            @if let Some(reason) = &change.reason { ": " q { (reason) } }
        }
    }
}

fn log(view: &ThingView, history: &Listing<LeafView>) -> Markup {
    html! {
        section aria-labelledby="history" {
            h2 #history { "History" }
            p { (view.history.count) " entries by it, and about it by those who have standing there. "
                "That none of them is missing can be proved." }
            @if view.history.mentions > 0 {
                p { "Among them in the list: " (view.history.mentions) " mentions, which is what "
                    "others say of it. They are counted apart." }
            }
            (entries(history))
            @if let Some(next) = &history.next {
                nav aria-label="Pages of the history" {
                    a.button href={ "/t/" (view.id) "?cursor=" (next) "#history" } { "More entries" }
                }
            }
        }
    }
}

/// Leaves, one line each.
pub(super) fn entries(listing: &Listing<LeafView>) -> Markup {
    html! {
        ol.entries {
            @for entry in &listing.items {
                li {
                    a href={ "/r/" (entry.index) } {
                        span.what { (wording::what(entry)) }
                        span.where { "leaf " (entry.index) }
                    }
                    @if let Some(code) = &entry.code { span.code { (code) } }
                    @if let Some(statement) = &entry.statement {
                        span.by { "by " (id(&statement.issuer)) ", no. " (statement.sequence) }
                    } @else if let Some(evidence) = &entry.evidence {
                        span.by { "by " (id(&evidence.thing)) ", counter " (evidence.counter) }
                    }
                }
            }
        }
    }
}

fn proofs(view: &ThingView) -> Markup {
    let name = &view.id;
    taking::section(&html! {
        li { a.button.strong href={ "/v1/proofs?status=" (name) }
            download={ "status-" (name) ".tmb" } { "Proof of status and keys" } }
        li { a.button href={ "/v1/proofs?status=" (name) "&complete=" (name) }
            download={ "history-" (name) ".tmb" } { "Proof of the whole history" } }
        li { a.button href={ "/v1/things/" (name) } { "As JSON" } }
        li { a.button href={ "/v1/things/" (name) "/history" } { "History as JSON" } }
    })
}
