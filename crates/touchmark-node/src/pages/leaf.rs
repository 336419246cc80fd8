//! A leaf of the log: what it says, and what that is worth.

use super::address::Name;
use super::document::Document;
use super::reader::Reader;
use super::thing::checks;
use super::unable::Unable;
use super::wording::{self, Tone, id, time};
use super::{belief, check, sheet, taking};
use crate::cli::explain;
use axum::extract::State;
use maud::{Markup, html};
use touchmark_api::{Kind, LeafView, PayloadView, Problem};
use touchmark_core::verdict::{CheckResult, Verdict};
use touchmark_wire::ids::Timestamp;

/// Leaves that are looked at to find the end of a leaf's batch.
const BATCH: u64 = 64;

/// `GET /r/{position}`
pub(super) async fn page(
    State(reader): State<Reader>,
    Name(position): Name,
) -> Result<Document, Unable> {
    let malformed = |_| Unable::malformed("the address has no position of the log");
    let position: u64 = position.parse().map_err(malformed)?;
    let view: LeafView = reader.json(&format!("/v1/leaves/{position}?confidence=true")).await?;
    let proof = proof(&view);
    let verdict = check::verdict(&reader, &proof).await;
    let time = recorded(&reader, &view).await;
    let payload: Option<PayloadView> = if is_committed(&view) {
        reader.json(&format!("/v1/leaves/{position}/payload")).await.ok()
    } else {
        None
    };
    let main = html! {
        article {
            (judgement(&view, &verdict, time))
            @if let Some(confidence) = &view.confidence { (belief::section(confidence)) }
            (content(&view))
            @if is_committed(&view) { (kept(payload.as_ref())) }
            (origin(&view))
            (proofs(&view, &proof))
            nav.turn aria-label="Neighbours in the log" {
                @if let Some(before) = position.checked_sub(1) {
                    a.button rel="prev" href={ "/r/" (before) } { "← Leaf " (before) }
                }
                a.button rel="next" href={ "/r/" (position + 1) } { "Leaf " (position + 1) " →" }
            }
        }
    };
    Ok(Document::new(format!("{} at leaf {position}", wording::what(&view)), main))
}

/// What a proof of this leaf covers: the leaf, and the standing of who made it, there.
fn proof(view: &LeafView) -> String {
    let position = view.index;
    let issuer = view.statement.as_ref().map(|statement| &statement.issuer);
    let by = issuer.or(view.evidence.as_ref().map(|evidence| &evidence.thing));
    match by {
        // The standing at the very leaf that registers a thing is not defined.
        Some(by) if !is_inception(view) => format!("record={position}&status={by}@{position}"),
        _ => format!("record={position}"),
    }
}

fn is_committed(view: &LeafView) -> bool {
    let commits = view.statement.as_ref().is_some_and(|statement| statement.committed);
    commits && view.kind == Kind::Accepted
}

/// What the leaf commits to, as long as this node has it.
fn kept(payload: Option<&PayloadView>) -> Markup {
    html! {
        section aria-labelledby="kept" {
            h2 #kept { "What it commits to" }
            @match payload {
                Some(payload) => {
                    p { "This is kept beside the log and can be erased; the proof stays." }
                    (sheet::list(&explain::payload::kept(payload)))
                }
                None => p { "The content is not here: it was not given to this node, or erased." }
            }
        }
    }
}

fn is_inception(view: &LeafView) -> bool {
    view.statement.as_ref().is_some_and(|statement| statement.sequence == 1)
}

/// The certified time of the leaf's batch.
async fn recorded(reader: &Reader, view: &LeafView) -> Option<Timestamp> {
    if let Some(time) = view.time {
        return Some(Timestamp(time));
    }
    for position in view.index + 1..view.index + BATCH {
        let next: LeafView = reader.json(&format!("/v1/leaves/{position}")).await.ok()?;
        if let Some(time) = next.time {
            return Some(Timestamp(time));
        }
    }
    None
}

fn judgement(
    view: &LeafView,
    verdict: &Result<Verdict, Problem>,
    recorded: Option<Timestamp>,
) -> Markup {
    let (tone, word, meaning) = wording::judgement(view);
    // What the leaf is called must not sound better than what its proof shows.
    let contradicted = verdict
        .as_ref()
        .is_ok_and(|verdict| verdict.checks.iter().any(|check| check.result == CheckResult::Fail));
    let (tone, word, meaning) = if tone == Tone::Good && contradicted {
        (Tone::Bad, "The proof fails", "One of the checks below failed: do not rely on this entry.")
    } else {
        (tone, word, meaning)
    };
    html! {
        section.verdict.(tone.class()) aria-labelledby="title" {
            p.label { "Leaf " (view.index) }
            h1 #title { (wording::what(view)) }
            (wording::verdict(word, meaning, "that its content is true. It says who stated it, and \
                where it stands."))
            @if let Some(code) = &view.code { p { "Why: " span.code { (code) } } }
            @if let Some(first) = view.first { p { "The first statement: " (wording::leaf(first)) } }
            @if let Some(recorded) = recorded { p { "Certified " (time(recorded)) } }
            (checks(verdict))
        }
    }
}

fn content(view: &LeafView) -> Markup {
    html! {
        section aria-labelledby="content" {
            h2 #content { "What it says" }
            @match explain::leaf(&view.bytes.0) {
                Ok(explained) => (sheet::list(&explained)),
                Err(error) => p { "This entry cannot be read: " (error) },
            }
        }
    }
}

fn origin(view: &LeafView) -> Markup {
    html! {
        @if let Some(statement) = &view.statement {
            section aria-labelledby="origin" {
                h2 #origin { "Where it stands" }
                dl.sheet {
                    div { dt { "Stated by" } dd { (id(&statement.issuer)) } }
                    div { dt { "Place in its chain" } dd { (statement.sequence) } }
                    @if statement.sequence > 1 {
                        div { dt { "After" } dd {
                            a.id href={ "/search?q=" (statement.previous) } { (statement.previous) }
                        } }
                    }
                    @if let Some(channel) = &statement.channel {
                        div { dt { "Channel" } dd {
                            a.id href={ "/c/" (channel) } { (channel) }
                        } }
                    }
                    div { dt { "Hash of the leaf" } dd { code.bytes { (view.hash) } } }
                }
            }
        }
    }
}

fn proofs(view: &LeafView, proof: &str) -> Markup {
    let position = view.index;
    taking::section(&html! {
        li { a.button.strong href={ "/v1/proofs?" (proof) }
            download={ "leaf-" (position) ".tmb" } { "Proof" } }
        @if view.kind != Kind::Unknown {
            li { a.button href={ "/v1/receipts/" (position) }
                download={ "leaf-" (position) ".cose" } { "COSE receipt" } }
        }
        li { a.button href={ "/v1/leaves/" (position) } { "As JSON" } }
    })
}
