//! What is counted, for Prometheus (OpenMetrics text).

mod anchor;
mod engine;
mod process;
mod sealed;

use super::Gateway;
use super::answer::Negative;
use crate::room;
use anchor::Anchor;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use process::Process;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use sealed::Sealed;
use std::path::{Path, PathBuf};
use std::time::Duration;
use touchmark_ledger::Execution;
use touchmark_wire::registry::RefusalCode;

/// Media type of the exposition.
const MEDIA: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What an exposition ends with, once.
const END: &str = "# EOF\n";

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: &'static str,
    status: u16,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct RouteLabels {
    method: &'static str,
    route: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct CodeLabels {
    code: String,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct LimitLabels {
    limit: &'static str,
}

/// Everything that is counted.
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram, fn() -> Histogram>,
    refused: Family<CodeLabels, Counter>,
    limited: Family<LimitLabels, Counter>,
    batch_leaves: Histogram,
    commits: Histogram,
    log_size: Gauge,
    height: Gauge,
    pool_items: Gauge,
    pool_bytes: Gauge,
    listeners: Gauge,
    connections: Gauge,
    sources: Gauge,
    peers: Gauge,
    members: Gauge,
    votes: Gauge,
    halted: Gauge,
    witnesses: Gauge,
    failing: Gauge,
    anchor: Anchor,
    free: Gauge,
    sealed: Sealed,
    process: Process,
    data: PathBuf,
}

fn set(gauge: &Gauge, value: u64) {
    gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
}

impl Metrics {
    /// Of a node with this data folder.
    pub(super) fn new(commits: Histogram, data: &Path) -> Self {
        let mut registry = Registry::with_prefix("touchmark");
        let seconds = || Histogram::new(exponential_buckets(0.000_5, 2.0, 16));
        let made = Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(seconds),
            refused: Family::default(),
            limited: Family::default(),
            batch_leaves: Histogram::new(exponential_buckets(1.0, 4.0, 8)),
            commits,
            log_size: Gauge::default(),
            height: Gauge::default(),
            pool_items: Gauge::default(),
            pool_bytes: Gauge::default(),
            listeners: Gauge::default(),
            connections: Gauge::default(),
            sources: Gauge::default(),
            peers: Gauge::default(),
            members: Gauge::default(),
            votes: Gauge::default(),
            halted: Gauge::default(),
            witnesses: Gauge::default(),
            failing: Gauge::default(),
            anchor: Anchor::default(),
            free: Gauge::default(),
            sealed: Sealed::default(),
            process: Process::default(),
            data: data.into(),
            registry: Registry::default(),
        };
        macro_rules! register {
            ($($name:literal $metric:ident $help:literal;)*) => {$(
                registry.register($name, $help, made.$metric.clone());
            )*};
        }
        register! {
            "http_requests" requests "Answered requests by route and status";
            "http_refused" refused "Problems answered by code";
            "http_limited" limited "Requests refused by a limit";
            "http_listeners" listeners "Listeners to events";
            "http_connections" connections "Open connections";
            "http_sources" sources "Sources whose use is remembered";
            "batch_leaves" batch_leaves "Leaves of a batch";
            "log_leaves" log_size "Leaves of the log";
            "log_batches" height "Height of the last batch";
            "pool_items" pool_items "Submissions that wait for a batch";
            "pool_bytes" pool_bytes "Their bytes";
            "consensus_peers" peers "Connected peers";
            "consensus_members" members "Members of the committee of the term";
            "consensus_votes" votes "Whether this node votes";
            "witness_named" witnesses "Outside witnesses of the log";
            "witness_failing" failing "Those that did not cosign when they were asked last";
            "store_halted" halted "Whether the store writes nothing any more";
        }
        made.anchor.register(&mut registry);
        let (unit, about) = (Unit::Seconds, "Time until a request was answered");
        registry.register_with_unit("http_duration", about, unit, made.durations.clone());
        let (unit, about) = (Unit::Seconds, "Time to make a batch durable");
        registry.register_with_unit("commit_duration", about, unit, made.commits.clone());
        let about = "Room where the data folder is";
        registry.register_with_unit("store_free", about, Unit::Bytes, made.free.clone());
        made.sealed.register(&mut registry);
        made.process.register(&mut registry);
        Self { registry, ..made }
    }

    pub(super) fn answered(
        &self,
        method: &'static str,
        route: &'static str,
        status: u16,
        time: Duration,
    ) {
        self.requests.get_or_create(&RequestLabels { method, route, status }).inc();
        self.durations.get_or_create(&RouteLabels { method, route }).observe(time.as_secs_f64());
    }

    pub(super) fn refused(&self, code: &str) {
        self.refused.get_or_create(&CodeLabels { code: code.to_owned() }).inc();
    }

    pub(super) fn limited(&self, limit: &'static str) {
        self.limited.get_or_create(&LimitLabels { limit }).inc();
    }

    pub(super) fn batch(&self, execution: &Execution) {
        let leaves = u32::try_from(execution.happened.len()).unwrap_or(u32::MAX);
        self.batch_leaves.observe(leaves.into());
    }
}

/// `GET /metrics`
pub(super) async fn metrics(State(gateway): State<Gateway>) -> Result<Response, Negative> {
    let metrics = &gateway.metrics;
    let counts = gateway.node.store.snapshot().counts();
    let backlog = gateway.node.backlog();
    set(&metrics.log_size, counts.leaves);
    set(&metrics.height, counts.batches);
    set(&metrics.pool_items, backlog.items as u64);
    set(&metrics.pool_bytes, backlog.bytes as u64);
    set(&metrics.listeners, gateway.listeners.len() as u64);
    set(&metrics.connections, gateway.connections.len() as u64);
    set(&metrics.sources, gateway.sources() as u64);
    let status = gateway.node.status();
    set(&metrics.peers, status.peers.len() as u64);
    set(&metrics.members, status.members as u64);
    set(&metrics.votes, status.votes.into());
    set(&metrics.halted, gateway.node.store.halted().is_some().into());
    metrics.sealed.show(&gateway.node.store.sealed());
    let witnesses = gateway.node.witnesses().view().items;
    let failing = witnesses.iter().filter(|witness| witness.problem.is_some()).count();
    set(&metrics.witnesses, witnesses.len() as u64);
    set(&metrics.failing, failing as u64);
    metrics.anchor.show(gateway.node.anchorage().view().as_ref());
    // What is not known stays as it was.
    if let Ok(free) = room::free(&metrics.data) {
        set(&metrics.free, free);
    }
    metrics.process.measure();
    let mut text = String::new();
    text::encode(&mut text, &metrics.registry)
        .map_err(|error| Negative::new(RefusalCode::INTERNAL, error.to_string()))?;
    text.truncate(text.strip_suffix(END).unwrap_or(&text).len());
    text.push_str(&engine::families(&gateway.node.engine_metrics()));
    text.push_str(END);
    Ok(([(header::CONTENT_TYPE, MEDIA), (header::CACHE_CONTROL, "no-store")], text).into_response())
}
