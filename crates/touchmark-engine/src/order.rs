//! The engine's parts put together, on any runtime and any peer-to-peer network.
//!
//! ```text
//!  Succession: in each term one
//!  simplex ─ asks ─> Deferred ─ asks ─> Executor ─ propose, check ─> ledger
//!     │                  │
//!     └─ certificates ─> marshal ─ finalized blocks ─> Delivery ─ deliver ─> ledger
//!
//!  ledger ─ what was submitted here ─> Courier ─> the next proposers' ledgers
//!  owner ─ asks ─> Inquirer ─> the other members' respondents
//! ```

use crate::block::Block;
use crate::committees::Committees;
use crate::courier::Courier;
use crate::delivery::{Delivery, Marshal};
use crate::error::Error;
use crate::executor::Executor;
use crate::inquiry::{Inquirer, Inquiries};
use crate::keys::{Keys, PublicKey};
use crate::pacing::Pacing;
use crate::proposals::Proposals;
use crate::signal::Signal;
use crate::status::{Monitor, Phase};
use crate::storage;
use crate::succession::{Lines, Peering, Succession, enter, resumed};
use crate::term::{EPOCHS, Term};
use commonware_broadcast::buffered;
use commonware_consensus::marshal::core::Actor as MarshalActor;
use commonware_consensus::marshal::standard::Standard;
use commonware_consensus::marshal::{self, Identifier, resolver};
use commonware_consensus::types::{FixedEpocher, Height as BlockHeight, ViewDelta};
use commonware_cryptography::sha256::Digest;
use commonware_cryptography::{Digested, Digestible as _, Signer as _};
use commonware_p2p::{Blocker, Provider, Receiver, Sender};
use commonware_parallel::Sequential;
use commonware_runtime::buffer::paged::CacheRef;
use commonware_runtime::{Clock, Handle, Metrics, Spawner, Storage};
use commonware_utils::{NZDuration, NZUsize};
use rand_core::CryptoRng;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use touchmark_batch::{Application, BatchLimits, Respondent};
use touchmark_wire::ids::Height;

/// What the engine needs of a runtime.
pub(crate) trait Runtime: Clock + CryptoRng + Metrics + Spawner + Storage {}

impl<E: Clock + CryptoRng + Metrics + Spawner + Storage> Runtime for E {}

/// Channels to the other members.
pub(crate) struct Links<S, R, P, B, T> {
    pub(crate) votes: (S, R),
    pub(crate) certificates: (S, R),
    pub(crate) fetches: (S, R),
    pub(crate) blocks: (S, R),
    pub(crate) backfill: (S, R),
    pub(crate) statements: (S, R),
    pub(crate) inquiries: (S, R),
    pub(crate) provider: P,
    pub(crate) blocker: B,
    pub(crate) peering: T,
}

/// What the parts are made from.
pub(crate) struct Settings {
    pub(crate) keys: Arc<Keys>,
    pub(crate) pacing: Pacing,
    pub(crate) limits: BatchLimits,
    /// Bytes of stored pages kept in memory.
    pub(crate) cache: usize,
    /// Prefix of the store's partitions: members of a simulation share one store.
    pub(crate) prefix: String,
    /// Answers what other members ask.
    pub(crate) respondent: Arc<dyn Respondent>,
}

/// The running engine, as its owner sees it.
#[derive(Clone)]
pub(crate) struct Order {
    pub(crate) marshal: Marshal,
    pub(crate) monitor: Arc<Monitor>,
    pub(crate) woken: Arc<Signal>,
    pub(crate) inquiries: Arc<Inquiries>,
}

/// Capacity of each part's mailbox.
pub(crate) const MAILBOX: NonZeroUsize = NZUsize!(1024);
/// Views behind the last final one of which votes and unfinalized blocks are kept.
pub(crate) const RETAINED_VIEWS: ViewDelta = ViewDelta::new(256);
/// Blocks kept per member until consensus asks for them.
const BUFFERED_BLOCKS: usize = 16;
/// Finalized blocks given to the ledger before the first of them is acknowledged.
const UNACKNOWLEDGED: NonZeroUsize = NZUsize!(16);
const PARALLEL_REPAIRS: NonZeroUsize = NZUsize!(16);
const FETCH_TIMEOUT: Duration = Duration::from_secs(2);
const FETCH_RETRY: Duration = Duration::from_millis(100);

impl Order {
    /// Starts all parts; returns when the ledger has caught up with the store and consensus runs.
    pub(crate) fn start<E, S, R, P, B, T>(
        context: E,
        settings: Settings,
        application: Arc<dyn Application>,
        links: Links<S, R, P, B, T>,
    ) -> impl Future<Output = Result<Self, Error>> + Send
    where
        E: Runtime,
        S: Sender<PublicKey = PublicKey>,
        R: Receiver<PublicKey = PublicKey>,
        P: Provider<PublicKey = PublicKey>,
        B: Blocker<PublicKey = PublicKey>,
        T: Peering,
    {
        // Too large for its callers' stacks.
        Box::pin(Self::assemble(context, settings, application, links))
    }

