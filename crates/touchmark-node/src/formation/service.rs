//! Serving a formation over HTTP: one path, small bodies, short connections.

use super::{FormationError, Reception};
use crate::http::crowd::Crowd;
use crate::http::source::Source;
use crate::node::now;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use touchmark_wire::limits;

/// Where requests are sent.
pub(super) const PATH: &str = "/formation";
/// Longest request, bytes.
const REQUEST: usize = limits::MEMBER_RECORD + 256;
/// Connections at once, and those of one source.
const CONNECTIONS: (usize, usize) = (64, 8);
/// How long a connection may take.
const CONNECTION: Duration = Duration::from_secs(15);
/// How long to rest when no connection can be accepted.
const REST: Duration = Duration::from_millis(50);

/// A served formation, until this is dropped.
pub struct Service {
    runtime: Option<Runtime>,
}

impl Service {
    /// Serves at `address`.
    pub fn start(address: SocketAddr, reception: Arc<Reception>) -> Result<Self, FormationError> {
        let failed = |source| FormationError::Listen { address, source };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .thread_name("formation")
            .build()
            .map_err(failed)?;
        let listener = runtime.block_on(TcpListener::bind(address)).map_err(failed)?;
        runtime.spawn(accept(listener, reception));
        Ok(Self { runtime: Some(runtime) })
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn accept(listener: TcpListener, reception: Arc<Reception>) {
    let (all, of_source) = CONNECTIONS;
    let crowd = Crowd::new(all, of_source);
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            tokio::time::sleep(REST).await;
            continue;
        };
        // Who finds no place asks again.
        let Ok(place) = crowd.enter(Source::from(peer.ip())) else { continue };
        let reception = reception.clone();
        tokio::spawn(async move {
            let _place = place;
            let _ = tokio::time::timeout(CONNECTION, connection(stream, reception)).await;
        });
    }
}

async fn connection(stream: TcpStream, reception: Arc<Reception>) {
    let service = service_fn(move |request| respond(request, reception.clone()));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .keep_alive(false)
        .max_buf_size(16 << 10)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = served.await {
        tracing::debug!(%error, "a connection broke");
    }
}

async fn respond(
    request: Request<Incoming>,
    reception: Arc<Reception>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let answer = |status, body: Vec<u8>| {
        let mut response = Response::new(Full::from(body));
        *response.status_mut() = status;
        Ok(response)
    };
    if request.uri().path() != PATH || request.method() != Method::POST {
        return answer(StatusCode::NOT_FOUND, Vec::new());
    }
    let Ok(body) = Limited::new(request.into_body(), REQUEST).collect().await else {
        return answer(StatusCode::PAYLOAD_TOO_LARGE, Vec::new());
    };
    let bytes = body.to_bytes();
    // A record is written to the disk before it is answered.
    let answered = tokio::task::spawn_blocking(move || reception.answer(&bytes, now())).await;
    match answered {
        Ok(body) => answer(StatusCode::OK, body),
        Err(_) => answer(StatusCode::INTERNAL_SERVER_ERROR, Vec::new()),
    }
}
