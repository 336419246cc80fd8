//! Registration as SCITT has it (draft-ietf-scitt-scrapi, `spec/scitt.md`): Signed Statements,
//! their receipts, and the keys that receipts are checked with.

use super::answer::{Body, Negative, Refused};
use super::extract::Named;
use super::negotiation::Accepted;
use super::submission::as_at_first;
use crate::intake::Decided;
use crate::node::Node;
use crate::proof;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use touchmark_api::scitt::{NotSignedStatement, SignedStatement, key_set, named_key};
use touchmark_api::{Base64, EdgeCode, Problem, Written, media};
use touchmark_core::appointment;
use touchmark_core::refusal::Unreadable;
use touchmark_wire::algorithm::CoseKey;
use touchmark_wire::codec::Malformed;
use touchmark_wire::genesis::Committee;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Epoch, StatementId};
use touchmark_wire::leaf::Leaf;
use touchmark_wire::registry::RefusalCode;

/// Where Signed Statements are registered.
pub(super) const ENTRIES: &str = "/entries";
/// One that is registered.
pub(super) const ENTRY: &str = "/entries/{id}";
/// The keys of those who sign receipts.
pub(super) const KEYS: &str = "/.well-known/scitt-keys";
/// One of them.
pub(super) const KEY: &str = "/.well-known/scitt-keys/{kid}";

/// When a receipt that is not to be had now may be, seconds.
const SOON: HeaderValue = HeaderValue::from_static("1");

/// Whether problems at this path are concise ones.
pub(super) fn has_concise_problems(path: &str) -> bool {
    let below = |place: &str| {
        path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    below(ENTRIES) || below(KEYS)
}

/// A problem in CBOR; any other response as it is.
pub(super) fn concise(mut response: Response) -> Response {
    let Some(Refused(problem)) = response.extensions().get() else { return response };
    let bytes = problem.to_concise();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media::CONCISE_PROBLEM));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    *response.body_mut() = bytes.into();
    response
}

/// `POST /entries`
pub(super) async fn register(
    State(node): State<Arc<Node>>,
    body: Bytes,
) -> Result<Response, Negative> {
    let id = SignedStatement::parse(&body).map_err(unsigned)?.id();
    let Decided { outcome, .. } = node.submit(vec![body.into()]).await.remove(0);
    let outcome = as_at_first(&node, outcome)?;
    if let Some(problem) = Written::problem(&outcome) {
        return Err(rejected(problem).into());
    }
    let index = outcome.leaf().ok_or(Unreadable)?;
    match proof::receipt(&node, index).await {
        Ok(receipt) => {
            Ok((StatusCode::CREATED, location(id), Body(media::COSE, receipt)).into_response())
        }
        // It is registered; who has to sign the receipt does not answer.
        Err(error) => {
            tracing::warn!(%error, %index, "a statement is registered without its receipt");
            let later = [(header::RETRY_AFTER, SOON)];
            Ok((StatusCode::SEE_OTHER, location(id), later).into_response())
        }
    }
}

/// `GET /entries/{id}`
pub(super) async fn entry(
    State(node): State<Arc<Node>>,
    Named(id): Named<StatementId>,
    headers: HeaderMap,
) -> Result<Response, Negative> {
    let unknown = || {
        let detail = format!("no Signed Statement {id} is registered here");
        Problem { title: "Not Found".into(), ..Problem::new(RefusalCode::NOT_FOUND, detail) }
    };
    let snapshot = node.store.snapshot();
    let index = snapshot.statement(id)?.ok_or_else(unknown)?;
    let leaf = snapshot.leaf(index)?;
    drop(snapshot);
    let Ok(Leaf::Accepted(bytes)) = Leaf::decode(&leaf) else { return Err(unknown().into()) };
    let statement = SignedStatement::parse(bytes).map_err(|_| unknown())?;
    let receipt = proof::receipt(&node, index).await?;
    let offers = [media::COSE, media::SCITT_STATEMENT];
    let body = match Accepted::of(&headers).best(&offers) {
        Some(media::SCITT_STATEMENT) => {
            Body(media::SCITT_STATEMENT, statement.transparent(&[&receipt]))
        }
        _ => Body(media::COSE, receipt),
    };
    Ok((location(id), body).into_response())
}

/// `GET /.well-known/scitt-keys`
pub(super) async fn keys(State(node): State<Arc<Node>>) -> Result<Body, Negative> {
    let committee = node.committee().ok_or(Unreadable)?;
    Ok(Body(media::CBOR, key_set(committee.validators.iter().map(|it| &it.log_key))))
}

/// `GET /.well-known/scitt-keys/{kid}`: also a key of a committee that was, or was appointed.
pub(super) async fn key(
    State(node): State<Arc<Node>>,
    Named(text): Named<String>,
) -> Result<Body, Negative> {
    let kid = Base64::parse(&text).and_then(|kid| kid.0.try_into().ok()).map(Digest);
    let kid =
        kid.ok_or_else(|| Negative::malformed("a kid is 32 bytes in base64url, without padding"))?;
    let snapshot = node.store.snapshot();
    let find = |committee: &Committee| {
        let mut keys = committee.validators.iter().map(|it| it.log_key);
        keys.find(|key: &CoseKey| key.digest() == kid)
    };
    let mut epoch = Epoch(0);
    while let Some(committee) = appointment::numbered(snapshot.as_ref(), epoch)? {
        if let Some(key) = find(&committee) {
            return Ok(Body(media::CBOR, named_key(&key)));
        }
        epoch = Epoch(epoch.0 + 1);
    }
    let detail = "no validator's log key has this kid";
    let problem = Problem::new(RefusalCode::NOT_FOUND, detail);
    Err(Problem { title: "No such key".into(), ..problem }.into())
}

/// The address of an entry. A reference without the node's name, which it does not know.
fn location(id: StatementId) -> [(header::HeaderName, String); 1] {
    [(header::LOCATION, format!("{ENTRIES}/{id}"))]
}

/// Why a body is no Signed Statement.
fn unsigned(error: NotSignedStatement) -> Problem {
    let detail = error.to_string();
    let code = match error {
        NotSignedStatement::Malformed(Malformed::TooLong { .. }) => {
            return Problem::new(RefusalCode::TOO_LONG, detail);
        }
        NotSignedStatement::Malformed(_) => {
            let problem = Problem::new(RefusalCode::MALFORMED, detail);
            return Problem { title: "Malformed request".into(), ..problem };
        }
        NotSignedStatement::NoPayload => EdgeCode::PayloadMissing,
        NotSignedStatement::Algorithm(_) => EdgeCode::SignatureAlgorithm,
        _ => EdgeCode::NotSignedStatement,
    };
    Problem::of_edge(code, detail)
}

/// A refusal of the ledger, which is the registration policy here, under the title of the draft.
fn rejected(problem: Problem) -> Problem {
    match problem.status {
        429 | 500.. => problem,
        _ => Problem { title: "Rejected".into(), ..problem },
    }
}
