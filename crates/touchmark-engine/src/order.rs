//! The engine's parts put together, on any runtime and any peer-to-peer network.
//!
//! ```text
//!  simplex ─ asks ─> Deferred ─ asks ─> Executor ─ propose, check ─> ledger
//!     │                  │
//!     └─ certificates ─> marshal ─ finalized blocks ─> Delivery ─ deliver ─> ledger
//!
//!  ledger ─ what was submitted here ─> Courier ─> the next proposers' ledgers
//! ```

use crate::block::Block;
use crate::courier::Courier;
use crate::delivery::{Delivery, Marshal};
use crate::error::Error;
use crate::executor::Executor;
use crate::keys::{Keys, PublicKey, Scheme};
use crate::pacing::Pacing;
use crate::proposals::Proposals;
use crate::signal::Signal;
use crate::status::{Monitor, Phase};
use crate::storage;
use commonware_actor::Feedback;
use commonware_broadcast::buffered;
use commonware_consensus::marshal::core::Actor as MarshalActor;
use commonware_consensus::marshal::standard::{Deferred, Standard};
use commonware_consensus::marshal::{self, Identifier, resolver};
use commonware_consensus::simplex::elector::RoundRobin;
use commonware_consensus::simplex::types::Activity;
use commonware_consensus::simplex::{self, ForwardPolicy, SkipBudget, SkipPolicy};
use commonware_consensus::types::{Epoch, FixedEpocher, Height as BlockHeight, ViewDelta};
use commonware_consensus::{Reporter, Viewable as _};
use commonware_cryptography::certificate::ConstantProvider;
use commonware_cryptography::sha256::{Digest, Sha256};
use commonware_cryptography::{Digested, Digestible as _, Signer as _};
use commonware_p2p::{Blocker, Provider, Receiver, Sender};
use commonware_parallel::Sequential;
use commonware_runtime::buffer::paged::CacheRef;
use commonware_runtime::{Clock, Handle, Metrics, Spawner, Storage};
use commonware_utils::{NZDuration, NZU64, NZUsize};
use rand_core::CryptoRng;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use touchmark_batch::{Application, BatchLimits};
use touchmark_wire::ids::Height;

/// What the engine needs of a runtime.
pub(crate) trait Runtime: Clock + CryptoRng + Metrics + Spawner + Storage {}

impl<E: Clock + CryptoRng + Metrics + Spawner + Storage> Runtime for E {}

/// Channels to the other members.
pub(crate) struct Links<S, R, P, B> {
    pub(crate) votes: (S, R),
    pub(crate) certificates: (S, R),
    pub(crate) fetches: (S, R),
    pub(crate) blocks: (S, R),
    pub(crate) backfill: (S, R),
    pub(crate) statements: (S, R),
    pub(crate) provider: P,
    pub(crate) blocker: B,
}

/// What the parts are made from.
pub(crate) struct Settings {
    pub(crate) keys: Keys,
    pub(crate) pacing: Pacing,
    pub(crate) limits: BatchLimits,
    /// Bytes of stored pages kept in memory.
    pub(crate) cache: usize,
    /// Prefix of the store's partitions: members of a simulation share one store.
    pub(crate) prefix: String,
}

/// The running engine, as its owner sees it.
#[derive(Clone)]
pub(crate) struct Order {
    pub(crate) marshal: Marshal,
    pub(crate) monitor: Arc<Monitor>,
    pub(crate) woken: Arc<Signal>,
}

/// Capacity of each part's mailbox.
pub(crate) const MAILBOX: NonZeroUsize = NZUsize!(1024);
/// The first committee's; a later one would have its own keys and its own instance.
pub(crate) const EPOCH: Epoch = Epoch::zero();
/// One epoch, without end: the committee is fixed.
const EPOCHS: FixedEpocher = FixedEpocher::new(NZU64!(u64::MAX));
/// Views behind the last final one of which votes and unfinalized blocks are kept.
const RETAINED_VIEWS: ViewDelta = ViewDelta::new(256);
/// Blocks kept per member until consensus asks for them.
const BUFFERED_BLOCKS: usize = 16;
/// Finalized blocks given to the ledger before the first of them is acknowledged.
const UNACKNOWLEDGED: NonZeroUsize = NZUsize!(16);
const PARALLEL_REPAIRS: NonZeroUsize = NZUsize!(16);
const FETCH_TIMEOUT: Duration = Duration::from_secs(2);
const FETCH_RETRY: Duration = Duration::from_millis(100);

