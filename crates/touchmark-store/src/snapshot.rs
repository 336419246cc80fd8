//! The store as one batch left it.

use crate::cache::Caches;
use crate::database::DatabaseView;
use crate::error::Error;
use crate::sealed::Sealed;
use std::sync::Arc;
use touchmark_core::entry::Entry;
use touchmark_core::refusal::Unreadable;
use touchmark_core::view::View;
use touchmark_ledger::trie::{Page, PagePath, Pages};
use touchmark_ledger::{StateView, Tip};
use touchmark_wire::genesis::{Committee, Genesis};
use touchmark_wire::ids::{
    ChannelId, EvidenceId, Height, LeafIndex, NetworkId, Sequence, StatementId, ThingId, TreeSize,
};
use touchmark_wire::state::StateKey;
use touchmark_wire::trie::TrieProof;

/// The store as one batch left it, unaffected by later commits. Holding one for long keeps the
/// engine from dropping what was overwritten since.
pub struct Snapshot {
    database: DatabaseView,
    caches: Arc<Caches>,
    root: NetworkRoot,
    tip: Arc<Tip>,
    things: u64,
    sealed: Sealed,
}

/// What the genesis document says of a network.
#[derive(Clone)]
pub(crate) struct NetworkRoot {
    network: NetworkId,
    committee: Arc<Committee>,
}

impl NetworkRoot {
    pub(crate) fn of(genesis: &Genesis) -> Self {
        let (network, committee) = (genesis.network_id(), Arc::new(genesis.committee.clone()));
        Self { network, committee }
    }
}

/// How much there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Counts {
    /// Things that are registered.
    pub things: u64,
    /// Leaves of the log.
    pub leaves: u64,
    /// Batches after the genesis.
    pub batches: u64,
}

impl Snapshot {
    pub(crate) fn new(
        database: DatabaseView,
        caches: Arc<Caches>,
        root: NetworkRoot,
        tip: Arc<Tip>,
        things: u64,
        sealed: Sealed,
    ) -> Self {
        Self { database, caches, root, tip, things, sealed }
    }

    /// Height of the last batch.
    pub fn height(&self) -> Height {
        self.tip.batch.height()
    }

    /// Size of the log.
    pub fn size(&self) -> TreeSize {
        self.tip.frontier.size()
    }

    /// Things, leaves and batches.
    pub fn counts(&self) -> Counts {
        Counts { things: self.things, leaves: self.size().0, batches: self.height().0 }
    }

    pub(crate) fn network_root(&self) -> NetworkRoot {
        self.root.clone()
    }

    pub(crate) fn sealed(&self) -> &Sealed {
        &self.sealed
    }

    pub(crate) fn database(&self) -> &DatabaseView {
        &self.database
    }

    pub(crate) fn caches(&self) -> &Caches {
        &self.caches
    }

    pub(crate) fn shared_caches(&self) -> Arc<Caches> {
        self.caches.clone()
    }
}

impl View for Snapshot {
    fn network(&self) -> NetworkId {
        self.root.network
    }

    fn genesis_committee(&self) -> Result<Arc<Committee>, Unreadable> {
        Ok(self.root.committee.clone())
    }

    fn entry(&self, key: &StateKey) -> Result<Option<Arc<Entry>>, Unreadable> {
        Ok(self.load_entry(key)?)
    }

    fn statement_at(
        &self,
        issuer: ThingId,
        channel: Option<ChannelId>,
        sequence: Sequence,
    ) -> Result<Option<(LeafIndex, StatementId)>, Unreadable> {
        let found = self.statement_in_chain(issuer, channel, sequence)?;
        Ok(found.map(|statement| (statement.leaf, statement.id)))
    }

    fn evidence(&self, id: EvidenceId) -> Result<Option<LeafIndex>, Unreadable> {
        Ok(self.evidence_leaf(id)?)
    }
}

impl Pages for Snapshot {
    fn page(&self, path: &PagePath) -> Result<Option<Arc<Page>>, Unreadable> {
        Ok(self.load_page(path)?)
    }
}

impl StateView for Snapshot {
    fn tip(&self) -> Arc<Tip> {
        self.tip.clone()
    }
}

impl Snapshot {
    /// Recomputes what the tip claims from what is stored: the log's root from the tiles, and the
    /// state's from a path of the trie. Cheap; done at every start.
    pub fn check_tip(&self) -> Result<(), Error> {
        let root = self.root(self.size())?;
        if root != self.tip.batch.header().root || root != self.tip.frontier.root() {
            return Err(Error::Corrupt("tree of the log"));
        }
        // One path from the top of the trie down, another one at every start.
        let path = StateKey(self.tip.batch.digest().0);
        let proof = self.prove(&[path])?;
        if TrieProof::verify(&proof, &self.tip.state_root).is_err() {
            return Err(Error::Corrupt("state trie"));
        }
        Ok(())
    }
}
