//! The store: one data folder, one process, one writer.

use crate::bundle::Bundles;
use crate::cache::{CacheLimits, Caches};
use crate::database::{Database, Table, Write};
use crate::error::Error;
use crate::folder::Folder;
use crate::payload::{Erased, Kept, Payload, Payloads};
use crate::sealed::Sealed;
use crate::snapshot::{Counts, NetworkRoot, Snapshot};
use crate::tip::StoredTip;
use crate::{attribute, catalog, channel, event, history, log, number, state, statement, tile};
use std::ops::Bound;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, RwLock};
use touchmark_batch::{Batch, Halt};
use touchmark_ledger::{Durable, Execution, StateView, Tip};
use touchmark_wire::genesis::Genesis;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::LeafIndex;
use touchmark_wire::merkle::Frontier;
use touchmark_wire::trie::EMPTY;

/// The log and state of one network in one folder.
///
/// Reading is on a [`Snapshot`].
pub struct Store {
    newest: RwLock<Arc<Snapshot>>,
    /// One commit at a time.
    writing: Mutex<()>,
    caches: Arc<Caches>,
    payloads: Payloads,
    commits: Commits,
    database: Arc<Database>,
}

/// When a commit is on the disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Commits {
    /// When it returns.
    Durable,
    /// After [`Database::sync`]: nobody relies on the store before it is complete.
    Together,
}

impl Store {
    /// Opens the store in `path`, and creates it there if the folder is missing or empty.
    ///
    /// `genesis_batch` is the batch of height 0 ([`touchmark_ledger::genesis_batch`]). A second
    /// process on the same folder, a folder of another network and one of an unknown format are
    /// refused at once.
    pub fn open(
        path: &Path,
        genesis: &Genesis,
        genesis_batch: &Arc<Batch>,
        limits: CacheLimits,
    ) -> Result<Self, Error> {
        let folder = Folder::claim(path, genesis.network_id())?;
        Self::in_folder(folder, genesis, genesis_batch, limits, Commits::Durable)
    }

    /// Opens the store in a folder that is claimed for the network.
    pub(crate) fn in_folder(
        folder: Folder,
        genesis: &Genesis,
        genesis_batch: &Arc<Batch>,
        limits: CacheLimits,
        commits: Commits,
    ) -> Result<Self, Error> {
        let path = folder.path().to_owned();
        let payloads = Payloads::open(folder.payload_path())?;
        let database = Arc::new(Database::open(folder, limits.blocks)?);
        if database.view().get(Table::Tip, StoredTip::KEY)?.is_none() {
            begin(&database, genesis_batch)?;
        }
        let first = database.view().get(Table::Batch, &number::bytes(0))?;
        let first = first.ok_or(Error::Corrupt("genesis"))?;
        if first.get(8..) != Some(genesis_batch.header_bytes()) {
            return Err(Error::OtherGenesis { folder: path });
        }
        let caches = |height| Arc::new(Caches::new(limits, height));
        let bundles = Arc::new(Bundles::new(limits.bundles));
        let snapshot = StoredTip::load(&database, NetworkRoot::of(genesis), caches, bundles)?;
        snapshot.check_tip()?;
        let caches = snapshot.shared_caches();
        let newest = RwLock::new(Arc::new(snapshot));
        Ok(Self { newest, writing: Mutex::new(()), caches, payloads, commits, database })
    }

