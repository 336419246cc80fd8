//! The HTTP interface for people: its OpenAPI document as a page.

use super::document::Document;
use super::reader::Reader;
use super::unable::Unable;
use super::wording::capital;
use axum::extract::State;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The parts of the document that are shown.
#[derive(Deserialize)]
struct Reference {
    info: Info,
    tags: Vec<Tag>,
    paths: BTreeMap<String, BTreeMap<String, Operation>>,
}

#[derive(Deserialize)]
struct Info {
    description: String,
}

#[derive(Deserialize)]
struct Tag {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Operation {
    #[serde(rename = "operationId")]
    id: String,
    tags: Vec<String>,
    summary: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    parameters: Vec<Parameter>,
    request_body: Option<Message>,
    responses: BTreeMap<String, Message>,
    #[serde(rename = "x-scope")]
    scope: Option<String>,
}

#[derive(Deserialize)]
struct Parameter {
    name: String,
    #[serde(rename = "in")]
    place: String,
    description: String,
    example: Value,
}

/// A body of a request or an answer.
#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    description: String,
    #[serde(default)]
    content: BTreeMap<String, Body>,
}

#[derive(Deserialize)]
struct Body {
    example: Option<Value>,
    /// Problems, by their code.
    #[serde(default)]
    examples: BTreeMap<String, Value>,
}

/// `GET /reference`
pub(super) async fn page(State(reader): State<Reader>) -> Result<Document, Unable> {
    let reference: Reference = reader.json("/openapi.json").await?;
    let main = html! {
        h1 { "HTTP interface" }
        p.lead { (reference.info.description) }
        p { "The same for programs: " a href="/openapi.json" { "/openapi.json" }
            ", OpenAPI 3.1. All codes: " a href="/problems" { "problems" } "." }
        nav aria-label="Groups" {
            ul.actions {
                @for Tag { name } in &reference.tags {
                    li { a.button href={ "#" (name) } { (capital(name)) } }
                }
            }
        }
        @for Tag { name } in &reference.tags {
            section aria-labelledby=(name) {
                h2 id=(name) { (capital(name)) }
                @for (path, methods) in &reference.paths {
                    @for (method, operation) in methods {
                        @if operation.tags.contains(name) { (shown(path, method, operation)) }
                    }
                }
            }
        }
    };
    Ok(Document::new("HTTP interface", main))
}

fn shown(path: &str, method: &str, operation: &Operation) -> Markup {
    html! {
        div.operation id=(operation.id) {
            h3 { code { span.method { (method.to_uppercase()) } (path) } }
            p { strong { (operation.summary) } }
            @if !operation.description.is_empty() { p { (operation.description) } }
            @if let Some(scope) = &operation.scope {
                p { "Needs an API key of the scope " code { (scope) } "." }
            }
            @if !operation.parameters.is_empty() {
                h4 { "Parameters" }
                dl.sheet {
                    @for it in &operation.parameters {
                        div {
                            dt { code { (it.name) } " (" (it.place) ")" }
                            dd { (it.description) ", for example " code.bytes { (plain(&it.example)) } }
                        }
                    }
                }
            }
            @if let Some(body) = &operation.request_body {
                h4 { "Takes" }
                (contents(body))
            }
            h4 { "Answers" }
            dl.sheet {
                @for (status, answer) in &operation.responses {
                    div { dt { (status) } dd { (answered(answer)) } }
                }
            }
        }
    }
}

fn answered(answer: &Message) -> Markup {
    let problems: Vec<_> = answer.content.values().flat_map(|body| body.examples.keys()).collect();
    html! {
        @if problems.is_empty() {
            (answer.description)
            (contents(answer))
        } @else {
            @for code in problems { a.code href={ "/problems#" (code) } { (code) } " " }
        }
    }
}

/// Media types, with examples.
fn contents(message: &Message) -> Markup {
    html! {
        @for (media, body) in &message.content {
            p { code { (media) } }
            @if let Some(example) = &body.example {
                details {
                    summary { "Example" }
                    pre tabindex="0" { (indented(example)) }
                }
            }
        }
    }
}

fn indented(example: &Value) -> String {
    serde_json::to_string_pretty(example).unwrap_or_default()
}

/// A value as it stands in a request.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
