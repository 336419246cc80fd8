//! Reading what was just written: a read waits until the log is as long as its client says.

use super::Gate;
use crate::http::answer::Negative;
use crate::http::extract::decoded;
use axum::http::Uri;
use serde::Deserialize;
use std::time::Duration;
use touchmark_api::openapi::{Parameter, Place};
use touchmark_api::{EdgeCode, Problem};
use touchmark_wire::ids::TreeSize;

/// The parameter of every read that says something of the log.
pub(in crate::http) const AT_LEAST: Parameter = Parameter {
    place: Place::Query,
    name: "at_least",
    meaning: "Wait (at most 10 s, then TM-BEHIND) until the log has so many leaves: a write's \
              position plus one reads what was just written",
    example: "18",
};

/// How long a read waits, if an answer may take so long.
pub(in crate::http) const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
struct Freshness {
    at_least: Option<u64>,
}

impl Gate {
    /// Waits until the log is as long as the query says. What a handler reads afterwards is.
    pub(super) async fn wait(&self, uri: &Uri) -> Result<(), Negative> {
        let is_asked = self.query.as_ref().is_some_and(|names| names.contains(&AT_LEAST.name));
        if !is_asked || uri.query().is_none() {
            return Ok(());
        }
        let Freshness { at_least: Some(size) } = decoded(uri)? else { return Ok(()) };
        let node = &self.gateway.node;
        let patience = PATIENCE.min(self.gateway.limits.answer_time);
        // A node that ends wakes who waits as well: what counts is what there is then.
        let _ = tokio::time::timeout(patience, node.reach(TreeSize(size))).await;
        let known = node.store.snapshot().size().0;
        if known >= size {
            return Ok(());
        }
        let detail = format!("the log has {known} leaves, not {size} yet");
        Err(Problem::of_edge(EdgeCode::Behind, detail).into())
    }
}