    /// The store as the last commit left it. Cheap: for every request and batch.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.newest.read().expect(NO_PANIC).clone()
    }

    /// Things, leaves and batches.
    pub fn counts(&self) -> Counts {
        self.snapshot().counts()
    }

    /// Why writing was given up, if it was; reading goes on.
    pub fn halted(&self) -> Option<String> {
        self.database.halted()
    }

    /// Waits until every commit is on the disk.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        self.database.sync()
    }

    /// Keeps what a commitment in the log is of, durably, unless it was erased here.
    pub fn put_payload(&self, commitment: Digest, payload: &Payload) -> Result<Kept, Error> {
        self.payloads.put(commitment, payload)
    }

    /// What a commitment in the log is of, unless it is unknown here or erased.
    pub fn payload(&self, commitment: Digest) -> Result<Option<Payload>, Error> {
        self.payloads.read(commitment)
    }

    /// Erases what a commitment is of; it is not kept again, nor for the first time. The log and
    /// its proofs stay as they are.
    pub fn erase_payload(&self, commitment: Digest) -> Result<Erased, Error> {
        self.payloads.erase(commitment)
    }

    pub(crate) fn payload_folder(&self) -> &Path {
        self.payloads.folder()
    }

    /// Begins a write beside the commits.
    pub(crate) fn begin_write(&self) -> Write<'_> {
        self.database.write()
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    pub(crate) fn lock_writing(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().expect("no commit panics")
    }

    /// Writes the batch next after the tip.
    fn append(&self, batch: &Arc<Batch>, execution: &Execution) -> Result<(), Error> {
        let before = self.snapshot();
        let mut write = self.database.write();
        log::write(&mut write, batch, before.sealed().leaves);
        let first = LeafIndex(batch.first_leaf().0);
        tile::write(&mut write, first, batch.leaf_hashes(), &execution.nodes);
        state::write(&mut write, execution);
        statement::write(&mut write, execution);
        event::write(&mut write, execution);
        let things = before.counts().things + catalog::write(&mut write, &before, execution);
        attribute::write(&mut write, &before, execution);
        history::write(&mut write, execution);
        channel::write(&mut write, execution);
        let tip = Arc::new(Tip {
            batch: batch.clone(),
            frontier: execution.frontier.clone(),
            state_root: execution.state_root,
        });
        StoredTip::of(&tip, things).write(&mut write);
        match self.commits {
            Commits::Durable => write.commit()?,
            Commits::Together => write.commit_lazily()?,
        }

        self.caches.advance(batch.height(), state::changed(execution), execution.pages.iter());
        self.show(&before, tip, things, before.sealed().leaves);
        Ok(())
    }

    /// Shows what is stored now: the same batches, of which so many leaves are sealed. One who writes
    /// calls it before the next does.
    pub(crate) fn show_sealed(&self, leaves: u64) {
        let before = self.snapshot();
        self.show(&before, before.tip(), before.counts().things, leaves);
    }

    fn show(&self, before: &Snapshot, tip: Arc<Tip>, things: u64, leaves: u64) {
        let (view, root) = (self.database.view(), before.network_root());
        let sealed = Sealed { leaves, ..before.sealed().clone() };
        let snapshot = Snapshot::new(view, self.caches.clone(), root, tip, things, sealed);
        *self.newest.write().expect(NO_PANIC) = Arc::new(snapshot);
    }
}

const NO_PANIC: &str = "no holder of the lock on the newest snapshot panics";

/// Writes the genesis.
fn begin(database: &Arc<Database>, genesis: &Arc<Batch>) -> Result<(), Error> {
    // A log without a tip is damaged and not new.
    let all = (Bound::Unbounded, Bound::Unbounded);
    if database.view().range(Table::Batch, all).next().is_some() {
        return Err(Error::Corrupt("tip"));
    }
    let mut write = database.write();
    log::write(&mut write, genesis, 0);
    let tip = Tip { batch: genesis.clone(), frontier: Frontier::new(), state_root: EMPTY };
    StoredTip::of(&tip, 0).write(&mut write);
    write.commit()
}

/// Whether `execution` leads to what `batch` claims.
fn leads_to(tip: &Tip, batch: &Batch, execution: &Execution) -> bool {
    batch.first_leaf() == tip.frontier.size()
        && execution.frontier.size() == batch.size()
        && execution.frontier.root() == batch.header().root
}

/// Whether `batch` is the next one.
fn is_next(tip: &Tip, batch: &Batch, commits: Commits) -> bool {
    match commits {
        Commits::Durable => {
            batch.height().0 == tip.batch.height().0 + 1 && batch.parent() == tip.batch.digest()
        }
        // A log alone has no empty batches. What has headers compares them before it comes here.
        Commits::Together => batch.height() > tip.batch.height(),
    }
}

impl Durable for Store {
    fn commit(&self, batch: Arc<Batch>, execution: &Execution) -> Result<(), Halt> {
        let _one_at_a_time = self.lock_writing();
        let tip = self.snapshot().tip();
        if !leads_to(&tip, &batch, execution) || !is_next(&tip, &batch, self.commits) {
            let height = batch.height();
            return Err(Halt(format!("batch {height} does not follow what is stored")));
        }
        self.append(&batch, execution).map_err(|error| Halt(error.to_string()))
    }

    fn snapshot(&self) -> Arc<dyn StateView> {
        self.snapshot()
    }
}
