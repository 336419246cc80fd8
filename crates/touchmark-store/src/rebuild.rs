//! State and indexes made anew from the log.
//!
//! Leaves and batches are the truth, certificates say so; everything else follows from them. Every batch is executed
//! again, signatures included, and must lead to its own header: the log's root, and with the batch
//! leaf the state's. The new tables are made beside those in use and take their place at the end,
//! so a rebuild that is cut off or refused has changed nothing.

use crate::bundle::Bundles;
use crate::cache::CacheLimits;
use crate::database::{Database, DatabaseView, Table};
use crate::error::Error;
use crate::folder::Folder;
use crate::log::Log;
use crate::number;
use crate::sealed::{Sealed, SealedLog};
use crate::store::{Commits, Store};
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use touchmark_batch::{Application as _, Batch};
use touchmark_core::admission::Verifier;
use touchmark_ledger::{Ledger, LedgerLimits, StateView as _};
use touchmark_wire::genesis::Genesis;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Height, TreeSize};

/// How far a rebuild is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// The last batch that was executed.
    pub height: Height,
    /// The last batch of the log.
    pub of: Height,
}

/// What a rebuild led to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rebuilt {
    /// The last batch.
    pub height: Height,
    /// Leaves of the log.
    pub size: TreeSize,
    /// Root of the log.
    pub root: Digest,
    /// Root of the state.
    pub state_root: Digest,
}

/// Makes everything but the log anew in the store at `path`, which no process has open; `kept` has
/// the sealed part of the log, which stays there.
pub fn rebuild(
    path: &Path,
    genesis: &Genesis,
    genesis_batch: &Arc<Batch>,
    verifier: Arc<dyn Verifier + Send + Sync>,
    kept: Option<Arc<dyn SealedLog>>,
    mut progress: impl FnMut(Progress),
) -> Result<Rebuilt, Error> {
    let network = genesis.network_id();
    let folder = Folder::claim_existing(path, network)?;
    let log = Arc::new(open_log(&folder)?).view();
    let of = last_height(&log)?;
    let limits = CacheLimits::default();
    let bundles = Bundles::new(limits.bundles);
    if let Some(kept) = kept {
        bundles.keep_in(kept);
    }
    let sealed = Sealed::of(&log, Arc::new(bundles))?;
    let beside = folder.beside()?;
    let store = Store::in_folder(beside, genesis, genesis_batch, limits, Commits::Together)?;
    if sealed.leaves > 0 {
        store.begin_sealed(sealed.leaves)?;
    }
    let store = Arc::new(store);
    let ledger = Ledger::new(
        store.clone(),
        verifier,
        genesis_batch.clone(),
        LedgerLimits::default(),
        Box::new(|_, _| {}),
    );
    let ledger = ledger.map_err(|_| Error::Corrupt("state"))?;
    for height in (1..=of.0).map(Height) {
        let diverged = |reason: String| Error::Diverged { height, reason };
        // Executing it finds out whether they are the right leaves: the tree is made anew, too.
        let whole = Log { view: &log, sealed: &sealed, tree: None };
        let batch = match whole.batch(height) {
            Ok(Some(batch)) => batch,
            Ok(None) => return Err(diverged("it is missing".to_owned())),
            Err(Error::Corrupt(what)) => return Err(diverged(format!("its {what} is damaged"))),
            Err(error) => return Err(error),
        };
        ledger.deliver(Arc::new(batch)).map_err(|halt| diverged(halt.to_string()))?;
        progress(Progress { height, of });
    }
    copy_certificates(&log, &store)?;
    store.sync()?;
    let tip = store.snapshot().tip();
    let rebuilt = Rebuilt {
        height: tip.batch.height(),
        size: tip.frontier.size(),
        root: tip.frontier.root(),
        state_root: tip.state_root,
    };
    // Both sets of tables are closed before they change their names.
    drop((ledger, store, sealed, log));
    folder.adopt()?;
    Ok(rebuilt)
}

/// Opens the tables that hold the log. What else is damaged is of no interest: tables that cannot
/// be opened are left out.
fn open_log(folder: &Folder) -> Result<Database, Error> {
    const CACHE: u64 = 16 << 20;
    let first = match Database::open(folder.clone(), CACHE) {
        Ok(database) => return Ok(database),
        Err(error) => error,
    };
    let derived = Table::ALL.iter().filter(|layout| layout.table.is_derived());
    let derived: Vec<_> = derived.map(|layout| layout.table.engine_folder()).collect();
    folder.set_aside(&derived)?;
    if let Ok(database) = Database::open(folder.clone(), CACHE) {
        return Ok(database);
    }
    folder.put_back(&derived)?;
    // This one says what is wrong with the log.
    Err(first)
}

/// Nothing else leads to them.
fn copy_certificates(log: &DatabaseView, store: &Store) -> Result<(), Error> {
    let mut write = store.begin_write();
    for row in log.range(Table::Certificate, (Bound::Unbounded, Bound::Unbounded)) {
        let (key, certificate) = row?;
        write.put(Table::Certificate, key, certificate);
    }
    write.commit_lazily()
}

fn last_height(log: &DatabaseView) -> Result<Height, Error> {
    let last = log.range(Table::Batch, (Bound::Unbounded, Bound::Unbounded)).next_back();
    let (key, _) = last.ok_or(Error::Corrupt("log"))??;
    number::read(&key).map(Height).ok_or(Error::Corrupt("log"))
}
