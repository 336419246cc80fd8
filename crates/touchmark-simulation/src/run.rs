//! A plan comes true.

mod events;
mod verdict;
mod writing;

use crate::disk::Disk;
use crate::healing::Healing;
use crate::issuer::Issuer;
use crate::lead::HANDOVER;
use crate::parts::Parts;
use crate::plan::{Event, Plan};
use crate::record::{Record, Violation};
use crate::site::Site;
use crate::views::Views;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::any::Any;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use touchmark_batch::{BatchLimits, Member};
use touchmark_core::refusal::Outcome;
use touchmark_engine::simulation::{self, Action, Drive, Next, Place, Quality, Scenario, Setup};
use touchmark_engine::{Finality, Pacing, Status};
use touchmark_ledger::Ledger;
use touchmark_wire::handover::Tenure;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Height, Timestamp};

/// Bounds of a batch, the same for all honest members.
pub const LIMITS: BatchLimits = BatchLimits { body: 48 * 1024, leaves: 128 };

/// How long honest members may take to have and log everything after everything was mended.
const PATIENCE: u64 = 60_000;
/// How long a member may take to stop once it knows that its storage failed, milliseconds.
const MOVES: u64 = 1_000;
/// How far the next committee is to come before everything is mended.
const SETTLED: Height = Height(HANDOVER.0 + 16);
/// Batches behind the last one, of which every member has a proof.
const BEHIND: usize = 4;
const START: Timestamp = Timestamp(1_800_000_000_000);

/// What became of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// Its seed.
    pub seed: u64,
    /// Hash over every step and the honest members' logs: the same for the same plan.
    pub trace: String,
    /// Finalized batches.
    pub batches: usize,
    /// Acknowledged statements.
    pub acknowledged: usize,
    /// Views from the end of the troubles to the first batch after it.
    pub resumed: Option<u64>,
    /// Views from there until every honest member had a new batch.
    pub caught_up: Option<u64>,
    /// Virtual time that it took.
    pub duration: Duration,
    /// Who stopped because what it writes to failed, and what it said.
    pub stopped: BTreeSet<(Member, String)>,
    /// What went wrong.
    pub violations: Vec<Violation>,
}

/// Runs a plan with members made of `parts`.
pub fn execute(plan: &Plan, parts: &mut dyn Parts) -> Report {
    let mut run = Run::new(plan, parts);
    let setup = Setup {
        seed: plan.seed,
        network: run.site.network(),
        members: run.places(),
        pacing: Pacing { busy_interval: Duration::from_millis(100), ..Pacing::default() },
        limits: LIMITS,
        start: START,
        torn: plan.torn,
    };
    let trace = catch_unwind(AssertUnwindSafe(|| simulation::run(&setup, &mut run)));
    let trace = trace.unwrap_or_else(|panic| {
        run.record.violate(Violation::Panicked(message(&*panic)));
        String::new()
    });
    run.report(&trace)
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref().copied()).unwrap_or("without a word").to_owned()
}

/// A member and what it is made of.
struct Node {
    disk: Arc<Disk>,
    /// The second disk of twins.
    other_disk: Arc<Disk>,
    /// What its engine writes to.
    drive: Arc<Drive>,
    /// While it runs.
    ledger: Option<Arc<Ledger>>,
}

/// What a member told a submitter.
struct Answer {
    member: Member,
    issuer: usize,
    statement: Vec<u8>,
    outcome: Outcome,
}

struct Run<'a> {
    plan: &'a Plan,
    parts: &'a mut dyn Parts,
    site: Site,
    rng: StdRng,
    nodes: Vec<Node>,
    issuers: Vec<Issuer>,
    /// Forged statements, as they were handed to liars.
    forged: BTreeSet<Digest>,
    answers: Arc<Mutex<Vec<Answer>>>,
    record: Record,
    events: VecDeque<(Duration, Event)>,
    /// Who comes back on its own, and when.
    returning: BTreeMap<Member, Timestamp>,
    /// Members whose storage fails.
    failing: BTreeSet<Member>,
    /// Members that know of a failure and still run, since when.
    told: BTreeMap<Member, Timestamp>,
    /// Who stopped because what it writes to failed, and what it said.
    stopped: BTreeSet<(Member, String)>,
    /// What is yet to go wrong around the end of the term.
    around: VecDeque<(Height, Duration, Event)>,
    links: Links,
    /// The appointment of the next committee, until somebody has it.
    appointment: Option<Vec<u8>>,
    /// Honest members that vote in the last term.
    votes: BTreeSet<Member>,
    views: Views,
    /// How far each member leads a reader.
    tenures: BTreeMap<Member, Tenure>,
    healing: Option<Healing>,
    now: Timestamp,
}

