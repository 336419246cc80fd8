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

pub(crate) use word::{Asked, WordError};

use crate::foreign;
use crate::proof::Certification;
use sources::Sources;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use touchmark_batch::Application as _;
use touchmark_engine::{Error, Finality, Phase, Status};
use touchmark_ledger::Ledger;
use touchmark_store::{Snapshot, Store};
use touchmark_wire::genesis::Genesis;
use touchmark_wire::ids::{Height, TreeSize};

/// How many batches a node may lack and still be called up to date.
const UP_TO_DATE: u64 = 8;
/// Most requests at a time that ask a source.
const ASKING: usize = 16;
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
    /// Who gives batches.
    sources: Sources,
    /// Who takes what is submitted: the same, each with a turn of its own.
    takers: Sources,
    /// Headers of the last answer, from this height on: those that are not here yet lead to its
    /// certificate.
    ahead: Mutex<(Height, Vec<Vec<u8>>)>,
    /// Places for those who ask sources in the name of others.
    asking: Arc<Semaphore>,
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
    /// How many in a row gave nothing.
    failures: usize,
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
        led_to(store)?;
        let following = Arc::new(Following {
            genesis: genesis.clone(),
            ledger: ledger.clone(),
            store: store.clone(),
            sources: Sources::new(sources)?,
            takers: Sources::new(sources)?,
            ahead: Mutex::default(),
            asking: Arc::new(Semaphore::new(ASKING)),
            standing: Mutex::default(),
            changed: Condvar::new(),
            phase: watch::Sender::new(Phase::Running),
            note: Mutex::default(),
        });
        let begin = |name: &str, work: fn(&Following)| {
            let following = following.clone();
            let thread = thread::Builder::new().name(name.into());
            let work = move || {
                let worked = panic::catch_unwind(AssertUnwindSafe(|| work(&following)));
                if worked.is_err() {
                    following.end(Phase::Failed(Error::Internal("following panicked".into())));
                }
            };
            thread.spawn(work).map_err(FollowError::Thread)
        };
        // Dropped, and so ended, if the second does not begin.
        let follower = Self { following: following.clone(), threads: Mutex::default() };
        let begun = |thread| follower.threads.lock().expect(NO_PANIC).push(thread);
        begun(begin("replication", replication::run)?);
        begun(begin("passing on", passing::run)?);
        Ok(follower)
    }

    /// Something was submitted.
    pub(crate) fn wake(&self) {
        self.following.lock().submitted += 1;
        self.following.changed.notify_all();
    }

    /// As an engine tells it.
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
            phase: following.phase.borrow().clone(),
            ..Status::default()
        }
    }

    /// Why what it reads here may be old, and what is written not be taken.
    pub(crate) fn hindrance(&self) -> Option<String> {
        let following = &self.following;
        if *following.phase.borrow() != Phase::Running {
            return None;
        }
        let height = following.ledger.finalized();
        let standing = following.lock();
        let behind = standing.newest.0.saturating_sub(height.0);
        let silent = standing.failures >= following.sources.len();
        match standing.failing.as_ref().filter(|_| silent) {
            Some(reason) => Some(format!("no source gives anything: {reason}")),
            None if behind > UP_TO_DATE => {
                Some(format!("this node catches up: its source is {behind} batches further"))
            }
            None => None,
        }
    }

    /// What proves that a batch of `snapshot` is final.
    pub(crate) fn finality(
        &self,
        snapshot: &Snapshot,
        height: Height,
    ) -> Result<Option<Finality>, touchmark_store::Error> {
        kept_or(snapshot, height, |height| {
            let ahead = self.following.ahead.lock().expect(NO_PANIC);
            let (first, headers) = &*ahead;
            let place = height.0.checked_sub(first.0)?;
            headers.get(usize::try_from(place).ok()?).cloned()
        })
    }

    /// A place for a request that asks a source; none if too many ask already.
    pub(crate) fn place(&self) -> Option<OwnedSemaphorePermit> {
        self.following.asking.clone().try_acquire_owned().ok()
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

    /// Waits until `done` holds, time is over, or all is to end.
    fn wait(&self, time: Duration, done: impl Fn(&Standing) -> bool) {
        let waits = |standing: &mut Standing| !standing.stopping && !done(standing);
        drop(self.changed.wait_timeout_while(self.lock(), time, waits).expect(NO_PANIC));
    }

    /// Waits a while, because it did not work.
    fn pause(&self, time: Duration) {
        self.wait(time, |_| false);
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
    kept_or(snapshot, height, |_| None)
}

/// As [`kept`]; `ahead` has headers of batches that are not here yet.
fn kept_or(
    snapshot: &Snapshot,
    height: Height,
    ahead: impl Fn(Height) -> Option<Vec<u8>>,
) -> Result<Option<Finality>, touchmark_store::Error> {
    let Some((certified, certificate)) = snapshot.certificate(height)? else { return Ok(None) };
    if certified.term() != height.term() {
        return Ok(None);
    }
    let mut headers = Vec::new();
    for height in (height.0..=certified.0).map(Height) {
        let here = snapshot.batch(height)?.map(|batch| batch.header_bytes().to_vec());
        let Some(header) = here.or_else(|| ahead(height)) else { return Ok(None) };
        headers.push(header);
    }
    Ok(Some(Finality { certificate, headers }))
}

/// Refuses a ledger that lacks what leads from the genesis to it: nothing could be proved with it.
fn led_to(store: &Store) -> Result<(), FollowError> {
    let snapshot = store.snapshot();
    for end in Certification::ends(&snapshot).map_err(|_| FollowError::Unreadable)? {
        if kept(&snapshot, end)?.is_none() {
            return Err(FollowError::NotLed { height: end });
        }
    }
    Ok(())
}

/// What is said of a failure: some of it is a source's.
fn excerpt(failure: &impl fmt::Display) -> String {
    /// Longest, characters.
    const LIMIT: usize = 300;
    foreign::excerpt(&failure.to_string(), LIMIT)
}

/// Why a node does not begin to follow.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FollowError {
    /// A source is no URL of a node.
    #[error(transparent)]
    Source(#[from] touchmark_api::client::ClientError),
    /// The state cannot be read.
    #[error("the state cannot be read")]
    Unreadable,
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] touchmark_store::Error),
    /// The ledger came from a validator's backup, which has no certificates.
    #[error("there is no certificate of batch {height}, after which the committee changed")]
    NotLed {
        /// The last batch of a committee.
        height: Height,
    },
    /// There is no source.
    #[error("there is no node to follow")]
    Nobody,
    /// The operating system gives no thread.
    #[error("no thread can be started: {0}")]
    Thread(std::io::Error),
}

const NO_PANIC: &str = "no holder of a lock of what follows panics";
