//! Sealed bundles that are read: checked, in bounded memory, each once however many ask.

use crate::error::Error;
use crate::sealed::{SealedLog, SealedStatus};
use crate::tile::TILE_WIDTH;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::LeafIndex;
use touchmark_wire::merkle;

/// A full entry bundle whose leaves are those of the log.
#[derive(Debug)]
pub(crate) struct Bundle {
    bytes: Vec<u8>,
    /// Where each leaf ends.
    ends: Vec<usize>,
}

/// Bytes before a leaf: its length.
const HEAD: usize = 2;

impl Bundle {
    /// Takes bytes apart; `None` unless they are exactly the leaves with these hashes, where
    /// hashes are given.
    pub(crate) fn checked(bytes: Vec<u8>, hashes: Option<&[Digest]>) -> Option<Self> {
        let mut ends = Vec::with_capacity(TILE_WIDTH as usize);
        let mut end = 0;
        for leaf in touchmark_batch::leaves(&bytes) {
            let leaf = leaf.ok()?;
            if let Some(hashes) = hashes {
                (merkle::leaf_hash(leaf) == *hashes.get(ends.len())?).then_some(())?;
            }
            end += HEAD + leaf.len();
            ends.push(end);
        }
        (ends.len() as u64 == TILE_WIDTH).then_some(Self { bytes, ends })
    }

    /// As it is kept.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The leaf at a place in it, below 256.
    pub(crate) fn leaf(&self, place: u64) -> &[u8] {
        let place = place as usize;
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start + HEAD..self.ends[place]]
    }

    /// The beginning, so many leaves of it.
    pub(crate) fn first(&self, width: u16) -> &[u8] {
        let last = usize::from(width).checked_sub(1);
        &self.bytes[..last.map_or(0, |last| self.ends[last])]
    }
}

/// Reads bundles; what became of each, in order, whatever is answered.
pub(crate) fn read(
    kept: &dyn SealedLog,
    numbers: &[u64],
) -> impl Iterator<Item = Result<Vec<u8>, String>> + use<> {
    let missing = std::iter::repeat_with(|| Err("nobody answers".to_owned()));
    kept.read(numbers).into_iter().chain(missing).take(numbers.len())
}

/// Reads bundles from a number on, each of which must have the leaves with these hashes.
pub(crate) fn check(kept: &dyn SealedLog, first: u64, hashes: &[Vec<Digest>]) -> Result<(), Error> {
    let numbers: Vec<u64> = (first..).take(hashes.len()).collect();
    let found = read(kept, &numbers);
    for ((number, hashes), found) in numbers.into_iter().zip(hashes).zip(found) {
        let bytes = found.map_err(|reason| error(number, reason))?;
        Bundle::checked(bytes, Some(hashes)).ok_or_else(|| error(number, WRONG.into()))?;
    }
    Ok(())
}

/// The sealed bundles of a store.
pub(crate) struct Bundles {
    kept: OnceLock<Arc<dyn SealedLog>>,
    cache: Cache<u64, Arc<Bundle>, Weights>,
    /// What is being read: whoever asks meanwhile waits for the same.
    reading: Mutex<BTreeMap<u64, Arc<Flight>>>,
    waiting: AtomicUsize,
    read: AtomicU64,
    failed: AtomicU64,
    wrong: AtomicU64,
    fault: Mutex<Option<String>>,
}

/// One reading of a bundle, for all who ask meanwhile.
#[derive(Default)]
struct Flight(OnceLock<Result<Arc<Bundle>, String>>);

/// How many threads wait for bundles, at most: more would be a service that waits for another.
const WAITING: usize = 64;
/// Bundles that are read at once for one reader.
pub(crate) const AT_ONCE: usize = 16;

impl Bundles {
    /// Of a store; `bytes` bounds what is held in memory.
    pub(crate) fn new(bytes: u64) -> Self {
        /// What is usual, bytes; only sizes the cache's own tables.
        const USUAL: u64 = 65_536;
        Self {
            kept: OnceLock::new(),
            cache: Cache::with_weighter((bytes / USUAL) as usize, bytes, Weights),
            reading: Mutex::default(),
            waiting: AtomicUsize::new(0),
            read: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            wrong: AtomicU64::new(0),
            fault: Mutex::default(),
        }
    }

    pub(crate) fn keep_in(&self, kept: Arc<dyn SealedLog>) {
        // The first word counts.
        let _ = self.kept.set(kept);
    }

    /// Where they are kept.
    pub(crate) fn kept(&self) -> Result<&Arc<dyn SealedLog>, Error> {
        self.kept.get().ok_or_else(|| error(0, "no object storage is named".into()))
    }