    async fn assemble<E, S, R, P, B, T>(
        context: E,
        settings: Settings,
        application: Arc<dyn Application>,
        links: Links<S, R, P, B, T>,
    ) -> Result<Self, Error>
    where
        E: Runtime,
        S: Sender<PublicKey = PublicKey>,
        R: Receiver<PublicKey = PublicKey>,
        P: Provider<PublicKey = PublicKey>,
        B: Blocker<PublicKey = PublicKey>,
        T: Peering,
    {
        let Links { votes, certificates, fetches, blocks, backfill, statements, inquiries, .. } =
            links;
        let (provider, blocker, peering) = (links.provider, links.blocker, links.peering);
        let settings = Arc::new(settings);
        let cache = storage::page_cache(settings.cache);
        let genesis = Block::new(application.genesis())
            .map_err(|_| Error::Ledger("its genesis does not have the engine's genesis context"))?;
        let genesis_digest = genesis.digest();
        let committees = Committees::default();
        let begun = application.finalized();
        let next = Height(begun.0.saturating_add(1));
        let standing = enter(Term::of(next), &*application, &settings, &committees)?;
        let (actor, marshal, floor) =
            init_marshal(&context, &settings, committees.clone(), genesis, cache.clone()).await?;

        let monitor = Arc::new(Monitor::default());
        let woken = Arc::new(Signal::default());
        let proposals = Arc::new(Proposals::default());
        let (delivery, dispatch) =
            Delivery::new(Arc::clone(&application), Arc::clone(&proposals), Arc::clone(&monitor));
        let buffer = buffer(&context, &settings, provider.clone());
        let fetcher = fetcher(&context, &settings, provider, blocker.clone(), backfill);
        let marshal_handle = actor.start(dispatch, buffer.1, fetcher);
        let buffer_handle = buffer.0.start(blocks);

        if standing.is_alone() {
            refuse_a_second_history(&marshal, &*application).await?;
        }
        let processed = floor.processed().map_or(0, |processed| processed.height().get());
        delivery.catch_up(&marshal, Height(processed)).await?;
        let ordered = ordered(&marshal, &*application, Height(processed)).await;
        monitor.ordered(ordered);
        let term = resumed(ordered, &*application, &settings, &marshal).await?;
        let delivery_handle = delivery.start(context.child("delivery"), marshal.clone());

        let courier = Courier {
            me: settings.keys.signer.public_key(),
            committees: committees.clone(),
            application: Arc::clone(&application),
            monitor: Arc::clone(&monitor),
            woken: Arc::clone(&woken),
            limits: settings.limits,
        };
        let couriers = courier.start(&context, statements, blocker.clone());
        let inquirer = Inquirer::new(&settings, committees.clone());
        let asked = Arc::clone(&inquirer.inquiries);
        let inquirers = inquirer.start(&context, inquiries, blocker.clone());

        let executor = Executor {
            application,
            pacing: settings.pacing,
            body_limit: settings.limits.body,
            proposals,
            monitor: Arc::clone(&monitor),
            woken: Arc::clone(&woken),
        };
        let succession = Succession {
            settings,
            executor,
            marshal: marshal.clone(),
            committees,
            genesis: genesis_digest,
            blocker,
            cache,
            peering,
            begun,
        };
        let lines = Lines { votes, certificates, fetches };
        let consensus_handle = succession.start(&context, term, lines);

        let parts = [buffer_handle, marshal_handle, delivery_handle, consensus_handle];
        watch(&context, parts.into_iter().chain(couriers).chain(inquirers), &monitor);
        Ok(Self { marshal, monitor, woken, inquiries: asked })
    }
}

/// The last batch after which consensus goes on. The ledger knows it, unless it comes from
/// elsewhere and the engine's store has to be filled again.
async fn ordered(marshal: &Marshal, application: &dyn Application, processed: Height) -> Height {
    let ledger = application.finalized();
    let held = marshal.get_info(Identifier::Height(BlockHeight::new(ledger.0))).await.is_some();
    if held { processed.max(ledger) } else { processed }
}

async fn init_marshal<E: Runtime>(
    context: &E,
    settings: &Settings,
    committees: Committees,
    genesis: Block,
    cache: CacheRef,
) -> Result<(MarshalOf<E>, Marshal, marshal::core::Floor), Error> {
    let certificates =
        storage::certificates(context.child("certificates"), &settings.prefix, &cache).await?;
    let blocks =
        storage::blocks(context.child("blocks"), &settings.prefix, &cache, settings.limits).await?;
    let digest = genesis.digest();
    let config = marshal::Config {
        provider: committees,
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
    Committees,
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
