//! A member's disk: what a commit wrote is there after a crash, unless the disk fails.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use touchmark_batch::{Batch, Halt};
use touchmark_core::entry::Entry;
use touchmark_engine::simulation::Fault;
use touchmark_ledger::memory::State;
use touchmark_ledger::{Durable, Execution, StateView, Tip, genesis_batch};
use touchmark_wire::genesis::Genesis;
use touchmark_wire::state::StateKey;

/// Log and state of one member.
#[derive(Debug)]
pub struct Disk {
    last: RwLock<Arc<Commit>>,
    condition: Mutex<Condition>,
}

#[derive(Debug, Default)]
struct Condition {
    fault: Option<Fault>,
    /// What the next crash decides: a commit that was written and could not be made durable.
    unsure: Option<Arc<Commit>>,
    /// What the next crash leaves, if what came later is not durable.
    durable: Option<Arc<Commit>>,
}

/// What a crash leaves of a commit that could not be made durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unsure {
    /// All of it.
    Kept,
    /// Nothing.
    Lost,
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
        Self { last: RwLock::new(Arc::new(commit)), condition: Mutex::default() }
    }

    /// From now on it fails like this.
    pub fn fail(&self, fault: Fault) {
        self.condition().fault = Some(fault);
        self.last().state.fail(fault == Fault::Read);
    }

    /// The member is gone, and finds this disk repaired when it comes back.
    pub fn crash(&self, unsure: Unsure) {
        let Condition { unsure: commit, durable, .. } = std::mem::take(&mut *self.condition());
        let mut last = self.last.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(durable) = durable {
            *last = durable;
        } else if let Some(commit) = commit.filter(|_| unsure == Unsure::Kept) {
            *last = commit;
        }
        last.state.fail(false);
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

    fn condition(&self) -> MutexGuard<'_, Condition> {
        // No call leaves it half changed.
        self.condition.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn last(&self) -> Arc<Commit> {
        // It is replaced whole.
        self.last.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Commit {
    /// What the next batch makes of it.
    fn with(&self, batch: Arc<Batch>, execution: &Execution) -> Self {
        let mut state = State::clone(&self.state);
        state.commit(batch.clone(), execution);
        let chain = self.chain.iter().cloned().chain([batch]).collect();
        let before = Some(Arc::new(Self { before: None, ..self.clone() }));
        Self { state: Arc::new(state), chain, before }
    }
}

impl Durable for Disk {
    fn commit(&self, batch: Arc<Batch>, execution: &Execution) -> Result<(), Halt> {
        let mut condition = self.condition();
        let mut last = self.last.write().unwrap_or_else(PoisonError::into_inner);
        let commit = || Arc::new(last.with(batch, execution));
        let said = match condition.fault {
            None | Some(Fault::Read) => {
                *last = commit();
                return Ok(());
            }
            Some(Fault::UnheardSync) => {
                let commit = commit();
                condition.durable.get_or_insert_with(|| last.clone());
                *last = commit;
                return Ok(());
            }
            Some(Fault::Sync) => {
                condition.unsure = Some(commit());
                "the simulated disk could not be synced"
            }
            // Half a commit is none: the store takes all of it or nothing.
            Some(Fault::Write) => "a write to the simulated disk failed",
            Some(Fault::ShortWrite) => "a write to the simulated disk was cut short",
            Some(Fault::Full) => "no space left on the simulated disk",
        };
        Err(Halt(said.to_owned()))
    }

    fn snapshot(&self) -> Arc<dyn StateView> {
        self.last().state.clone()
    }
}