impl Order {
    /// Starts all parts; returns when the ledger has caught up with the store and consensus runs.
    pub(crate) fn start<E, S, R, P, B>(
        context: E,
        settings: Settings,
        application: Arc<dyn Application>,
        links: Links<S, R, P, B>,
    ) -> impl Future<Output = Result<Self, Error>> + Send
    where
        E: Runtime,
        S: Sender<PublicKey = PublicKey>,
        R: Receiver<PublicKey = PublicKey>,
        P: Provider<PublicKey = PublicKey>,
        B: Blocker<PublicKey = PublicKey>,
    {
        // Too large for its callers' stacks.
        Box::pin(Self::assemble(context, settings, application, links))
    }

    async fn assemble<E, S, R, P, B>(
        context: E,
        settings: Settings,
        application: Arc<dyn Application>,
        links: Links<S, R, P, B>,
    ) -> Result<Self, Error>
    where
        E: Runtime,
        S: Sender<PublicKey = PublicKey>,
        R: Receiver<PublicKey = PublicKey>,
        P: Provider<PublicKey = PublicKey>,
        B: Blocker<PublicKey = PublicKey>,
    {
        let Links { votes, certificates, fetches, blocks, backfill, statements, provider, blocker } =
            links;
        let cache = storage::page_cache(settings.cache);
        let genesis = Block::new(application.genesis())
            .map_err(|_| Error::Ledger("its genesis does not have the engine's genesis context"))?;
        let genesis_digest = genesis.digest();
        let (actor, marshal, floor) =
            init_marshal(&context, &settings, genesis, cache.clone()).await?;

        let monitor = Arc::new(Monitor::default());
        let woken = Arc::new(Signal::default());
        let proposals = Arc::new(Proposals::default());
        let (delivery, dispatch) =
            Delivery::new(Arc::clone(&application), Arc::clone(&proposals), Arc::clone(&monitor));
        let buffer = buffer(&context, &settings, provider.clone());
        let fetcher = fetcher(&context, &settings, provider, blocker.clone(), backfill);
        let marshal_handle = actor.start(dispatch, buffer.1, fetcher);
        let buffer_handle = buffer.0.start(blocks);

        if settings.keys.members.len() == 1 {
            refuse_a_second_history(&marshal, &*application).await?;
        }
        let processed = floor.processed().map_or(0, |processed| processed.height().get());
        delivery.catch_up(&marshal, Height(processed)).await?;
        let delivery_handle = delivery.start(context.child("delivery"), marshal.clone());

        let courier = Courier {
            me: settings.keys.signer.public_key(),
            members: settings.keys.members.clone(),
            application: Arc::clone(&application),
            monitor: Arc::clone(&monitor),
            woken: Arc::clone(&woken),
            limits: settings.limits,
        };
        let couriers = courier.start(&context, statements, blocker.clone());

        let executor = Executor {
            application,
            pacing: settings.pacing,
            body_limit: settings.limits.body,
            proposals,
            monitor: Arc::clone(&monitor),
            woken: Arc::clone(&woken),
        };
        let consensus = consensus(
            &context,
            &settings,
            executor,
            marshal.clone(),
            (genesis_digest, blocker, cache),
        );
        let consensus_handle = consensus.start(votes, certificates, fetches);

        let parts = [buffer_handle, marshal_handle, delivery_handle, consensus_handle];
        watch(&context, parts.into_iter().chain(couriers), &monitor);
        Ok(Self { marshal, monitor, woken })
    }
}

