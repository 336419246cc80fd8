//! A look at the ledger of a node that does not run.

use super::{UpkeepError, kept};
use crate::folder::Premises;
use crate::node::{BATCH, ObjectsConfig};
use std::sync::Arc;
use touchmark_core::appointment;
use touchmark_ledger::StateView as _;
use touchmark_store::{CacheLimits, Store};
use touchmark_wire::genesis::Committee;
use touchmark_wire::ids::{Height, Timestamp};

/// Where a ledger stands, and whether the order engine's part of the folder goes with it.
pub(crate) struct Examined {
    /// Its last batch.
    pub(crate) height: Height,
    /// When that was certified.
    pub(crate) time: Timestamp,
    /// Who certifies the next one.
    pub(crate) committee: Arc<Committee>,
    /// Who takes over at the end of the term.
    pub(crate) appointed: Option<Committee>,
    /// Whether the engine's part knows the last batch.
    pub(crate) is_ordered: bool,
    /// How many leaves are in object storage.
    pub(crate) sealed: u64,
    /// Why the last of them cannot be read there, if it cannot.
    pub(crate) away: Option<String>,
}

impl Examined {
    /// Looks at the ledger of a folder that has one.
    pub(crate) fn of(
        premises: &Premises,
        objects: Option<&ObjectsConfig>,
    ) -> Result<Self, UpkeepError> {
        let (first, limits) = (premises.first_batch(), CacheLimits::default());
        let store = Store::open(&premises.ledger(), &premises.genesis, &first, limits)?;
        if let Some(kept) = kept(objects, premises.genesis.network_id())? {
            store.keep_sealed_in(kept);
        }
        let away = store.look_at_sealed().err().map(|error| error.to_string());
        let snapshot = store.snapshot();
        let height = snapshot.height();
        let next = Height(height.0.saturating_add(1));
        let unreadable = |_| touchmark_store::Error::Corrupt("committee");
        let committee = appointment::in_office(snapshot.as_ref(), next).map_err(unreadable)?;
        let waiting = appointment::waiting(snapshot.as_ref(), next).map_err(unreadable)?;
        let is_ordered =
            height == Height(0) || touchmark_engine::has_ordered(&premises.path, BATCH, height)?;
        Ok(Self {
            height,
            time: snapshot.tip().batch.time(),
            committee,
            appointed: waiting.map(|waiting| waiting.committee),
            is_ordered,
            sealed: store.sealed().leaves,
            away,
        })
    }
}
