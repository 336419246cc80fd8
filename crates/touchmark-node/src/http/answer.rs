//! Answers: problems (RFC 9457), and bytes with their media type.

use crate::attestation::AttestationError;
use crate::follow::WordError;
use crate::proof::ProofError;
use axum::Json;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use std::time::Duration;
use touchmark_api::{EdgeCode, Problem, media};
use touchmark_wire::hash::Digest;
use touchmark_wire::registry::RefusalCode;

/// A problem as a response.
#[derive(Debug)]
pub(super) struct Negative {
    pub(super) problem: Box<Problem>,
    /// When to come back.
    retry_after: Option<Duration>,
    /// Whether the rest of the connection is of no use.
    closes: bool,
}

/// What a response says that is a problem.
#[derive(Clone, Debug)]
pub(super) struct Refused(pub(super) Box<Problem>);

impl Negative {
    pub(super) fn new(code: RefusalCode, detail: impl Into<String>) -> Self {
        Problem::new(code, detail).into()
    }

    /// The same, with the time after which it may be otherwise.
    pub(super) fn after(mut self, time: Duration) -> Self {
        self.retry_after = Some(time);
        self
    }

    /// The same, as the last answer of its connection: the rest of the request was not read.
    pub(super) fn closing(mut self) -> Self {
        self.closes = true;
        self
    }

    pub(super) fn not_found(what: impl std::fmt::Display) -> Self {
        Self::new(RefusalCode::NOT_FOUND, format!("{what} is not here"))
    }

    pub(super) fn malformed(what: impl std::fmt::Display) -> Self {
        Self::new(RefusalCode::MALFORMED, what.to_string())
    }
}

impl From<Problem> for Negative {
    fn from(problem: Problem) -> Self {
        Self { problem: Box::new(problem), retry_after: None, closes: false }
    }
}

impl IntoResponse for Negative {
    fn into_response(self) -> Response {
        let problem = &self.problem;
        let status =
            StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media::PROBLEM));
        let soon = matches!(problem.status, 429 | 503 | 504).then_some(Duration::from_secs(1));
        if let Some(time) = self.retry_after.or(soon) {
            let seconds = time.as_millis().div_ceil(1_000).max(1);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds as u64));
        }
        if problem.status == 401 {
            let scheme = HeaderValue::from_static("Bearer realm=\"administration\"");
            headers.insert(header::WWW_AUTHENTICATE, scheme);
        }
        if self.closes {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response.extensions_mut().insert(Refused(self.problem));
        response
    }
}

impl From<touchmark_store::Error> for Negative {
    fn from(error: touchmark_store::Error) -> Self {
        match error {
            touchmark_store::Error::NoLeaf { .. }
            | touchmark_store::Error::NoTree { .. }
            | touchmark_store::Error::EmptyTree
            | touchmark_store::Error::NoTile => {
                Self::new(RefusalCode::NOT_FOUND, error.to_string())
            }
            touchmark_store::Error::Sealed { leaf, .. } => {
                // Where that is, and how it is reached, is the operator's alone.
                tracing::warn!(%error, "sealed leaves cannot be read");
                let detail = format!("the node cannot read the leaves from {leaf} on now");
                Problem::of_edge(EdgeCode::ObjectStorage, detail).into()
            }
            _ => {
                tracing::error!(%error, "the store cannot be read");
                Self::new(RefusalCode::STORAGE, "the node cannot read its own data")
            }
        }
    }
}

impl From<touchmark_core::refusal::Unreadable> for Negative {
    fn from(_: touchmark_core::refusal::Unreadable) -> Self {
        Self::new(RefusalCode::STORAGE, "the node cannot read its own state")
    }
}

impl From<AttestationError> for Negative {
    fn from(error: AttestationError) -> Self {
        let code = match error {
            AttestationError::NotValidator => RefusalCode::NOT_READY,
            _ => RefusalCode::INTERNAL,
        };
        Self::new(code, error.to_string())
    }
}

impl From<WordError> for Negative {
    fn from(error: WordError) -> Self {
        match error {
            WordError::Store(error) => error.into(),
            WordError::Unreadable => Self::new(RefusalCode::STORAGE, error.to_string()),
            // Whose fault it is, this node can say nothing else now.
            _ => Self::new(RefusalCode::NOT_READY, error.to_string()),
        }
    }
}

impl From<ProofError> for Negative {
    fn from(error: ProofError) -> Self {
        let code = match error {
            ProofError::Store(error) => return error.into(),
            ProofError::Attestation(error) => return error.into(),
            ProofError::Word(error) => return error.into(),
            ProofError::NotCertified => RefusalCode::NOT_READY,
            ProofError::NoThing(_) => RefusalCode::NOT_FOUND,
            ProofError::TooMany(_) => RefusalCode::LIMIT,
            ProofError::Unreadable => RefusalCode::STORAGE,
            ProofError::Engine(_) => RefusalCode::INTERNAL,
        };
        Self::new(code, error.to_string())
    }
}

/// What a representation is compared by (RFC 9110 §8.8.3).
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Tag(String);

impl Tag {
    /// Of exactly these bytes.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(format!("\"{}\"", &Digest::of(&[bytes]).to_string()[..32]))
    }

    /// Of an answer that says the same until the thing's history or its mentions grow (`count` is of
    /// both), but may name another size of the log.
    pub(super) fn of_history(count: u64, hash: &str) -> Self {
        Self(format!("W/\"{count}-{}\"", hash.get(..32).unwrap_or(hash)))
    }

    /// Whether the client has this one already.
    fn is_known(&self, request: &HeaderMap) -> bool {
        let weak = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        let known = request.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
        known.is_some_and(|known| {
            known.split(',').any(|tag| tag.trim() == "*" || weak(tag) == weak(&self.0))
        })
    }

    /// The answer with its tag, or that nothing changed.
    pub(super) fn answer(&self, request: &HeaderMap, answer: impl IntoResponse) -> Response {
        let mut response = answer.into_response();
        if self.is_known(request) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.body_mut() = axum::body::Body::empty();
            response.headers_mut().remove(header::CONTENT_TYPE);
        }
        let tag = HeaderValue::from_str(&self.0).expect("digits and quotation marks");
        response.headers_mut().insert(header::ETAG, tag);
        response
    }
}

/// The header of bytes that never change under their address.
pub(super) const IMMUTABLE: [(HeaderName, &str); 1] =
    [(header::CACHE_CONTROL, "public, max-age=31536000, immutable")];

/// Bytes with a media type.
pub(super) struct Body(pub(super) &'static str, pub(super) Vec<u8>);

impl IntoResponse for Body {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, self.0)], self.1).into_response()
    }
}

/// The answer to a method that the path does not take.
pub(super) async fn no_such_method(method: Method, uri: Uri) -> Negative {
    let detail = format!("{} does not take {method}", uri.path());
    Problem::of_edge(EdgeCode::Method, detail).into()
}

/// The answer of every path that is not in the table.
pub(super) async fn no_such_path(uri: Uri) -> Negative {
    Negative::not_found(uri.path())
}
