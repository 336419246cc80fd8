//! Registration as SCITT has it (draft-ietf-scitt-scrapi, `spec/scitt.md`): Signed Statements,
//! their receipts, and the keys that receipts are checked with.

use super::answer::{Body, Negative, Refused};
use super::extract::Named;
use super::negotiation::Accepted;
use super::submission::as_at_first;
use crate::intake::Decided;
use crate::node::Node;
use crate::proof::{self, ProofError};
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
    if let Some(attestor) = node.attestor() {
        // It would be registered, and there would never be a receipt of it here.
        attestor.place(&*node.committee().ok_or(Unreadable)?)?;
    }
    let Decided { outcome, .. } = node.submit(vec![body.into()]).await.remove(0);
    let outcome = as_at_first(&node, outcome)?;
    if let Some(problem) = Written::problem(&outcome) {
        return Err(problem.into());
    }
    let index = outcome.leaf().ok_or(Unreadable)?;
    match proof::receipt(&node, index).await {
        Ok(receipt) => {
            Ok((StatusCode::CREATED, location(id), Body(media::COSE, receipt)).into_response())
        }
        // It is registered; who has to sign the receipt does not answer.
        Err(error @ (ProofError::Word(_) | ProofError::NotCertified)) => {
            tracing::warn!(%error, %index, "a statement is registered without its receipt");
            let later = [(header::RETRY_AFTER, SOON)];
            Ok((StatusCode::SEE_OTHER, location(id), later).into_response())
        }
        Err(error) => Err(error.into()),
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
        Problem::new(RefusalCode::NOT_FOUND, detail)
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

/// `GET /.well-known/scitt-keys`: also of the committee before, whose receipts are still about, and
/// of one that was appointed.
pub(super) async fn keys(State(node): State<Arc<Node>>) -> Result<Body, Negative> {
    let present = node.committee().ok_or(Unreadable)?;
    let snapshot = node.store.snapshot();
    let before = match present.epoch.0.checked_sub(1) {
        Some(number) => appointment::numbered(snapshot.as_ref(), Epoch(number))?,
        None => None,
    };
    let committees = [Some(present), before, node.appointed()];
    let keys = distinct(committees.iter().flatten().flat_map(|committee| log_keys(committee)));
    Ok(Body(media::CBOR, key_set(keys.iter())))
}

/// `GET /.well-known/scitt-keys/{kid}`: also a key of a committee that was, or was appointed.
pub(super) async fn key(
    State(node): State<Arc<Node>>,
    Named(text): Named<String>,
) -> Result<Body, Negative> {
    let kid = Base64::parse(&text).and_then(|kid| kid.0.try_into().ok()).map(Digest);
    let kid =
        kid.ok_or_else(|| Negative::malformed("a kid is 32 bytes in base64url, without padding"))?;
    // A network may have had many committees, and each is a read.
    let found = tokio::task::spawn_blocking(move || find(&node, kid)).await;
    let broken = |_| Negative::new(RefusalCode::INTERNAL, "the search for the key broke off");
    if let Some(key) = found.map_err(broken)?? {
        return Ok(Body(media::CBOR, named_key(&key)));
    }
    Err(Problem::of_edge(EdgeCode::NoSuchKey, "no validator's log key has this kid").into())
}

/// Looks for a key among those in office and appointed, then back in time.
fn find(node: &Node, kid: Digest) -> Result<Option<CoseKey>, Negative> {
    let of = |committee: &Committee| log_keys(committee).find(|key| key.digest() == kid);
    let present = node.committee().ok_or(Unreadable)?;
    let appointed = node.appointed();
    if let Some(key) = of(&present).or_else(|| of(appointed.as_deref()?)) {
        return Ok(Some(key));
    }
    let snapshot = node.store.snapshot();
    for number in (0..present.epoch.0).rev() {
        let Some(committee) = appointment::numbered(snapshot.as_ref(), Epoch(number))? else {
            break;
        };
        if let Some(key) = of(&committee) {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

fn log_keys(committee: &Committee) -> impl Iterator<Item = CoseKey> {
    committee.validators.iter().map(|validator| validator.log_key)
}

/// Each key once, in the order in which they come.
fn distinct(keys: impl Iterator<Item = CoseKey>) -> Vec<CoseKey> {
    let mut distinct = Vec::new();
    for key in keys {
        if !distinct.contains(&key) {
            distinct.push(key);
        }
    }
    distinct
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
            return Problem::new(RefusalCode::MALFORMED, detail);
        }
        NotSignedStatement::NoPayload => EdgeCode::PayloadMissing,
        NotSignedStatement::Algorithm(_) => EdgeCode::SignatureAlgorithm,
        _ => EdgeCode::NotSignedStatement,
    };
    Problem::of_edge(code, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_two_committees_is_listed_once() {
        let [one, two, three] = [1, 2, 3].map(|it| CoseKey::es256([it; 32], [it; 32]));
        let keys = [one, two, two, three, one];
        assert_eq!(distinct(keys.into_iter()), [one, two, three]);
    }
}
