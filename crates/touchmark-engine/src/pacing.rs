//! When a proposer proposes.
//!
//! A block costs milliseconds of processor time whatever it holds. So an idle network makes one
//! now and then, as a heartbeat; a statement that arrives then goes out at once; and under load
//! batches grow instead of becoming more.

use crate::signal::Signal;
use commonware_runtime::Clock;
use futures::future::{Either, select};
use std::pin::pin;
use std::time::{Duration, SystemTime};
use touchmark_batch::Application;
use touchmark_wire::ids::Timestamp;

/// How often to propose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pacing {
    /// Between batches when nothing waits.
    pub idle_interval: Duration,
    /// Between batches when something waits.
    pub busy_interval: Duration,
}

impl Default for Pacing {
    /// A heartbeat a second; thirty batches a second under load.
    fn default() -> Self {
        Self { idle_interval: Duration::from_secs(1), busy_interval: Duration::from_millis(33) }
    }
}

/// How long consensus waits for others, derived from how long a proposer may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    pub(crate) leader: Duration,
    pub(crate) certification: Duration,
    pub(crate) retry: Duration,
    pub(crate) skip: Duration,
}

impl Pacing {
    /// What a proposer may need beyond its waiting: building, sending, a slow disk.
    const SLACK: Duration = Duration::from_secs(1);

    pub(crate) fn timeouts(&self) -> Timeouts {
        let leader = self.idle_interval.max(self.busy_interval) + Self::SLACK;
        let certification = leader + Self::SLACK;
        Timeouts { leader, certification, retry: Self::SLACK, skip: certification + Self::SLACK }
    }

    /// Waits until it is time to propose a child of a batch of time `parent`.
    pub(crate) async fn wait(
        &self,
        clock: &impl Clock,
        parent: Timestamp,
        application: &dyn Application,
        woken: &Signal,
    ) {
        let start = clock.current();
        // A parent from a clock that is ahead must not make this proposer late.
        let parent = instant(parent).map_or(start, |parent| parent.min(start));
        let busy = parent + self.busy_interval;
        let idle = parent + self.idle_interval;
        // A committee that waits takes office with the next term: no reason to let it wait.
        if application.appointed().is_some() {
            return;
        }
        let waits = || (application.backlog().items > 0).then_some(());
        if clock.current() < idle {
            let heartbeat = pin!(clock.sleep_until(idle));
            let backlog = pin!(woken.until(waits));
            if let Either::Left(_) = select(heartbeat, backlog).await {
                return;
            }
        }
        if clock.current() < busy {
            clock.sleep_until(busy).await;
        }
    }
}

/// The moment that a timestamp names, if this system can represent it.
pub(crate) fn instant(time: Timestamp) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(time.0))
}

/// The clock's time, milliseconds since 1970.
pub(crate) fn now(clock: &impl Clock) -> Timestamp {
    let elapsed = clock.current().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
}
