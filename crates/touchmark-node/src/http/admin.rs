//! Administration: the only requests that need a key of this interface.

use super::Gateway;
use super::answer::Negative;
use super::extract::Named;
use super::payloads;
use crate::apikey::{ApiKeyError, Scope};
use crate::node::now;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use std::sync::atomic::Ordering;
use touchmark_api::{BackupView, DrainView, EdgeCode, LoadView, Problem, UseView};
use touchmark_wire::ids::LeafIndex;
use touchmark_wire::registry::RefusalCode;

/// `GET /v1/admin/load`
pub(super) async fn load(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
) -> Result<Json<LoadView>, Negative> {
    authorise(&gateway, &headers, Scope::Read)?;
    let limits = &gateway.limits;
    let part = |used: usize, limit: usize| UseView { used: used as u64, limit: limit as u64 };
    let taken = |free: usize, limit: usize| part(limit.saturating_sub(free), limit);
    let pool = gateway.node.pool_limit();
    Ok(Json(LoadView {
        draining: gateway.draining.load(Ordering::Relaxed),
        connections: part(gateway.connections.len(), limits.connections),
        reading: taken(gateway.reading.available_permits(), limits.requests),
        writing: taken(gateway.writing.available_permits(), limits.requests),
        listeners: part(gateway.listeners.len(), limits.listeners),
        bodies: taken(gateway.bodies.available_permits(), limits.bodies),
        pool: taken(gateway.node.room(), pool),
        sources: part(gateway.sources(), limits.remembered),
        waiting_identities: gateway.identities.len() as u64,
    }))
}

/// `POST /v1/admin/drain`
pub(super) async fn drain(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
) -> Result<Json<DrainView>, Negative> {
    authorise(&gateway, &headers, Scope::Operate)?;
    gateway.draining.store(true, Ordering::Relaxed);
    tracing::info!("drained: no writes until it is resumed");
    Ok(Json(drained(&gateway)))
}

/// `DELETE /v1/admin/drain`
pub(super) async fn resume(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
) -> Result<Json<DrainView>, Negative> {
    authorise(&gateway, &headers, Scope::Operate)?;
    gateway.draining.store(false, Ordering::Relaxed);
    tracing::info!("resumed");
    Ok(Json(drained(&gateway)))
}

/// `POST /v1/admin/backup`
pub(super) async fn back_up(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
) -> Result<(StatusCode, Json<BackupView>), Negative> {
    authorise(&gateway, &headers, Scope::Operate)?;
    let begun = gateway.backups.begin(gateway.node.clone());
    Ok((StatusCode::ACCEPTED, Json(begun)))
}

/// `GET /v1/admin/backup`
pub(super) async fn backup(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
) -> Result<Json<BackupView>, Negative> {
    authorise(&gateway, &headers, Scope::Read)?;
    gateway
        .backups
        .last()
        .map(Json)
        .ok_or_else(|| Negative::not_found("a backup that was asked for since the node started"))
}

/// `DELETE /v1/admin/payloads/{index}`
pub(super) async fn erase(
    State(gateway): State<Gateway>,
    Named(index): Named<u64>,
    headers: HeaderMap,
) -> Result<StatusCode, Negative> {
    authorise(&gateway, &headers, Scope::Operate)?;
    payloads::erase(gateway.node.clone(), LeafIndex(index)).await
}

fn drained(gateway: &Gateway) -> DrainView {
    DrainView {
        draining: gateway.draining.load(Ordering::Relaxed),
        pending: gateway.node.backlog().items as u64,
    }
}

/// Requires a key with this scope.
fn authorise(gateway: &Gateway, headers: &HeaderMap, scope: Scope) -> Result<(), Negative> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let key = given.and_then(|given| given.strip_prefix("Bearer ")).map(str::trim);
    let Some(key) = key else {
        let detail = "this is for administration, and no API key came with it";
        return Err(Problem::of_edge(EdgeCode::ApiKeyMissing, detail).into());
    };
    gateway.keys.authorise(key, scope, now()).map_err(|error| {
        let code = match error {
            ApiKeyError::Unknown => EdgeCode::ApiKeyUnknown,
            ApiKeyError::Expired => EdgeCode::ApiKeyExpired,
            ApiKeyError::Scope(_) => EdgeCode::ApiKeyScope,
            ApiKeyError::File { .. } | ApiKeyError::Damaged { .. } | ApiKeyError::Randomness => {
                tracing::error!(%error, "the API keys cannot be read");
                return Negative::new(RefusalCode::STORAGE, "the API keys cannot be read");
            }
        };
        Problem::of_edge(code, error.to_string()).into()
    })
}
