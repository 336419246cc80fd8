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
//! | `/setup` | the first API key, for whoever has the set-up code |
//! | `/reference` | the HTTP interface, from its OpenAPI document |
//! | `/problems` | what each code of a problem means, and what to do |

mod address;
mod asset;
mod belief;
mod chain;
mod channel;
mod check;
mod document;
mod home;
mod leaf;
mod problems;
mod reader;
mod reference;
mod search;
mod setup;
mod sheet;
mod taking;
mod thing;
mod unable;
mod wording;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use reader::Reader;

/// Where a set-up code is taken.
pub const SETUP: &str = "/setup";

/// The routes of the pages; `api` answers `/v1`.
pub fn routes(api: Router) -> Router {
    let table =
        table().into_iter().fold(Router::new(), |router, (path, page)| router.route(path, page));
    table.layer(map_response(guard)).with_state(Reader::new(api))
}

/// The one form that brings something: a set-up code.
pub fn form(api: Router) -> Router {
    let form = Router::new().route(SETUP, post(setup::set_up));
    form.layer(map_response(guard)).with_state(Reader::new(api))
}

/// The paths of the pages, and of what they load.
pub fn paths() -> Vec<&'static str> {
    table().into_iter().map(|(path, _)| path).collect()
}

fn table() -> [(&'static str, MethodRouter<Reader>); 10] {
    [
        ("/", get(home::page)),
        ("/search", get(search::page)),
        ("/t/{id}", get(thing::page)),
        ("/t/{id}/chain", get(chain::page)),
        ("/c/{id}", get(channel::page)),
        ("/r/{position}", get(leaf::page)),
        (SETUP, get(setup::page)),
        ("/reference", get(reference::page)),
        ("/problems", get(problems::page)),
        ("/assets/{name}", get(asset::serve)),
    ]
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