async fn init_marshal<E: Runtime>(
    context: &E,
    settings: &Settings,
    genesis: Block,
    cache: CacheRef,
) -> Result<(MarshalOf<E>, Marshal, marshal::core::Floor), Error> {
    let certificates =
        storage::certificates(context.child("certificates"), &settings.prefix, &cache).await?;
    let blocks =
        storage::blocks(context.child("blocks"), &settings.prefix, &cache, settings.limits).await?;
    let digest = genesis.digest();
    let config = marshal::Config {
        provider: ConstantProvider::new(settings.keys.scheme.clone()),
        epocher: EPOCHS,
        start: marshal::Start::Genesis(Digested::precomputed(genesis, digest)),
        partition_prefix: settings.prefix.clone(),
        mailbox_size: MAILBOX,
        view_retention: RETAINED_VIEWS,
        prunable_items_per_section: storage::PRUNABLE_SECTION,
        page_cache: cache,
        replay_buffer: storage::REPLAY_BUFFER,
        key_write_buffer: storage::WRITE_BUFFER,
        value_write_buffer: storage::WRITE_BUFFER,
        block_codec_config: settings.limits,
        max_repair: PARALLEL_REPAIRS,
        max_pending_acks: UNACKNOWLEDGED,
        strategy: Sequential,
    };
    Ok(MarshalActor::init(context.child("marshal"), certificates, blocks, config).await)
}

type MarshalOf<E> = MarshalActor<
    E,
    Standard<Block>,
    ConstantProvider<Scheme, Epoch>,
    storage::Certificates<E>,
    storage::Blocks<E>,
    FixedEpocher,
    Sequential,
>;

type Buffer<E, P> =
    (buffered::Engine<E, PublicKey, Block, P, Sequential>, buffered::Mailbox<PublicKey, Block>);

fn buffer<E: Runtime, P: Provider<PublicKey = PublicKey>>(
    context: &E,
    settings: &Settings,
    provider: P,
) -> Buffer<E, P> {
    buffered::Engine::new(
        context.child("buffer"),
        buffered::Config {
            public_key: settings.keys.signer.public_key(),
            mailbox_size: MAILBOX,
            deque_size: BUFFERED_BLOCKS,
            priority: true,
            codec_config: settings.limits,
            peer_provider: provider,
            strategy: Sequential,
        },
    )
}

fn fetcher<E, P, B, S, R>(
    context: &E,
    settings: &Settings,
    provider: P,
    blocker: B,
    backfill: (S, R),
) -> (resolver::handler::Receiver<Digest>, resolver::p2p::Mailbox<Digest, PublicKey>)
where
    E: Runtime,
    P: Provider<PublicKey = PublicKey>,
    B: Blocker<PublicKey = PublicKey>,
    S: Sender<PublicKey = PublicKey>,
    R: Receiver<PublicKey = PublicKey>,
{
    resolver::p2p::init(
        context.child("fetcher"),
        resolver::p2p::Config {
            public_key: settings.keys.signer.public_key(),
            peer_provider: provider,
            blocker,
            mailbox_size: MAILBOX,
            fetch_timeout: NZDuration!(FETCH_TIMEOUT),
            fetch_retry_delay: FETCH_RETRY,
            priority_requests: false,
            priority_responses: false,
        },
        backfill,
    )
}

/// Consensus, over the ledger's [`Executor`] and `marshal`.
fn consensus<E: Runtime, B: Blocker<PublicKey = PublicKey>>(
    context: &E,
    settings: &Settings,
    executor: Executor,
    marshal: Marshal,
    (genesis, blocker, cache): (Digest, B, CacheRef),
) -> Consensus<E, B> {
    let (monitor, woken) = (Arc::clone(&executor.monitor), Arc::clone(&executor.woken));
    let deferred = Deferred::new(context.child("deferred"), executor, marshal, EPOCHS);
    let observer = Observer { inner: deferred.clone(), monitor, woken };
    simplex::Engine::new(
        context.child("simplex"),
        consensus_config(settings, genesis, deferred, observer, blocker, cache),
    )
}

