//! A member's disk: what a commit wrote is there after a crash.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use touchmark_batch::{Batch, Halt};
use touchmark_core::entry::Entry;
use touchmark_ledger::memory::State;
use touchmark_ledger::{Durable, Execution, StateView, Tip, genesis_batch};
use touchmark_wire::genesis::Genesis;
use touchmark_wire::state::StateKey;

/// Log and state of one member.
#[derive(Debug)]
pub struct Disk {
    last: RwLock<Arc<Commit>>,
    full: AtomicBool,
}

/// What one batch left.
#[derive(Clone, Debug)]
struct Commit {
    state: Arc<State>,
    /// The batches from the genesis on.
    chain: Vec<Arc<Batch>>,
    /// What there was one batch earlier.
    before: Option<Arc<Self>>,
}

impl Disk {
    /// A disk that holds the genesis only.
    pub fn new(genesis: &Genesis, context: &[u8]) -> Self {
        let batch = Arc::new(genesis_batch(genesis, context));
        let state = Arc::new(State::new(genesis, batch.clone()));
        let commit = Commit { state, chain: vec![batch], before: None };
        Self { last: RwLock::new(Arc::new(commit)), full: AtomicBool::new(false) }
    }

    /// From now on nothing can be written, until there is [`Self::room`] again.
    pub fn fill(&self) {
        self.full.store(true, Ordering::Relaxed);
    }

    /// What is written fits again.
    pub fn room(&self) {
        self.full.store(false, Ordering::Relaxed);
    }

    /// Whether it is full.
    pub fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    /// Goes back to before the last commit, which no sound disk does.
    pub fn forget(&self) {
        let mut last = self.last.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = last.before.clone() {
            *last = before;
        }
    }

    /// The batches that it holds, from the genesis on.
    pub fn batches(&self, from: usize) -> Vec<Arc<Batch>> {
        self.last().chain.get(from..).unwrap_or_default().to_vec()
    }

    /// How many batches it holds, with the genesis.
    pub fn count(&self) -> usize {
        self.last().chain.len()
    }

    /// Where log and state stand.
    pub fn tip(&self) -> Arc<Tip> {
        self.last().state.tip()
    }

    /// All entries of the state, in key order.
    pub fn entries(&self) -> Vec<(StateKey, Arc<Entry>)> {
        self.last().state.entries().map(|(key, entry)| (*key, entry.clone())).collect()
    }

    fn last(&self) -> Arc<Commit> {
        // It is replaced whole.
        self.last.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Durable for Disk {
    fn commit(&self, batch: Arc<Batch>, execution: &Execution) -> Result<(), Halt> {
        if self.is_full() {
            return Err(Halt("no space left on the simulated disk".to_owned()));
        }
        let mut last = self.last.write().unwrap_or_else(PoisonError::into_inner);
        let mut state = State::clone(&last.state);
        state.commit(batch.clone(), execution);
        let chain = last.chain.iter().cloned().chain([batch]).collect();
        let before = Some(Arc::new(Commit { before: None, ..Commit::clone(&last) }));
        *last = Arc::new(Commit { state: Arc::new(state), chain, before });
        Ok(())
    }

    fn snapshot(&self) -> Arc<dyn StateView> {
        self.last().state.clone()
    }
}
