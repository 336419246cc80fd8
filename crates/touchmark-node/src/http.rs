//! The HTTP interface.
//!
//! Every route is a row of [`table`], with its handler and its description: the router and the
//! OpenAPI document are made of the same rows, so no route can be missing in the document. Every
//! request passes its route's [`gate`] first, which keeps the [`Limits`].

mod admin;
mod answer;
mod backup;
mod bucket;
mod cards;
mod channels;
pub(crate) mod crowd;
mod events;
mod extract;
mod gate;
mod health;
mod history;
mod identities;
mod leaves;
mod limits;
mod metrics;
mod negotiation;
mod payloads;
mod proofs;
mod reading;
mod route;
mod scitt;
mod serving;
mod setup;
pub(crate) mod source;
mod submission;
mod table;
mod taps;
mod things;
mod tiles;
mod witness;

pub use bucket::Rate;
pub use limits::Limits;
pub use serving::serve;

use crate::apikey::ApiKeys;
use crate::node::Node;
use crate::pages;
use crate::witness::Register;
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef, Request};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::MethodRouter;
use backup::Backups;
use bucket::Buckets;
use crowd::Crowd;
use gate::Gate;
use identities::Identities;
use metrics::Metrics;
use route::Route;
use serde_json::Value;
use source::{Peer, Source};
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;
use tokio::sync::{Mutex, Semaphore, broadcast, watch};
use touchmark_api::openapi;

/// Refused connections that are not dropped at once.
const LINGERING: usize = 64;

/// Longest body of a request, bytes.
const BODY_LIMIT: usize = 8 << 20;

/// What the routes work with.
#[derive(Clone)]
pub struct Gateway(Arc<Shared>);

/// What all requests share; nothing of it can be named outside.
pub struct Shared {
    node: Arc<Node>,
    limits: Limits,
    keys: ApiKeys,
    backups: Backups,
    metrics: Metrics,
    reads: Option<Buckets<Source>>,
    writes: Option<Buckets<Source>>,
    identities: Identities,
    /// This node as a witness of other logs, if it is one.
    register: Register,
    /// Whoever cosigns has it; what was wrong with that last.
    cosigning: Arc<Mutex<Option<String>>>,
    reading: Arc<Semaphore>,
    writing: Arc<Semaphore>,
    bodies: Arc<Semaphore>,
    connections: Arc<Crowd>,
    listeners: Arc<Crowd>,
    /// Places of refused connections of which what still comes is read.
    lingering: Arc<Semaphore>,
    /// Whether an operator lets no writes in.
    draining: AtomicBool,
    /// Whether the node stops.
    closing: watch::Sender<bool>,
}

impl Gateway {
    /// The interface of this node, whose data folder has the API keys and takes the backups. It
    /// must be made inside the
    /// runtime that serves it.
    pub fn new(node: Arc<Node>, data: &Path, limits: Limits) -> Self {
        let buckets = |rate: Option<Rate>| rate.map(|rate| Buckets::new(rate, limits.remembered));
        let places = |count: usize| Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS)));
        let gateway = Self(Arc::new(Shared {
            keys: ApiKeys::in_folder(data),
            backups: Backups::in_folder(data),
            metrics: Metrics::new(node.commits(), data),
            reads: buckets(limits.reads),
            writes: buckets(limits.writes),
            register: Register::in_folder(data),
            cosigning: Arc::default(),
            identities: Identities::new(limits.identity, limits.remembered),
            reading: places(limits.requests),
            writing: places(limits.requests),
            bodies: places(limits.bodies),
            connections: Crowd::new(limits.connections, limits.connections_of_source),
            listeners: Crowd::new(limits.listeners, limits.connections_of_source),
            lingering: places(LINGERING),
            draining: AtomicBool::new(false),
            closing: watch::Sender::new(false),
            limits,
            node,
        }));
        tokio::spawn(gateway.clone().follow());
        gateway
    }

    /// Counts what each batch brought, and charges those in whose name it is.
    async fn follow(self) {
        let mut executions = self.node.executions();
        let closing = self.closing.subscribe();
        let mut closing = std::pin::pin!(serving::closed(closing));
        loop {
            let execution = tokio::select! {
                () = &mut closing => return,
                execution = executions.recv() => execution,
            };
            match execution {
                Ok(execution) => {
                    self.metrics.batch(&execution);
                    self.identities.charge(&execution, Instant::now());
                }
                // What this task was too slow for is not charged.
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return,
            }
        }
    }
}

impl Shared {
    /// Where a request comes from.
    fn source(&self, request: &Request) -> Source {
        let peer = request.extensions().get::<Peer>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.0);
        Source::of(peer, request.headers(), &self.limits.trusted_proxies)
    }

    /// How many sources are remembered.
    fn sources(&self) -> usize {
        let known = |buckets: &Option<Buckets<Source>>| buckets.as_ref().map_or(0, Buckets::len);
        known(&self.reads).max(known(&self.writes))
    }
}

impl Deref for Gateway {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl FromRef<Gateway> for Arc<Node> {
    fn from_ref(gateway: &Gateway) -> Self {
        gateway.node.clone()
    }
}

/// The routes of a node. Pages ask those of `/v1` in process, behind a gate of their own: what a
/// page reads counts for whoever opened it.
pub fn router(gateway: &Gateway) -> Router {
    let within = routes(gateway, Route::bare);
    let gate = Gate::of_set_up(gateway.clone());
    let form = pages::form(within.clone()).layer(from_fn_with_state(gate, gate::gate));
    let gate = Gate::of_pages(gateway.clone());
    let pages = pages::routes(within).layer(from_fn_with_state(gate, gate::gate));
    routes(gateway, |route| route.guarded(gateway))
        .merge(pages)
        .merge(form)
        .method_not_allowed_fallback(answer::no_such_method)
        .fallback(answer::no_such_path)
        .layer(from_fn(gate::dress))
}

fn routes(gateway: &Gateway, handler: impl Fn(Route) -> MethodRouter<Gateway>) -> Router {
    let mut router = Router::new();
    for route in table::routes() {
        router = router.route(route.endpoint.path, handler(route));
    }
    router.layer(DefaultBodyLimit::max(BODY_LIMIT)).with_state(gateway.clone())
}

/// The OpenAPI 3.1 document of the routes.
pub fn document() -> Value {
    let endpoints: Vec<_> = table::routes().into_iter().map(|route| route.endpoint).collect();
    openapi::document(&endpoints)
}
