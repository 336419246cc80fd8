//! Pages for people: server-rendered, without scripts, of what the HTTP interface answers.
//!
//! A page asks the node's own `/v1` routes, in process: it shows what a program would be told, and
//! there is no second way to the data. Markup is made by a macro that escapes every value, and the
//! content security policy allows no script, no inline style and no other origin.
//!
//! | path | what |
//! |---|---|
//! | `/` | one search box |
//! | `/search?q=…` | what a text was taken for, and where it leads |
//! | `/t/{id}` | a thing: verdict, checks, keys, status, history |
//! | `/t/{id}/chain?channel=…` | the statements of one chain of a thing |
//! | `/c/{id}` | a channel: verdict, who may write, what is in it |
//! | `/r/{position}` | a leaf of the log: verdict, checks, content |

mod asset;
mod belief;
mod chain;
mod channel;
mod check;
mod document;
mod home;
mod leaf;
mod reader;
mod search;
mod sheet;
mod taking;
mod thing;
mod unable;
mod wording;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::get;
use reader::Reader;

/// The routes of the pages; `api` answers `/v1`.
pub fn routes(api: Router) -> Router {
    Router::new()
        .route("/", get(home::page))
        .route("/search", get(search::page))
        .route("/t/{id}", get(thing::page))
        .route("/t/{id}/chain", get(chain::page))
        .route("/c/{id}", get(channel::page))
        .route("/r/{position}", get(leaf::page))
        .route("/assets/{name}", get(asset::serve))
        .layer(map_response(guard))
        .with_state(Reader::new(api))
}

/// What every page tells the browser: nothing but this page's own style and images.
const GUARDS: [(HeaderName, HeaderValue); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
             base-uri 'none'; frame-ancestors 'none'",
        ),
    ),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

async fn guard(mut response: Response) -> Response {
    response.headers_mut().extend(GUARDS);
    response
}
