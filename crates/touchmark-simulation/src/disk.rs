//! A member's disk: what a commit wrote is there after a crash.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use touchmark_batch::{Batch, Halt};
use touchmark_core::entry::Entry;
use touchmark_core::refusal::Unreadable;
use touchmark_core::view::View;
use touchmark_ledger::trie::{Page, PagePath, Pages};
use touchmark_ledger::{Durable, Execution, StateView, Tip, genesis_batch};
use touchmark_wire::genesis::{Committee, Genesis};
use touchmark_wire::ids::{
    ChannelId, EvidenceId, LeafIndex, NetworkId, Sequence, StatementId, ThingId,
};
use touchmark_wire::merkle::Frontier;
use touchmark_wire::state::StateKey;
use touchmark_wire::trie;

/// Log and state of one member.
#[derive(Debug)]
pub struct Disk {
    state: RwLock<Arc<State>>,
    full: AtomicBool,
}

/// The state that one batch left.
#[derive(Clone, Debug)]
struct State {
    network: NetworkId,
    committee: Arc<Committee>,
    tip: Arc<Tip>,
    /// The batches from the genesis on.
    chain: Vec<Arc<Batch>>,
    entries: BTreeMap<StateKey, Arc<Entry>>,
    pages: BTreeMap<PagePath, Arc<Page>>,
    places: BTreeMap<(ThingId, Option<ChannelId>, Sequence), (LeafIndex, StatementId)>,
    evidence: BTreeMap<EvidenceId, LeafIndex>,
    /// The state one batch earlier.
    before: Option<Arc<State>>,
}

impl Disk {
    /// A disk that holds the genesis only.
    pub fn new(genesis: &Genesis, context: &[u8]) -> Self {
        let batch = Arc::new(genesis_batch(genesis, context));
        let tip = Tip { batch: batch.clone(), frontier: Frontier::new(), state_root: trie::EMPTY };
        let state = State {
            network: genesis.network_id(),
            committee: Arc::new(genesis.committee.clone()),
            tip: Arc::new(tip),
            chain: vec![batch],
            entries: BTreeMap::new(),
            pages: BTreeMap::new(),
            places: BTreeMap::new(),
            evidence: BTreeMap::new(),
            before: None,
        };
        Self { state: RwLock::new(Arc::new(state)), full: AtomicBool::new(false) }
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
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = state.before.clone() {
            *state = before;
        }
    }

    /// The batches that it holds, from the genesis on.
    pub fn batches(&self, from: usize) -> Vec<Arc<Batch>> {
        self.state().chain.get(from..).unwrap_or_default().to_vec()
    }

    /// How many batches it holds, with the genesis.
    pub fn count(&self) -> usize {
        self.state().chain.len()
    }

    /// Where log and state stand.
    pub fn tip(&self) -> Arc<Tip> {
        self.state().tip.clone()
    }

    /// All entries of the state, in key order.
    pub fn entries(&self) -> Vec<(StateKey, Arc<Entry>)> {
        self.state().entries.iter().map(|(key, entry)| (*key, entry.clone())).collect()
    }

    fn state(&self) -> Arc<State> {
        // A state is replaced whole.
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Durable for Disk {
    fn commit(&self, batch: Arc<Batch>, execution: &Execution) -> Result<(), Halt> {
        if self.is_full() {
            return Err(Halt("no space left on the simulated disk".to_owned()));
        }
        let mut held = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let mut state = State { before: None, ..State::clone(&held) };
        state.chain.push(batch.clone());
        state.entries.extend(execution.entries.clone());
        state.pages.extend(execution.pages.clone());
        state.places.extend(execution.places.clone());
        state.evidence.extend(execution.evidence.clone());
        let (frontier, state_root) = (execution.frontier.clone(), execution.state_root);
        state.tip = Arc::new(Tip { batch, frontier, state_root });
        let before = State { before: None, ..State::clone(&held) };
        state.before = Some(Arc::new(before));
        *held = Arc::new(state);
        Ok(())
    }

    fn snapshot(&self) -> Arc<dyn StateView> {
        self.state()
    }
}

impl View for State {
    fn network(&self) -> NetworkId {
        self.network
    }

    fn genesis_committee(&self) -> Result<Arc<Committee>, Unreadable> {
        Ok(self.committee.clone())
    }

    fn entry(&self, key: &StateKey) -> Result<Option<Arc<Entry>>, Unreadable> {
        Ok(self.entries.get(key).cloned())
    }

    fn statement_at(
        &self,
        issuer: ThingId,
        channel: Option<ChannelId>,
        sequence: Sequence,
    ) -> Result<Option<(LeafIndex, StatementId)>, Unreadable> {
        Ok(self.places.get(&(issuer, channel, sequence)).copied())
    }

    fn evidence(&self, id: EvidenceId) -> Result<Option<LeafIndex>, Unreadable> {
        Ok(self.evidence.get(&id).copied())
    }
}

impl Pages for State {
    fn page(&self, path: &PagePath) -> Result<Option<Arc<Page>>, Unreadable> {
        Ok(self.pages.get(path).cloned())
    }
}

impl StateView for State {
    fn tip(&self) -> Arc<Tip> {
        self.tip.clone()
    }
}
