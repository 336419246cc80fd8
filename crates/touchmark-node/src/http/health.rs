//! Whether the node lives, and whether it takes traffic.

use super::Gateway;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use std::sync::atomic::Ordering;
use touchmark_api::Readiness;
use touchmark_engine::Phase;

/// The process answers.
pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// The node accepts and reads; with the reasons when it does not.
pub(super) async fn ready(State(gateway): State<Gateway>) -> impl IntoResponse {
    let node = &gateway.node;
    let status = node.status();
    let mut reasons = Vec::new();
    match &status.phase {
        Phase::Running => {}
        Phase::Stopping | Phase::Stopped => reasons.push("the engine is stopping".to_owned()),
        Phase::Failed(error) => reasons.push(format!("the engine failed: {error}")),
    }
    if let Some(reason) = node.store.halted() {
        reasons.push(format!("the store writes nothing: {reason}"));
    }
    reasons.extend(node.hindrance());
    if gateway.draining.load(Ordering::Relaxed) {
        reasons.push("an operator drained the node: it takes no writes".to_owned());
    }
    let sealed = node.store.sealed();
    let away = sealed.fault.map(|_| {
        let leaves = sealed.leaves;
        format!("object storage, which has {leaves} old leaves, failed last: the log says why")
    });
    let warnings = away.into_iter().collect();
    let ready = reasons.is_empty();
    let code = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let size = node.store.snapshot().size().0;
    (code, Json(Readiness { ready, reasons, warnings, height: status.height.0, size }))
}
