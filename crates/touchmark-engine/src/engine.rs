//! The engine on the real clock, disk and network: the thin shell around [`Order`].

use crate::ceremony::{Office, PeerKey};
use crate::delivery::Marshal;
use crate::error::Error;
use crate::finality::{self, Finality};
use crate::inquiry::{Answers, Inquiries};
use crate::keys::Keys;
use crate::network;
use crate::order::{Order, Settings};
use crate::pacing::Pacing;
use crate::signal::Signal;
use crate::status::{Monitor, Phase, Status};
use crate::storage;
use commonware_runtime::{Metrics as _, Runner as _, Spawner as _, Supervisor as _, tokio};
use commonware_utils::channel::oneshot;
use std::any::Any;
use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use touchmark_batch::{Application, BatchLimits, Respondent};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Height, NetworkId};

/// What the engine needs to start.
#[derive(Clone, Debug)]
pub struct Config {
    /// The node's data directory; the engine keeps to `consensus` in it. That folder must never
    /// be deleted or set back: a member without it can sign against what it signed before.
    pub directory: PathBuf,
    /// The network whose batches to order; signatures for one count in no other.
    pub network: NetworkId,
    /// Seed of this node's Ed25519 key on the peer-to-peer network.
    pub identity: [u8; 32],
    /// This node's places in committees: in the one that certifies, in the next one when there is
    /// one to come, and in earlier ones. In a committee without such a place it does not vote.
    pub offices: Vec<Office>,
    /// Where to accept the other members.
    pub listen: SocketAddr,
    /// `host:port` of every other member.
    pub addresses: BTreeMap<PeerKey, String>,
    /// How often to propose.
    pub pacing: Pacing,
    /// Bounds of a batch, the same on every member; never lower them while old batches are kept.
    pub limits: BatchLimits,
    /// Memory for stored pages, bytes, taken at start. Four mebibytes suit a small node.
    pub cache: usize,
}

/// A running engine. Dropping it stops it.
///
/// All calls may come from any thread. The futures need no particular runtime.
pub struct Engine {
    marshal: Marshal,
    monitor: Arc<Monitor>,
    woken: Arc<Signal>,
    inquiries: Arc<Inquiries>,
    running: Mutex<Option<Running>>,
}

/// What exists only until the engine is stopped.
struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
    /// Keeps the store's directory taken as long as it exists.
    context: tokio::Context,
}

/// How long the parts may take to write what they hold when they are asked to stop.
const FAREWELL: Duration = Duration::from_secs(5);
/// The engine's part of a node's data directory.
pub(crate) const FOLDER: &str = "consensus";
/// What the runtime keeps in it.
pub(crate) const STORE: &str = "store";
/// How the network's counters begin a sample for each connected peer.
const CONNECTED: &str = "network_tracker_directory_connected{";
/// Threads that run tasks; what blocks has its own.
const WORKERS: usize = 2;

impl Engine {
    /// Starts ordering for `application`, on threads of its own; `respondent` answers what other
    /// members ask. Returns when the application has every batch that this node knows to be final
    /// and consensus runs.
    pub fn start(
        config: Config,
        application: Arc<dyn Application>,
        respondent: Arc<dyn Respondent>,
    ) -> Result<Self, Error> {
        let directory = config.directory.join(FOLDER);
        let lock = lock(&directory)?;
        let settings = Settings {
            keys: Arc::new(Keys::new(config.network, config.identity, &config.offices)?),
            pacing: config.pacing,
            limits: config.limits,
            cache: config.cache,
            prefix: storage::PREFIX.to_owned(),
            respondent,
        };
        network::probe(config.listen)?;
        let (started, start) = mpsc::sync_channel(1);
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::Config::new()
            .with_storage_directory(directory.join(STORE))
            .with_worker_threads(WORKERS);
        let thread = thread::Builder::new()
            .name("engine".to_owned())
            .spawn(move || {
                let _held_until_the_runtime_is_gone = lock;
                let ended = Arc::new(Mutex::new(None));
                let run = catch_unwind(AssertUnwindSafe(|| {
                    let ended = Arc::clone(&ended);
                    tokio::Runner::new(runtime).start(|context| async move {
                        let order = order(&context, &config, settings, application).await;
                        if let Ok(order) = &order {
                            *ended.lock().unwrap_or_else(PoisonError::into_inner) =
                                Some(Arc::clone(&order.monitor));
                        }
                        let order = order.map(|order| (order, context.child("owner")));
                        let monitor =
                            order.as_ref().ok().map(|(order, _)| Arc::clone(&order.monitor));
                        if started.send(order).is_ok()
                            && let Some(monitor) = monitor
                        {
                            until_over(context, &monitor, stopped).await;
                        }
                    });
                }));
                if let Some(monitor) = ended.lock().unwrap_or_else(PoisonError::into_inner).take() {
                    monitor.end(run.map_or_else(
                        |panic| Phase::Failed(Error::Internal(message(&*panic))),
                        |()| Phase::Stopped,
                    ));
                }
            })
            .map_err(|error| Error::Internal(error.to_string()))?;
        let (order, context) =
            start.recv().map_err(|_| Error::Internal("it ended while it started".to_owned()))??;
        let Order { marshal, monitor, woken, inquiries } = order;
        let running = Mutex::new(Some(Running { stop, thread, context }));
        Ok(Self { marshal, monitor, woken, inquiries, running })
    }

