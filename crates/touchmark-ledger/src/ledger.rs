//! The ledger as the engine's application: a pool of submissions, executed batches above the
//! finalized state, and a durable store below.

use crate::execution::{Builder, Execution, ExecutionError};
use crate::pool::{Pool, PoolLimits, Ticket};
use crate::replay;
use crate::standing::{Seniority, Standing};
use crate::view::{Durable, StateView};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use touchmark_batch::{Application, Backlog, Batch, CheckError, Halt, Invalid, Member, Proposal};
use touchmark_core::admission::{self, Input, Submission, Verifier};
use touchmark_core::appointment;
use touchmark_core::refusal::Outcome;
use touchmark_core::view::View;
use touchmark_wire::genesis::Committee;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Height, LeafIndex};
use touchmark_wire::merkle;

/// Bounds of the ledger's memory and batches.
#[derive(Clone, Copy, Debug)]
pub struct LedgerLimits {
    /// Most bytes of submissions that wait.
    pub pool: usize,
    /// Of them, what another member passed on; for each.
    pub member: usize,
    /// Most leaves of a batch.
    pub leaves: usize,
}

impl Default for LedgerLimits {
    fn default() -> Self {
        Self { pool: 64 << 20, member: 8 << 20, leaves: 8_192 }
    }
}

/// Called after each durable batch, in order.
pub type Observer = Box<dyn Fn(&Arc<Batch>, &Arc<Execution>) + Send + Sync>;

/// The ledger of one node.
pub struct Ledger {
    store: Arc<dyn Durable>,
    verifier: Arc<dyn Verifier + Send + Sync>,
    genesis: Arc<Batch>,
    limits: LedgerLimits,
    /// Read once for each batch.
    appointed: Mutex<Option<Arc<Committee>>>,
    pool: Mutex<Pool>,
    seniority: Mutex<Seniority>,
    /// Executed batches above the finalized height, by digest.
    executed: Mutex<BTreeMap<Digest, (Height, Arc<Execution>)>>,
    observer: Observer,
}

/// Who waits to certify, as the finalized state says.
fn appointed(view: &dyn StateView) -> Result<Option<Arc<Committee>>, Halt> {
    let next = Height(view.tip().batch.height().0.saturating_add(1));
    let appointed = appointment::waiting(view, next);
    let appointed = appointed.map_err(|_| Halt("the state does not say who certifies".into()))?;
    Ok(appointed.map(|appointed| Arc::new(appointed.committee)))
}

impl Ledger {
    /// A ledger on `store`, whose state says who certifies; an error where it cannot be read.
    pub fn new(
        store: Arc<dyn Durable>,
        verifier: Arc<dyn Verifier + Send + Sync>,
        genesis: Arc<Batch>,
        limits: LedgerLimits,
        observer: Observer,
    ) -> Result<Self, Halt> {
        let bounds = PoolLimits { all: limits.pool, member: limits.member };
        let pool = Mutex::new(Pool::new(bounds));
        let executed = Mutex::new(BTreeMap::new());
        let snapshot = store.snapshot();
        let appointed = Mutex::new(appointed(snapshot.as_ref())?);
        let seniority = Mutex::new(Seniority::new(snapshot.as_ref()));
        Ok(Self {
            store,
            verifier,
            genesis,
            limits,
            appointed,
            pool,
            seniority,
            executed,
            observer,
        })
    }

    /// Checks the signatures of `inputs` on the calling thread and queues what passes. `ticket`
    /// makes the callback for each input, in order; it is told the id of what passed. Every
    /// callback is called once.
    pub fn submit(&self, inputs: Vec<Input>, mut ticket: impl FnMut(Option<Digest>) -> Ticket) {
        let snapshot = self.store.snapshot();
        let admitted = admission::admit(inputs, snapshot.as_ref(), self.verifier.as_ref());
        let standings = self.standings(&admitted, snapshot.as_ref());
        let mut refused = Vec::new();
        let mut pool = self.lock_pool();
        for (admitted, standing) in admitted.into_iter().zip(standings) {
            match admitted {
                Ok(submission) => {
                    let ticket = ticket(Some(submission.id()));
                    refused.extend(pool.push(submission, standing, ticket).err());
                }
                Err(refusal) => refused.push((ticket(None), refusal)),
            }
        }
        drop(pool);
        for (ticket, refusal) in refused {
            ticket(Outcome::Refused(refusal));
        }
    }

