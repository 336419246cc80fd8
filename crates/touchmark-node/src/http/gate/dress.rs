//! What every answer wears: a request id, and what browsers shall not do with it.
//!
//! Other sites may read everything that needs no key, and submit: what is public is public, and a
//! write is authorised by its signature, never by who sends it. No answer to another site depends
//! on cookies or keys: credentials are not allowed.

use crate::http::{scitt, setup};
use crate::pages;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Names a request in answers, logs and questions.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that is taken over from a client.
const ID_LENGTH: usize = 64;

/// Answers whose absence is filled in; a handler may set others.
const DEFAULTS: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::CACHE_CONTROL, "no-cache"),
];

/// For other sites.
const SHARED: [(HeaderName, &str); 2] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        "etag, location, retry-after, ratelimit, ratelimit-policy, x-request-id",
    ),
];

/// What is for whoever has a key.
const UNSHARED: [(HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];

/// The answer to a browser that asks before it sends.
const PREFLIGHT: [(HeaderName, &str); 3] = [
    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
    (
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        "accept, content-type, if-none-match, last-event-id, idempotency-key, x-request-id",
    ),
    (header::ACCESS_CONTROL_MAX_AGE, "86400"),
];

/// The middleware of all routes.
pub(crate) async fn dress(request: Request, next: Next) -> Response {
    let id = request_id(request.headers());
    let path = request.uri().path();
    let for_administration =
        path.starts_with("/v1/admin") || [setup::SETUP, pages::SETUP].contains(&path);
    let is_concise = scitt::has_concise_problems(path);
    let asks_before = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if asks_before && !for_administration {
        let mut response = StatusCode::NO_CONTENT.into_response();
        fill(response.headers_mut(), &PREFLIGHT);
        response
    } else {
        next.run(request).await
    };
    if response.status().is_server_error() {
        tracing::warn!(request = ?id, status = response.status().as_u16(), "not answered well");
    }
    if is_concise {
        response = scitt::concise(response);
    }
    let headers = response.headers_mut();
    if for_administration {
        fill(headers, &UNSHARED);
    } else {
        fill(headers, &SHARED);
    }
    fill(headers, &DEFAULTS);
    headers.insert(REQUEST_ID, id);
    response
}

fn fill(headers: &mut HeaderMap, values: &[(HeaderName, &'static str)]) {
    for (name, value) in values {
        if !headers.contains_key(name) {
            headers.insert(name.clone(), HeaderValue::from_static(value));
        }
    }
}

/// The client's id, if it is one that can be logged; else one of ours.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let is_plain = |value: &&HeaderValue| {
        let bytes = value.as_bytes();
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        !bytes.is_empty() && bytes.len() <= ID_LENGTH && bytes.iter().all(plain)
    };
    headers.get(REQUEST_ID).filter(is_plain).cloned().unwrap_or_else(new_id)
}

fn new_id() -> HeaderValue {
    /// Tells the ids of one start of the node from those of another.
    static START: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one("request ids"));
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let id = format!("{:016x}-{count:x}", *START);
    HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static("unnamed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_ids_are_taken_over() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_bytes(text.as_bytes()).unwrap());
            request_id(&headers)
        };
        assert_eq!(of("a-1_2.B"), "a-1_2.B");
        for odd in ["", "two words", "<b>", &"x".repeat(65), "ü"] {
            let (first, second) = (of(odd), of(odd));
            assert_ne!(first, odd);
            assert_ne!(first, second);
        }
    }
}
