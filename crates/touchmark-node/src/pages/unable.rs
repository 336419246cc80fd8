//! The page of a question without an answer: what happened, why, and what to do.

use super::document::Document;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::html;
use touchmark_api::Problem;
use touchmark_wire::registry::RefusalCode;

/// A problem as a page.
pub(super) struct Unable(Box<Problem>);

impl Unable {
    /// A path that names nothing of its kind.
    pub(super) fn malformed(what: impl Into<String>) -> Self {
        Problem::new(RefusalCode::MALFORMED, what).into()
    }

    /// A path that names nothing that is here.
    pub(super) fn not_found(what: &str) -> Self {
        Problem::new(RefusalCode::NOT_FOUND, format!("{what} is not here")).into()
    }

    /// A path that names no `what`.
    pub(super) fn no_id(what: &str) -> Self {
        Self::malformed(format!("the address has no {what} id: 32 characters of base32"))
    }
}

impl From<Problem> for Unable {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl IntoResponse for Unable {
    fn into_response(self) -> Response {
        let problem = self.0;
        let status =
            StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let main = html! {
            section.verdict.unknown aria-labelledby="title" {
                p.label { "Nothing to show" }
                h1 #title { (problem.title) }
                p.lead { (sentence(&problem.detail)) }
                p { "What you can do: " (problem.hint) "." }
                p { a.code href={ "/problems#" (problem.code) } { (problem.code) } }
            }
        };
        (status, Document::new(problem.title.clone(), main)).into_response()
    }
}

/// A cause as a sentence.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
