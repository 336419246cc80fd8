//! Serving a node over HTTP until it is told to stop.

use crate::anchor;
use crate::http::{self, Gateway, Limits};
use crate::node::{Node, NodeConfig, StartError};
use crate::stop::Stop;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::MissedTickBehavior;
use touchmark_engine::Phase;

/// What a service needs.
#[derive(Clone, Debug)]
pub struct ServiceConfig {
    /// The node.
    pub node: NodeConfig,
    /// Where HTTP is served.
    pub listen: SocketAddr,
    /// What it takes of the outside world.
    pub limits: Limits,
    /// How often outside witnesses are asked.
    pub witness_interval: Duration,
    /// Where another network has checkpoints of the log.
    pub anchor: Option<anchor::Source>,
    /// How often that is looked at.
    pub anchor_interval: Duration,
}

/// Why a service does not start, or ends.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// The node does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The address is not free.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The runtime failed.
    #[error("cannot serve: {0}")]
    Runtime(io::Error),
    /// The engine gave up.
    #[error("the node stopped: {0}")]
    Engine(touchmark_engine::Error),
}

/// Serves until a signal (interrupt, terminate) arrives. A node that fails meanwhile goes on reading,
/// refuses what it is sent and says why (ADR 7). `ready` is told where HTTP is served, once it is.
pub fn serve(
    config: &ServiceConfig,
    ready: impl FnOnce(SocketAddr, &Node),
) -> Result<(), ServiceError> {
    let address = config.listen;
    // Bound before the node starts, so that a second one on the same address changes nothing.
    let listener = std::net::TcpListener::bind(address)
        .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
        .map_err(|source| ServiceError::Listen { address, source })?;
    let node = Arc::new(Node::start(&config.node)?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("http")
        .build()
        .map_err(ServiceError::Runtime)?;
    let served = runtime.block_on(async {
        let listener = TcpListener::from_std(listener).map_err(ServiceError::Runtime)?;
        let address = listener.local_addr().map_err(ServiceError::Runtime)?;
        // Whoever is told that it is ready may tell it to stop.
        let stop = Stop::listen();
        ready(address, &node);
        let gateway = Gateway::new(node.clone(), &config.node.data, config.limits.clone());
        tokio::spawn(again(node.clone(), config.witness_interval, Node::ask_witnesses));
        if let Some(source) = config.anchor.clone() {
            let renew = move |node: &Node| node.renew_anchor(&source);
            tokio::spawn(again(node.clone(), config.anchor_interval, renew));
        }
        http::serve(listener, gateway, stopped(stop)).await;
        Ok::<_, ServiceError>(())
    });
    runtime.shutdown_timeout(Duration::from_secs(5));
    node.stop();
    served?;
    match node.status().phase {
        Phase::Failed(error) => Err(ServiceError::Engine(error)),
        _ => Ok(()),
    }
}

/// Does something beside the node's work that may have to wait for others, again and again.
async fn again(
    node: Arc<Node>,
    interval: Duration,
    round: impl Fn(&Node) + Clone + Send + 'static,
) {
    let mut rounds = tokio::time::interval(interval);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        let (node, round) = (node.clone(), round.clone());
        // Whatever happens there, the next round is another.
        let _ = tokio::task::spawn_blocking(move || round(&node)).await;
    }
}

/// Waits for a signal.
async fn stopped(stop: io::Result<Stop>) {
    match stop {
        Ok(mut stop) => stop.asked().await,
        Err(error) => {
            tracing::warn!(%error, "signals are not heard");
            std::future::pending::<()>().await;
        }
    }
}
