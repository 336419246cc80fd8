//! The frame of every page: head, search box, landmarks.

use super::asset;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

/// A page: its title and what stands in its main part.
pub(super) struct Document {
    title: String,
    main: Markup,
    /// What stands in the search box.
    query: String,
}

impl Document {
    pub(super) fn new(title: impl Into<String>, main: Markup) -> Self {
        Self { title: title.into(), main, query: String::new() }
    }

    pub(super) fn searched(mut self, query: &str) -> Self {
        query.clone_into(&mut self.query);
        self
    }

    fn render(&self) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " · Touchmark" }
                    link rel="stylesheet" href=(asset::style());
                    link rel="icon" type="image/svg+xml" href=(asset::icon());
                }
                body {
                    a.skip href="#main" { "Skip to content" }
                    header.top {
                        a.brand href="/" {
                            img src=(asset::icon()) alt="" width="28" height="28";
                            span { "Touchmark" }
                        }
                        (search_box(&self.query))
                    }
                    main #main tabindex="-1" { (self.main) }
                    footer.bottom {
                        p {
                            "Every fact here has a proof that you can check without this server. "
                            a href="/reference" { "HTTP interface" } " · "
                            a href="/v1/network" { "Network" } " · "
                            a href="/checkpoint" { "Checkpoint" } " · "
                            a href="/health/ready" { "Health" }
                        }
                    }
                }
            }
        }
    }
}

fn search_box(query: &str) -> Markup {
    html! {
        form.search role="search" action="/search" method="get" {
            label.hidden for="q" { "Search for a thing or record" }
            input #q type="search" name="q" value=(query) maxlength="2000"
                placeholder="Id, DID, hash, tap URL, position, serial number"
                autocomplete="off" autocapitalize="off" spellcheck="false";
            button type="submit" { "Search" }
        }
    }
}

impl IntoResponse for Document {
    fn into_response(self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CACHE_CONTROL, "no-cache"),
        ];
        (headers, self.render().into_string()).into_response()
    }
}
