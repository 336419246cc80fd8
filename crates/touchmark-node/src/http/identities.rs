//! What each identity may still write.
//!
//! An identity pays for what is stored in its name, after its signature was checked: nobody can
//! use up another's share with forgeries. Who has used up the share is refused before any work,
//! by the name that a statement claims. While nobody has, nothing is looked at.

use super::bucket::{Buckets, Rate};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use touchmark_core::event::Event;
use touchmark_core::evidence;
use touchmark_ledger::Execution;
use touchmark_wire::ids::ThingId;
use touchmark_wire::leaf::{BareEvidence, Leaf};
use touchmark_wire::statement::Statement;

/// Most identities that wait at once; more are let through.
const WAITING: usize = 10_000;

/// The shares of identities.
pub(super) struct Identities {
    buckets: Option<Buckets<ThingId>>,
    /// Who has used up the share, and until when.
    waiting: Mutex<BTreeMap<ThingId, Instant>>,
    count: AtomicUsize,
}

impl Identities {
    pub(super) fn new(rate: Option<Rate>, remembered: usize) -> Self {
        let buckets = rate.map(|rate| Buckets::new(rate, remembered));
        Self { buckets, waiting: Mutex::default(), count: AtomicUsize::new(0) }
    }

    /// Charges what a batch stored.
    pub(super) fn charge(&self, execution: &Execution, now: Instant) {
        let Some(buckets) = &self.buckets else { return };
        let mut stored: BTreeMap<ThingId, u32> = BTreeMap::new();
        for (issuer, ..) in execution.places.keys() {
            *stored.entry(*issuer).or_default() += 1;
        }
        for event in execution.happened.iter().flat_map(|happened| &happened.events) {
            if let Event::EvidenceTaken { thing, reader: None, .. }
            | Event::ThingSighted { thing, reader: None, .. } = event
            {
                *stored.entry(*thing).or_default() += 1;
            }
        }
        for (identity, count) in stored {
            if let Some(time) = buckets.spend(&identity, count, now) {
                self.wait(identity, now + time, now);
            }
        }
    }

    /// How long the one must wait who has waited longest among those that `leaves` claim.
    pub(super) fn wait_of<'a>(
        &self,
        leaves: impl Iterator<Item = &'a [u8]>,
        now: Instant,
    ) -> Option<(ThingId, Duration)> {
        if self.count.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let mut waiting = self.lock();
        waiting.retain(|_, until| *until > now);
        self.count.store(waiting.len(), Ordering::Relaxed);
        leaves
            .filter_map(claimed)
            .filter_map(|identity| Some((identity, *waiting.get(&identity)? - now)))
            .max_by_key(|(_, time)| *time)
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    fn wait(&self, identity: ThingId, until: Instant, now: Instant) {
        let mut waiting = self.lock();
        if waiting.len() >= WAITING {
            waiting.retain(|_, until| *until > now);
        }
        if waiting.len() < WAITING {
            waiting.insert(identity, until);
        }
        self.count.store(waiting.len(), Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ThingId, Instant>> {
        // The table holds whatever else a holder of the lock did.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// In whose name a leaf wants to be stored.
fn claimed(leaf: &[u8]) -> Option<ThingId> {
    match Leaf::decode(leaf).ok()? {
        Leaf::Accepted(bytes) => Some(Statement::parse(bytes).ok()?.protected().kid.thing),
        Leaf::Evidence(BareEvidence { format, bytes, .. }) => {
            Some(evidence::parse(format, bytes).ok()?.thing)
        }
        _ => None,
    }
}
