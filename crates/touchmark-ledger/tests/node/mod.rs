//! A node without disk and engine: a ledger on a store in memory.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use touchmark_batch::{Application, Batch, Halt, Proposal};
use touchmark_core::admission::{Check, Input, OneByOne, Verifier};
use touchmark_core::directory::NewKey;
use touchmark_core::directory::inception::Inception;
use touchmark_core::entry::{Entry, Purposes};
use touchmark_core::refusal::{Outcome, Unreadable};
use touchmark_core::view::{Read, View};
use touchmark_keys::software::SoftwareKey;
use touchmark_ledger::trie::{Page, PagePath, Pages};
use touchmark_ledger::{Durable, Execution, Ledger, LedgerLimits, StateView, Tip, genesis_batch};
use touchmark_wire::algorithm::{Algorithm, CoseKey, Signer};
use touchmark_wire::genesis::{CertificateKey, Committee, Genesis};
use touchmark_wire::ids::{
    ChannelId, Epoch, EvidenceId, KeyNumber, LeafIndex, NetworkId, Sequence, StatementId, ThingId,
    Timestamp,
};
use touchmark_wire::merkle::Frontier;
use touchmark_wire::registry::{ContentFormat, StatementKind, ThingKind};
use touchmark_wire::state::StateKey;
use touchmark_wire::statement::{Content, Draft, Link};

#[derive(Clone)]
pub(crate) struct State {
    network: NetworkId,
    committee: Arc<Committee>,
    tip: Arc<Tip>,
    entries: BTreeMap<StateKey, Arc<Entry>>,
    pages: BTreeMap<PagePath, Arc<Page>>,
    places: BTreeMap<(ThingId, Option<ChannelId>, Sequence), (LeafIndex, StatementId)>,
    evidence: BTreeMap<EvidenceId, LeafIndex>,
    /// Whether reading entries fails, in every snapshot.
    pub(crate) fails: Arc<AtomicBool>,
}

/// A store in memory.
pub(crate) struct Memory(pub(crate) RwLock<State>);

impl Memory {
    pub(crate) fn read(&self) -> State {
        self.0.read().unwrap().clone()
    }
}

impl View for Memory {
    fn network(&self) -> NetworkId {
        self.0.read().unwrap().network
    }

    fn genesis_committee(&self) -> Result<Arc<Committee>, Unreadable> {
        Ok(self.0.read().unwrap().committee.clone())
    }

    fn entry(&self, key: &StateKey) -> Result<Option<Arc<Entry>>, Unreadable> {
        let state = self.0.read().unwrap();
        if state.fails.load(Ordering::Relaxed) {
            return Err(Unreadable);
        }
        Ok(state.entries.get(key).cloned())
    }

    fn statement_at(
        &self,
        issuer: ThingId,
        channel: Option<ChannelId>,
        sequence: Sequence,
    ) -> Result<Option<(LeafIndex, StatementId)>, Unreadable> {
        Ok(self.0.read().unwrap().places.get(&(issuer, channel, sequence)).copied())
    }

    fn evidence(&self, id: EvidenceId) -> Result<Option<LeafIndex>, Unreadable> {
        Ok(self.0.read().unwrap().evidence.get(&id).copied())
    }
}

impl Pages for Memory {
    fn page(&self, path: &PagePath) -> Result<Option<Arc<Page>>, Unreadable> {
        Ok(self.0.read().unwrap().pages.get(path).cloned())
    }
}

impl StateView for Memory {
    fn tip(&self) -> Arc<Tip> {
        self.0.read().unwrap().tip.clone()
    }
}

impl Durable for Memory {
    fn commit(&self, batch: Arc<Batch>, execution: &Execution) -> Result<(), Halt> {
        let mut state = self.0.write().unwrap();
        state.entries.extend(execution.entries.clone());
        state.pages.extend(execution.pages.clone());
        state.places.extend(execution.places.clone());
        state.evidence.extend(execution.evidence.clone());
        let (frontier, state_root) = (execution.frontier.clone(), execution.state_root);
        state.tip = Arc::new(Tip { batch, frontier, state_root });
        Ok(())
    }

    fn snapshot(&self) -> Arc<dyn StateView> {
        Arc::new(Self(RwLock::new(self.read())))
    }
}

/// Counts the signatures that it checks.
#[derive(Default)]
pub(crate) struct Counting(AtomicUsize);

impl Verifier for Counting {
    fn verify(&self, checks: &[Check<'_>]) -> Vec<bool> {
        self.0.fetch_add(checks.len(), Ordering::Relaxed);
        OneByOne.verify(checks)
    }
}

/// A node: its ledger, its store, and what it answered.
pub(crate) struct Node {
    pub(crate) ledger: Ledger,
    verifier: Arc<Counting>,
    pub(crate) store: Arc<Memory>,
    answers: Arc<Mutex<Vec<Outcome>>>,
}

pub(crate) fn genesis() -> Genesis {
    Genesis {
        rules: 1,
        origin: "test.example/log".into(),
        committee: Committee {
            epoch: Epoch(0),
            certificate_key: CertificateKey([0; 96]),
            validators: Vec::new(),
            threshold: 1,
        },
        time: Timestamp(0),
    }
}

impl Node {
    pub(crate) fn new(limits: LedgerLimits) -> Self {
        Self::of(&genesis(), limits)
    }

