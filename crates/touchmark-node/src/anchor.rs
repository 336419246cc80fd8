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
use touchmark_core::appointment;
use touchmark_core::refusal::Unreadable;
use touchmark_core::verdict::{Anchored, TrustedAnchor, anchored, recorded_note};
use touchmark_store::{Snapshot, Store};
use touchmark_wire::algorithm::PureVerifier;
use touchmark_wire::bundle::{self, Bundle};
use touchmark_wire::certificate::verify_quorum;
use touchmark_wire::genesis::Genesis;
use touchmark_wire::ids::{Epoch, LeafIndex, NetworkId, ThingId, TreeSize};

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
    size: TreeSize,
    /// What proves it, of the other network.
    bundle: Vec<u8>,
    anchored: Anchored,
}

/// An anchor as a bundle of a log of some size shows it.
pub(crate) struct ShownAnchor<'a> {
    path: Vec<u8>,
    bundle: &'a [u8],
}

impl ShownAnchor<'_> {
    pub(crate) fn borrow(&self) -> bundle::Anchor<'_> {
        let path = bundle::Hashes::new(&self.path).expect("the path was made of whole hashes");
        bundle::Anchor { path, bundle: self.bundle }
    }
}

impl Anchor {
    /// With what leads from its size to a later one of the log; nothing where that cannot be read,
    /// because a proof is worth more than its anchor.
    pub(crate) fn shown(&self, log: &Snapshot, size: TreeSize) -> Option<ShownAnchor<'_>> {
        let path = log.consistency_path(self.size, size);
        let path =
            path.inspect_err(|error| tracing::warn!(%error, "the anchor is not shown")).ok()?;
        let path = path.iter().flat_map(|hash| hash.0).collect();
        Some(ShownAnchor { path, bundle: &self.bundle })
    }

    fn is_by(&self, trusted: &TrustedAnchor) -> bool {
        self.anchored.network == trusted.network
            && trusted.by.is_none_or(|by| by == self.anchored.by)
    }
}

/// Why what was found is not taken. As anybody may see it: where the source is, only the log says.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("the source in the other network gives no bundle")]
    NoAnswer,
    #[error("the network would be its own anchor")]
    Itself,
    #[error("{0}")]
    Unproved(String),
    #[error(
        "network {network} has a checkpoint of {size} leaves of this log, which has {own}: this node \
         lags, or was set back"
    )]
    Ahead { network: NetworkId, size: TreeSize, own: TreeSize },
    #[error("the record of {by} is another log's than this one, and nothing of its validators")]
    Stranger { by: ThingId },
    #[error(
        "network {network} has the checkpoint of another log of {size} leaves than this one, and a \
         quorum of its validators has signed it: the log has two histories"
    )]
    Conflict { network: NetworkId, size: TreeSize },
    #[error("the source shows an older state of the other network than before")]
    Older,
    #[error("what was found cannot be kept")]
    Unkept,
    #[error("the log cannot be read: {0}")]
    Store(#[from] touchmark_store::Error),
    #[error("the state cannot be read")]
    State,
}

impl From<Unreadable> for Refused {
    fn from(_: Unreadable) -> Self {
        Self::State
    }
}

