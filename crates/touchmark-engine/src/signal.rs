//! Waiting for a condition that another thread makes true.

use std::future::{Future, poll_fn};
use std::sync::{Mutex, PoisonError};
use std::task::{Poll, Waker};

/// Wakes the tasks that wait for a condition.
///
/// The condition itself is the waiter's: it is asked again after each [`Signal::notify`], so no
/// notification is lost and none has to be counted. Waiters wake in the order in which they came,
/// which a simulation needs.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    waiting: Mutex<Vec<Waker>>,
}

impl Signal {
    /// Lets every waiter look at its condition again. Callable from any thread.
    pub(crate) fn notify(&self) {
        let waiting = std::mem::take(&mut *self.lock());
        for waker in waiting {
            waker.wake();
        }
    }

    /// Waits until `condition` holds a value.
    pub(crate) fn until<T, F>(&self, mut condition: F) -> impl Future<Output = T> + use<'_, T, F>
    where
        F: FnMut() -> Option<T>,
    {
        poll_fn(move |context| {
            // Registered before looking: a change in between is then not missed.
            self.register(context.waker());
            condition().map_or(Poll::Pending, Poll::Ready)
        })
    }

    fn register(&self, waker: &Waker) {
        let mut waiting = self.lock();
        if !waiting.iter().any(|known| known.will_wake(waker)) {
            waiting.push(waker.clone());
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Waker>> {
        // A list of wakers is never half changed.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
