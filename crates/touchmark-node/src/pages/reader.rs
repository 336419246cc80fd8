//! The node's own `/v1` routes, asked in process.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Error as HttpError, Request, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use touchmark_api::Problem;
use touchmark_api::media;
use touchmark_wire::bundle::Bundle;
use touchmark_wire::registry::RefusalCode;
use tower::ServiceExt as _;

/// Longest answer that is read: the longest bundle.
const LIMIT: usize = Bundle::LIMIT;

/// Reads what the HTTP interface answers.
#[derive(Clone)]
pub(super) struct Reader(Router);

impl Reader {
    pub(super) fn new(api: Router) -> Self {
        Self(api)
    }

    /// The JSON document at `path`.
    pub(super) async fn json<T: DeserializeOwned>(&self, path: &str) -> Result<T, Problem> {
        let bytes = self.get(path, "application/json").await?;
        serde_json::from_slice(&bytes).map_err(|_| fault("the node's answer is not what it was"))
    }

    /// The bytes at `path`.
    pub(super) async fn bytes(&self, path: &str) -> Result<Vec<u8>, Problem> {
        self.get(path, media::BUNDLE).await
    }

    async fn get(&self, path: &str, accept: &str) -> Result<Vec<u8>, Problem> {
        let request = Request::get(path).header(header::ACCEPT, accept).body(Body::empty());
        self.ask(request).await
    }

    /// The JSON document that answers this one at `path`.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        document: &impl Serialize,
    ) -> Result<T, Problem> {
        let body = serde_json::to_vec(document).map_err(|_| fault("a form is no document"))?;
        let request = Request::post(path)
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body));
        let bytes = self.ask(request).await?;
        serde_json::from_slice(&bytes).map_err(|_| fault("the node's answer is not what it was"))
    }

    async fn ask(&self, request: Result<Request<Body>, HttpError>) -> Result<Vec<u8>, Problem> {
        let request = request.map_err(|_| fault("a page asks for what is no path"))?;
        let answer = match self.0.clone().oneshot(request).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        };
        let is_fine = answer.status().is_success();
        let body = to_bytes(answer.into_body(), LIMIT).await;
        let body = body.map_err(|_| fault("the node's answer is too long for a page"))?;
        if is_fine {
            return Ok(body.into());
        }
        Err(serde_json::from_slice(&body).unwrap_or_else(|_| fault("the node did not say why")))
    }
}

fn fault(what: &str) -> Problem {
    Problem::new(RefusalCode::INTERNAL, what)
}
