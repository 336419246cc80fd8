//! A node without disk and engine: a ledger on a store in memory.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use touchmark_batch::{Application, Batch, Proposal};
use touchmark_core::admission::{Check, Input, OneByOne, Verifier};
use touchmark_core::directory::NewKey;
use touchmark_core::directory::inception::Inception;
use touchmark_core::entry::Purposes;
use touchmark_core::refusal::Outcome;
use touchmark_core::view::{Read, View};
use touchmark_keys::software::SoftwareKey;
use touchmark_ledger::memory::Memory;
use touchmark_ledger::{Ledger, LedgerLimits, StateView, genesis_batch};
use touchmark_wire::algorithm::{Algorithm, CoseKey, Signer};
use touchmark_wire::genesis::{CertificateKey, Committee, Genesis};
use touchmark_wire::ids::{Epoch, KeyNumber, Sequence, ThingId, Timestamp};
use touchmark_wire::registry::{ContentFormat, StatementKind, ThingKind};
use touchmark_wire::statement::{Content, Draft, Link};

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
            note_key: None,
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
        let store = Arc::new(Memory::new(genesis, batch.clone()));
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
        let parent =
            ancestry.last().cloned().unwrap_or_else(|| self.store.state().tip().batch.clone());
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
        let state = self.store.state();
        let head = state.head(issuer).unwrap();
        let (sequence, previous) =
            head.map_or((0, state.network().0), |head| (head.chain.sequence.0, head.chain.last));
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
