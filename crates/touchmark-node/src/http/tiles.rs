//! The log as C2SP tlog-tiles serve it.

use super::answer::{Body, IMMUTABLE, Negative};
use super::extract::{Named, Params};
use crate::node::Node;
use crate::proof;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::num::NonZeroU16;
use std::sync::Arc;
use touchmark_api::{EdgeCode, Problem, media};

/// Which checkpoint is wanted.
#[derive(Deserialize)]
pub(super) struct Wanted {
    witnesses: Option<NonZeroU16>,
}

/// `GET /checkpoint`: the newest durable checkpoint, cosigned, or the newest that so many outside
/// witnesses have cosigned.
pub(super) async fn checkpoint(
    State(node): State<Arc<Node>>,
    Params(Wanted { witnesses }): Params<Wanted>,
) -> Result<Response, Negative> {
    let note = match witnesses {
        None => proof::checkpoint(&node).await?,
        Some(fewest) => witnessed(&node, fewest)?,
    };
    let headers = [(header::CONTENT_TYPE, media::TEXT), (header::CACHE_CONTROL, "no-cache")];
    Ok((headers, note).into_response())
}

fn witnessed(node: &Node, fewest: NonZeroU16) -> Result<String, Negative> {
    let witnesses = node.witnesses();
    witnesses.note(fewest.get().into()).ok_or_else(|| {
        let few = format!("no checkpoint was cosigned by {fewest} outside witnesses yet");
        let why = witnesses.reason().map(|reason| format!(": {reason}")).unwrap_or_default();
        Problem::of_edge(EdgeCode::FewWitnesses, few + &why).into()
    })
}

/// `GET /tile/{level}/{index}[.p/{width}]` and `/tile/entries/{index}[.p/{width}]`
pub(super) async fn tile(
    State(node): State<Arc<Node>>,
    Named(path): Named<String>,
) -> Result<Response, Negative> {
    let missing = || Negative::not_found(format!("the tile {path}"));
    let (kind, rest) = path.split_once('/').ok_or_else(missing)?;
    let (index, width) = tile_place(rest).ok_or_else(missing)?;
    let reader = node.store.snapshot();
    let bytes = if kind == "entries" {
        reader.entry_bundle(index, width)?
    } else {
        let level = kind.parse().ok().filter(|level| *level < 64).ok_or_else(missing)?;
        reader.tile(level, index, width)?
    };
    // A tile of this width never changes.
    Ok((IMMUTABLE, Body(media::OCTETS, bytes)).into_response())
}

/// `x001/x234/067` is tile 1234067; `.p/8` at the end is its first 8 items.
fn tile_place(path: &str) -> Option<(u64, u16)> {
    let (path, width) = match path.split_once(".p/") {
        Some((path, width)) => (path, width.parse().ok().filter(|width| (1..256).contains(width))?),
        None => (path, 256),
    };
    let mut index = 0u64;
    let mut parts = path.split('/').peekable();
    while let Some(part) = parts.next() {
        let digits = match (part.strip_prefix('x'), parts.peek()) {
            (Some(digits), Some(_)) => digits,
            (None, None) => part,
            _ => return None,
        };
        if digits.len() != 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        index = index.checked_mul(1_000)?.checked_add(digits.parse().ok()?)?;
    }
    Some((index, width))
}

#[cfg(test)]
mod tests {
    use super::tile_place;

    #[test]
    fn places_are_read_as_c2sp_writes_them() {
        assert_eq!(tile_place("x001/x234/067"), Some((1_234_067, 256)));
        assert_eq!(tile_place("000.p/8"), Some((0, 8)));
        for wrong in ["", "1", "x001", "067/x001", "001.p/256", "001.p/0", "00a", "-01"] {
            assert_eq!(tile_place(wrong), None, "{wrong}");
        }
    }
}
