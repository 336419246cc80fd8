//! Style and icon: served by the node, under names that change with their content.

use super::address::Name;
use super::unable::Unable;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use std::sync::LazyLock;
use touchmark_wire::hash::Digest;

struct Asset {
    name: String,
    media: &'static str,
    content: &'static str,
}

impl Asset {
    fn new(ending: &str, media: &'static str, content: &'static str) -> Self {
        let digest = Digest::of(&[content.as_bytes()]).to_string();
        Self { name: format!("{}.{ending}", &digest[..16]), media, content }
    }

    fn path(&self) -> String {
        format!("/assets/{}", self.name)
    }
}

static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("css", "text/css; charset=utf-8", include_str!("style.css")));
static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("svg", "image/svg+xml", include_str!("icon.svg")));

/// Where the style is.
pub(super) fn style() -> String {
    STYLE.path()
}

/// Where the icon is.
pub(super) fn icon() -> String {
    ICON.path()
}

pub(super) async fn serve(Name(name): Name) -> Result<Response, Unable> {
    let Some(asset) = [&STYLE, &ICON].into_iter().find(|asset| asset.name == name) else {
        return Err(Unable::not_found("this style or image"));
    };
    let headers = [
        (header::CONTENT_TYPE, asset.media),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Ok((headers, asset.content).into_response())
}
