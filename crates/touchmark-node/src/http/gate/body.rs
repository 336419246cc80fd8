//! Receiving a body: bounded in length, in time, and in all that is received at once.

use super::Gate;
use crate::http::BODY_LIMIT;
use crate::http::answer::Negative;
use crate::http::leaves::Leaves;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt as _;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::OwnedSemaphorePermit;
use touchmark_api::{EdgeCode, Problem};
use touchmark_wire::limits;
use touchmark_wire::registry::RefusalCode;

/// A request whose body is here.
pub(super) struct Received {
    pub(super) request: Request,
    /// How many statements and evidence are in it, or would be, were they as long as leaves can be.
    pub(super) items: u32,
    /// Its share of what may be received at once.
    pub(super) bytes: Option<OwnedSemaphorePermit>,
}

impl Gate {
    /// Receives a body that shall go to the ledger, unless the ledger takes none; what it brings is
    /// an extension of the request.
    pub(super) async fn receive(&self, request: Request) -> Result<Received, Negative> {
        let gateway = &self.gateway;
        if gateway.draining.load(Ordering::Relaxed) {
            let detail = "the node is drained: it takes no writes until it is resumed";
            return Err(
                Negative::new(RefusalCode::NOT_READY, detail).after(Duration::from_secs(30))
            );
        }
        let declared = declared_length(request.headers(), BODY_LIMIT)?;
        if gateway.node.room() < declared {
            gateway.metrics.limited("pool");
            let detail = "the node has as much waiting as it takes";
            return Err(Negative::new(RefusalCode::OVERLOADED, detail));
        }
        let (mut parts, body) = request.into_parts();
        let (body, bytes) = self.collect_in_time(body, BODY_LIMIT).await?;
        let leaves = Leaves::of(&parts.headers, &body);
        self.refuse_waiting(&leaves)?;
        // What is no leaf, a payload for example, takes as much of the disk as it is long. Leaves
        // are never longer than this bound, so their number decides as before.
        let items = leaves.count().max(1 + body.len() / limits::LEAF);
        let items = u32::try_from(items).unwrap_or(u32::MAX);
        parts.extensions.insert(leaves);
        Ok(Received { items, request: Request::from_parts(parts, Body::from(body)), bytes })
    }

    /// Receives a body that is nothing to the ledger, whether or not that takes anything now.
    pub(super) async fn receive_aside(
        &self,
        request: Request,
        limit: usize,
    ) -> Result<(Request, Option<OwnedSemaphorePermit>), Negative> {
        declared_length(request.headers(), limit)?;
        let (parts, body) = request.into_parts();
        let (body, bytes) = self.collect_in_time(body, limit).await?;
        Ok((Request::from_parts(parts, Body::from(body)), bytes))
    }

    async fn collect_in_time(
        &self,
        body: Body,
        limit: usize,
    ) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Negative> {
        let patience = self.gateway.limits.body_time;
        let collected = tokio::time::timeout(patience, self.collect(body, limit)).await;
        collected.map_err(|_| {
            self.gateway.metrics.limited("time");
            let detail = format!("the body did not arrive in {} s", patience.as_secs());
            Negative::from(Problem::of_edge(EdgeCode::Slow, detail)).closing()
        })?
    }

    async fn collect(
        &self,
        mut body: Body,
        limit: usize,
    ) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Negative> {
        let mut whole: Vec<Bytes> = Vec::new();
        let mut length = 0;
        let mut permit: Option<OwnedSemaphorePermit> = None;
        while let Some(frame) = body.frame().await {
            let broken = |_| Negative::malformed("the body broke off").closing();
            let Ok(bytes) = frame.map_err(broken)?.into_data() else { continue };
            length += bytes.len();
            if length > limit {
                return Err(too_long(limit));
            }
            let more = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            let more = self.gateway.bodies.clone().try_acquire_many_owned(more).map_err(|_| {
                self.gateway.metrics.limited("bodies");
                let detail = "the node receives as much as it can";
                Negative::new(RefusalCode::OVERLOADED, detail).closing()
            })?;
            match &mut permit {
                Some(permit) => permit.merge(more),
                None => permit = Some(more),
            }
            whole.push(bytes);
        }
        let whole = match whole.len() {
            1 => whole.remove(0),
            _ => whole.concat().into(),
        };
        Ok((whole, permit))
    }

    /// Refuses a body in the name of an identity that has used up its share.
    fn refuse_waiting(&self, leaves: &Leaves) -> Result<(), Negative> {
        let leaves = leaves.items().iter().map(AsRef::as_ref);
        let waiting = self.gateway.identities.wait_of(leaves, Instant::now());
        let Some((identity, time)) = waiting else { return Ok(()) };
        self.gateway.metrics.limited("identity");
        let detail = format!("{identity} writes more than its share");
        Err(Negative::new(RefusalCode::QUOTA, detail).after(time))
    }
}

fn too_long(limit: usize) -> Negative {
    let detail = format!("a body here has at most {limit} bytes");
    Negative::new(RefusalCode::TOO_LONG, detail).closing()
}

/// How long the body says it is, 0 if it does not say.
fn declared_length(headers: &HeaderMap, limit: usize) -> Result<usize, Negative> {
    let declared = headers.get(header::CONTENT_LENGTH);
    let declared = declared.and_then(|length| length.to_str().ok()?.parse().ok());
    let declared = declared.unwrap_or_default();
    if declared > limit { Err(too_long(limit)) } else { Ok(declared) }
}
