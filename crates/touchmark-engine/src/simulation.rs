//! A committee in virtual time, where a seed decides everything: its links, its crashes, its liars.
//!
//! [`run`] drives the real engine in the library's deterministic runtime and asks a [`Scenario`]
//! what happens next. The scenario sees no type of the library, so that it is compiled in seconds
//! and this module's code once.
//!
//! What is simulated is the network and the store, to the message and the write: messages are
//! delayed, lost and tampered with; a crash loses what was not synced, or tears it ([`Torn`]); what
//! is written, synced or read fails ([`Fault`]). Two members are connected as on the real network:
//! each must know the other, and one of them must call. One clock serves all members.

mod acquaintance;
mod barrier;
mod contradicting;
mod drive;
mod inlet;
mod machine;
mod outlet;
mod world;

pub use drive::{Drive, Fault};

use crate::block::Block;
use crate::ceremony::{self, Committee, Office, Seat};
use crate::error::Error;
use crate::finality::Finality;
use crate::keys;
use crate::pacing::Pacing;
use crate::status::Status;
use commonware_runtime::deterministic::{self, FaultConfig, PartialWriteMode, WriteConfig};
use commonware_utils::probability;
use rand_core::CryptoRng;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use touchmark_batch::{Application, Batch, BatchLimits, Member};
use touchmark_wire::ids::{Height, NetworkId, Timestamp};
use world::World;

/// The members and what holds for the whole run.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Decides every choice of the runtime: which task runs next, delays, losses.
    pub seed: u64,
    /// The network whose batches are ordered.
    pub network: NetworkId,
    /// Everybody who is, was or will be a member of a committee, in the order of their peer keys.
    pub members: Vec<Place>,
    /// How often to propose.
    pub pacing: Pacing,
    /// Bounds of a batch.
    pub limits: BatchLimits,
    /// What the clock shows at first.
    pub start: Timestamp,
    /// What a power cut leaves of writes that were not synced.
    pub torn: Torn,
}

/// What one member starts with.
#[derive(Clone, Debug)]
pub struct Place {
    /// Seed of its peer key.
    pub identity: [u8; 32],
    /// What its engine writes to.
    pub drive: Arc<Drive>,
}

/// Keys of a committee of those with these peer keys, and the seats of its members in their order.
///
/// # Errors
///
/// A peer key that does not decode.
pub fn deal(
    rng: &mut impl CryptoRng,
    identities: &[[u8; 32]],
) -> Result<(Committee, Vec<Seat>), Error> {
    let identities: Result<Vec<_>, _> = identities.iter().map(keys::identity).collect();
    Ok(ceremony::deal_among(rng, &identities?))
}

/// What a power cut leaves of a write that was not synced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Torn {
    /// Nothing of it.
    Lost,
    /// Its first bytes.
    Prefix,
    /// Some of its bytes.
    Scattered,
}

/// Decides what happens.
pub trait Scenario {
    /// Looks at the members (`None` is one that does not run) and acts. A member whose start
    /// failed shows the failure as its phase.
    fn step(&mut self, now: Timestamp, members: &[Option<Status>]) -> (Vec<Action>, Next);

    /// The heights of which each member that runs in the end is asked for its proof.
    fn heights(&self) -> Vec<Height>;

    /// What it has.
    fn proven(&mut self, member: Member, height: Height, proof: Option<Finality>);
}

/// What a scenario does, at once and in order.
pub enum Action {
    /// Starts a member that does not run, on the store that it left.
    Start {
        /// Which one.
        member: Member,
        /// Its places in committees.
        offices: Vec<Office>,
        /// Its ledger.
        application: Arc<dyn Application>,
        /// How it behaves.
        conduct: Conduct,
    },
    /// Ends a member without notice; what it had not synced is lost.
    Crash(Member),
    /// Changes one direction of a connection.
    Link {
        /// Who sends.
        from: Member,
        /// Who receives.
        to: Member,
        /// `None` cuts it.
        quality: Option<Quality>,
    },
    /// The member's ledger has new backlog.
    Wake(Member),
}

/// What follows a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// The next step, after this time.
    After(Duration),
    /// All members crash at once; the next step finds none running and no links.
    PowerCut,
    /// The run is over.
    End,
}

/// One direction of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quality {
    /// Mean time that a message takes.
    pub latency: Duration,
    /// Its standard deviation.
    pub jitter: Duration,
    /// Messages of a hundred that are lost.
    pub loss: u8,
}

/// How a member behaves towards the others. What its ledger says is another matter: a lying
/// [`Application`] lies through an honest engine too.
pub enum Conduct {
    /// As it should.
    Honest,
    /// Talks to these members only.
    Partial(BTreeSet<Member>),
    /// Keeps its batches to itself.
    Withholding,
    /// Repeats old messages, its own and others'.
    Repeating,
    /// Sends noise now and then, up to the longest message that there can be.
    Noisy,
    /// Signs votes that contradict each other, and does nothing else.
    Contradicting,
    /// Has other bounds for batches than the others.
    Unbounded(BatchLimits),
    /// Runs twice under one seat: leader and voter of two different truths.
    Twins {
        /// The ledger of the second one.
        second: Arc<dyn Application>,
        /// The members that the second one talks with; all others talk with the first.
        apart: BTreeSet<Member>,
        /// All members that are twins: the first ones hear each other, and the second ones.
        accomplices: BTreeSet<Member>,
    },
}

/// Runs `scenario` to its end and returns a hash over every step of the runtime: the same seed
/// and scenario give the same one.
///
/// # Panics
///
/// If a part of any member panics.
pub fn run(setup: &Setup, scenario: &mut dyn Scenario) -> String {
    let start = SystemTime::UNIX_EPOCH + Duration::from_millis(setup.start.0);
    let config = deterministic::Config::new()
        .with_seed(setup.seed)
        .with_start_time(start)
        .with_storage_fault_config(setup.torn.faults());
    let mut runner = deterministic::Runner::new(config);
    loop {
        let (end, checkpoint) =
            runner.start_and_recover(|context| World::new(context, setup).live(&mut *scenario));
        if end == End::Over {
            return checkpoint.auditor().state();
        }
        runner = deterministic::Runner::from(checkpoint);
    }
}

/// The view in which a batch was proposed; the genesis has view 0.
pub fn view(batch: &Arc<Batch>) -> u64 {
    use commonware_consensus::CertifiableBlock as _;
    Block::new(Arc::clone(batch)).map_or(0, |block| block.context().round.view().get())
}

/// Why a life of the world ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    PowerCut,
    Over,
}

impl Torn {
    fn faults(self) -> FaultConfig {
        let mode = match self {
            Self::Lost => return FaultConfig::default(),
            Self::Prefix => PartialWriteMode::Prefix,
            Self::Scattered => PartialWriteMode::Subset,
        };
        let (failure_rate, retention_rate) = (probability!(0.0), probability!(0.75));
        FaultConfig::default().write(WriteConfig { failure_rate, retention_rate, mode })
    }
}
