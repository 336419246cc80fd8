//! What the address of a page says, read with pages for answers.

use super::unable::Unable;
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

/// The only parameter of a page's path.
pub(super) struct Name(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Unable;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Unable> {
        let Path(name) = Path::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Unable::malformed(rejection.body_text()))?;
        Ok(Self(name))
    }
}

/// What stands in the query; what a page does not know it passes over, as links carry all sorts.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Unable;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Unable> {
        let Query(asked) = Query::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Unable::malformed(rejection.body_text()))?;
        Ok(Self(asked))
    }
}
