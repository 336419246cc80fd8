//! Who works in the folder: nobody, the node, or a process that does not answer.

use super::Patient;
use super::finding::Finding;
use crate::cli::failure::Failure;
use crate::folder::{self, FolderError, Premises};
use crate::node::{ObjectsConfig, now};
use crate::upkeep::Examined;
use std::path::Path;
use std::time::Duration;
use touchmark_api::client::{Client, ClientError};
use touchmark_api::{NetworkView, NodeView, Readiness};
use touchmark_wire::hash::Digest;

/// Who works in the folder.
pub(super) enum Presence {
    /// Nobody; the ledger, if there is one.
    Nobody(Option<Examined>),
    /// Nobody, and the ledger cannot be read.
    Unreadable(Failure),
    /// The folder's own node.
    Node(Box<Answering>),
    /// A process that does not answer as the folder's node.
    Silent { process: Option<u32>, url: String, reason: String },
}

/// What a running node says.
pub(super) struct Answering {
    pub(super) url: String,
    pub(super) network: NetworkView,
    pub(super) node: NodeView,
    pub(super) readiness: Readiness,
}

/// Longest time without a batch that is not said, beyond ten idle intervals.
const PATIENCE: Duration = Duration::from_secs(30);

impl Presence {
    /// Looks for the node of the folder, which has this key, at `url`.
    pub(super) fn find(
        data: &Path,
        url: &str,
        peer: Digest,
        objects: Option<&ObjectsConfig>,
    ) -> Self {
        let premises = match Premises::open(data) {
            Ok(premises) => premises,
            Err(FolderError::Lock(touchmark_store::Error::InUse { process, .. })) => {
                return match Answering::at(url, peer) {
                    Ok(node) => Self::Node(Box::new(node)),
                    Err(reason) => Self::Silent { process, url: url.into(), reason },
                };
            }
            Err(error) => return Self::Unreadable(error.into()),
        };
        // What is not there would be made.
        if folder::has_ledger_and_votes(data) != (true, true) {
            return Self::Nobody(None);
        }
        match Examined::of(&premises, objects) {
            Ok(examined) => Self::Nobody(Some(examined)),
            Err(error) => Self::Unreadable(error.into()),
        }
    }
}

impl Answering {
    fn at(url: &str, peer: Digest) -> Result<Self, String> {
        let said = |error: ClientError| Failure::from(error);
        let ask = || {
            let client = Client::new(url)?;
            let node = client.node()?;
            Ok((node, client.network()?, client.readiness()?))
        };
        let (node, network, readiness) = ask().map_err(said).map_err(|failure| {
            let why = failure.why.map(|why| format!(": {why}")).unwrap_or_default();
            failure.what + &why
        })?;
        if node.peer != Some(peer.to_string()) {
            return Err(format!("another node answers at {url}"));
        }
        Ok(Self { url: url.into(), network, node, readiness })
    }
}

/// Whether the node there takes traffic.
pub(super) fn node(patient: &Patient) -> Finding {
    const NAME: &str = "node";
    let node = match &patient.presence {
        Presence::Nobody(_) | Presence::Unreadable(_) => {
            return Finding::fine(NAME, "no node runs here");
        }
        Presence::Silent { process, url, reason } => {
            let process = process.map(|id| format!(" {id}")).unwrap_or_default();
            let found = format!("process{process} works in the folder: {reason}");
            let hint = format!(
                "wait until the node is ready, or say with --node where it listens if not at {url}"
            );
            return Finding::failed(NAME, found, hint);
        }
        Presence::Node(node) => node,
    };
    let Readiness { ready, reasons, .. } = &node.readiness;
    if !ready {
        let found = format!("not ready at {}: {}", node.url, reasons.join("; "));
        return Finding::failed(NAME, found, "mend what is named, then start the node again");
    }
    let age = Duration::from_millis(now().0.saturating_sub(node.network.time));
    let found = format!("ready at {}; the last batch is {:.1} s old", node.url, age.as_secs_f64());
    if age > patient.config.engine.idle_interval * 10 + PATIENCE {
        return Finding::warning(NAME, found, "see `quorum` and `clock` below");
    }
    Finding::fine(NAME, found)
}
