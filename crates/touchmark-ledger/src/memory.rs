//! A store in memory, for ledgers whose state nobody needs afterwards: simulations and tests.

use crate::execution::Execution;
use crate::trie::{Page, PagePath, Pages};
use crate::view::{Durable, StateView, Tip};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use touchmark_batch::{Batch, Halt};
use touchmark_core::entry::Entry;
use touchmark_core::refusal::Unreadable;
use touchmark_core::view::View;
use touchmark_wire::genesis::{Committee, Genesis};
use touchmark_wire::ids::{
    ChannelId, EvidenceId, LeafIndex, NetworkId, Sequence, StatementId, ThingId,
};
use touchmark_wire::merkle::Frontier;
use touchmark_wire::state::StateKey;
use touchmark_wire::trie;

/// What a log has led to.
#[derive(Clone, Debug)]
pub struct State {
    network: NetworkId,
    committee: Arc<Committee>,
    tip: Arc<Tip>,
    entries: BTreeMap<StateKey, Arc<Entry>>,
    pages: BTreeMap<PagePath, Arc<Page>>,
    places: BTreeMap<(ThingId, Option<ChannelId>, Sequence), (LeafIndex, StatementId)>,
    evidence: BTreeMap<EvidenceId, LeafIndex>,
    /// Whether reading entries fails; the same for all states of a log.
    fails: Arc<AtomicBool>,
}

impl State {
    /// Of an empty log: its batch of height 0.
    pub fn new(genesis: &Genesis, batch: Arc<Batch>) -> Self {
        let tip = Tip { batch, frontier: Frontier::new(), state_root: trie::EMPTY };
        Self {
            network: genesis.network_id(),
            committee: Arc::new(genesis.committee.clone()),
            tip: Arc::new(tip),
            entries: BTreeMap::new(),
            pages: BTreeMap::new(),
            places: BTreeMap::new(),
            evidence: BTreeMap::new(),
            fails: Arc::default(),
        }
    }

    /// Takes what the next batch brought.
    pub fn commit(&mut self, batch: Arc<Batch>, execution: &Execution) {
        self.entries.extend(execution.entries.clone());
        self.pages.extend(execution.pages.clone());
        self.places.extend(execution.places.clone());
        self.evidence.extend(execution.evidence.clone());
        let (frontier, state_root) = (execution.frontier.clone(), execution.state_root);
        self.tip = Arc::new(Tip { batch, frontier, state_root });
    }

    /// All entries, in key order.
    pub fn entries(&self) -> impl Iterator<Item = (&StateKey, &Arc<Entry>)> {
        self.entries.iter()
    }

    /// From now on no entry can be read, in this and all other states of the log; or again.
    pub fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::Relaxed);
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
        if self.fails.load(Ordering::Relaxed) {
            return Err(Unreadable);
        }
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

/// Keeps the last state of a log, and nothing on a disk.
#[derive(Debug)]
pub struct Memory(RwLock<Arc<State>>);

impl Memory {
    /// Of an empty log, as [`State::new`].
    pub fn new(genesis: &Genesis, batch: Arc<Batch>) -> Self {
        Self(RwLock::new(Arc::new(State::new(genesis, batch))))
    }

    /// The last state.
    pub fn state(&self) -> Arc<State> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Durable for Memory {
    fn commit(&self, batch: Arc<Batch>, execution: &Execution) -> Result<(), Halt> {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        Arc::make_mut(&mut state).commit(batch, execution);
        Ok(())
    }

    fn snapshot(&self) -> Arc<dyn StateView> {
        self.state()
    }
}
