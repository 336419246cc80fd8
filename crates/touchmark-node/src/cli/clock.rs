//! Even steps in time, until the program is asked to end.

use crate::cli::failure::{Failure, Fault};
use crate::stop::Stop;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

/// Ticks in even steps; what took longer than a step is not caught up with.
pub(crate) struct Clock {
    interval: Duration,
    next: Instant,
    runtime: Runtime,
    stop: Stop,
}

impl Clock {
    /// The first tick is now.
    pub(crate) fn new(interval: Duration) -> Result<Self, Failure> {
        let failed =
            |error| Failure::new(Fault::Internal, "signals cannot be waited for").because(error);
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let stop = runtime.block_on(async { Stop::listen() }).map_err(failed)?;
        Ok(Self { interval, next: Instant::now(), runtime, stop })
    }

    /// Waits for the next tick; tells whether the program was asked to end before.
    pub(crate) fn was_stopped_before_next(&mut self) -> bool {
        self.next = (self.next + self.interval).max(Instant::now());
        let (next, stop) = (self.next, &mut self.stop);
        self.runtime.block_on(async {
            tokio::select! {
                () = stop.asked() => true,
                () = tokio::time::sleep_until(next.into()) => false,
            }
        })
    }
}
