//! Events as they happen, and those before (server-sent events).
//!
//! A listener reads the stored log from its cursor on, page by page, and waits for the next batch
//! where the log ends. History and live events are so the same reading: there is no moment at
//! which one could be missed or told twice, and nothing is kept for a slow listener but its place.

mod cursor;

use super::Gateway;
use super::answer::Negative;
use super::crowd::{Full, Member};
use super::extract::{Named, Params};
use super::serving::closed;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use cursor::{Cursor, Scope};
use http_body::Frame;
use serde::Deserialize;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc;
use touchmark_api::{EventView, Happening};
use touchmark_core::view::Read as _;
use touchmark_wire::ids::{ChannelId, ThingId, TreeSize};
use touchmark_wire::registry::RefusalCode;

/// Media type of the stream.
const MEDIA: &str = "text/event-stream";
/// Time between signs of life.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Pages that wait for a listener at most; one who takes none is cut off by its connection.
const WAITING: usize = 2;

/// Where to begin, and what to tell.
#[derive(Deserialize)]
pub(super) struct Wanted {
    since: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// `GET /v1/events`
pub(super) async fn all(
    State(gateway): State<Gateway>,
    Params(wanted): Params<Wanted>,
    request: Request,
) -> Result<Response, Negative> {
    listen(gateway, Scope::Log, wanted, &request)
}

/// `GET /v1/things/{id}/events`
pub(super) async fn of_thing(
    State(gateway): State<Gateway>,
    Named(thing): Named<ThingId>,
    Params(wanted): Params<Wanted>,
    request: Request,
) -> Result<Response, Negative> {
    if gateway.node.store.snapshot().thing(thing)?.is_none() {
        return Err(Negative::not_found(format!("the thing {thing}")));
    }
    listen(gateway, Scope::Thing(thing), wanted, &request)
}

/// `GET /v1/channels/{id}/events`
pub(super) async fn of_channel(
    State(gateway): State<Gateway>,
    Named(channel): Named<ChannelId>,
    Params(wanted): Params<Wanted>,
    request: Request,
) -> Result<Response, Negative> {
    super::channels::known(&gateway.node.store.snapshot(), channel)?;
    listen(gateway, Scope::Channel(channel), wanted, &request)
}

fn listen(
    gateway: Gateway,
    scope: Scope,
    wanted: Wanted,
    request: &Request,
) -> Result<Response, Negative> {
    let cursor = start(&gateway, &wanted, request.headers())?;
    if let Some(kind) = wanted.kind.as_deref().filter(|kind| !Happening::NAMES.contains(kind)) {
        return Err(Negative::malformed(format!("`{kind}` is no type of event")));
    }
    let member = gateway.listeners.enter(gateway.source(request)).map_err(|full| {
        gateway.metrics.limited("listeners");
        match full {
            Full::Everywhere => {
                Negative::new(RefusalCode::OVERLOADED, "as many listen as the node takes")
            }
            Full::OfSource => {
                Negative::new(RefusalCode::QUOTA, "this source listens as often as it may")
            }
        }
    })?;
    let (pages, body) = mpsc::channel(WAITING);
    let listener = Listener { gateway, scope, cursor, kind: wanted.kind, pages, _member: member };
    tokio::spawn(listener.tell());
    let headers = [(header::CONTENT_TYPE, MEDIA), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, Body::new(Pages(body))).into_response())
}

/// `Last-Event-ID` is where the listener was cut off; `since` where it wants to begin.
fn start(gateway: &Gateway, wanted: &Wanted, headers: &HeaderMap) -> Result<Cursor, Negative> {
    if let Some(last) = headers.get("last-event-id") {
        let last = last.to_str().ok().and_then(|last| last.parse().ok());
        return last.ok_or_else(|| Negative::malformed("Last-Event-ID is not one of ours"));
    }
    match wanted.since.as_deref() {
        None => Ok(Cursor::before(0)),
        Some("now") => Ok(Cursor::before(gateway.node.store.snapshot().size().0)),
        Some(position) => position
            .parse()
            .map(Cursor::before)
            .map_err(|_| Negative::malformed("since is a position, or `now`")),
    }
}

/// Someone who hears of everything in its scope.
struct Listener {
    gateway: Gateway,
    scope: Scope,
    cursor: Cursor,
    kind: Option<String>,
    pages: mpsc::Sender<Bytes>,
    _member: Member,
}

/// The other end does not listen any more.
struct Gone;

impl Listener {
    async fn tell(mut self) {
        let closing = self.gateway.closing.subscribe();
        tokio::select! {
            _ = self.tell_all() => {}
            () = closed(closing) => {}
        }
    }

    async fn tell_all(&mut self) -> Result<Infallible, Gone> {
        let mut caught_up = false;
        loop {
            let reader = self.gateway.node.store.snapshot();
            let size = reader.size().0;
            let page = self.scope.page(&reader, self.cursor).map_err(|error| {
                tracing::error!(%error, "events cannot be read");
                Gone
            })?;
            drop(reader);
            self.cursor = page.next;
            self.send(self.render(&page.events)).await?;
            if !page.complete {
                // Others have their turn, also while a filter finds nothing for long.
                tokio::task::yield_now().await;
                continue;
            }
            self.cursor = Cursor::before(size);
            if !caught_up {
                caught_up = true;
                self.send(format!("{}event: live\ndata: {{\"size\":{size}}}\n\n", self.place()))
                    .await?;
            }
            self.wait(TreeSize(size + 1)).await?;
        }
    }

    /// Waits for the next batch, with a sign of life from time to time.
    async fn wait(&self, size: TreeSize) -> Result<(), Gone> {
        loop {
            let grown = tokio::time::timeout(HEARTBEAT, self.gateway.node.reach(size));
            tokio::select! {
                () = self.pages.closed() => return Err(Gone),
                grown = grown => {
                    if grown.is_ok() {
                        return Ok(());
                    }
                }
            }
            // An id without data tells nothing and moves the listener's cursor on.
            self.send(format!(": still here\n{}\n", self.place())).await?;
        }
    }

    async fn send(&self, text: String) -> Result<(), Gone> {
        if text.is_empty() {
            return Ok(());
        }
        self.pages.send(text.into()).await.map_err(|_| Gone)
    }

    fn render(&self, events: &[EventView]) -> String {
        let mut text = String::new();
        for event in events {
            let name = event.event.name();
            if self.kind.as_deref().is_some_and(|kind| kind != name) {
                continue;
            }
            let (leaf, index) = (event.leaf, event.index);
            let Ok(data) = serde_json::to_string(event) else { continue };
            // Writing to a text does not fail.
            let _ = write!(text, "id: {leaf}.{index}\nevent: {name}\ndata: {data}\n\n");
        }
        text
    }

    fn place(&self) -> String {
        self.cursor.last().map(|last| format!("id: {last}\n")).unwrap_or_default()
    }
}

/// Pages of a stream, as a body.
struct Pages(mpsc::Receiver<Bytes>);

impl http_body::Body for Pages {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|page| page.map(|page| Ok(Frame::data(page))))
    }
}