    /// A node of another network.
    pub(crate) fn of(genesis: &Genesis, limits: LedgerLimits) -> Self {
        let batch = Arc::new(genesis_batch(genesis, &[]));
        let frontier = Frontier::new();
        let tip = Tip { batch: batch.clone(), frontier, state_root: touchmark_wire::trie::EMPTY };
        let store = Arc::new(Memory(RwLock::new(State {
            network: genesis.network_id(),
            committee: Arc::new(genesis.committee.clone()),
            tip: Arc::new(tip),
            entries: BTreeMap::new(),
            pages: BTreeMap::new(),
            places: BTreeMap::new(),
            evidence: BTreeMap::new(),
            fails: Arc::default(),
        })));
        Self::on(store, batch, limits)
    }

    fn on(store: Arc<Memory>, genesis: Arc<Batch>, limits: LedgerLimits) -> Self {
        let verifier = Arc::new(Counting::default());
        let observer = Box::new(|_: &_, _: &_| {});
        let ledger = Ledger::new(store.clone(), verifier.clone(), genesis, limits, observer);
        Self { ledger: ledger.unwrap(), verifier, store, answers: Arc::default() }
    }

    /// The node after it was started again.
    pub(crate) fn again(&self) -> Self {
        Self::on(self.store.clone(), self.ledger.genesis(), self.ledger.limits())
    }

    /// How many signatures it has checked.
    pub(crate) fn checks(&self) -> usize {
        self.verifier.0.load(Ordering::Relaxed)
    }

    pub(crate) fn submit(&self, inputs: Vec<Input>) {
        self.ledger.submit(inputs, |_| {
            let answers = self.answers.clone();
            Box::new(move |outcome| answers.lock().unwrap().push(outcome))
        });
    }

    pub(crate) fn propose(&self) -> Arc<Batch> {
        self.propose_in(&[], &[])
    }

    /// Proposes on the last batch of `ancestry`; another context makes another batch.
    pub(crate) fn propose_in(&self, context: &[u8], ancestry: &[Arc<Batch>]) -> Arc<Batch> {
        self.try_to_propose(context, ancestry).expect("it can always propose")
    }

    pub(crate) fn try_to_propose(
        &self,
        context: &[u8],
        ancestry: &[Arc<Batch>],
    ) -> Option<Arc<Batch>> {
        let parent = ancestry.last().cloned().unwrap_or_else(|| self.store.tip().batch.clone());
        let proposal = Proposal {
            context,
            parent: &parent,
            ancestry,
            now: Timestamp(parent.time().0 + 1),
            body_limit: 1 << 20,
        };
        self.ledger.propose(proposal).map(Arc::new)
    }

    pub(crate) fn deliver(&self, batch: &Arc<Batch>) {
        self.ledger.deliver(batch.clone()).expect("a checked batch is delivered");
    }

    pub(crate) fn answers(&self) -> Vec<Outcome> {
        std::mem::take(&mut self.answers.lock().unwrap())
    }

    pub(crate) fn next(&self, issuer: ThingId, kind: StatementKind) -> Link {
        let state = self.store.read();
        let head = Memory(RwLock::new(state.clone())).head(issuer).unwrap();
        let (sequence, previous) =
            head.map_or((0, state.network.0), |head| (head.chain.sequence.0, head.chain.last));
        Link { kind, sequence: Sequence(sequence + 1), previous, channel: None }
    }

    /// The next statement of `issuer`, signed by its key 0.
    pub(crate) fn statement(
        &self,
        issuer: ThingId,
        n: u8,
        kind: StatementKind,
        payload: &[u8],
    ) -> Vec<u8> {
        let link = self.next(issuer, kind);
        draft(issuer, link, payload).sign(KeyNumber(0), &key(n)).unwrap()
    }
}

pub(crate) fn draft(issuer: ThingId, link: Link, payload: &[u8]) -> Draft<'_> {
    let content = Content::Inline(ContentFormat::CBOR);
    Draft { issuer, link, content, claims: None, payload }
}

pub(crate) fn key(n: u8) -> SoftwareKey {
    SoftwareKey::from_seed(Algorithm::Es256, &[n + 1; 32]).unwrap()
}

pub(crate) fn public(n: u8) -> CoseKey {
    *key(n).public_key().cose()
}

pub(crate) fn thing(n: u8, purposes: Purposes, controller: Option<ThingId>) -> Inception {
    Inception {
        kind: ThingKind::DEVICE,
        keys: vec![NewKey::new(public(n), purposes)],
        threshold: 1,
        next: None,
        nonce: vec![n; 16],
        controller,
        owners: None,
        attributes: None,
    }
}
