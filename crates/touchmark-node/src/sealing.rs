//! Sealing: a thread that brings old leaves of the log to object storage, as long as the node runs.

use crate::kept::KeptLog;
use crate::pauses::Pauses;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use touchmark_store::{Error, Store, TILE_WIDTH};

/// The thread; it ends when this is dropped.
pub(crate) struct Sealing {
    /// Gone at the end.
    stop: Option<Sender<()>>,
    kept: Arc<KeptLog>,
    thread: Option<JoinHandle<()>>,
}

/// The first pause after a failure, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// How often something is read while there is nothing else to do, to know whether it can be.
const LOOK: Duration = Duration::from_secs(60);
/// Fewest sealed bundles for whose room it is worth to rewrite what is left.
const RECLAIM: u64 = 64;

impl Sealing {
    /// Begins to seal all but the last `tail` leaves.
    pub(crate) fn start(
        store: Arc<Store>,
        kept: Arc<KeptLog>,
        tail: u64,
        interval: Duration,
    ) -> io::Result<Self> {
        let (stop, stopped) = channel();
        let work = Work {
            tail,
            interval,
            pauses: Pauses::new(PAUSES.0, PAUSES.1),
            // Whether an earlier process gave it back is not known.
            removed: store.sealed().leaves / TILE_WIDTH,
            looked: None,
            store,
        };
        let thread =
            thread::Builder::new().name("sealing".into()).spawn(move || work.run(&stopped))?;
        Ok(Self { stop: Some(stop), kept, thread: Some(thread) })
    }
}

impl Drop for Sealing {
    fn drop(&mut self) {
        self.stop = None;
        self.kept.close();
        if let Some(thread) = self.thread.take() {
            // What it was doing is done again after the next start.
            let _ = thread.join();
        }
    }
}

struct Work {
    store: Arc<Store>,
    tail: u64,
    interval: Duration,
    pauses: Pauses,
    /// Bundles whose room was not given back yet.
    removed: u64,
    /// When something was read last, without anybody who wanted it.
    looked: Option<Instant>,
}

impl Work {
    fn run(mut self, stopped: &Receiver<()>) {
        loop {
            let pause = match self.step() {
                Ok(pause) => {
                    self.pauses.reset();
                    pause
                }
                // Nothing is written until the next start.
                Err(Error::Halted(_)) => return,
                Err(error) => {
                    let pause = self.pauses.longer();
                    tracing::warn!(%error, ?pause, "the log is not sealed further for now");
                    pause
                }
            };
            if stopped.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                return;
            }
        }
    }

    /// Does what there is to do; how long to wait then.
    fn step(&mut self) -> Result<Duration, Error> {
        let sealed = self.store.seal(self.tail)?;
        if sealed == 0 {
            self.look()?;
            return Ok(self.interval);
        }
        self.removed = self.removed.saturating_add(sealed);
        // What is left is rewritten: that must not be more than what goes.
        let left = self.store.counts().leaves.saturating_sub(self.store.sealed().leaves);
        if self.removed >= RECLAIM.max(left / TILE_WIDTH) {
            self.store.reclaim()?;
            self.removed = 0;
        }
        Ok(Duration::ZERO)
    }

    /// Looks now and then whether what is sealed can be read.
    fn look(&mut self) -> Result<(), Error> {
        let is_due = self.looked.is_none_or(|looked| looked.elapsed() >= LOOK);
        if is_due || self.store.sealed().fault.is_some() {
            self.looked = Some(Instant::now());
            self.store.look_at_sealed()?;
        }
        Ok(())
    }
}