impl Anchorage {
    /// That of the node with this data folder, whose log has this state; nobody is asked yet.
    pub(crate) fn in_folder(folder: &Path, origin: &str, log: &Snapshot) -> Self {
        let anchor = fs::read(folder.join(FILE)).ok().and_then(|bundle| {
            // It was checked under the trusted network when it came; of what was changed since, or is
            // of another log, nothing is shown.
            let network = Genesis::decode(Bundle::decode(&bundle).ok()?.genesis).ok()?.network_id();
            let found =
                checked(&TrustedAnchor { network, by: None, age: None }, origin, log, bundle);
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
    pub(crate) fn renew(&self, source: &Source, genesis: &Genesis, store: &Store) {
        let trusted = source.trusted();
        {
            let mut known = self.known();
            known.trusted = Some(trusted);
            // It was looked for elsewhere before, or by nobody whose word counts.
            known.anchor = known.anchor.take().filter(|anchor| anchor.is_by(&trusted));
        }
        let found = if trusted.network == genesis.network_id() {
            Err(Refused::Itself)
        } else {
            source.last_word().map_err(|error| {
                tracing::debug!(error, "the source of the anchor gives no bundle");
                Refused::NoAnswer
            })
        };
        let taken = found
            .and_then(|bundle| self.take(&trusted, &genesis.origin, &store.snapshot(), &bundle));
        let problem = taken.err().map(|error| excerpt(&error.to_string(), EXCERPT));
        let mut known = self.known();
        if let Some(problem) = problem.as_ref().filter(|_| known.problem != problem) {
            tracing::warn!(problem, %source, "the log's anchor is not renewed");
        }
        known.problem = problem;
    }

    fn take(
        &self,
        trusted: &TrustedAnchor,
        origin: &str,
        log: &Snapshot,
        bundle: &[u8],
    ) -> Result<(), Refused> {
        let found = checked(trusted, origin, log, bundle.to_vec()).inspect_err(|error| {
            if matches!(error, Refused::Conflict { .. }) {
                // What is wrong is said anyway.
                let _ = self.write(CONFLICT, bundle);
            }
        })?;
        let is_older = |known: &Anchor| known.anchored.as_of.size > found.anchored.as_of.size;
        if self.known().anchor.as_ref().is_some_and(|known| is_older(known)) {
            return Err(Refused::Older);
        }
        self.write(FILE, bundle)?;
        self.known().anchor = Some(Arc::new(found));
        Ok(())
    }

    fn write(&self, name: &str, bundle: &[u8]) -> Result<(), Refused> {
        let path = self.folder.join(name);
        disk::replace(&path, bundle, Secrecy::Public).map_err(|error| {
            tracing::warn!(%error, path = %path.display(), "what another network has cannot be kept");
            Refused::Unkept
        })
    }

    /// For whoever looks at it; nothing where none is looked for and none is there.
    pub(crate) fn view(&self) -> Option<AnchorView> {
        let known = self.known();
        let shown = known.anchor.as_ref().map(|anchor| view(&anchor.anchored));
        let shown = shown.or_else(|| {
            let TrustedAnchor { network, by, .. } = known.trusted?;
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
    let (anchored, root) = anchored(&bundle, trusted, origin)
        .map_err(|check| Refused::Unproved(check.reason.into_owned()))?;
    let (size, own, network) = (anchored.size, log.size(), anchored.network);
    if size > own {
        return Err(Refused::Ahead { network, size, own });
    }
    if log.root(size)? != root {
        let is_signed = is_signed(&bundle, anchored.leaf, log)?;
        let stranger = Refused::Stranger { by: anchored.by };
        return Err(if is_signed { Refused::Conflict { network, size } } else { stranger });
    }
    Ok(Anchor { size, bundle, anchored })
}

/// Whether the checkpoint in a leaf of a bundle has the cosignatures of a quorum of one of the log's
/// committees: only then did its validators sign another history, and not somebody in their name.
fn is_signed(bundle: &[u8], leaf: LeafIndex, log: &Snapshot) -> Result<bool, Unreadable> {
    let bundle = Bundle::decode(bundle).ok();
    let proved = bundle.as_ref().and_then(|bundle| bundle.leaf(leaf));
    let Some((_, note)) = proved.and_then(|proved| recorded_note(proved.leaf)) else {
        return Ok(false);
    };
    let last = appointment::in_office(log, log.height())?.epoch;
    for number in (0..=last.0).rev().map(Epoch) {
        let committee = appointment::numbered(log, number)?.ok_or(Unreadable)?;
        let threshold = usize::from(committee.threshold);
        if verify_quorum(&note, &committee.cosigners(), threshold, &PureVerifier).is_ok() {
            return Ok(true);
        }
    }
    Ok(false)
}
