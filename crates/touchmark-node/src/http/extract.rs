//! What a request says, read with problems for answers.

use super::answer::{Negative, Tag};
use super::negotiation::Accepted;
use crate::node::Node;
use crate::proof::{Question, prove};
use axum::Json;
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use touchmark_api::{Base64, ConfidenceView, LeafView, Proved};
use touchmark_core::confidence;
use touchmark_store::{Order, Snapshot};
use touchmark_wire::ids::LeafIndex;

/// The only parameter of a path.
pub(super) struct Named<T>(pub(super) T);

impl<T: FromStr, S: Send + Sync> FromRequestParts<S> for Named<T> {
    type Rejection = Negative;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Negative> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Negative::malformed(rejection.body_text()))?;
        parsed(&text).map(Self)
    }
}

/// The two parameters of a path.
pub(super) struct NamedPair<A, B>(pub(super) A, pub(super) B);

impl<A: FromStr, B: FromStr, S: Send + Sync> FromRequestParts<S> for NamedPair<A, B> {
    type Rejection = Negative;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Negative> {
        let Path((first, second)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Negative::malformed(rejection.body_text()))?;
        Ok(Self(parsed(&first)?, parsed(&second)?))
    }
}

/// What a text says, or that it says nothing of the kind.
pub(super) fn parsed<T: FromStr>(text: &str) -> Result<T, Negative> {
    text.parse().map_err(|_| Negative::malformed(format!("`{text}` is no {}", what::<T>())))
}

/// How people call what a text names: `ThingId` is a thing id.
fn what<T>() -> String {
    let name = std::any::type_name::<T>().rsplit("::").next().unwrap_or_default();
    match name {
        "u64" => "position".into(),
        _ => name.chars().fold(String::new(), |mut words, symbol| {
            if symbol.is_uppercase() && !words.is_empty() {
                words.push(' ');
            }
            words.push(symbol.to_ascii_lowercase());
            words
        }),
    }
}

/// Some parameters of the query.
pub(super) struct Params<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Negative;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Negative> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(value)) => Ok(Self(value)),
            Err(rejection) => Err(Negative::malformed(rejection.body_text())),
        }
    }
}

/// Some parameters of a query, decoded as [`Params`] decodes them.
pub(super) fn decoded<T: DeserializeOwned>(uri: &Uri) -> Result<T, Negative> {
    let query = Query::try_from_uri(uri);
    query.map(|Query(value)| value).map_err(|it| Negative::malformed(it.body_text()))
}

/// A part of a list.
#[derive(Deserialize)]
pub(super) struct Paging {
    /// Where to go on.
    cursor: Option<String>,
    limit: Option<usize>,
}

impl Paging {
    /// Items of a page unless the client says otherwise, and at most.
    const LIMIT: (usize, usize) = (50, 1_000);

    pub(super) fn limit(&self) -> usize {
        self.limit.unwrap_or(Self::LIMIT.0).clamp(1, Self::LIMIT.1)
    }

    /// What the last page ended with.
    pub(super) fn after<T: FromStr>(&self) -> Result<Option<T>, Negative> {
        self.cursor.as_deref().map(str::parse).transpose().map_err(|_| malformed_cursor())
    }
}

pub(super) fn malformed_cursor() -> Negative {
    Negative::malformed("the cursor is not one of ours")
}

/// The order of a list: from the oldest unless the client says otherwise.
pub(super) fn order(text: Option<&str>) -> Result<Order, Negative> {
    match text {
        None | Some("oldest") => Ok(Order::OldestFirst),
        Some("newest") => Ok(Order::NewestFirst),
        Some(_) => Err(Negative::malformed("the order is `oldest` or `newest`")),
    }
}

/// Whether an answer says how far records can be believed.
#[derive(Deserialize)]
pub(super) struct Judged {
    #[serde(default)]
    confidence: bool,
}

impl Judged {
    pub(super) fn view(
        &self,
        reader: &Snapshot,
        index: LeafIndex,
        leaf: &[u8],
    ) -> Result<LeafView, Negative> {
        let mut view = LeafView::new(index, leaf);
        if self.confidence {
            let found = confidence::of_leaf(index, leaf, reader)?;
            view.confidence = found.as_ref().map(ConfidenceView::from);
        }
        Ok(view)
    }
}

/// Whether the answer shall come with its proof.
#[derive(Deserialize)]
pub(super) struct Proving {
    proof: Option<String>,
}

impl Proving {
    /// The bundle, if it is wanted.
    async fn answer(&self, node: &Node, question: Question) -> Result<Option<Base64>, Negative> {
        match self.proof.as_deref() {
            None | Some("0" | "false") => Ok(None),
            Some("1" | "true") => Ok(Some(Base64(prove(node, &[question], None).await?))),
            Some(other) => Err(Negative::malformed(format!("proof is 1 or 0, not `{other}`"))),
        }
    }
}

/// How one fact is asked for.
pub(super) struct Inquiry {
    proving: Proving,
    pub(super) judged: Judged,
    headers: HeaderMap,
}

impl<S: Send + Sync> FromRequestParts<S> for Inquiry {
    type Rejection = Negative;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Negative> {
        Ok(Self {
            proving: Params::from_request_parts(parts, state).await?.0,
            judged: Params::from_request_parts(parts, state).await?.0,
            headers: parts.headers.clone(),
        })
    }
}

impl Inquiry {
    /// Whether bytes of this media type are wanted rather than JSON.
    pub(super) fn prefers(&self, media: &'static str) -> bool {
        Accepted::of(&self.headers).prefers(media)
    }

    /// The fact with its proof, if that is wanted. A tag of the fact's own is for the fact alone:
    /// whoever asks for a proof wants the newest.
    pub(super) async fn answer(
        &self,
        node: &Node,
        tag: Option<&Tag>,
        fact: impl Serialize,
        question: Question,
    ) -> Result<Response, Negative> {
        let proof = self.proving.answer(node, question).await?;
        let answer = Json(Proved { fact, proof });
        Ok(match tag.filter(|_| answer.proof.is_none()) {
            Some(tag) => tag.answer(&self.headers, answer),
            None => answer.into_response(),
        })
    }
}
