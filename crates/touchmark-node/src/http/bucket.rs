//! Token buckets: how much each key may still use.
//!
//! A bucket is one number, the time at which it will be full again (the generic cell rate
//! algorithm), so a full bucket is no bucket and what is forgotten was nearly full.

use quick_cache::sync::Cache;
use std::convert::Infallible;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How fast a bucket fills, and how much it holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// Tokens of a full bucket; at least 1.
    pub burst: u32,
    /// Tokens that come back in a second; at least 1.
    pub per_second: u32,
}

impl Rate {
    /// Nanoseconds until a token is back.
    fn step(self) -> u64 {
        1_000_000_000 / u64::from(self.per_second.max(1))
    }

    /// Nanoseconds until an empty bucket is full.
    fn capacity(self) -> u64 {
        self.step() * u64::from(self.burst.max(1))
    }

    /// The same in whole seconds, as `RateLimit-Policy` names it.
    pub(super) fn window(self) -> u64 {
        self.capacity().div_ceil(1_000_000_000)
    }
}

/// What is left of a bucket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Allowance {
    /// Tokens.
    pub(super) remaining: u32,
    /// Time until it is full.
    pub(super) full_in: Duration,
}

/// A bucket for each key, the most used of them kept.
pub(super) struct Buckets<K> {
    rate: Rate,
    origin: Instant,
    full_at: Cache<K, Arc<AtomicU64>>,
}

impl<K: Eq + Hash + Clone> Buckets<K> {
    pub(super) fn new(rate: Rate, remembered: usize) -> Self {
        Self { rate, origin: Instant::now(), full_at: Cache::new(remembered) }
    }

    pub(super) const fn rate(&self) -> Rate {
        self.rate
    }

    /// Takes `cost` tokens; without them, says when they will be there. What costs more than a
    /// bucket holds takes a full one.
    pub(super) fn take(&self, key: &K, cost: u32, now: Instant) -> Result<Allowance, Duration> {
        let now = self.since_origin(now);
        let capacity = self.rate.capacity();
        let cost = self.rate.step() * u64::from(cost.min(self.rate.burst.max(1)));
        let bucket = self.bucket(key);
        let mut known = bucket.load(Ordering::Relaxed);
        loop {
            let next = known.max(now) + cost;
            let used = next - now;
            if used > capacity {
                return Err(Duration::from_nanos(used - capacity));
            }
            match bucket.compare_exchange_weak(known, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => {
                    let remaining = (capacity - used) / self.rate.step();
                    return Ok(Allowance {
                        remaining: u32::try_from(remaining).unwrap_or(u32::MAX),
                        full_in: Duration::from_nanos(used),
                    });
                }
                Err(other) => known = other,
            }
        }
    }

    /// Takes tokens for what is done already; says how long there are none, if there are none.
    pub(super) fn spend(&self, key: &K, cost: u32, now: Instant) -> Option<Duration> {
        let now = self.since_origin(now);
        let capacity = self.rate.capacity();
        let cost = self.rate.step().saturating_mul(u64::from(cost));
        let bucket = self.bucket(key);
        // A debt is forgiven in the time that a full bucket takes.
        let paid = |known: u64| known.max(now).saturating_add(cost).min(now + 2 * capacity);
        let before = bucket
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |known| Some(paid(known)))
            .unwrap_or(now);
        let used = paid(before) - now;
        let missing = (used + self.rate.step()).checked_sub(capacity).filter(|it| *it > 0)?;
        Some(Duration::from_nanos(missing))
    }

    /// How many keys are remembered.
    pub(super) fn len(&self) -> usize {
        self.full_at.len()
    }

    fn bucket(&self, key: &K) -> Arc<AtomicU64> {
        let made = self.full_at.get_or_insert_with(key, || Ok::<_, Infallible>(Arc::default()));
        made.unwrap_or_default()
    }

    fn since_origin(&self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.origin).as_nanos();
        u64::try_from(elapsed).unwrap_or(u64::MAX / 4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { burst: 10, per_second: 2 };

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let buckets = Buckets::new(RATE, 100);
        let start = Instant::now();
        for left in (0..10).rev() {
            assert_eq!(buckets.take(&1, 1, start).unwrap().remaining, left);
        }
        let wait = buckets.take(&1, 1, start).unwrap_err();
        assert!(wait > Duration::ZERO && wait <= Duration::from_millis(500), "{wait:?}");
        assert_eq!(buckets.take(&1, 1, start + wait).unwrap().remaining, 0);
        let later = start + Duration::from_secs(60);
        assert_eq!(buckets.take(&1, 10, later).unwrap().remaining, 0, "never more than it holds");
        assert!(buckets.take(&1, 1, later).is_err());
    }

    #[test]
    fn one_key_does_not_pay_for_another() {
        let buckets = Buckets::new(RATE, 100);
        let now = Instant::now();
        assert!(buckets.take(&1, 10, now).is_ok() && buckets.take(&1, 1, now).is_err());
        assert!(buckets.take(&2, 10, now).is_ok());
    }

    #[test]
    fn what_is_refused_costs_nothing_and_what_is_too_dear_takes_a_full_bucket() {
        let buckets = Buckets::new(RATE, 100);
        let now = Instant::now();
        assert_eq!(buckets.take(&1, 4, now).unwrap().remaining, 6);
        assert!(buckets.take(&1, 7, now).is_err());
        assert_eq!(buckets.take(&1, 6, now).unwrap().remaining, 0);
        assert_eq!(buckets.take(&2, 10_000, now).unwrap().remaining, 0);
    }

    #[test]
    fn a_debt_ends() {
        let buckets = Buckets::new(RATE, 100);
        let now = Instant::now();
        assert_eq!(buckets.spend(&1, 9, now), None);
        assert!(buckets.spend(&1, 1, now).is_some(), "none are left");
        let wait = buckets.spend(&1, u32::MAX, now).unwrap();
        assert!(wait <= Duration::from_secs(6), "{wait:?}");
        assert!(buckets.take(&1, 1, now).is_err());
        assert!(buckets.take(&1, 1, now + wait).is_ok());
    }

    #[test]
    fn memory_is_bounded_and_a_busy_key_is_kept() {
        let buckets = Buckets::new(RATE, 64);
        let now = Instant::now();
        assert!(buckets.take(&0, 10, now).is_ok());
        for key in 1..10_000 {
            assert!(buckets.take(&0, 1, now).is_err(), "forgotten after {key} others");
            assert!(buckets.take(&key, 1, now).is_ok());
            assert!(buckets.len() <= 128, "{}", buckets.len());
        }
    }
}
