//! What every request passes before its handler: limits of its source, of identities, of places
//! and of time. All of them come before the first signature is checked.

mod body;
mod dress;
mod freshness;
mod tag;

pub(super) use dress::dress;
pub(super) use freshness::{AT_LEAST, PATIENCE};

use super::Gateway;
use super::answer::{Negative, Refused};
use super::bucket::{Allowance, Buckets};
use super::extract::decoded;
use super::negotiation::{self, Accepted};
use super::source::Source;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use touchmark_api::openapi::Endpoint;
use touchmark_api::{EdgeCode, Problem};
use touchmark_wire::registry::RefusalCode;

/// How a set-up code is brought: attempts are dear.
pub(super) const SETTING_UP: Class = Class::Aside(50, 1_024);

/// What a route asks of a request, and of the node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Class {
    /// Whether the node lives: always answered.
    Probe,
    /// Reads, at this many tokens.
    Read(u32),
    /// Stays open, and has a place of its own.
    Stream,
    /// Brings something, at so many tokens for the first item.
    Write(u32),
    /// Brings what is nothing to the ledger, at so many tokens, in at most so many bytes.
    Aside(u32, usize),
    /// Needs a key; attempts are dear.
    Admin,
}

/// A route's gate.
pub(super) struct Gate {
    gateway: Gateway,
    class: Class,
    method: &'static str,
    route: &'static str,
    /// The parameters that it has; pages take any.
    query: Option<Vec<&'static str>>,
    /// The media types of its answers; none where it does not matter.
    offers: Vec<&'static str>,
    /// The media types of the bodies that it takes.
    takes: Vec<&'static str>,
}

impl Gate {
    pub(super) fn new(gateway: Gateway, class: Class, endpoint: &Endpoint) -> Arc<Self> {
        let query = endpoint.parameters.iter().filter(|it| it.is_query()).map(|it| it.name);
        Arc::new(Self {
            class,
            method: endpoint.method.name(),
            route: endpoint.path,
            query: Some(query.collect()),
            offers: endpoint.offers(),
            takes: endpoint.takes(),
            gateway,
        })
    }

    /// The gate of pages for people.
    pub(super) fn of_pages(gateway: Gateway) -> Arc<Self> {
        Self::for_people(gateway, Class::Read(5), "get")
    }

    /// The gate of the form that brings a set-up code.
    pub(super) fn of_set_up(gateway: Gateway) -> Arc<Self> {
        Self::for_people(gateway, SETTING_UP, "post")
    }

    fn for_people(gateway: Gateway, class: Class, method: &'static str) -> Arc<Self> {
        let (offers, takes) = (Vec::new(), Vec::new());
        Arc::new(Self { gateway, class, method, route: "pages", query: None, offers, takes })
    }

    async fn admit(&self, request: Request, next: Next) -> Result<Response, Negative> {
        self.refuse_unknown_query(&request)?;
        self.refuse_media(&request)?;
        let gateway = &self.gateway;
        let source = gateway.source(&request);
        let (buckets, places, cost) = match self.class {
            Class::Probe => return Ok(next.run(request).await),
            Class::Read(cost) => (&gateway.reads, &gateway.reading, cost),
            Class::Stream => (&gateway.reads, &gateway.reading, 10),
            Class::Admin => (&gateway.reads, &gateway.reading, 50),
            Class::Write(cost) | Class::Aside(cost, _) => (&gateway.writes, &gateway.writing, cost),
        };
        let allowance = self.take(buckets.as_ref(), source, cost)?;
        let mut share = Share { buckets: buckets.as_ref(), source, allowance };
        let answered = self.answer(request, next, places, &mut share).await;
        let mut response = answered.unwrap_or_else(IntoResponse::into_response);
        if let (Some(allowance), Some(buckets)) = (share.allowance, buckets) {
            announce(&mut response, allowance, buckets);
        }
        Ok(response)
    }

