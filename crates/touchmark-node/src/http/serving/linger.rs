//! The end of a connection whose client is still sending.
//!
//! A refusal may be answered before the request's body is read. A socket that is closed with
//! unread bytes resets the connection, and a client that is reset while it sends never reads the
//! answer (RFC 9112 §9.6). So, after the answer, what still comes is read and dropped, within
//! bounds of bytes and time.

use crate::http::BODY_LIMIT;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep, timeout};

/// Most bytes that are dropped: whoever sends more is no client that only was too fast.
const BYTES: usize = 2 * BODY_LIMIT;
/// Longest time that this takes.
const TIME: Duration = Duration::from_secs(10);

/// Whether a body is being received on a connection.
#[derive(Clone, Default)]
pub(super) struct Receiving(Arc<AtomicBool>);

impl Receiving {
    /// The body of the connection's next request.
    pub(super) fn watch(&self, body: Incoming) -> axum::body::Body {
        if body.is_end_stream() {
            return axum::body::Body::empty();
        }
        self.0.store(true, Ordering::Relaxed);
        axum::body::Body::new(Watched { body, receiving: self.clone() })
    }

    fn is_unfinished(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

struct Watched {
    body: Incoming,
    receiving: Receiving,
}

impl Body for Watched {
    type Data = <Incoming as Body>::Data;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if frame.is_none() || self.body.is_end_stream() {
            self.receiving.0.store(false, Ordering::Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream that reads on for a while after it was shut down, if a body was still coming.
pub(super) struct Lingering<S> {
    stream: S,
    receiving: Receiving,
    time: Duration,
    rest: Option<Rest>,
}

/// What may still be dropped.
struct Rest {
    bytes: usize,
    deadline: Pin<Box<Sleep>>,
}

impl<S> Lingering<S> {
    pub(super) fn new(stream: S, receiving: Receiving) -> Self {
        Self { stream, receiving, time: TIME, rest: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, receiving, time, rest } = &mut *self;
        let rest = match rest {
            Some(rest) => rest,
            none => {
                ready!(Pin::new(&mut *stream).poll_shutdown(context))?;
                if !receiving.is_unfinished() {
                    return Poll::Ready(Ok(()));
                }
                none.insert(Rest { bytes: BYTES, deadline: Box::pin(sleep(*time)) })
            }
        };
        let mut dropped = [0; 16 << 10];
        while rest.bytes > 0 && rest.deadline.as_mut().poll(context).is_pending() {
            let mut buffer = ReadBuf::new(&mut dropped);
            // However it ends, the answer was sent.
            match ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {
                    rest.bytes = rest.bytes.saturating_sub(buffer.filled().len());
                }
                _ => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Drops what comes on a stream that was shut down before anything was read of it.
pub(super) async fn drain(mut stream: impl AsyncRead + Unpin) {
    const BYTES: u64 = 64 << 10;
    const TIME: Duration = Duration::from_secs(1);
    let (mut first, mut sink) = ((&mut stream).take(BYTES), tokio::io::sink());
    let drained = tokio::io::copy(&mut first, &mut sink);
    // However it ends, the answer was sent.
    let _ = timeout(TIME, drained).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;
    use tokio::io::{AsyncWriteExt as _, duplex};

    fn receiving(unfinished: bool) -> Receiving {
        Receiving(Arc::new(AtomicBool::new(unfinished)))
    }

    #[tokio::test]
    async fn what_still_comes_is_dropped_until_the_client_ends() {
        let (near, mut far) = duplex(64);
        let sent = tokio::spawn(async move {
            far.write_all(&vec![7; 100_000]).await.unwrap();
            far.shutdown().await.unwrap();
            far
        });
        Lingering::new(near, receiving(true)).shutdown().await.unwrap();
        sent.await.unwrap();
    }

    #[tokio::test]
    async fn it_is_bounded_in_bytes_and_time() {
        let (near, mut far) = duplex(1 << 20);
        let flood =
            tokio::spawn(async move { while far.write_all(&[7; 1 << 12]).await.is_ok() {} });
        Lingering::new(near, receiving(true)).shutdown().await.unwrap();
        flood.await.unwrap();
        let (near, _far) = duplex(64);
        let start = Instant::now();
        let mut near = Lingering::new(near, receiving(true));
        near.time = Duration::from_millis(300);
        near.shutdown().await.unwrap();
        assert!(start.elapsed() >= near.time);
    }

    #[tokio::test]
    async fn where_nothing_is_left_to_come_nothing_is_waited_for() {
        let (near, _far) = duplex(64);
        let start = Instant::now();
        Lingering::new(near, receiving(false)).shutdown().await.unwrap();
        assert!(start.elapsed() < TIME / 2);
    }
}
