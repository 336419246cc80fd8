//! Connections: how many there are, and how long they may take.

mod linger;
mod stall;

use super::Gateway;
use super::crowd::Full;
use super::source::{Peer, Source};
use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use linger::{Lingering, Receiving};
use stall::Impatient;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use touchmark_api::{Problem, media};
use touchmark_wire::registry::RefusalCode;
use tower::Service as _;

/// How long open requests have when the node stops.
const FAREWELL: Duration = Duration::from_secs(5);
/// How long to rest when no connection can be accepted, because files are used up for example.
const REST: Duration = Duration::from_millis(50);

/// Answers connections until `stop`, then lets open requests end.
pub async fn serve(listener: TcpListener, gateway: Gateway, stop: impl Future<Output = ()>) {
    let router = super::router(&gateway);
    let mut open = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
            Some(_) = open.join_next() => continue,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted");
                tokio::time::sleep(REST).await;
                continue;
            }
        };
        let source = Source::from(peer.ip());
        let entered = if gateway.limits.trusted_proxies.contains(&peer.ip().to_canonical()) {
            gateway.connections.enter_as_proxy(source)
        } else {
            gateway.connections.enter(source)
        };
        match entered {
            Ok(member) => {
                let connection = connection(stream, peer, router.clone(), gateway.clone());
                open.spawn(async move {
                    let _member = member;
                    connection.await;
                });
            }
            Err(full) => {
                gateway.metrics.limited("connections");
                refuse(stream, full, gateway.lingering.clone());
            }
        }
    }
    gateway.closing.send_replace(true);
    let ended = async { while open.join_next().await.is_some() {} };
    // Who takes longer is cut off.
    let _ = tokio::time::timeout(FAREWELL, ended).await;
}

async fn connection(stream: TcpStream, peer: SocketAddr, router: Router, gateway: Gateway) {
    let limits = &gateway.limits;
    // Answers are written whole; waiting for more to send only delays them.
    let _ = stream.set_nodelay(true);
    let receiving = Receiving::default();
    let stream = Lingering::new(Impatient::new(stream, limits.stall_time), receiving.clone());
    let stream = TokioIo::new(stream);
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer.ip()));
        router.clone().call(request.map(|body| receiving.watch(body)))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_buf_size(64 << 10)
        .serve_connection(stream, service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = closed(gateway.closing.subscribe()) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection broke");
    }
}

/// Waits until the node closes.
pub(super) async fn closed(mut closing: watch::Receiver<bool>) {
    // An error means that the gateway is gone, which is closed, too.
    let _ = closing.wait_for(|closing| *closing).await;
}

/// Says in a few bytes that there is no place; whoever does not read them is left. No request was
/// read, so the answer has no request id.
fn refuse(stream: TcpStream, full: Full, lingering: Arc<Semaphore>) {
    static EVERYWHERE: LazyLock<String> = LazyLock::new(|| {
        let detail = "the node has as many connections as it takes";
        alone("503 Service Unavailable", &Problem::new(RefusalCode::OVERLOADED, detail))
    });
    static OF_SOURCE: LazyLock<String> = LazyLock::new(|| {
        let detail = "this source has as many connections as it may";
        alone("429 Too Many Requests", &Problem::new(RefusalCode::QUOTA, detail))
    });
    let answer: &str = match full {
        Full::Everywhere => &EVERYWHERE,
        Full::OfSource => &OF_SOURCE,
    };
    // A fresh connection's buffer has room for it.
    let _ = stream.try_write(answer.as_bytes());
    tokio::spawn(async move {
        let mut stream = stream;
        let _ = tokio::time::timeout(Duration::from_secs(1), stream.shutdown()).await;
        // A flood is dropped at once: its sockets would use up what the places are counted for.
        if let Ok(_place) = lingering.try_acquire() {
            linger::drain(stream).await;
        }
    });
}

/// A whole answer, the only one of its connection.
fn alone(status: &str, problem: &Problem) -> String {
    let body = serde_json::to_string(problem).unwrap_or_default();
    let (kind, length) = (media::PROBLEM, body.len());
    format!(
        "HTTP/1.1 {status}\r\nretry-after: 5\r\nconnection: close\r\ncontent-type: {kind}\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
}