    /// A bundle, checked against the hashes of its leaves; without any, whoever asks checks.
    pub(crate) fn get(
        &self,
        number: u64,
        hashes: impl Fn(u64) -> Result<Option<Vec<Digest>>, Error>,
    ) -> Result<Arc<Bundle>, Error> {
        if let Some(bundle) = self.cache.get(&number) {
            return Ok(bundle);
        }
        // Here, so that its failure is its own.
        let hashes = hashes(number)?;
        let kept = self.kept().map_err(|_| error(number, "no object storage is named".into()))?;
        let _waiting = self.wait(number)?;
        let mut found = None;
        kept.aside(&mut || {
            let flight = self.lock_reading().entry(number).or_default().clone();
            let read = || self.fetched(kept, number, hashes.as_deref());
            found = Some(flight.0.get_or_init(read).clone());
            let mut reading = self.lock_reading();
            if reading.get(&number).is_some_and(|it| Arc::ptr_eq(it, &flight)) {
                reading.remove(&number);
            }
        });
        found.expect("the work was done").map_err(|reason| error(number, reason))
    }

    /// Reads bundles into the cache, as far as they can be read.
    pub(crate) fn fetch(
        &self,
        mut numbers: Vec<u64>,
        hashes: impl Fn(u64) -> Result<Vec<Digest>, Error>,
    ) {
        numbers.retain(|number| self.cache.peek(number).is_none());
        let (Ok(kept), false) = (self.kept(), numbers.len() < 2) else { return };
        for numbers in numbers.chunks(AT_ONCE) {
            let Ok(_waiting) = self.wait(numbers[0]) else { return };
            let mut found = Vec::new();
            kept.aside(&mut || found = read(kept.as_ref(), numbers).collect());
            for (number, bytes) in numbers.iter().zip(found) {
                let Ok(hashes) = hashes(*number) else { return };
                let bytes = bytes.map_err(|reason| self.failed_because(reason));
                // Whoever asks for it next is told.
                if bytes.and_then(|bytes| self.taken(*number, bytes, Some(&hashes))).is_err() {
                    return;
                }
            }
        }
    }

    /// Reads a bundle that may be in memory.
    pub(crate) fn read_again(&self, number: u64, hashes: &[Digest]) -> Result<(), Error> {
        let read = self.fetched(self.kept()?, number, Some(hashes));
        read.map(drop).map_err(|reason| error(number, reason))
    }

    fn fetched(
        &self,
        kept: &Arc<dyn SealedLog>,
        number: u64,
        hashes: Option<&[Digest]>,
    ) -> Result<Arc<Bundle>, String> {
        let bytes = read(kept.as_ref(), &[number]).next().expect("one was asked for");
        let bytes = bytes.map_err(|reason| self.failed_because(reason))?;
        self.taken(number, bytes, hashes)
    }

    /// Takes what was read, if it is what it has to be.
    fn taken(
        &self,
        number: u64,
        bytes: Vec<u8>,
        hashes: Option<&[Digest]>,
    ) -> Result<Arc<Bundle>, String> {
        let Some(bundle) = Bundle::checked(bytes, hashes) else {
            self.wrong.fetch_add(1, Ordering::Relaxed);
            return Err(self.said(WRONG.into()));
        };
        self.read.fetch_add(1, Ordering::Relaxed);
        self.worked();
        let bundle = Arc::new(bundle);
        self.cache.insert(number, bundle.clone());
        Ok(bundle)
    }

    /// Reading or writing failed.
    pub(crate) fn failed(&self, number: u64, reason: String) -> Error {
        error(number, self.failed_because(reason))
    }

    /// What came back is not what it has to be.
    pub(crate) fn wrong(&self, number: u64) -> Error {
        self.wrong.fetch_add(1, Ordering::Relaxed);
        error(number, self.said(WRONG.into()))
    }

    /// The last try did what it was to do.
    pub(crate) fn worked(&self) {
        self.lock_fault().take();
    }

    pub(crate) fn status(&self, leaves: u64) -> SealedStatus {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        SealedStatus {
            leaves,
            read: count(&self.read),
            failed: count(&self.failed),
            wrong: count(&self.wrong),
            fault: self.lock_fault().clone(),
        }
    }

    fn failed_because(&self, reason: String) -> String {
        self.failed.fetch_add(1, Ordering::Relaxed);
        self.said(reason)
    }

    fn said(&self, reason: String) -> String {
        *self.lock_fault() = Some(reason.clone());
        reason
    }

    /// A place among those who wait.
    fn wait(&self, number: u64) -> Result<Waiting<'_>, Error> {
        let waiting = Waiting(&self.waiting);
        if self.waiting.fetch_add(1, Ordering::Relaxed) < WAITING {
            return Ok(waiting);
        }
        Err(error(number, format!("{WAITING} readers wait for sealed leaves already")))
    }

    fn lock_reading(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Arc<Flight>>> {
        self.reading.lock().expect(NO_PANIC)
    }

    fn lock_fault(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.fault.lock().expect(NO_PANIC)
    }
}

const NO_PANIC: &str = "no holder of this lock panics";
const WRONG: &str = "what is there has other leaves than the log";

/// Counts who waits until it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn error(number: u64, reason: String) -> Error {
    Error::Sealed { leaf: LeafIndex(number * TILE_WIDTH), reason }
}

#[derive(Clone)]
struct Weights;

impl Weighter<u64, Arc<Bundle>> for Weights {
    fn weight(&self, _: &u64, bundle: &Arc<Bundle>) -> u64 {
        (bundle.bytes.len() + bundle.ends.len() * size_of::<usize>()) as u64
    }
}