    /// The answer to a request whose source has something left.
    async fn answer(
        &self,
        request: Request,
        next: Next,
        places: &Arc<Semaphore>,
        share: &mut Share<'_>,
    ) -> Result<Response, Negative> {
        let _place = self.place(places)?;
        let (request, _bytes) = match self.class {
            Class::Write(_) => {
                let received = self.receive(request).await?;
                if let Some(more) = received.items.checked_sub(1).filter(|more| *more > 0) {
                    share.allowance = self.take(share.buckets, share.source, more)?;
                }
                (received.request, received.bytes)
            }
            Class::Aside(_, limit) => self.receive_aside(request, limit).await?,
            _ => {
                self.wait(request.uri()).await?;
                (request, None)
            }
        };
        let known = matches!(self.class, Class::Read(_)).then(|| request.headers().clone());
        let patience = self.gateway.limits.answer_time;
        let answered = tokio::time::timeout(patience, next.run(request)).await;
        let response = answered.map_err(|_| {
            let detail = format!("no answer in {} s", patience.as_secs());
            Negative::new(RefusalCode::TIMEOUT, detail)
        })?;
        let mut response = match known {
            Some(known) => tag::tagged(&known, response).await?,
            None => response,
        };
        if self.offers.len() > 1 {
            response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
        }
        Ok(response)
    }

    /// Refuses who accepts nothing that the route answers, or sends what it does not take.
    fn refuse_media(&self, request: &Request) -> Result<(), Negative> {
        let headers = request.headers();
        if !self.offers.is_empty() && Accepted::of(headers).best(&self.offers).is_none() {
            let detail = format!("this is answered as {}", self.offers.join(" or "));
            return Err(Problem::of_edge(EdgeCode::NotAcceptable, detail).into());
        }
        if !self.takes.is_empty() && !self.takes.contains(&&*negotiation::sent(headers)) {
            let detail = format!("a body here is {}", self.takes.join(" or "));
            return Err(Problem::of_edge(EdgeCode::MediaType, detail).into());
        }
        Ok(())
    }

    /// Refuses parameters that the route does not have: a misspelt filter must not answer
    /// everything.
    fn refuse_unknown_query(&self, request: &Request) -> Result<(), Negative> {
        let Some(names) = &self.query else { return Ok(()) };
        if request.uri().query().is_none_or(str::is_empty) {
            return Ok(());
        }
        let given: Vec<(String, String)> = decoded(request.uri())?;
        let unknown = given.iter().map(|(name, _)| name).find(|name| !names.contains(&&***name));
        let Some(name) = unknown else { return Ok(()) };
        let known = if names.is_empty() { "none".into() } else { names.join(", ") };
        let name: String = name.chars().take(64).collect();
        Err(Negative::malformed(format!("there is no parameter `{name}` here; known: {known}")))
    }

    fn take(
        &self,
        buckets: Option<&Buckets<Source>>,
        source: Source,
        cost: u32,
    ) -> Result<Option<Allowance>, Negative> {
        let Some(buckets) = buckets else { return Ok(None) };
        let taken = buckets.take(&source, cost, Instant::now());
        taken.map(Some).map_err(|wait| {
            self.gateway.metrics.limited("source");
            let detail = "this source asks for more than its share";
            Negative::new(RefusalCode::QUOTA, detail).after(wait)
        })
    }

    fn place(
        &self,
        places: &Arc<Semaphore>,
    ) -> Result<tokio::sync::OwnedSemaphorePermit, Negative> {
        places.clone().try_acquire_owned().map_err(|_| {
            self.gateway.metrics.limited("requests");
            Negative::new(RefusalCode::OVERLOADED, "the node answers as many requests as it can")
        })
    }
}

/// What a source has left.
struct Share<'g> {
    buckets: Option<&'g Buckets<Source>>,
    source: Source,
    allowance: Option<Allowance>,
}

/// The middleware of a route.
pub(super) async fn gate(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let admitted = gate.admit(request, next).await;
    let response = admitted.unwrap_or_else(IntoResponse::into_response);
    let metrics = &gate.gateway.metrics;
    if let Some(Refused(problem)) = response.extensions().get() {
        metrics.refused(&problem.code);
    }
    let time = match gate.class {
        // A stream ends when its listener leaves, which says nothing of the node.
        Class::Stream => Duration::ZERO,
        _ => start.elapsed(),
    };
    metrics.answered(gate.method, gate.route, response.status().as_u16(), time);
    response
}

/// The header fields of the IETF's draft on rate limits.
fn announce(response: &mut Response, allowance: Allowance, buckets: &Buckets<Source>) {
    let rate = buckets.rate();
    let policy = format!("\"source\";q={};w={}", rate.burst, rate.window());
    let full_in = allowance.full_in.as_secs_f64().ceil();
    let left = format!("\"source\";r={};t={full_in}", allowance.remaining);
    for (name, value) in [("ratelimit-policy", policy), ("ratelimit", left)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
}
