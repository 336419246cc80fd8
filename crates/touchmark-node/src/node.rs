//! A running node: store, ledger, engine and what it signs, put together.

mod measured;

use crate::anchor::{Anchorage, Source};
use crate::attestation::{AttestationError, Attestor};
use crate::ending::Ending;
use crate::folder::{
    self, Equipment, Folder, FolderError, Held, LogOwner, NewNetwork, Part, Premises,
};
use crate::follow::{FollowError, Follower};
use crate::intake::{Decided, Intake};
use crate::judgement::judge;
use crate::kept::KeptLog;
pub use crate::kept::ObjectsConfig;
use crate::keyring::Keyring;
use crate::order::Order;
use crate::proof::{Certification, ProofError};
use crate::sealing::Sealing;
use crate::upkeep::{self, UpkeepError};
use crate::witness::Witnesses;
use crate::word::{Council, NoteShares, Speaker};
use measured::Measured;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::runtime::Handle;
use tokio::sync::{broadcast, watch};
use touchmark_batch::{Application as _, Backlog, BatchLimits, Reply, Respondent as _};
use touchmark_core::admission::Input;
use touchmark_core::refusal::{Outcome, Refusal};
use touchmark_engine::{Answers, Config as EngineConfig, Engine, Finality, Pacing};
use touchmark_keys::software::SoftwareKey;
use touchmark_ledger::{Execution, Ledger, LedgerLimits, Observer};
use touchmark_store::{CacheLimits, Manifest, Snapshot, Store};
use touchmark_wire::genesis::{Committee, Genesis};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Height, Timestamp, TreeSize};
use touchmark_wire::registry::RefusalCode;

