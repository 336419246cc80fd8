//! The first API key, for whoever has the set-up code that the node printed.

use super::Gateway;
use super::answer::Negative;
use crate::apikey::setup::SetupError;
use crate::node::now;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use touchmark_api::{EdgeCode, Problem, SetUp, SetUpView};
use touchmark_wire::registry::RefusalCode;

/// Where it is made.
pub(super) const SETUP: &str = "/v1/setup";

/// `POST /v1/setup`
pub(super) async fn set_up(
    State(gateway): State<Gateway>,
    body: Bytes,
) -> Result<impl IntoResponse, Negative> {
    let SetUp { code } = serde_json::from_slice(&body)
        .map_err(|_| Negative::malformed("the body is not {\"code\": …}"))?;
    let made = tokio::task::spawn_blocking(move || gateway.keys.set_up(&code, now())).await;
    let broken = |_| Negative::new(RefusalCode::INTERNAL, "making the API key broke off");
    let (key, secret) = made.map_err(broken)?.map_err(refused)?;
    tracing::info!(id = %key.id, "the set-up code made an API key");
    let view = SetUpView {
        id: key.id,
        scopes: key.scopes.iter().map(|scope| scope.name().to_owned()).collect(),
        expires: key.expires,
        key: secret,
    };
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(view)))
}

fn refused(error: SetupError) -> Negative {
    let code = match error {
        SetupError::Wrong => EdgeCode::SetupCode,
        SetupError::Expired => EdgeCode::SetupExpired,
        SetupError::Used => EdgeCode::SetupUsed,
        SetupError::Busy => return Negative::new(RefusalCode::OVERLOADED, error.to_string()),
        SetupError::Keys(error) => {
            tracing::error!(%error, "the API key cannot be made");
            return Negative::new(RefusalCode::STORAGE, "the API key cannot be kept");
        }
    };
    Problem::of_edge(code, error.to_string()).into()
}
