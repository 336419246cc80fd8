//! A plan comes true.

use crate::deviation::Deviating;
use crate::disk::Disk;
use crate::issuer::Issuer;
use crate::lie::{Credulous, Liar, Lie};
use crate::parts::{Acknowledged, Parts};
use crate::plan::{Event, Plan};
use crate::record::{Record, Violation};
use crate::replay;
use crate::site::Site;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use std::any::Any;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use touchmark_batch::{Application, BatchLimits, Member};
use touchmark_core::admission::OneByOne;
use touchmark_core::refusal::Outcome;
use touchmark_engine::simulation::{self, Action, Conduct, Next, Quality, Scenario, Setup};
use touchmark_engine::{Pacing, Phase, Status};
use touchmark_ledger::Ledger;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::Timestamp;
use touchmark_wire::merkle;

/// Bounds of a batch, the same for all honest members.
pub const LIMITS: BatchLimits = BatchLimits { body: 48 * 1024, leaves: 128 };

/// Views within which a network that was mended has to finalize something new.
const VIEWS: u64 = 10;
/// How long honest members may take to have and log everything after that.
const PATIENCE: u64 = 60_000;
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
    /// What went wrong.
    pub violations: Vec<Violation>,
}

/// Runs a plan with members made of `parts`.
pub fn execute(plan: &Plan, parts: &mut dyn Parts) -> Report {
    let mut run = Run::new(plan, parts);
    let setup = Setup {
        seed: plan.seed,
        network: run.site.network(),
        committee: run.site.committee.clone(),
        seats: run.site.seats.clone(),
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

/// How the network comes back.
struct Healing {
    since: Timestamp,
    /// The furthest view of an honest member then.
    view: u64,
    /// The batches that were final then.
    batches: usize,
    resumed: Option<u64>,
    caught_up: Option<u64>,
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
    links: Links,
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
        let site = Site::new(&mut rng, plan.members, START);
        let node = || {
            let (disk, other_disk) = (Arc::new(site.disk()), Arc::new(site.disk()));
            Node { disk, other_disk, ledger: None }
        };
        let nodes = plan.everyone().map(|_| node()).collect();
        let issuers = (0..plan.issuers)
            .map(|_| {
                let due = Timestamp(START.0 + rng.random_range(100..2_000));
                Issuer::new(site.network(), StdRng::from_rng(&mut rng), due)
            })
            .collect();
        Self {
            plan,
            parts,
            site,
            rng,
            nodes,
            issuers,
            forged: BTreeSet::new(),
            answers: Arc::default(),
            record: Record::default(),
            events: plan.events.iter().cloned().collect(),
            returning: plan.everyone().map(|member| (member, START)).collect(),
            links: Links { quality: plan.quality, groups: Vec::new(), set: false },
            healing: None,
            now: START,
        }
    }

    fn node(&self, member: Member) -> &Node {
        &self.nodes[usize::from(member.0)]
    }

    fn honest(&self) -> Vec<Member> {
        self.plan.honest().collect()
    }

    /// Looks at every honest member's log and health.
    fn observe(&mut self, statuses: &[Option<Status>]) {
        for member in self.honest() {
            let disk = self.node(member).disk.clone();
            let (count, shown) = (disk.count(), self.record.shown(member));
            self.record.see(member, count, disk.batches(shown));
            let phase = statuses[usize::from(member.0)].as_ref().map(|status| &status.phase);
            if let Some(Phase::Failed(error)) = phase
                && !disk.is_full()
            {
                self.record.violate(Violation::Stopped(member, error.to_string()));
            }
        }
        let views = self.honest().into_iter().filter_map(|member| {
            statuses[usize::from(member.0)].as_ref().map(|status| status.view)
        });
        let view = views.max().unwrap_or_default();
        self.observe_healing(view);
    }

    fn observe_healing(&mut self, view: u64) {
        let (honest, longest) = (self.honest(), self.record.longest());
        let Some(healing) = &mut self.healing else { return };
        if healing.view == 0 {
            (healing.view, healing.batches) = (view.max(1), longest);
        }
        if healing.resumed.is_none() {
            let mut new = self.record.batches(healing.batches);
            let first = new.find(|batch| batch.time() > healing.since);
            healing.resumed =
                first.map(|batch| simulation::view(batch).saturating_sub(healing.view));
        }
        let behind = |member: &Member| self.record.shown(*member) <= healing.batches;
        if healing.resumed.is_some() && healing.caught_up.is_none() && !honest.iter().any(behind) {
            healing.caught_up = Some(view.saturating_sub(healing.view));
        }
        let late = healing.resumed.map_or(view > healing.view + VIEWS, |views| views > VIEWS);
        if late {
            self.record.violate(Violation::Stalled(VIEWS));
        }
    }

    /// Takes what members have answered.
    fn listen(&mut self) {
        let answers =
            std::mem::take(&mut *self.answers.lock().unwrap_or_else(PoisonError::into_inner));
        for Answer { member, issuer, statement, outcome } in answers {
            if self.plan.lies.contains_key(&member) {
                continue;
            }
            let leaf = outcome.leaf();
            if leaf.is_some() {
                self.record.acknowledge(&statement, leaf);
            }
            let issuer = &mut self.issuers[issuer];
            let Some(pending) = &mut issuer.pending else { continue };
            if pending.bytes != statement {
                continue;
            }
            if leaf.is_some() {
                issuer.logged(self.now);
            } else {
                // The member may not know yet what the statement rests on.
                pending.asked.remove(&member);
                pending.since = Timestamp(self.now.0 + 300);
            }
        }
    }

    /// Lets the issuers speak; returns who was given something.
    fn speak(&mut self) -> BTreeSet<Member> {
        let mut woken = BTreeSet::new();
        let running: Vec<_> =
            self.plan.everyone().filter(|member| self.node(*member).ledger.is_some()).collect();
        for place in 0..self.issuers.len() {
            let other = self.issuers[(place + 1) % self.issuers.len()].id();
            let over = self.healing.is_some();
            let issuer = &mut self.issuers[place];
            if issuer.pending.is_none() && !over && issuer.due <= self.now {
                issuer.speak(other, self.now);
            }
            let now = self.now;
            let Some(pending) = issuer.pending.as_ref().filter(|it| it.is_to_be_given(now)) else {
                continue;
            };
            let statement = pending.bytes.clone();
            // Mostly to one member, now and then to two.
            let count = if self.rng.random_ratio(1, 5) { 2 } else { 1 };
            for member in running.sample(&mut self.rng, count).copied() {
                self.submit(place, &statement, member);
                woken.insert(member);
                if let Some(pending) = &mut self.issuers[place].pending {
                    pending.asked.insert(member);
                    pending.since = self.now;
                }
            }
            if self.parts.acknowledged() == Acknowledged::Taken {
                self.issuers[place].logged(self.now);
            }
        }
        woken.extend(self.forge());
        woken
    }

    fn submit(&mut self, issuer: usize, statement: &[u8], member: Member) {
        let Some(ledger) = self.node(member).ledger.clone() else { return };
        let honest = !self.plan.lies.contains_key(&member);
        if honest && self.parts.acknowledged() == Acknowledged::Taken {
            self.record.acknowledge(statement, None);
        }
        let answers = self.answers.clone();
        ledger.submit(vec![statement.to_vec()], |_| {
            let (answers, statement) = (answers.clone(), statement.to_vec());
            Box::new(move |outcome| {
                let answer = Answer { member, issuer, statement, outcome };
                answers.lock().unwrap_or_else(PoisonError::into_inner).push(answer);
            })
        });
    }

    /// Now and then whoever takes forged statements is given one.
    fn forge(&mut self) -> Vec<Member> {
        let takers = self.plan.lies.iter().filter(|(_, lie)| **lie == Lie::Forged);
        let takers: Vec<_> = takers.map(|(member, _)| *member).collect();
        let mut woken = Vec::new();
        for taker in takers {
            let Some(ledger) = self.node(taker).ledger.clone() else { continue };
            if !self.rng.random_ratio(1, 8) {
                continue;
            }
            let place = self.rng.random_range(0..self.issuers.len());
            let forged = self.issuers[place].forged();
            self.forged.insert(merkle::leaf_hash(&forged));
            ledger.submit(vec![forged], |_| Box::new(|_| {}));
            woken.push(taker);
        }
        woken
    }

    /// The plan's events that are due.
    fn happen(&mut self) -> (Vec<Action>, bool) {
        let mut actions = Vec::new();
        let mut cut = false;
        let elapsed = Duration::from_millis(self.now.0 - START.0);
        while let Some((at, _)) = self.events.front()
            && *at <= elapsed
            && !cut
        {
            let Some((_, event)) = self.events.pop_front() else { break };
            cut = event == Event::PowerCut;
            self.take_place(event, &mut actions);
        }
        if self.healing.is_none() && self.events.is_empty() && elapsed >= self.plan.healing && !cut
        {
            self.heal(&mut actions);
        }
        (actions, cut)
    }

    fn take_place(&mut self, event: Event, actions: &mut Vec<Action>) {
        match event {
            Event::Partition(groups) => {
                self.links = Links { quality: self.plan.quality, groups, set: false };
            }
            Event::Weather(quality) => {
                self.links = Links { quality, groups: Vec::new(), set: false };
            }
            Event::Mended => self.mend(),
            Event::Crash(member) => self.crash(member, actions),
            Event::Restart(member) => {
                self.crash(member, actions);
                self.returning.insert(member, self.now);
            }
            Event::FullDisk(member) => self.node(member).disk.fill(),
            Event::PowerCut => {
                for member in self.plan.everyone() {
                    // The engine does it to all at once.
                    self.crash(member, &mut Vec::new());
                    let pause = self.rng.random_range(100..1_500);
                    self.returning.insert(member, Timestamp(self.now.0 + pause));
                }
                self.links.set = false;
            }
        }
    }

    fn mend(&mut self) {
        self.links = Links { quality: self.plan.quality, groups: Vec::new(), set: false };
    }

    fn crash(&mut self, member: Member, actions: &mut Vec<Action>) {
        self.returning.remove(&member);
        let node = &mut self.nodes[usize::from(member.0)];
        if node.ledger.take().is_none() {
            return;
        }
        node.disk.room();
        self.parts.crash(&self.nodes[usize::from(member.0)].disk);
        actions.push(Action::Crash(member));
        // Whoever waits for its answer waits in vain.
        for pending in self.issuers.iter_mut().filter_map(|issuer| issuer.pending.as_mut()) {
            pending.asked.remove(&member);
        }
    }

    fn heal(&mut self, actions: &mut Vec<Action>) {
        self.mend();
        for member in self.plan.everyone() {
            if self.node(member).disk.is_full() {
                self.crash(member, actions);
            }
            if self.node(member).ledger.is_none() {
                self.returning.insert(member, self.now);
            }
        }
        self.healing =
            Some(Healing { since: self.now, view: 0, batches: 0, resumed: None, caught_up: None });
    }

    fn link(&mut self, actions: &mut Vec<Action>) {
        if std::mem::replace(&mut self.links.set, true) {
            return;
        }
        let groups = &self.links.groups;
        let apart = |from: &Member, to: &Member| {
            let together = |group: &BTreeSet<_>| group.contains(from) && group.contains(to);
            !groups.is_empty() && !groups.iter().any(together)
        };
        for from in self.plan.everyone() {
            for to in self.plan.everyone().filter(|to| *to != from) {
                let quality = (!apart(&from, &to)).then_some(self.links.quality);
                actions.push(Action::Link { from, to, quality });
            }
        }
    }

    /// Starts who is to come back.
    fn revive(&mut self, actions: &mut Vec<Action>) {
        let due: Vec<_> =
            self.returning.iter().filter(|(_, at)| **at <= self.now).map(|(m, _)| *m).collect();
        for member in due {
            self.returning.remove(&member);
            let (application, conduct) = self.role(member);
            actions.push(Action::Start { member, application, conduct });
        }
    }

    fn role(&mut self, member: Member) -> (Arc<dyn Application>, Conduct) {
        let (disk, other_disk) =
            (self.node(member).disk.clone(), self.node(member).other_disk.clone());
        let Some(lie) = self.plan.lies.get(&member).cloned() else {
            let ledger = self.site.ledger(disk, self.parts.verifier());
            self.nodes[usize::from(member.0)].ledger = Some(ledger.clone());
            return (self.parts.application(member, ledger), Conduct::Honest);
        };
        let ledger = match lie {
            Lie::Forged => self.site.ledger(disk, Arc::new(Credulous)),
            _ => self.site.ledger(disk, Arc::new(OneByOne)),
        };
        self.nodes[usize::from(member.0)].ledger = Some(ledger.clone());
        let conduct = match &lie {
            Lie::Withholding => Conduct::Withholding,
            Lie::Partial(heard) => Conduct::Partial(heard.clone()),
            Lie::Repeating => Conduct::Repeating,
            Lie::Noisy => Conduct::Noisy,
            Lie::Contradicting => Conduct::Contradicting,
            Lie::Oversized => Conduct::Unbounded(Lie::WIDE),
            Lie::Twins(apart) => {
                let second = self.site.ledger(other_disk, Arc::new(OneByOne));
                let twins = self.plan.lies.iter().filter(|(_, lie)| matches!(lie, Lie::Twins(_)));
                let accomplices = twins.map(|(member, _)| *member).collect();
                let second = Arc::new(Deviating(Liar::new(second, lie.clone())));
                return (ledger, Conduct::Twins { second, apart: apart.clone(), accomplices });
            }
            _ => Conduct::Honest,
        };
        (Arc::new(Deviating(Liar::new(ledger, lie))), conduct)
    }

    /// Whether there is nothing more to see.
    fn is_over(&mut self) -> bool {
        let Some(healing) = &self.healing else { return false };
        let waiting = self.now.0 < healing.since.0 + PATIENCE;
        let settled = healing.caught_up.is_some()
            && self.issuers.iter().all(|issuer| issuer.pending.is_none())
            && self
                .honest()
                .iter()
                .all(|member| self.record.shown(*member) == self.record.longest());
        if waiting && !settled {
            return false;
        }
        if healing.resumed.is_none() {
            self.record.violate(Violation::Stalled(VIEWS));
        }
        let longest = self.record.longest();
        for member in self.honest() {
            if self.record.shown(member) + 2 < longest {
                self.record.violate(Violation::LeftBehind(member));
            }
        }
        for pending in self.issuers.iter().filter_map(|issuer| issuer.pending.as_ref()) {
            let unlogged = Violation::Unlogged(merkle::leaf_hash(&pending.bytes));
            self.record.violations.push(unlogged);
        }
        true
    }

    fn report(mut self, trace: &str) -> Report {
        let mut tips = trace.as_bytes().to_vec();
        for member in self.honest() {
            let disk = self.node(member).disk.clone();
            let log = disk.batches(0);
            self.record.compare(member, &log, &self.forged);
            if let Err(reason) = replay::audit(&self.site, &disk) {
                self.record.violate(Violation::Diverged(member, reason));
            }
            tips.extend(disk.tip().batch.digest().0);
        }
        let healing = self.healing.as_ref();
        Report {
            seed: self.plan.seed,
            trace: Digest::of(&[&tips]).to_string(),
            batches: self.record.longest(),
            acknowledged: self.record.acknowledged(),
            resumed: healing.and_then(|healing| healing.resumed),
            caught_up: healing.and_then(|healing| healing.caught_up),
            duration: Duration::from_millis(self.now.0 - START.0),
            violations: self.record.violations,
        }
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
}