/// What a node needs to start.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// The data folder.
    pub data: PathBuf,
    /// Where the engine accepts other validators; none listens where the folder says, and where
    /// that says nothing at a free port of this machine alone.
    pub engine_listen: Option<SocketAddr>,
    /// How often batches are made.
    pub pacing: Pacing,
    /// For a folder without a node: the network to begin.
    pub new: NewNetwork,
    /// Where old leaves are kept, if not in the data folder.
    pub objects: Option<ObjectsConfig>,
}

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The data folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The store.
    #[error(transparent)]
    Store(#[from] touchmark_store::Error),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] touchmark_engine::Error),
    /// What proves that a committee has handed over.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// What it is to follow.
    #[error(transparent)]
    Follow(#[from] FollowError),
    /// This node's signing keys.
    #[error(transparent)]
    Keys(#[from] AttestationError),
    /// The object storage that is named cannot be one.
    #[error(transparent)]
    Objects(#[from] touchmark_objects::Error),
    /// Leaves are in object storage, and none is named.
    #[error("{leaves} leaves of the log are in object storage, and none is named")]
    NoObjects {
        /// How many.
        leaves: u64,
    },
    /// The operating system gives no thread.
    #[error("no thread can be started: {0}")]
    Thread(io::Error),
}

/// Where an engine listens that nobody dials.
const UNREACHED: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));
/// Most bytes of leaves, and most leaves, in a batch.
pub(crate) const BATCH: BatchLimits = BatchLimits { body: 4 << 20, leaves: 8_192 };
/// How many batches wait for whoever looks at what they bring.
const EXECUTIONS: usize = 8;

/// A running node.
pub struct Node {
    /// The network.
    pub genesis: Genesis,
    /// Log and state.
    pub store: Arc<Store>,
    /// What this node signs; who follows signs nothing.
    attestor: Option<Arc<Attestor>>,
    /// What it says when other validators ask.
    speaker: Option<Arc<Speaker>>,
    /// What it gathers of what others sign.
    council: Council,
    /// What outside witnesses say of its log.
    witnesses: Witnesses,
    /// What another network has of its log.
    anchorage: Anchorage,
    ledger: Arc<Ledger>,
    verifier: Arc<Keyring>,
    intake: Intake,
    order: Arc<Order>,
    ending: Ending,
    /// Who of the validators it is.
    peer: Option<Digest>,
    /// Keeps other processes out for as long as there is a node.
    premises: Premises,
    tip: watch::Receiver<(Height, TreeSize)>,
    executions: broadcast::Sender<Arc<Execution>>,
    commits: Histogram,
    /// Brings old leaves to object storage.
    _sealing: Option<Sealing>,
}

impl Node {
    /// Starts a node; returns when it takes submissions.
    pub fn start(config: &NodeConfig) -> Result<Self, StartError> {
        let Folder { premises, part } = Folder::open_or_create(&config.data, &config.new)?;
        let genesis = premises.genesis.clone();
        let first = premises.first_batch();
        let store =
            Arc::new(Store::open(&premises.ledger(), &genesis, &first, CacheLimits::default())?);
        let sealing = seal(config.objects.as_ref(), &store, &genesis)?;
        let (announce, tip) = watch::channel((store.snapshot().height(), store.snapshot().size()));
        let executions = broadcast::Sender::new(EXECUTIONS);
        let tell = executions.clone();
        let observer: Observer = Box::new(move |batch, execution| {
            announce.send_replace((batch.height(), batch.size()));
            // Nobody has to listen.
            let _ = tell.send(execution.clone());
        });
        let commits = Histogram::new(exponential_buckets(0.000_5, 2.0, 16));
        let measured = Measured { store: store.clone(), commits: commits.clone() };
        let verifier = Arc::new(Keyring::default());
        let ledger = Ledger::new(
            Arc::new(measured),
            verifier.clone(),
            first,
            LedgerLimits { leaves: BATCH.leaves, ..LedgerLimits::default() },
            observer,
        );
        let ledger = Arc::new(ledger.map_err(touchmark_engine::Error::Halted)?);
        let (order, voice, peer) = match part {
            Part::Validator(mut equipment) => {
                let note = note_key(&premises, &equipment.offices)?;
                equipment.offices = needed(&premises, &store.snapshot(), equipment.offices)?;
                let peer = equipment.secrets.peer().map_err(AttestationError::from)?;
                let idle = config.pacing.idle_interval;
                let (attestor, speaker) =
                    voice((&equipment, note), &genesis, &store, (tip.clone(), idle))?;
                let parts = (&ledger, speaker.clone());
                let engine = engine(config, &premises, equipment, parts)?;
                (Order::Engine(Box::new(engine)), Some((attestor, speaker)), Some(peer))
            }
            Part::Follower(sources) => {
                let follower = Follower::start(&genesis, &ledger, &store, &sources)?;
                (Order::Follower(follower), None, None)
            }
        };
        let (attestor, speaker) = voice.unzip();
        let order = Arc::new(order);
        let ending = Ending::of(&order).map_err(StartError::Thread)?;
        let intake = Intake::start(&ledger, &order);
        let witnesses = Witnesses::in_folder(&config.data, &genesis.origin, &store.snapshot());
        let anchorage = Anchorage::in_folder(&config.data, &genesis.origin, &store.snapshot());
        Ok(Self {
            genesis,
            store,
            attestor,
            speaker,
            council: Council::default(),
            witnesses,
            anchorage,
            ledger,
            verifier,
            intake,
            order,
            ending,
            peer,
            premises,
            tip,
            executions,
            commits,
            _sealing: sealing,
        })
    }

    /// Submits encoded leaves, those of one request; waits until each is decided, and durable if
    /// it was logged. Once the engine is over, everything is refused, also what waits: nobody knows
    /// yet whether that is in the log.
    pub async fn submit(&self, inputs: Vec<Input>) -> Vec<Decided> {
        self.intake.submit(inputs, self.ending.clone()).await
    }

    /// What would become of a leaf if it were submitted now; nothing is stored.
    pub async fn foresee(self: &Arc<Self>, leaf: Input) -> Outcome {
        let node = self.clone();
        let foreseen = tokio::task::spawn_blocking(move || {
            judge(&node.store.snapshot(), &node.verifier, leaf)
        });
        let foreseen = foreseen.await;
        foreseen.unwrap_or_else(|_| {
            tracing::error!("judging a submission panicked");
            Outcome::Refused(Refusal::new(RefusalCode::INTERNAL, "the node could not judge it"))
        })
    }

    /// Bytes of submissions that can still wait for a batch.
    pub fn room(&self) -> usize {
        self.ledger.room()
    }

    /// Most bytes of submissions that wait for a batch.
    pub fn pool_limit(&self) -> usize {
        self.ledger.limits().pool
    }

    /// Copies the ledger as it is now, and its proof, into a new or empty folder. May take long:
    /// call it on a thread of a runtime where waiting is allowed.
    pub fn backup(&self, to: &Path) -> Result<Manifest, UpkeepError> {
        let snapshot = self.store.snapshot();
        let certification = Handle::current().block_on(self.certification(&snapshot));
        upkeep::write_backup(&self.premises, &self.store, &snapshot, certification, to)
    }

    /// What waits for a batch.
    pub fn backlog(&self) -> Backlog {
        self.ledger.backlog()
    }

    /// What each batch brings from now on; who is slow misses some.
    pub fn executions(&self) -> broadcast::Receiver<Arc<Execution>> {
        self.executions.subscribe()
    }

    /// How long batches take to become durable, seconds.
    pub fn commits(&self) -> Histogram {
        self.commits.clone()
    }

    /// Waits until the log has at least `size` leaves.
    pub async fn reach(&self, size: TreeSize) {
        let mut tip = self.tip.clone();
        // An error means that the ledger is gone; the caller then finds what there is.
        let _ = tip.wait_for(|(_, known)| *known >= size).await;
    }

    /// Waits until there is a batch of `height`.
    pub(crate) async fn reach_height(&self, height: Height) {
        let mut tip = self.tip.clone();
        let _ = tip.wait_for(|(known, _)| *known >= height).await;
    }

    /// The proof that a batch is final, if there is one now.
    pub(crate) async fn finality(
        &self,
        snapshot: &Snapshot,
        height: Height,
    ) -> Result<Option<Finality>, ProofError> {
        self.order.finality(snapshot, height).await
    }

    /// What proves that the network certified the last batch of `snapshot`.
    pub(crate) async fn certification(
        &self,
        snapshot: &Snapshot,
    ) -> Result<Certification, ProofError> {
        Certification::find(snapshot, &self.order).await
    }

    /// Who certifies the next batch.
    pub fn committee(&self) -> Option<Arc<Committee>> {
        let next = self.ledger.finalized().0.saturating_add(1);
        self.ledger.committee(Height(next))
    }

    /// Who certifies from the next term on, if the committee changes then.
    pub fn appointed(&self) -> Option<Arc<Committee>> {
        self.ledger.appointed()
    }

    /// What this node signs, if it is a validator's.
    pub(crate) fn attestor(&self) -> Option<&Attestor> {
        self.attestor.as_deref()
    }

    /// The answer to what the validator with this peer key asks (spec/words.md), if it is one.
    pub fn answer(&self, asker: Digest, question: Vec<u8>) -> Option<Reply> {
        Some(self.speaker.as_ref()?.answer(asker, question))
    }

    /// Its shares of note keys, if it is a validator's.
    pub(crate) fn note_shares(&self) -> Option<&NoteShares> {
        self.speaker.as_ref().map(|speaker| speaker.note_shares())
    }

    /// What it gathers of what others sign.
    pub(crate) const fn council(&self) -> &Council {
        &self.council
    }

    /// What outside witnesses say of its log.
    pub(crate) const fn witnesses(&self) -> &Witnesses {
        &self.witnesses
    }

    /// Has the outside witnesses that the data folder names cosign the newest checkpoint, and waits
    /// for them: half a minute at most. Call it on a thread where waiting is allowed.
    pub fn ask_witnesses(&self) {
        self.witnesses.round(self);
    }

    /// What another network has of its log.
    pub(crate) const fn anchorage(&self) -> &Anchorage {
        &self.anchorage
    }

    /// Looks for the last checkpoint of its log that `source` has. Call it on a thread where waiting
    /// is allowed.
    pub fn renew_anchor(&self, source: &Source) {
        self.anchorage.renew(source, &self.genesis, &self.store);
    }

    /// Asks the other validators, if it is one.
    pub(crate) fn ask(&self, question: Vec<u8>) -> Option<Answers> {
        self.order.ask(question)
    }

    /// The part that follows, if the node has no vote and never will.
    pub(crate) fn follower(&self) -> Option<&Follower> {
        match self.order.as_ref() {
            Order::Follower(follower) => Some(follower),
            Order::Engine(_) => None,
        }
    }

    /// Its key among the validators, if it has one.
    pub const fn peer(&self) -> Option<Digest> {
        self.peer
    }

    /// How it goes with the order of batches.
    pub fn status(&self) -> touchmark_engine::Status {
        self.order.status()
    }

    /// Why the node is of no use to those who want the newest or write, though it runs.
    pub(crate) fn hindrance(&self) -> Option<String> {
        self.order.hindrance()
    }

    /// The engine's own counters, in OpenMetrics text.
    pub fn engine_metrics(&self) -> String {
        self.order.metrics()
    }

    /// Stops in order.
    pub fn stop(&self) {
        self.order.stop();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // The threads of intake and ending have shares of it.
        self.order.stop();
    }
}

/// Begins to seal, if the node is to; the store reads from there what is sealed.
fn seal(
    config: Option<&ObjectsConfig>,
    store: &Arc<Store>,
    genesis: &Genesis,
) -> Result<Option<Sealing>, StartError> {
    let Some(ObjectsConfig { place, tail, interval }) = config else {
        return match store.sealed().leaves {
            0 => Ok(None),
            leaves => Err(StartError::NoObjects { leaves }),
        };
    };
    let kept = KeptLog::open(place, genesis.network_id())?;
    store.keep_sealed_in(kept.clone());
    let sealing = Sealing::start(store.clone(), kept, *tail, *interval);
    sealing.map(Some).map_err(StartError::Thread)
}

/// The key that signs as the log: only where one owner has it, and nobody is to share it.
fn note_key(premises: &Premises, offices: &[Held]) -> Result<Option<SoftwareKey>, FolderError> {
    let data = &premises.path;
    if folder::owner(offices) == LogOwner::One {
        return folder::require_note_key(data, premises.genesis.network_id()).map(Some);
    }
    // Who has no place has nothing to sign, and has given nothing away.
    if !offices.is_empty() && folder::forget_note_key(data)? {
        tracing::info!("the log's note key is deleted: the log gets several owners");
    }
    Ok(None)
}

/// What a validator signs, and what it says when others ask.
fn voice(
    (equipment, note): (&Equipment, Option<SoftwareKey>),
    genesis: &Genesis,
    store: &Arc<Store>,
    (tip, idle): (watch::Receiver<(Height, TreeSize)>, Duration),
) -> Result<(Arc<Attestor>, Arc<Speaker>), StartError> {
    let begun = store.snapshot().size();
    let attestor = Attestor::new(genesis, &equipment.secrets, begun)?;
    let attestor = Arc::new(attestor.with_note_key(note));
    let shares = equipment.offices.iter().filter_map(|held| held.note.clone());
    let shares = NoteShares::new(shares.collect());
    let speaker = Speaker::new((attestor.clone(), shares), store.clone(), tip, idle);
    Ok((attestor, Arc::new(speaker)))
}

/// Starts a validator's engine.
fn engine(
    config: &NodeConfig,
    premises: &Premises,
    equipment: Equipment,
    (ledger, speaker): (&Arc<Ledger>, Arc<Speaker>),
) -> Result<Engine, StartError> {
    let Equipment { offices, secrets, peers } = equipment;
    let config = EngineConfig {
        directory: premises.path.clone(),
        network: premises.genesis.network_id(),
        identity: secrets.seat().identity,
        offices: offices.into_iter().map(|held| held.office).collect(),
        listen: config.engine_listen.or(peers.listen).unwrap_or(UNREACHED),
        addresses: peers.addresses,
        pacing: config.pacing,
        limits: BATCH,
        cache: 4 << 20,
    };
    Ok(Engine::start(config, ledger.clone(), speaker)?)
}

/// The places that are still needed; the shares of the others are deleted.
fn needed(
    premises: &Premises,
    snapshot: &Snapshot,
    offices: Vec<Held>,
) -> Result<Vec<Held>, StartError> {
    let mut needed = Vec::new();
    for held in offices {
        let number = held.committee.epoch;
        if Certification::is_over(&premises.path, snapshot, number)? {
            tracing::info!(committee = %number, "its shares are deleted: it handed over");
            held.leave()?;
        } else {
            needed.push(held);
        }
    }
    Ok(needed)
}

/// This machine's clock. Only edges read it: rules see certified times.
pub fn now() -> Timestamp {
    let elapsed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
}
