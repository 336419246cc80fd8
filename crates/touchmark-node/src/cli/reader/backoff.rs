//! When to try again.

use crate::pauses::Pauses;
use std::time::{Duration, Instant};

/// Doubles the wait after each failure, up to a bound.
#[derive(Debug)]
pub(super) struct Backoff {
    pauses: Pauses,
    due: Instant,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(200);
    const LONGEST: Duration = Duration::from_secs(30);

    /// Due at once.
    pub(super) fn new(now: Instant) -> Self {
        Self { pauses: Pauses::new(Self::FIRST, Self::LONGEST), due: now }
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        now >= self.due
    }

    /// It worked: go on at once.
    pub(super) fn succeed(&mut self, now: Instant) {
        *self = Self::new(now);
    }

    /// It did not: wait, and longer each time.
    pub(super) fn fail(&mut self, now: Instant) {
        self.due = now + self.pauses.longer();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_to_its_bound_and_ends_with_success() {
        let start = Instant::now();
        let mut backoff = Backoff::new(start);
        assert!(backoff.is_due(start));
        backoff.fail(start);
        assert!(!backoff.is_due(start) && backoff.is_due(start + Backoff::FIRST));
        for _ in 0..20 {
            backoff.fail(start);
        }
        assert!(backoff.is_due(start + Backoff::LONGEST));
        assert!(!backoff.is_due(start + Backoff::LONGEST.mul_f32(0.99)));
        backoff.succeed(start);
        assert!(backoff.is_due(start));
    }
}