    /// Whether all who claim to have made `inputs` are known, before any signature is checked.
    pub fn claimed(&self, inputs: &[Input]) -> Standing {
        let snapshot = self.store.snapshot();
        let known = self.lock_seniority().known();
        let new = |input: &Input| known.claimed(input, snapshot.as_ref()) == Standing::New;
        if inputs.iter().any(new) { Standing::New } else { Standing::Known }
    }

    /// Who made each of what was admitted; of the others it does not matter.
    fn standings<E>(&self, admitted: &[Result<Submission, E>], view: &dyn View) -> Vec<Standing> {
        let known = self.lock_seniority().known();
        let standing = |admitted: &Result<Submission, E>| match admitted {
            Ok(Submission::Statement(statement)) => known.of(statement.issuer(), view),
            Ok(Submission::Evidence(evidence)) => known.of(evidence.thing(), view),
            Err(_) => Standing::New,
        };
        admitted.iter().map(standing).collect()
    }

    /// Answers those who wait for the leaf with this hash; nothing is passed on of it any more. For
    /// what others decided and no batch will tell.
    pub fn answer(&self, leaf: Digest, outcome: Outcome) {
        self.settle([(leaf, outcome)]);
    }

    /// Its bounds.
    pub const fn limits(&self) -> LedgerLimits {
        self.limits
    }

    /// Bytes of submissions that can still wait.
    pub fn room(&self) -> usize {
        self.lock_pool().room()
    }

    /// The finalized state.
    pub fn snapshot(&self) -> Arc<dyn StateView> {
        self.store.snapshot()
    }

