//! The tag of an answer whose handler gave none: that of its bytes.

use crate::http::answer::{Negative, Tag};
use axum::body::{Body, HttpBody as _, to_bytes};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use touchmark_wire::registry::RefusalCode;

/// Longest body that is hashed: a longer one is a bundle, which every batch makes anew.
const LIMIT: usize = 1 << 20;

/// The answer with a tag, or that nothing changed; what nobody is to keep has none.
pub(super) async fn tagged(request: &HeaderMap, response: Response) -> Result<Response, Negative> {
    let headers = response.headers();
    let is_unstored = headers.get(header::CACHE_CONTROL).is_some_and(|it| it == "no-store");
    let is_short = response.body().size_hint().exact().is_some_and(|length| length <= LIMIT as u64);
    if response.status() != StatusCode::OK
        || headers.contains_key(header::ETAG)
        || is_unstored
        || !is_short
    {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let broken = |_| Negative::new(RefusalCode::INTERNAL, "the answer broke off");
    let bytes = to_bytes(body, LIMIT).await.map_err(broken)?;
    let tag = Tag::of(&bytes);
    Ok(tag.answer(request, Response::from_parts(parts, Body::from(bytes))))
}
