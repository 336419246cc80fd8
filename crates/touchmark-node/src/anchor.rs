//! What another network has of this node's log: the last checkpoint of it that was recorded there,
//! with a bundle that proves that. The node looks for it at intervals and shows it in its own bundles.
//!
//! ```text
//! <data>/anchor.tmb            a bundle of the other network; can be had anew
//! <data>/anchor.conflict.tmb   one that proves that another log than this one was recorded
//! ```

mod source;

pub use source::{Source, trusted};

use crate::disk::{self, Secrecy};
use crate::foreign::excerpt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use touchmark_api::AnchorView;
use touchmark_core::verdict::{Accepted, Anchored, TrustedAnchor, anchored};
use touchmark_store::{Snapshot, Store};
use touchmark_wire::bundle::{self, Bundle};
use touchmark_wire::genesis::Genesis;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::TreeSize;

/// Names in the data folder.
const FILE: &str = "anchor.tmb";
const CONFLICT: &str = "anchor.conflict.tmb";
/// Most that is kept of what is wrong, characters.
const EXCERPT: usize = 300;

/// What this node has of its log's anchor.
pub(crate) struct Anchorage {
    folder: PathBuf,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    anchor: Option<Arc<Anchor>>,
    /// Where it is looked for.
    trusted: Option<TrustedAnchor>,
    /// What was wrong when it was looked for last.
    problem: Option<String>,
}

/// A checkpoint of the log that another network has.
pub(crate) struct Anchor {
    /// How many leaves the log had.
    pub(crate) size: TreeSize,
    /// What proves it, of the other network.
    pub(crate) bundle: Vec<u8>,
    anchored: Anchored,
}

impl Anchor {
    fn is_by(&self, trusted: &TrustedAnchor) -> bool {
        self.anchored.network == trusted.network
            && trusted.by.is_none_or(|by| by == self.anchored.by)
    }
}

/// Why what was found is not taken.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("{0}")]
    Unproved(String),
    #[error(
        "network {network} has a checkpoint of {size} leaves of this log, which has {own}: this node lags, or was set back"
    )]
    Ahead { network: String, size: TreeSize, own: TreeSize },
    #[error(
        "network {network} has the checkpoint of another log of {size} leaves than this one, recorded by {by}: the log has two histories"
    )]
    Conflict { network: String, by: String, size: TreeSize },
    #[error("the log cannot be read: {0}")]
    Store(#[from] touchmark_store::Error),
}

impl Anchorage {
    /// That of the node with this data folder, whose log has this state; nobody is asked yet.
    pub(crate) fn in_folder(folder: &Path, origin: &str, log: &Snapshot) -> Self {
        let anchor = fs::read(folder.join(FILE)).ok().and_then(|bundle| {
            // It was checked under the trusted network when it came; of what was changed since, or is
            // of another log, nothing is shown.
            let network = Genesis::decode(Bundle::decode(&bundle).ok()?.genesis).ok()?.network_id();
            let found = checked(&TrustedAnchor { network, by: None }, origin, log, bundle);
            found
                .map_err(|error| tracing::warn!(%error, "the anchor that was kept is not shown"))
                .ok()
        });
        let anchor = anchor.map(Arc::new);
        Self { folder: folder.into(), known: Mutex::new(Known { anchor, ..Known::default() }) }
    }

    /// The newest anchor of a log of this size.
    pub(crate) fn of(&self, size: TreeSize) -> Option<Arc<Anchor>> {
        self.known().anchor.clone().filter(|anchor| anchor.size <= size)
    }

    /// Looks for a newer one, and keeps it.
    pub(crate) fn renew(&self, source: &Source, origin: &str, store: &Store) {
        let trusted = source.trusted();
        {
            let mut known = self.known();
            known.trusted = Some(trusted);
            // It was looked for elsewhere before, or by nobody whose word counts.
            known.anchor = known.anchor.take().filter(|anchor| anchor.is_by(&trusted));
        }
        let problem = match source.last_word() {
            Ok(bundle) => self.take(&trusted, origin, &store.snapshot(), bundle).err(),
            Err(problem) => Some(problem),
        };
        let problem = problem.map(|problem| excerpt(&problem, EXCERPT));
        let mut known = self.known();
        if let Some(problem) = problem.as_ref().filter(|_| known.problem != problem) {
            tracing::warn!(problem, "the log's anchor is not renewed");
        }
        known.problem = problem;
    }

    fn take(
        &self,
        trusted: &TrustedAnchor,
        origin: &str,
        log: &Snapshot,
        bundle: Vec<u8>,
    ) -> Result<(), String> {
        let found = match checked(trusted, origin, log, bundle.clone()) {
            Ok(found) => found,
            Err(error) => {
                if matches!(error, Refused::Conflict { .. }) {
                    self.write(CONFLICT, &bundle)?;
                }
                return Err(error.to_string());
            }
        };
        let is_older = |known: &Anchor| known.anchored.as_of.size > found.anchored.as_of.size;
        if self.known().anchor.as_ref().is_some_and(|known| is_older(known)) {
            return Err("the other network's node shows an older state than before".into());
        }
        self.write(FILE, &bundle)?;
        self.known().anchor = Some(Arc::new(found));
        Ok(())
    }

    fn write(&self, name: &str, bundle: &[u8]) -> Result<(), String> {
        let path = self.folder.join(name);
        disk::replace(&path, bundle, Secrecy::Public)
            .map_err(|error| format!("{} cannot be written: {error}", path.display()))
    }

    /// For whoever looks at it; nothing where none is looked for and none is there.
    pub(crate) fn view(&self) -> Option<AnchorView> {
        let known = self.known();
        let shown = known.anchor.as_ref().map(|anchor| view(&anchor.anchored));
        let shown = shown.or_else(|| {
            let TrustedAnchor { network, by } = known.trusted?;
            let (network, by) = (network.to_string(), by?.to_string());
            Some(AnchorView { network, by, size: None, leaf: None, time: None, problem: None })
        });
        Some(AnchorView { problem: known.problem.clone(), ..shown? })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Each of its parts is replaced as a whole, so also what a panic left is whole.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An anchor for whoever looks at it.
pub(crate) fn view(anchored: &Anchored) -> AnchorView {
    AnchorView {
        network: anchored.network.to_string(),
        by: anchored.by.to_string(),
        size: Some(anchored.size.0),
        leaf: Some(anchored.leaf.0),
        time: Some(anchored.as_of.time.0),
        problem: None,
    }
}

/// An anchor of this log, if the other network's bundle proves one.
fn checked(
    trusted: &TrustedAnchor,
    origin: &str,
    log: &Snapshot,
    bundle: Vec<u8>,
) -> Result<Anchor, Refused> {
    if bundle.len() > bundle::Anchor::LIMIT {
        return Err(Refused::Unproved("the other network's bundle is too long".into()));
    }
    let found: (Anchored, Digest) = anchored(&bundle, trusted, origin, Accepted::default())
        .map_err(|check| Refused::Unproved(check.reason.into_owned()))?;
    let (anchored, root) = found;
    let (size, own) = (anchored.size, log.size());
    let network = anchored.network.to_string();
    if size > own {
        return Err(Refused::Ahead { network, size, own });
    }
    if log.root(size)? != root {
        return Err(Refused::Conflict { network, by: anchored.by.to_string(), size });
    }
    Ok(Anchor { size, bundle, anchored })
}
