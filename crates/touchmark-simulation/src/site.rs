//! The network that is simulated: its committees, their keys, and its genesis.

use crate::disk::Disk;
use crate::plan::Plan;
use crate::run::LIMITS;
use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use std::collections::BTreeSet;
use std::sync::Arc;
use touchmark_batch::{Batch, Member};
use touchmark_core::admission::Verifier;
use touchmark_engine::simulation::deal;
use touchmark_engine::{Committee, Office, Seat, genesis_context};
use touchmark_keys::software::SoftwareKey;
use touchmark_ledger::{Ledger, LedgerLimits, genesis_batch};
use touchmark_wire::algorithm::{Algorithm, CoseKey, Signer as _};
use touchmark_wire::codec;
use touchmark_wire::genesis::{self, CertificateKey, Genesis, RULES_VERSION, Validator, quorum};
use touchmark_wire::handover::{Appointment, Approval};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Epoch, NetworkId, Timestamp};

/// Committees, keys and genesis.
pub(crate) struct Site {
    /// The places of each member.
    pub(crate) offices: Vec<Vec<Office>>,
    /// Who certifies in the end, as the engine knows it.
    pub(crate) last: Committee,
    /// The committee that takes over, and the word of a quorum of the first one for it.
    pub(crate) next: Option<Succession>,
    genesis: Genesis,
    batch: Arc<Batch>,
}

/// The second committee of a network.
pub(crate) struct Succession {
    pub(crate) committee: genesis::Committee,
    pub(crate) approvals: Vec<Approval>,
}

/// Somebody's keys beside its shares.
struct Keyring {
    identity: [u8; 32],
    log: SoftwareKey,
    cosigner: SoftwareKey,
}

impl Site {
    /// The network of a plan; it begins at `time`.
    pub(crate) fn new(rng: &mut StdRng, plan: &Plan, time: Timestamp) -> Self {
        let keyrings = keyrings(rng, plan.members.get());
        let mut offices: Vec<Vec<Office>> = plan.everyone().map(|_| Vec::new()).collect();
        let (mut last, first) = made(rng, &keyrings, &plan.founders(), Epoch(0), &mut offices);
        let origin = "simulation.example/log".to_owned();
        let genesis = Genesis { rules: RULES_VERSION, origin, committee: first, time };
        let next = plan.change.as_ref().map(|change| {
            let committee;
            (last, committee) = made(rng, &keyrings, &change.next, Epoch(1), &mut offices);
            let approvals = approvals(rng, &keyrings, &change.first, &genesis, &committee);
            Succession { committee, approvals }
        });
        let batch = Arc::new(genesis_batch(&genesis, genesis_context()));
        Self { offices, last, next, genesis, batch }
    }

    pub(crate) fn network(&self) -> NetworkId {
        self.genesis.network_id()
    }

    /// Who certifies at first.
    pub(crate) const fn founders(&self) -> &genesis::Committee {
        &self.genesis.committee
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

impl Succession {
    /// The payload of the statement that appoints it by these of its approvals.
    pub(crate) fn appointment(&self, approvals: Vec<Approval>) -> Vec<u8> {
        let committee = codec::encode(&self.committee);
        Appointment { committee: &committee, approvals }.encode_to_vec()
    }
}

/// Of so many, in the order of their peer keys, as the engine numbers them.
fn keyrings(rng: &mut StdRng, count: u16) -> Vec<Keyring> {
    let identities: Vec<[u8; 32]> = (0..count).map(|_| rng.random()).collect();
    let (_, seats) = deal(rng, &identities).expect("any 32 bytes are a peer key");
    let key = |rng: &mut StdRng, algorithm| {
        SoftwareKey::from_seed(algorithm, &rng.random()).expect("a random seed is a key")
    };
    let keyrings = seats.into_iter().map(|Seat { identity, .. }| Keyring {
        identity,
        log: key(rng, Algorithm::Es256),
        cosigner: key(rng, Algorithm::Ed25519),
    });
    keyrings.collect()
}

/// Makes the key of a committee and gives each of its members the place.
fn made(
    rng: &mut StdRng,
    keyrings: &[Keyring],
    members: &BTreeSet<Member>,
    epoch: Epoch,
    offices: &mut [Vec<Office>],
) -> (Committee, genesis::Committee) {
    let of = |member: &Member| &keyrings[usize::from(member.0)];
    let identities: Vec<_> = members.iter().map(|member| of(member).identity).collect();
    let (committee, seats) = deal(rng, &identities).expect("they are peer keys");
    let validators = members.iter().zip(&committee.members).map(|(member, peer)| Validator {
        name: format!("member-{}", member.0),
        peer: Digest(peer.0),
        log_key: public(&of(member).log),
        cosigner_key: public(&of(member).cosigner),
    });
    let validators: Vec<_> = validators.collect();
    for (member, seat) in members.iter().zip(seats) {
        let committee = Committee::clone(&committee);
        offices[usize::from(member.0)].push(Office { committee, seat });
    }
    let certified = genesis::Committee {
        epoch,
        certificate_key: CertificateKey(committee.certificate_key().expect("it was just dealt")),
        threshold: u16::try_from(quorum(validators.len())).expect("there are a few members"),
        note_key: None,
        validators,
    };
    (committee, certified)
}

fn public(key: &SoftwareKey) -> CoseKey {
    *key.public_key().cose()
}

/// Of a quorum of the first committee, whichever.
fn approvals(
    rng: &mut StdRng,
    keyrings: &[Keyring],
    first: &BTreeSet<Member>,
    genesis: &Genesis,
    next: &genesis::Committee,
) -> Vec<Approval> {
    let first: Vec<_> = first.iter().copied().collect();
    let quorum: BTreeSet<_> = first.sample(rng, quorum(first.len())).copied().collect();
    let approvals = quorum.iter().map(|member| {
        let key = &keyrings[usize::from(member.0)].cosigner;
        Approval::sign(genesis.network_id(), &genesis.committee, next, key)
            .expect("a software key of a validator signs")
    });
    approvals.collect()
}