type Consensus<E, B> = simplex::Engine<
    E,
    Scheme,
    RoundRobin<Sha256>,
    B,
    Digest,
    DeferredOf<E>,
    DeferredOf<E>,
    Observer<DeferredOf<E>>,
    Sequential,
>;
type DeferredOf<E> = Deferred<E, Scheme, Executor, Block, FixedEpocher>;
type ConsensusConfig<E, B> = simplex::Config<
    Scheme,
    RoundRobin<Sha256>,
    B,
    Digest,
    DeferredOf<E>,
    DeferredOf<E>,
    Observer<DeferredOf<E>>,
    Sequential,
>;

fn consensus_config<E: Runtime, B: Blocker<PublicKey = PublicKey>>(
    settings: &Settings,
    genesis: Digest,
    deferred: DeferredOf<E>,
    observer: Observer<DeferredOf<E>>,
    blocker: B,
    cache: CacheRef,
) -> ConsensusConfig<E, B> {
    let timeouts = settings.pacing.timeouts();
    simplex::Config {
        scheme: settings.keys.scheme.clone(),
        elector: RoundRobin::default(),
        blocker,
        automaton: deferred.clone(),
        relay: deferred,
        reporter: observer,
        track_historical_votes: false,
        strategy: Sequential,
        partition: format!("{}-consensus", settings.prefix),
        mailbox_size: MAILBOX,
        epoch: EPOCH,
        floor: simplex::Floor::Genesis(genesis),
        replay_buffer: storage::REPLAY_BUFFER,
        write_buffer: storage::WRITE_BUFFER,
        page_cache: cache,
        leader_timeout: timeouts.leader,
        certification_timeout: timeouts.certification,
        timeout_retry: timeouts.retry,
        view_retention: RETAINED_VIEWS,
        skip: SkipPolicy::Enabled { timeout: timeouts.skip, budget: SkipBudget::Participants },
        fetch_timeout: NZDuration!(FETCH_TIMEOUT),
        fetch_retry_delay: FETCH_RETRY,
        forward: ForwardPolicy::Disabled,
    }
}

/// Notes the view while certificates pass by on their way to marshal.
#[derive(Clone)]
struct Observer<R> {
    inner: R,
    monitor: Arc<Monitor>,
    woken: Arc<Signal>,
}

impl<R: Reporter<Activity = Activity<Scheme, Digest>>> Reporter for Observer<R> {
    type Activity = R::Activity;

    fn report(&mut self, activity: Self::Activity) -> Feedback {
        if matches!(
            activity,
            Activity::Notarization(_) | Activity::Nullification(_) | Activity::Finalization(_)
        ) {
            self.monitor.passed(activity.view().get());
            // Others propose now.
            self.woken.notify();
        }
        self.inner.report(activity)
    }
}

/// Alone, a member that lost its store could certify other batches for the heights it has
/// certified before. In a committee the others supply what is missing.
async fn refuse_a_second_history(
    marshal: &Marshal,
    application: &dyn Application,
) -> Result<(), Error> {
    let ledger = application.finalized();
    // A block may be stored, and delivered, before a certificate of its own is: the votes for it
    // are in the journal, which is replayed. So it is the block that is looked for.
    let block = marshal.get_info(Identifier::Height(BlockHeight::new(ledger.0))).await;
    if ledger == Height(0) || block.is_some() {
        return Ok(());
    }
    let latest = marshal.get_info(Identifier::Latest).await;
    let store = Height(latest.map_or(0, |(height, _)| height.get()));
    Err(Error::Behind { ledger, store })
}

/// No part ends before the engine is asked to stop.
fn watch<E: Runtime>(context: &E, parts: impl Iterator<Item = Handle<()>>, monitor: &Arc<Monitor>) {
    for part in parts {
        let monitor = Arc::clone(monitor);
        context.child("watch").spawn(move |_| async move {
            let reason = match part.await {
                Ok(()) => "a part of it ended".to_owned(),
                Err(error) => error.to_string(),
            };
            monitor.end(Phase::Failed(Error::Internal(reason)));
        });
    }
}
