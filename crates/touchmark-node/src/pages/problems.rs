//! What the codes of problems mean: `type` of a problem leads here.

use super::document::Document;
use super::reader::Reader;
use super::unable::Unable;
use axum::extract::State;
use maud::html;
use serde::Deserialize;

/// The part of the OpenAPI document that is shown.
#[derive(Deserialize)]
struct Codes {
    #[serde(rename = "x-problem-codes")]
    codes: Vec<Explained>,
}

#[derive(Deserialize)]
struct Explained {
    code: String,
    status: u16,
    meaning: String,
    hint: String,
}

/// `GET /problems`
pub(super) async fn page(State(reader): State<Reader>) -> Result<Document, Unable> {
    let Codes { codes } = reader.json("/openapi.json").await?;
    let main = html! {
        h1 { "Problems" }
        p.lead { "Every refusal has a code that stays the same, its HTTP status, and what to do." }
        section aria-label="Codes" {
            dl.sheet {
                @for Explained { code, status, meaning, hint } in &codes {
                    div id=(code) {
                        dt { code { (code) } " (" (status) ")" }
                        dd { p { (meaning) } p { "What you can do: " (hint) "." } }
                    }
                }
            }
        }
    };
    Ok(Document::new("Problems", main))
}
