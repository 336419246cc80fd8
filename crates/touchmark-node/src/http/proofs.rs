//! Receipts and bundles.

use super::answer::{Body, Negative};
use super::extract::{Named, Params};
use super::gate::AT_LEAST;
use crate::node::Node;
use crate::proof::{self, Question, Wanted};
use axum::extract::State;
use axum::http::Uri;
use std::str::FromStr;
use std::sync::Arc;
use touchmark_api::{Base64, media};
use touchmark_core::verdict::CertificateKind;
use touchmark_wire::bundle::Freshness;
use touchmark_wire::ids::{LeafIndex, TreeSize};

/// Most claims of one bundle.
const CLAIMS: usize = 64;

/// `GET /v1/receipts/{index}`
pub(super) async fn receipt(
    State(node): State<Arc<Node>>,
    Named(index): Named<u64>,
) -> Result<Body, Negative> {
    Ok(Body(media::COSE, proof::receipt(&node, LeafIndex(index)).await?))
}

/// `GET /v1/receipts/{index}/quorum`
pub(super) async fn receipts(
    State(node): State<Arc<Node>>,
    Named(index): Named<u64>,
) -> Result<Body, Negative> {
    let receipts = proof::receipts(&node, LeafIndex(index)).await?;
    Ok(Body(media::CBOR_SEQ, receipts.concat()))
}

/// `GET /v1/proofs?record=…&complete=…&mentioned=…&status=…&absent=…&latest=…&accredited=…
/// &channel=…&complete_channel=…&writer=…&continues=…&nonce=…&certificate=…&anchor=…`
pub(super) async fn bundle(
    State(node): State<Arc<Node>>,
    uri: Uri,
    Params(pairs): Params<Vec<(String, String)>>,
) -> Result<Body, Negative> {
    let mut questions = Vec::new();
    let mut nonce = None;
    let mut certificate = CertificateKind::Engine;
    let mut anchored = true;
    for (name, value) in &pairs {
        match name.as_str() {
            "nonce" => nonce = Some(nonce_of(value)?),
            "certificate" => certificate = kind_of(value)?,
            "anchor" => anchored = is_anchored(value)?,
            // The gate has waited for it.
            name if name == AT_LEAST.name => {}
            name => questions.push(question(name, value)?),
        }
    }
    if questions.is_empty() || questions.len() > CLAIMS {
        return Err(Negative::malformed(format!("ask for 1 to {CLAIMS} things to prove")));
    }
    let wanted = Wanted { questions: &questions, nonce: nonce.as_deref(), certificate, anchored };
    let query = uri.query().unwrap_or_default();
    Ok(Body(media::BUNDLE, proof::prove_asked(&node, &wanted, query).await?))
}

fn kind_of(text: &str) -> Result<CertificateKind, Negative> {
    CertificateKind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == text)
        .ok_or_else(|| Negative::malformed("a certificate is `engine` or `cosigned`"))
}

fn is_anchored(text: &str) -> Result<bool, Negative> {
    match text {
        "none" => Ok(false),
        "newest" => Ok(true),
        _ => Err(Negative::malformed("an anchor is `newest` or `none`")),
    }
}

fn nonce_of(text: &str) -> Result<Vec<u8>, Negative> {
    Base64::parse(text)
        .map(|nonce| nonce.0)
        .filter(|nonce| Freshness::NONCE.contains(&nonce.len()))
        .ok_or_else(|| Negative::malformed("a nonce is 16 to 64 bytes in base64url"))
}

fn question(name: &str, value: &str) -> Result<Question, Negative> {
    let leaf = |text: &str| parsed(text).map(LeafIndex);
    Ok(match name {
        "record" => Question::Record(leaf(value)?),
        "latest" => Question::Latest(leaf(value)?),
        "complete" => Question::Complete(parsed(value)?),
        "mentioned" => Question::Mentioned(parsed(value)?),
        "absent" => Question::Absent(parsed(value)?),
        "status" => match value.split_once('@') {
            Some((thing, position)) => Question::StatusAt(parsed(thing)?, leaf(position)?),
            None => Question::Status(parsed(value)?),
        },
        "accredited" => {
            let (by, thing) = pair(name, value)?;
            Question::Accredited(parsed(by)?, parsed(thing)?)
        }
        "channel" => Question::Channel(parsed(value)?),
        "complete_channel" => Question::CompleteChannel(parsed(value)?),
        "writer" => {
            let (channel, thing) = pair(name, value)?;
            Question::Writer(parsed(channel)?, parsed(thing)?)
        }
        "continues" => Question::Continues(parsed(value).map(TreeSize)?),
        _ => return Err(Negative::malformed(format!("nothing called {name} can be proved"))),
    })
}

fn pair<'v>(name: &str, value: &'v str) -> Result<(&'v str, &'v str), Negative> {
    let missing = || Negative::malformed(format!("{name} takes two ids with a colon between"));
    value.split_once(':').ok_or_else(missing)
}

fn parsed<T: FromStr>(text: &str) -> Result<T, Negative> {
    text.parse().map_err(|_| Negative::malformed(format!("{text} is not an id or position")))
}
