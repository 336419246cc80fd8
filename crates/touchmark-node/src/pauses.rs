//! How long to wait before something is tried again.

use std::time::Duration;

/// Pauses that double after each failure, up to a bound.
#[derive(Clone, Debug)]
pub(crate) struct Pauses {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Pauses {
    pub(crate) const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, next: first }
    }

    /// It worked: the next pause is the first again.
    pub(crate) const fn reset(&mut self) {
        self.next = self.first;
    }

    /// It did not: how long to wait now; the next time longer.
    pub(crate) fn longer(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(self.longest);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_bound_and_begin_anew() {
        let second = Duration::from_secs(1);
        let mut pauses = Pauses::new(second, 5 * second);
        let taken: Vec<_> = (0..5).map(|_| pauses.longer().as_secs()).collect();
        assert_eq!(taken, [1, 2, 4, 5, 5]);
        pauses.reset();
        assert_eq!(pauses.longer(), second);
    }
}