    /// The application has new backlog. Cheap, never blocks.
    pub fn wake(&self) {
        self.woken.notify();
    }

    /// Asks all other members of the present term; see [`Respondent`]. At most 1,536 bytes.
    pub fn ask(&self, question: Vec<u8>) -> Answers {
        self.inquiries.ask(question)
    }

    /// Proof that the batch of `height` is final: the nearest certificate and the headers up to
    /// it. `None` if nothing at or above `height` is certified yet, or the engine is over.
    pub async fn finality(&self, height: Height) -> Option<Finality> {
        // Marshal ends itself when its store fails, so it never says so here.
        finality::find(&self.marshal, height).await.unwrap_or_default()
    }

    /// How the engine is doing.
    pub fn status(&self) -> Status {
        let status = self.monitor.status();
        let peers = if status.members > 1 { connected(&self.metrics()) } else { Vec::new() };
        Status { peers, ..status }
    }

    /// Waits until the engine is over and says why.
    pub async fn ended(&self) -> Phase {
        self.monitor.ended().await
    }

    /// The parts' own counters, in OpenMetrics text; empty once the engine is stopped.
    pub fn metrics(&self) -> String {
        self.running().as_ref().map_or_else(String::new, |running| running.context.encode())
    }

    /// Stops in order and waits for it: what is delivered stays delivered. Not to be called by
    /// the application, for which it would wait.
    pub fn stop(&self) {
        let running = self.running().take();
        if let Some(Running { stop, thread, context }) = running {
            drop(context);
            // Both fail only if the thread is over, which is all that is wanted.
            let _ = stop.send(());
            let _ = thread.join();
        }
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        // Taken or not: there is nothing half changed.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn order(
    context: &tokio::Context,
    config: &Config,
    settings: Settings,
    application: Arc<dyn Application>,
) -> Result<Order, Error> {
    let links = network::join(
        context.child("network"),
        config.network,
        &settings,
        config.listen,
        &config.addresses,
    )?;
    Order::start(context.child("engine"), settings, application, links).await
}

/// Runs until the owner or a failure ends it, then lets the parts finish.
async fn until_over(context: tokio::Context, monitor: &Monitor, stop: oneshot::Receiver<()>) {
    let over = std::pin::pin!(monitor.ended());
    futures::future::select(stop, over).await;
    monitor.stopping();
    if context.stop(0, Some(FAREWELL)).await.is_err() {
        tracing::warn!("a part of the engine did not stop in time");
    }
}

/// Takes the directory for this process. The runtime would wait for it without a word.
pub(crate) fn lock(directory: &Path) -> Result<File, Error> {
    let failed = |error: std::io::Error| Error::Directory {
        path: directory.to_owned(),
        reason: error.to_string(),
    };
    fs::create_dir_all(directory).map_err(failed)?;
    let file = File::create(directory.join("lock")).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Locked(directory.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// The peers whose connection the network's counters show.
fn connected(metrics: &str) -> Vec<PeerKey> {
    let samples = metrics.lines().filter_map(|line| line.strip_prefix(CONNECTED));
    let keys = samples.filter_map(|labels| labels.split('"').nth(1)?.parse::<Digest>().ok());
    keys.map(|key| PeerKey(key.0)).collect()
}

pub(crate) fn message(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "it panicked".to_owned())
}