    fn lock_pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().expect("no holder of the pool's lock panics")
    }

    fn lock_seniority(&self) -> MutexGuard<'_, Seniority> {
        self.seniority.lock().expect("no holder of the lock on seniority panics")
    }

    fn lock_appointed(&self) -> MutexGuard<'_, Option<Arc<Committee>>> {
        self.appointed.lock().expect("no holder of the lock on the appointed committee panics")
    }

    fn lock_executed(&self) -> MutexGuard<'_, BTreeMap<Digest, (Height, Arc<Execution>)>> {
        self.executed.lock().expect("no holder of the lock on executed batches panics")
    }

    /// The executions of `ancestry` above the finalized `base`; what this node has not executed
    /// yet (after a restart) is executed now.
    fn layers(
        &self,
        base: &dyn StateView,
        ancestry: &[Arc<Batch>],
    ) -> Result<Vec<Arc<Execution>>, CheckError> {
        let finalized = base.tip().batch.height();
        let mut layers = Vec::new();
        let mut parent = base.tip().batch.clone();
        for batch in ancestry.iter().filter(|batch| batch.height() > finalized) {
            let known = self.lock_executed().get(&batch.digest()).map(|(_, known)| known.clone());
            let execution = match known {
                Some(execution) => execution,
                None => self.replay(base, &layers, &parent, batch)?,
            };
            layers.push(execution);
            parent = batch.clone();
        }
        Ok(layers)
    }

    /// Executes a batch that came from elsewhere and compares every result with it.
    fn replay(
        &self,
        base: &dyn StateView,
        layers: &[Arc<Execution>],
        parent: &Batch,
        batch: &Batch,
    ) -> Result<Arc<Execution>, CheckError> {
        let header = batch.header();
        if header.height.0 != parent.height().0 + 1 || header.parent != parent.digest() {
            return Err(Invalid("it does not follow its parent".into()).into());
        }
        if header.time < parent.time() {
            return Err(Invalid("its time is before its parent's".into()).into());
        }
        let verifier = self.verifier.as_ref();
        let mut builder = Builder::new(verifier, base, layers, parent, header.time);
        let first = LeafIndex(batch.first_leaf().0);
        let count = batch.leaf_hashes().len().saturating_sub(1);
        let inputs = replay::inputs(first, batch.leaves().take(count))?;
        let start = Execution::default();
        let view = crate::view::Layered { base, layers, top: &start };
        let checked = self.checked(&inputs, batch.leaf_hashes(), &view);
        replay::repeat(&mut builder, first, batch.leaves().take(count), inputs, checked)?;
        let (rebuilt, execution) =
            builder.finish(header.context).map_err(replay::ReplayError::from)?;
        if rebuilt.header_bytes() != batch.header_bytes() {
            return Err(Invalid("its header is not what its leaves lead to".into()).into());
        }
        Ok(self.remember(batch, execution))
    }

    /// The submissions that a batch's leaves were made from, as far as they can be admitted on
    /// `view`. What waits here was checked already.
    fn checked(
        &self,
        inputs: &[Input],
        hashes: &[Digest],
        view: &dyn View,
    ) -> Vec<Option<Arc<Submission>>> {
        let pool = self.lock_pool();
        let mut checked: Vec<_> =
            hashes.iter().take(inputs.len()).map(|hash| pool.checked(hash)).collect();
        drop(pool);
        let unknown = inputs.iter().zip(&checked).filter(|(_, checked)| checked.is_none());
        let unknown: Vec<_> = unknown.map(|(input, _)| input.clone()).collect();
        let admitted = admission::admit(unknown, view, self.verifier.as_ref());
        let missing = checked.iter_mut().filter(|checked| checked.is_none());
        for (missing, admitted) in missing.zip(admitted) {
            *missing = admitted.ok().map(Arc::new);
        }
        checked
    }

    fn remember(&self, batch: &Batch, execution: Execution) -> Arc<Execution> {
        let execution = Arc::new(execution);
        self.lock_executed().insert(batch.digest(), (batch.height(), execution.clone()));
        execution
    }

    /// Fills `builder` from the pool; `taken` are the submissions that it took. Nobody is told
    /// anything before the batch is final.
    fn fill(
        &self,
        builder: &mut Builder<'_>,
        body_limit: usize,
        taken: &mut Vec<Digest>,
    ) -> Result<(), ExecutionError> {
        /// What the batch leaf takes at most, with its length.
        const RESERVE: usize = 128;
        loop {
            let mut pool = self.lock_pool();
            let Some(submission) = pool.pop() else { break };
            let wrapped = submission.leaf_bytes().len() + RESERVE;
            let full = builder.body_len() + wrapped + RESERVE > body_limit
                || builder.leaf_count() + 1 >= self.limits.leaves;
            if full {
                pool.push_back([submission.leaf_hash()].into_iter());
                break;
            }
            drop(pool);
            taken.push(submission.leaf_hash());
            if let Some(outcome) = builder.execute(&submission)? {
                builder.answer(submission.leaf_hash(), outcome);
            }
        }
        Ok(())
    }

    fn settle(&self, outcomes: impl IntoIterator<Item = (Digest, Outcome)>) {
        let mut pool = self.lock_pool();
        let tickets: Vec<_> =
            outcomes.into_iter().map(|(id, outcome)| (pool.settle(&id), outcome)).collect();
        drop(pool);
        for (tickets, outcome) in tickets {
            for ticket in tickets {
                ticket(outcome.clone());
            }
        }
    }
}

/// Why a batch that is final is not taken.
fn certified(error: CheckError) -> Halt {
    match error {
        CheckError::Invalid(invalid) => {
            Halt(format!("a certified batch does not execute: {invalid}"))
        }
        CheckError::Halt(halt) => halt,
    }
}

impl Application for Ledger {
    fn genesis(&self) -> Arc<Batch> {
        self.genesis.clone()
    }

    fn finalized(&self) -> Height {
        self.store.snapshot().tip().batch.height()
    }

