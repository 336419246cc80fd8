//! Following a log: a node without a vote takes its batches from nodes that have them.
//!
//! ```text
//!  sources ─ certified batches ─> [replication] ─ checked ─> ledger, store
//!  sources <─ submissions ─────── [passing]     <─ what was submitted here
//!  sources ─ signed by validators ─> [word]     ─ checked ─> who asks for it
//! ```
//! The sources are trusted with nothing: batches count with the committee's certificate, are
//! executed here by the same rules, and lead to the roots in their headers. A source can only be
//! silent; then another one is asked.

mod passing;
mod replication;
mod sources;
mod word;

pub(crate) use word::WordError;

use sources::Sources;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use touchmark_batch::Application as _;
use touchmark_engine::{Finality, Phase, Status};
use touchmark_ledger::Ledger;
use touchmark_store::{Snapshot, Store};
use touchmark_wire::genesis::Genesis;
use touchmark_wire::ids::{Height, TreeSize};

/// How many batches a node may lack and still be called up to date.
const UP_TO_DATE: u64 = 8;
/// How long a stop waits for a source's answer: nothing is lost with it.
const FAREWELL: Duration = Duration::from_secs(2);

/// A node's part that follows. Dropping it stops it.
pub(crate) struct Follower {
    following: Arc<Following>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What its threads share.
struct Following {
    genesis: Genesis,
    ledger: Arc<Ledger>,
    store: Arc<Store>,
    sources: Sources,
    standing: Mutex<Standing>,
    /// The log grew, something was submitted, or all is to end.
    changed: Condvar,
    phase: watch::Sender<Phase>,
    /// The newest checkpoint that was passed on.
    note: Mutex<Option<(TreeSize, String)>>,
}

/// How it goes.
#[derive(Default)]
struct Standing {
    /// The newest batch that a source spoke of.
    newest: Height,
    /// Why the source that was asked last gave nothing.
    failing: Option<String>,
    /// How often something was submitted.
    submitted: u64,
    stopping: bool,
}

impl Follower {
    /// Begins to follow.
    pub(crate) fn start(
        genesis: &Genesis,
        ledger: &Arc<Ledger>,
        store: &Arc<Store>,
        sources: &[String],
    ) -> Result<Self, FollowError> {
        let following = Arc::new(Following {
            genesis: genesis.clone(),
            ledger: ledger.clone(),
            store: store.clone(),
            sources: Sources::new(sources)?,
            standing: Mutex::default(),
            changed: Condvar::new(),
            phase: watch::Sender::new(Phase::Running),
            note: Mutex::default(),
        });
        let begin = |name: &str, work: fn(&Following)| {
            let following = following.clone();
            let thread = thread::Builder::new().name(name.into());
            thread.spawn(move || work(&following)).map_err(FollowError::Thread)
        };
        let threads =
            vec![begin("replication", replication::run)?, begin("passing on", passing::run)?];
        Ok(Self { following, threads: Mutex::new(threads) })
    }

    /// Something was submitted.
    pub(crate) fn wake(&self) {
        self.following.lock().submitted += 1;
        self.following.changed.notify_all();
    }

    /// As an engine tells it; a source that answers is its only peer.
    pub(crate) fn status(&self) -> Status {
        let following = &self.following;
        let height = following.ledger.finalized();
        let next = Height(height.0.saturating_add(1));
        let committee = following.ledger.committee(next);
        let standing = following.lock();
        Status {
            term: next.term().0,
            members: committee.map_or(0, |committee| committee.validators.len()),
            votes: false,
            finalized: standing.newest.max(height),
            height,
            peers: usize::from(standing.failing.is_none()),
            phase: following.phase.borrow().clone(),
            ..Status::default()
        }
    }

    /// Why what it reads here may be old, and what is written not be taken.
    pub(crate) fn hindrance(&self) -> Option<String> {
        if *self.following.phase.borrow() != Phase::Running {
            return None;
        }
        let height = self.following.ledger.finalized();
        let standing = self.following.lock();
        let behind = standing.newest.0.saturating_sub(height.0);
        match &standing.failing {
            Some(reason) => Some(format!("no source gives anything: {reason}")),
            None if behind > UP_TO_DATE => {
                Some(format!("this node catches up: its source is {behind} batches further"))
            }
            None => None,
        }
    }

    /// Waits until it is over and says why.
    pub(crate) async fn ended(&self) -> Phase {
        let mut phase = self.following.phase.subscribe();
        let over = |phase: &Phase| matches!(phase, Phase::Stopped | Phase::Failed(_));
        let ended = phase.wait_for(over).await;
        ended.map_or(Phase::Stopped, |phase| phase.clone())
    }

    /// Stops, and waits a little for what is under way.
    pub(crate) fn stop(&self) {
        let following = &self.following;
        following.lock().stopping = true;
        following.changed.notify_all();
        let threads = std::mem::take(&mut *self.threads.lock().expect(NO_PANIC));
        let patience = Instant::now() + FAREWELL;
        for thread in threads {
            while !thread.is_finished() && Instant::now() < patience {
                thread::sleep(Duration::from_millis(5));
            }
            if thread.is_finished() && thread.join().is_err() {
                tracing::error!("a thread that follows panicked");
            }
        }
        following.end(Phase::Stopped);
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Following {
    fn lock(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().expect(NO_PANIC)
    }

    /// It is over; the first reason counts.
    fn end(&self, over: Phase) {
        self.phase.send_if_modified(|phase| {
            let first = *phase == Phase::Running;
            if first {
                *phase = over;
            }
            first
        });
    }

    /// Whether it is not to end.
    fn goes_on(&self) -> bool {
        !self.lock().stopping
    }

    /// Waits until `done` holds, time is over, or all is to end; whether it goes on.
    fn wait(&self, time: Duration, done: impl Fn(&Standing) -> bool) -> bool {
        let standing = self.lock();
        let waits = |standing: &mut Standing| !standing.stopping && !done(standing);
        let (standing, _) = self.changed.wait_timeout_while(standing, time, waits).expect(NO_PANIC);
        !standing.stopping
    }

    /// Waits until the log has `size` leaves; whether it has.
    fn reach(&self, size: TreeSize, time: Duration) -> bool {
        let has = || self.store.snapshot().size() >= size;
        self.wait(time, |_| has());
        has()
    }
}

/// What proves that a batch is final, as it was kept when the batch came.
pub(crate) fn kept(
    snapshot: &Snapshot,
    height: Height,
) -> Result<Option<Finality>, touchmark_store::Error> {
    let Some((certified, certificate)) = snapshot.certificate(height)? else { return Ok(None) };
    // One that came before its batch proves nothing yet.
    if certified > snapshot.height() || certified.term() != height.term() {
        return Ok(None);
    }
    let mut headers = Vec::new();
    for height in (height.0..=certified.0).map(Height) {
        let Some(batch) = snapshot.batch(height)? else { return Ok(None) };
        headers.push(batch.header_bytes().to_vec());
    }
    Ok(Some(Finality { certificate, headers }))
}

/// Why a node does not begin to follow.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FollowError {
    /// A source is no URL of a node.
    #[error(transparent)]
    Source(#[from] touchmark_api::client::ClientError),
    /// There is no source.
    #[error("there is no node to follow")]
    Nobody,
    /// The operating system gives no thread.
    #[error("no thread can be started: {0}")]
    Thread(std::io::Error),
}

const NO_PANIC: &str = "no holder of a lock of what follows panics";
