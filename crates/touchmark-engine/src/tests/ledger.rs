//! A ledger that logs items: every leaf is one, and the root is a running hash over them.

use crate::term::Term;
use crate::{ceremony, genesis_context};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use touchmark_batch::{
    Application, Backlog, Batch, BatchLimits, CheckError, Halt, Invalid, Member, Proposal,
};
use touchmark_wire::algorithm::CoseKey;
use touchmark_wire::codec;
use touchmark_wire::genesis::{CertificateKey, Committee, Validator};
use touchmark_wire::hash::Digest;
use touchmark_wire::header::BatchHeader;
use touchmark_wire::ids::{Epoch, Height, Timestamp, TreeSize};
use touchmark_wire::merkle::leaf_hash;

pub(crate) const LIMITS: BatchLimits = BatchLimits { body: 64 * 1024, leaves: 4096 };

#[derive(Default)]
pub(crate) struct Log {
    pub(crate) queue: VecDeque<Vec<u8>>,
    /// What others passed on.
    pub(crate) received: BTreeSet<Vec<u8>>,
    /// What was passed on in this turn.
    passed: (u64, BTreeSet<Vec<u8>>),
    proposed: BTreeMap<Digest, BTreeSet<Vec<u8>>>,
    /// By height, from the genesis.
    pub(crate) chain: Vec<Arc<Batch>>,
    /// Who certifies from a term on.
    pub(crate) committees: BTreeMap<Term, Arc<Committee>>,
    /// Every call of `deliver`, in order.
    pub(crate) deliveries: Vec<(Height, Digest)>,
    pub(crate) checks: usize,
    pub(crate) discards: usize,
    /// Fails instead of delivering this height.
    pub(crate) halts_at: Option<Height>,
    /// Claims this instead of the right root.
    pub(crate) lies: bool,
    /// Added to the time of what it proposes.
    pub(crate) clock_lead: Duration,
}

pub(crate) struct Ledger(Mutex<Log>);

impl Ledger {
    pub(crate) fn new(committee: &ceremony::Committee) -> Arc<Self> {
        Self::with_chain(committee, vec![Arc::new(genesis())])
    }

    pub(crate) fn with_chain(committee: &ceremony::Committee, chain: Vec<Arc<Batch>>) -> Arc<Self> {
        let committees = BTreeMap::from([(Term(0), certifiers(committee, Epoch(0)))]);
        Arc::new(Self(Mutex::new(Log { chain, committees, ..Log::default() })))
    }

    /// Says who certifies from `term` on.
    pub(crate) fn appoint(&self, term: Term, committee: &ceremony::Committee) {
        let mut log = self.log();
        let epoch = Epoch(log.committees.len() as u64);
        log.committees.insert(term, certifiers(committee, epoch));
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap()
    }

    pub(crate) fn submit(&self, item: &[u8]) {
        self.log().queue.push_back(item.to_vec());
    }

    /// Everything logged, in order.
    pub(crate) fn items(&self) -> Vec<Vec<u8>> {
        self.log()
            .chain
            .iter()
            .flat_map(|batch| batch.leaves().map(<[u8]>::to_vec).collect::<Vec<_>>())
            .collect()
    }

    pub(crate) fn digests(&self) -> Vec<Digest> {
        self.log().chain.iter().map(|batch| batch.digest()).collect()
    }
}

pub(crate) fn genesis() -> Batch {
    let header = BatchHeader {
        context: genesis_context(),
        parent: Digest::default(),
        height: Height(0),
        time: Timestamp(0),
        epoch: Epoch(0),
        data_root: BatchHeader::data_root(&[]),
        size: TreeSize(0),
        root: Digest::default(),
        next: Digest::default(),
    };
    Batch::from_parts(codec::encode(&header), Vec::new(), LIMITS).unwrap()
}

fn root(parent: Digest, leaves: &[Digest]) -> Digest {
    leaves.iter().fold(parent, |root, leaf| Digest::of(&[&root.0, &leaf.0]))
}

/// A committee as headers and readers know it.
fn certifiers(committee: &ceremony::Committee, epoch: Epoch) -> Arc<Committee> {
    let key = CoseKey::ed25519([7; 32]);
    let validators = committee.members.iter().map(|member| Validator {
        name: member.to_string(),
        peer: Digest(member.0),
        log_key: key,
        cosigner_key: key,
    });
    let validators: Vec<_> = validators.collect();
    Arc::new(Committee {
        epoch,
        certificate_key: CertificateKey(committee.certificate_key().unwrap()),
        threshold: u16::try_from(validators.len()).unwrap(),
        validators,
        note_key: None,
    })
}

impl Application for Ledger {
    fn committee(&self, height: Height) -> Option<Arc<Committee>> {
        let known = Term::of(Height(self.finalized().0 + 1));
        let term = Some(Term::of(height)).filter(|term| *term <= known)?;
        self.log().committees.range(..=term).next_back().map(|(_, committee)| committee.clone())
    }

    fn appointed(&self) -> Option<Arc<Committee>> {
        let next = Term::of(Height(self.finalized().0 + 1)).next();
        self.log().committees.get(&next).cloned()
    }