    fn committee(&self, height: Height) -> Option<Arc<Committee>> {
        let view = self.store.snapshot();
        let next = Height(view.tip().batch.height().0.saturating_add(1));
        let known = height.term() <= next.term();
        known.then(|| appointment::in_office(view.as_ref(), height).ok()).flatten()
    }

    fn appointed(&self) -> Option<Arc<Committee>> {
        self.lock_appointed().clone()
    }

    fn backlog(&self) -> Backlog {
        self.lock_pool().backlog()
    }

    fn propose(&self, proposal: Proposal<'_>) -> Option<Batch> {
        let base = self.store.snapshot();
        let layers = self.layers(base.as_ref(), proposal.ancestry).ok()?;
        self.lock_pool().give_back_unless(|proposed| {
            proposal.ancestry.iter().any(|ancestor| ancestor.digest() == *proposed)
        });
        let time = proposal.now.max(proposal.parent.time());
        let verifier = self.verifier.as_ref();
        let mut builder = Builder::new(verifier, base.as_ref(), &layers, proposal.parent, time);
        let mut taken = Vec::new();
        self.lock_pool().begin();
        let built = self
            .fill(&mut builder, proposal.body_limit, &mut taken)
            .and_then(|()| builder.finish(proposal.context));
        let Ok((batch, execution)) = built else {
            self.lock_pool().push_back(taken.into_iter());
            return None;
        };
        self.lock_pool().propose(batch.digest(), taken);
        self.remember(&batch, execution);
        Some(batch)
    }

    fn check(&self, ancestry: &[Arc<Batch>], batch: &Batch) -> Result<(), CheckError> {
        let base = self.store.snapshot();
        if batch.height() <= base.tip().batch.height() {
            return Ok(());
        }
        let layers = self.layers(base.as_ref(), ancestry)?;
        let finalized = base.tip().batch.clone();
        let parent = ancestry
            .iter()
            .rev()
            .find(|ancestor| ancestor.height() > finalized.height())
            .unwrap_or(&finalized);
        self.replay(base.as_ref(), &layers, parent, batch).map(drop)
    }

    fn deliver(&self, batch: Arc<Batch>) -> Result<(), Halt> {
        let base = self.store.snapshot();
        let tip = base.tip();
        if batch.height() <= tip.batch.height() {
            return Ok(());
        }
        let known = self.lock_executed().get(&batch.digest()).map(|(_, known)| known.clone());
        let execution = match known {
            Some(execution) => execution,
            None => self.replay(base.as_ref(), &[], &tip.batch, &batch).map_err(certified)?,
        };
        self.store.commit(batch.clone(), &execution)?;
        self.lock_seniority().advance(batch.time(), LeafIndex(batch.size().0));
        *self.lock_appointed() = appointed(self.store.snapshot().as_ref())?;
        self.lock_executed().retain(|_, (height, _)| *height > batch.height());
        (self.observer)(&batch, &execution);
        self.settle(execution.outcomes.iter().cloned());
        self.lock_pool().finalized(&batch.digest());
        Ok(())
    }

    fn pass_on(&self, turn: u64, limit: usize) -> Vec<Vec<u8>> {
        self.lock_pool().pass_on(turn, limit)
    }

    fn receive(&self, from: Member, mut leaves: Vec<Vec<u8>>) {
        {
            let pool = self.lock_pool();
            leaves.retain(|leaf| !pool.holds(&merkle::leaf_hash(leaf)));
        }
        let snapshot = self.store.snapshot();
        let admitted = admission::admit(leaves, snapshot.as_ref(), self.verifier.as_ref());
        let standings = self.standings(&admitted, snapshot.as_ref());
        let mut pool = self.lock_pool();
        // The member that passed a refused one on hears of it from its own ledger.
        for (admitted, standing) in admitted.into_iter().zip(standings) {
            if let Ok(submission) = admitted {
                pool.take(submission, standing, from);
            }
        }
    }

    fn discarded(&self, batch: &Batch) {
        self.lock_pool().discarded(&batch.digest());
        self.lock_executed().remove(&batch.digest());
    }
}
