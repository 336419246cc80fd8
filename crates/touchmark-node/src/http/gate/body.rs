//! Receiving a body: bounded in length, in time, and in all that is received at once.

use super::Gate;
use crate::http::BODY_LIMIT;
use crate::http::answer::Negative;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt as _;
use minicbor::Decoder;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::OwnedSemaphorePermit;
use touchmark_api::{EdgeCode, Problem, media};
use touchmark_wire::registry::RefusalCode;

/// A request whose body is here.
pub(super) struct Received {
    pub(super) request: Request,
    /// How many statements and evidence are in it.
    pub(super) items: u32,
    /// Its share of what may be received at once.
    pub(super) bytes: Option<OwnedSemaphorePermit>,
}

impl Gate {
    /// Receives a body that shall go to the ledger, unless the ledger takes none.
    pub(super) async fn receive(&self, request: Request) -> Result<Received, Negative> {
        let gateway = &self.gateway;
        if gateway.draining.load(Ordering::Relaxed) {
            let detail = "the node is drained: it takes no writes until it is resumed";
            return Err(
                Negative::new(RefusalCode::NOT_READY, detail).after(Duration::from_secs(30))
            );
        }
        let declared = declared_length(request.headers());
        if declared.is_some_and(|length| length > BODY_LIMIT) {
            return Err(too_long());
        }
        if gateway.node.room() < declared.unwrap_or_default() {
            gateway.metrics.limited("pool");
            let detail = "the node has as much waiting as it takes";
            return Err(Negative::new(RefusalCode::OVERLOADED, detail));
        }
        let (parts, body) = request.into_parts();
        let patience = gateway.limits.body_time;
        let collected = tokio::time::timeout(patience, self.collect(body)).await;
        let (body, bytes) = collected.map_err(|_| {
            gateway.metrics.limited("time");
            let detail = format!("the body did not arrive in {} s", patience.as_secs());
            Negative::from(Problem::of_edge(EdgeCode::Slow, detail)).closing()
        })??;
        let is_sequence = media_type(&parts.headers) == media::CBOR_SEQ;
        let items = if is_sequence { Items(&body).count() } else { 1 };
        self.refuse_waiting(&body)?;
        Ok(Received {
            items: u32::try_from(items).unwrap_or(u32::MAX),
            request: Request::from_parts(parts, Body::from(body)),
            bytes,
        })
    }

    async fn collect(
        &self,
        mut body: Body,
    ) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Negative> {
        let mut whole: Vec<Bytes> = Vec::new();
        let mut length = 0;
        let mut permit: Option<OwnedSemaphorePermit> = None;
        while let Some(frame) = body.frame().await {
            let broken = |_| Negative::malformed("the body broke off").closing();
            let Ok(bytes) = frame.map_err(broken)?.into_data() else { continue };
            length += bytes.len();
            if length > BODY_LIMIT {
                return Err(too_long());
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
    fn refuse_waiting(&self, body: &[u8]) -> Result<(), Negative> {
        let waiting = self.gateway.identities.wait_of(Items(body), Instant::now());
        let Some((identity, time)) = waiting else { return Ok(()) };
        self.gateway.metrics.limited("identity");
        let detail = format!("{identity} writes more than its share");
        Err(Negative::new(RefusalCode::QUOTA, detail).after(time))
    }
}

fn too_long() -> Negative {
    let detail = format!("a body has at most {BODY_LIMIT} bytes");
    Negative::new(RefusalCode::TOO_LONG, detail).closing()
}

fn declared_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn media_type(headers: &HeaderMap) -> &str {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().split(';').next().unwrap_or_default().trim()
}

/// The items of a CBOR sequence, as far as it is one.
struct Items<'a>(&'a [u8]);

impl<'a> Iterator for Items<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        /// Ends an item of indefinite length and begins none.
        const BREAK: u8 = 0xff;
        if self.0.first().is_none_or(|first| *first == BREAK) {
            return None;
        }
        let mut decoder = Decoder::new(self.0);
        decoder.skip().ok()?;
        let (item, rest) = self.0.split_at(decoder.position());
        self.0 = rest;
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use super::Items;

    #[test]
    fn items_are_counted_as_far_as_they_can_be_read() {
        assert_eq!(Items(&[0x01, 0x82, 0x02, 0x03, 0x41, 0x00]).count(), 3);
        assert_eq!(Items(&[]).count(), 0);
        assert_eq!(Items(&[0x01, 0x82]).count(), 1);
        assert_eq!(Items(&[0xff; 100]).count(), 0);
    }
}
