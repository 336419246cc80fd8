//! Where the stored log and state end.

use crate::bundle::Bundles;
use crate::cache::Caches;
use crate::database::{Database, Table, Write};
use crate::error::Error;
use crate::sealed::Sealed;
use crate::snapshot::{NetworkRoot, Snapshot};
use minicbor::{Decode, Encode};
use std::sync::Arc;
use touchmark_ledger::Tip;
use touchmark_wire::codec;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Height, TreeSize};
use touchmark_wire::merkle::Frontier;

/// The tip as it is stored (deterministic CBOR array).
#[derive(Debug, Encode, Decode)]
#[cbor(array)]
pub(crate) struct StoredTip {
    /// The last batch.
    #[n(0)]
    height: Height,
    /// Size of the log.
    #[n(1)]
    size: TreeSize,
    /// Complete subtrees of the log, largest first.
    #[n(2)]
    peaks: Vec<Digest>,
    /// Root of the state.
    #[n(3)]
    state_root: Digest,
    /// How many things are registered.
    #[n(4)]
    things: u64,
}

impl StoredTip {
    /// Its only key.
    pub(crate) const KEY: &[u8] = b"tip";

    /// Longest encoding, bytes: 64 peaks and some numbers.
    const LIMIT: usize = 4_096;

    pub(crate) fn of(tip: &Tip, things: u64) -> Self {
        Self {
            height: tip.batch.height(),
            size: tip.frontier.size(),
            peaks: tip.frontier.peaks().copied().collect(),
            state_root: tip.state_root,
            things,
        }
    }

    pub(crate) fn write(&self, write: &mut Write<'_>) {
        write.put(Table::Tip, Self::KEY, codec::encode(self));
    }

    /// The newest snapshot.
    pub(crate) fn load(
        database: &Arc<Database>,
        root: NetworkRoot,
        caches: impl FnOnce(Height) -> Arc<Caches>,
        bundles: Arc<Bundles>,
    ) -> Result<Snapshot, Error> {
        let corrupt = || Error::Corrupt("tip");
        let stored = database.view().get(Table::Tip, Self::KEY)?.ok_or_else(corrupt)?;
        let stored: Self = codec::decode(&stored, Self::LIMIT).map_err(|_| corrupt())?;
        let caches = caches(stored.height);
        let batch = database.view().batch(stored.height)?.ok_or_else(corrupt)?;
        let frontier = Frontier::from_peaks(stored.size, stored.peaks).ok_or_else(corrupt)?;
        let tip = Tip { batch: Arc::new(batch), frontier, state_root: stored.state_root };
        let view = database.view();
        let sealed = Sealed::of(&view, bundles)?;
        Ok(Snapshot::new(view, caches, root, Arc::new(tip), stored.things, sealed))
    }
}