    fn genesis(&self) -> Arc<Batch> {
        Arc::new(genesis())
    }

    fn finalized(&self) -> Height {
        Height(self.log().chain.len() as u64 - 1)
    }

    fn backlog(&self) -> Backlog {
        let log = self.log();
        let mut backlog = Backlog::default();
        for item in &log.queue {
            if !log.proposed.values().any(|batch| batch.contains(item)) {
                backlog.items += 1;
                backlog.bytes += item.len();
            }
        }
        backlog
    }

    /// Takes whatever the ancestry does not hold. An item of a lost proposal comes again at once
    /// and in its place, before the engine says that the proposal is lost.
    fn propose(&self, proposal: Proposal<'_>) -> Option<Batch> {
        let mut log = self.log();
        let taken: BTreeSet<_> =
            proposal.ancestry.iter().flat_map(|batch| batch.leaves().collect::<Vec<_>>()).collect();
        let mut body = Vec::new();
        let mut items = BTreeSet::new();
        let mut leaves = Vec::new();
        for item in &log.queue {
            if taken.contains(&item[..]) {
                continue;
            }
            if body.len() + 2 + item.len() > proposal.body_limit {
                break;
            }
            body.extend(u16::try_from(item.len()).unwrap().to_be_bytes());
            body.extend(item);
            leaves.push(leaf_hash(item));
            items.insert(item.clone());
        }
        let parent = proposal.parent.header();
        let right = root(parent.root, &leaves);
        let now = Timestamp(proposal.now.0 + u64::try_from(log.clock_lead.as_millis()).unwrap());
        let header = BatchHeader {
            context: proposal.context,
            parent: proposal.parent.digest(),
            height: Height(parent.height.0 + 1),
            time: now.max(parent.time),
            epoch: parent.epoch,
            data_root: BatchHeader::data_root(&leaves),
            size: TreeSize(parent.size.0 + leaves.len() as u64),
            root: if log.lies { Digest([13; 32]) } else { right },
            next: Digest::default(),
        };
        let batch = Batch::from_parts(codec::encode(&header), body, LIMITS).unwrap();
        log.proposed.insert(batch.digest(), items);
        Some(batch)
    }

    fn check(&self, ancestry: &[Arc<Batch>], batch: &Batch) -> Result<(), CheckError> {
        let mut log = self.log();
        log.checks += 1;
        let parent = match ancestry.last() {
            Some(parent) => parent,
            None => log.chain.last().unwrap(),
        };
        if parent.digest() != batch.parent() {
            return Err(Invalid("not built on the last batch of its ancestry".to_owned()).into());
        }
        let oldest = ancestry.first().map_or(batch.height(), |oldest| oldest.height());
        if oldest.0 > log.chain.len() as u64 {
            return Err(Invalid("its ancestry has a gap".to_owned()).into());
        }
        if root(parent.header().root, batch.leaf_hashes()) != batch.header().root {
            return Err(Invalid("wrong root".to_owned()).into());
        }
        Ok(())
    }

    fn deliver(&self, batch: Arc<Batch>) -> Result<(), Halt> {
        let mut log = self.log();
        if log.halts_at == Some(batch.height()) {
            return Err(Halt("disk full".to_owned()));
        }
        log.deliveries.push((batch.height(), batch.digest()));
        let next = log.chain.len() as u64;
        assert!(batch.height().0 <= next, "a height was left out");
        if batch.height().0 == next {
            assert_eq!(batch.parent(), log.chain.last().unwrap().digest());
            log.chain.push(Arc::clone(&batch));
            log.proposed.remove(&batch.digest());
            let logged: BTreeSet<_> = batch.leaves().collect();
            log.queue.retain(|item| !logged.contains(&item[..]));
        } else {
            let known = &log.chain[usize::try_from(batch.height().0).unwrap()];
            assert_eq!(known.digest(), batch.digest(), "two batches of one height");
        }
        Ok(())
    }

    fn pass_on(&self, turn: u64, limit: usize) -> Vec<Vec<u8>> {
        let mut log = self.log();
        if log.passed.0 != turn {
            log.passed = (turn, BTreeSet::new());
        }
        let Log { queue, received, passed: (_, passed), .. } = &mut *log;
        let mut total = 0;
        let fresh = queue.iter().filter(|item| {
            let own = !received.contains(*item) && !passed.contains(*item);
            total += if own { 2 + item.len() } else { 0 };
            own && total <= limit
        });
        let fresh: Vec<_> = fresh.cloned().collect();
        passed.extend(fresh.iter().cloned());
        fresh
    }

    /// An item is logged once, so one that comes late is told from a new one by the log.
    fn receive(&self, _from: Member, leaves: Vec<Vec<u8>>) {
        let logged: BTreeSet<_> = self.items().into_iter().collect();
        let mut log = self.log();
        for item in leaves {
            if !logged.contains(&item) && !log.queue.contains(&item) {
                log.received.insert(item.clone());
                log.queue.push_back(item);
            }
        }
    }

    fn discarded(&self, batch: &Batch) {
        let mut log = self.log();
        log.discards += 1;
        log.proposed.remove(&batch.digest());
    }
}
