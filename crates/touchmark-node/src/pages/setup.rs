//! Setting up: a code from the node's first start, for its first API key.

use super::SETUP;
use super::document::Document;
use super::reader::Reader;
use super::unable::Unable;
use super::wording::{capital, time};
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use serde::Deserialize;
use touchmark_api::{Problem, SetUp, SetUpView};
use touchmark_wire::ids::Timestamp;

/// What the form brings.
#[derive(Deserialize)]
pub(super) struct Given {
    code: String,
}

/// `GET /setup`
pub(super) async fn page() -> Response {
    unkept(Document::new("Set up", html! { h1 { "Set up this node" } (form(None)) }))
}

/// `POST /setup`
pub(super) async fn set_up(
    State(reader): State<Reader>,
    given: Result<Form<Given>, FormRejection>,
) -> Response {
    let Ok(Form(Given { code })) = given else {
        return Unable::malformed("the form has no code").into_response();
    };
    match reader.post::<SetUpView>("/v1/setup", &SetUp { code }).await {
        Ok(made) => unkept(Document::new("Set up", shown(&made))),
        Err(problem) => {
            let status = StatusCode::from_u16(problem.status);
            let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let main = html! { h1 { "Set up this node" } (form(Some(&problem))) };
            let mut response = unkept(Document::new("Set up", main));
            *response.status_mut() = status;
            response
        }
    }
}

/// Nobody keeps these pages: one of them has a key in it.
fn unkept(document: Document) -> Response {
    let mut response = document.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn form(problem: Option<&Problem>) -> Markup {
    html! {
        @if let Some(problem) = problem {
            section.verdict.bad role="alert" aria-labelledby="refused" {
                h2 #refused { (problem.title) }
                p { (capital(&problem.detail)) "." }
                p { "What you can do: " (problem.hint) "." }
                p { a.code href={ "/problems#" (problem.code) } { (problem.code) } }
            }
        }
        section aria-labelledby="code-title" {
            h2 #code-title { "The set-up code" }
            p { "The node printed it when it started. It is good for an hour and makes one API key, "
                "with which you operate this node. It gives no right in the ledger: there, what is "
                "signed counts." }
            form.enter action=(SETUP) method="post" {
                label for="code" { "Code" }
                input #code type="text" name="code" required maxlength="64"
                    placeholder="XXXXX-XXXXX-XXXXX-XXXXX"
                    autocomplete="off" autocapitalize="characters" spellcheck="false";
                button type="submit" { "Make the key" }
            }
            p.small { "No code, or its time is over? Run " code { "touchmark apikey setup" }
                " where the node's data folder is." }
            p.small { "The code is sent in the body of this form, never in an address, and the node "
                "keeps only its hash. From another machine open this page over TLS or a tunnel." }
        }
    }
}

fn shown(made: &SetUpView) -> Markup {
    html! {
        h1 { "This node is yours" }
        section.verdict.good aria-labelledby="key-title" {
            h2 #key-title { "Your API key" }
            p { code.bytes { (made.key) } }
            p { strong { "Copy it now: it is shown this once, and only its hash is kept." } }
            dl.sheet {
                div { dt { "Id" } dd { code.bytes { (made.id) } } }
                div { dt { "Scopes" } dd { (made.scopes.join(", ")) } }
                div { dt { "Ends" } dd { (time(Timestamp(made.expires))) } }
            }
        }
        section aria-labelledby="next" {
            h2 #next { "What it opens" }
            p { "Send it as " code { "Authorization: Bearer KEY" } " with "
                a href="/reference#administration" { "administration" } ": load, drain, backups, "
                "erasing payloads. " code { "touchmark apikey list" } " shows it, "
                code { "touchmark apikey revoke " (made.id) } " ends it." }
        }
    }
}
