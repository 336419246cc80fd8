//! The network that is simulated: its keys and its genesis.

use crate::disk::Disk;
use crate::run::LIMITS;
use rand::rngs::StdRng;
use std::num::NonZeroU16;
use std::sync::Arc;
use touchmark_batch::Batch;
use touchmark_core::admission::Verifier;
use touchmark_engine::{Committee, Seat, ceremony, genesis_context};
use touchmark_ledger::{Ledger, LedgerLimits, genesis_batch};
use touchmark_wire::algorithm::CoseKey;
use touchmark_wire::genesis::{self, CertificateKey, Genesis, RULES_VERSION, Validator, quorum};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Epoch, NetworkId, Timestamp};

/// Keys and genesis.
pub(crate) struct Site {
    pub(crate) committee: Committee,
    pub(crate) seats: Vec<Seat>,
    genesis: Genesis,
    batch: Arc<Batch>,
}

impl Site {
    /// A network of `members` that begins at `time`.
    pub(crate) fn new(rng: &mut StdRng, members: NonZeroU16, time: Timestamp) -> Self {
        let (committee, seats) = ceremony::deal(rng, members);
        let key = committee.certificate_key().expect("it was just dealt");
        // Nobody signs with log and cosigner keys here.
        let unused = CoseKey::ed25519([0; 32]);
        let validators = committee.members.iter().map(|peer| Validator {
            name: peer.to_string(),
            peer: Digest(peer.0),
            log_key: unused,
            cosigner_key: unused,
        });
        let validators: Vec<_> = validators.collect();
        let certified = genesis::Committee {
            epoch: Epoch(0),
            certificate_key: CertificateKey(key),
            threshold: u16::try_from(quorum(validators.len())).expect("there are a few members"),
            validators,
            note_key: None,
        };
        let origin = "simulation.example/log".to_owned();
        let genesis = Genesis { rules: RULES_VERSION, origin, committee: certified, time };
        let batch = Arc::new(genesis_batch(&genesis, genesis_context()));
        Self { committee, seats, genesis, batch }
    }

    pub(crate) fn network(&self) -> NetworkId {
        self.genesis.network_id()
    }

    /// An empty disk.
    pub(crate) fn disk(&self) -> Disk {
        Disk::new(&self.genesis, genesis_context())
    }

    /// A ledger with an empty pool on `disk`.
    pub(crate) fn ledger(
        &self,
        disk: Arc<Disk>,
        verifier: Arc<dyn Verifier + Send + Sync>,
    ) -> Arc<Ledger> {
        let limits = LedgerLimits { leaves: LIMITS.leaves, ..LedgerLimits::default() };
        let ledger = Ledger::new(disk, verifier, self.batch.clone(), limits, Box::new(|_, _| {}));
        Arc::new(ledger.expect("a disk in memory can be read"))
    }
}