/// How links are to be.
struct Links {
    quality: Quality,
    groups: Vec<BTreeSet<Member>>,
    /// Whether the network has them so already.
    set: bool,
}

impl<'a> Run<'a> {
    fn new(plan: &'a Plan, parts: &'a mut dyn Parts) -> Self {
        // Another stream than the one that the plan was made from.
        let mut rng = StdRng::seed_from_u64(plan.seed ^ 0x5eed);
        let site = Site::new(&mut rng, plan, START);
        let node = || {
            let (disk, other_disk) = (Arc::new(site.disk()), Arc::new(site.disk()));
            Node { disk, other_disk, drive: Arc::default(), ledger: None }
        };
        let nodes = plan.everyone().map(|_| node()).collect();
        let issuers = (0..plan.issuers)
            .map(|_| {
                let due = Timestamp(START.0 + rng.random_range(100..2_000));
                Issuer::new(site.network(), StdRng::from_rng(&mut rng), due)
            })
            .collect();
        let appointment = site.next.as_ref();
        let appointment =
            appointment.map(|next| next.appointment(parts.approvals(next.approvals.clone())));
        let around = plan.change.iter().flat_map(|change| change.around.iter().cloned());
        Self {
            plan,
            parts,
            appointment,
            site,
            rng,
            nodes,
            issuers,
            forged: BTreeSet::new(),
            answers: Arc::default(),
            record: Record::default(),
            events: plan.events.iter().cloned().collect(),
            around: around.collect(),
            failing: BTreeSet::new(),
            told: BTreeMap::new(),
            stopped: BTreeSet::new(),
            votes: BTreeSet::new(),
            views: Views::default(),
            tenures: BTreeMap::new(),
            returning: plan.everyone().map(|member| (member, START)).collect(),
            links: Links { quality: plan.quality, groups: Vec::new(), set: false },
            healing: None,
            now: START,
        }
    }

    /// What the engine gives each member.
    fn places(&self) -> Vec<Place> {
        let places = self.plan.everyone().map(|member| {
            let identity = self.site.offices[usize::from(member.0)][0].seat.identity;
            Place { identity, drive: self.node(member).drive.clone() }
        });
        places.collect()
    }

    fn node(&self, member: Member) -> &Node {
        &self.nodes[usize::from(member.0)]
    }

    fn honest(&self) -> Vec<Member> {
        self.plan.honest().collect()
    }

    /// The honest members that certify in the end.
    fn in_office(&self) -> Vec<Member> {
        let office = self.plan.in_office();
        self.plan.honest().filter(|member| office.contains(member)).collect()
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.now.0 - START.0)
    }
}

impl Scenario for Run<'_> {
    fn step(&mut self, now: Timestamp, members: &[Option<Status>]) -> (Vec<Action>, Next) {
        self.now = now;
        self.observe(members);
        self.listen();
        if self.is_over() {
            return (Vec::new(), Next::End);
        }
        let (mut actions, cut) = self.happen();
        if cut {
            return (actions, Next::PowerCut);
        }
        self.link(&mut actions);
        self.revive(&mut actions);
        actions.extend(self.speak().into_iter().map(Action::Wake));
        (actions, Next::After(Duration::from_millis(self.rng.random_range(20..60))))
    }

    fn heights(&self) -> Vec<Height> {
        let last = self.record.longest().saturating_sub(BEHIND) as u64;
        let ends = self.plan.change.iter().map(|_| HANDOVER).filter(|end| end.0 < last);
        ends.chain([Height(last)]).collect()
    }

    fn proven(&mut self, member: Member, height: Height, proof: Option<Finality>) {
        let has_it = (self.record.shown(member) as u64) > height.0;
        if self.plan.lies.contains_key(&member) || !has_it {
            return;
        }
        if let Err(reason) = self.lead(member, height, proof) {
            self.record.violate(Violation::Unproven(member, height, reason));
        }
    }
}
