//! The members of one life of the world: from the start, or from a power cut, to the next.

use super::acquaintance::{Acquaintance, Acquaintances};
use super::barrier::Barrier;
use super::contradicting;
use super::inlet::{self, Inlet};
use super::machine::Machine;
use super::outlet::{Manner, Outlet};
use super::{Action, Conduct, End, Next, Place, Quality, Scenario, Setup};
use crate::ceremony::{PeerKey, peer_key};
use crate::error::Error;
use crate::finality;
use crate::keys::{self, Keys, PublicKey};
use crate::network::message_limit;
use crate::order::{Links, Order, Settings};
use crate::pacing;
use crate::status::{Phase, Status};
use crate::succession::Peering as _;
use commonware_cryptography::Signer as _;
use commonware_p2p::Manager as _;
use commonware_p2p::simulated::{self, Link, Manager, Network, Oracle};
use commonware_runtime::deterministic::Context;
use commonware_runtime::{Clock as _, Handle, Quota, Spawner as _, Supervisor as _};
use commonware_utils::ordered::Set;
use commonware_utils::{NZU32, NZUsize, Probability};
use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use touchmark_batch::{Application, BatchLimits, Member, Mute};

/// Messages per second and channel, more than anybody sends.
const QUOTA: Quota = Quota::per_second(NZU32!(4096));
/// Channels of a member, as on the real network.
pub(super) const CHANNELS: u64 = 7;
/// For pages of each member's store, bytes.
const CACHE: usize = 1 << 18;
/// How long the runtime takes at most to drop the tasks of a member that ended.
const BURIAL: Duration = Duration::from_millis(20);

/// The network and who runs on it.
pub(super) struct World<'a> {
    context: Context,
    setup: &'a Setup,
    members: Set<PublicKey>,
    oracle: Oracle<PublicKey, Context>,
    running: BTreeMap<Member, Running>,
    acquaintances: Acquaintances,
    /// How each direction is, if those at its ends are connected.
    links: BTreeMap<(Member, Member), Option<Quality>>,
    /// How the network has them.
    laid: BTreeMap<(Member, Member), Option<Quality>>,
}

/// A member that runs, or failed.
struct Running {
    tasks: Vec<Handle<()>>,
    state: Arc<Mutex<State>>,
}

impl Running {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How far a member has come.
enum State {
    Starting,
    Started(Order),
    Failed(Error),
}

impl<'a> World<'a> {
    pub(super) fn new(context: Context, setup: &'a Setup) -> Self {
        let peers: Vec<_> = setup.members.iter().map(peer).collect();
        let members = keys::members(&peers).expect("each member has a key of its own");
        assert!(peers.is_sorted(), "members are in the order of their peer keys");
        let largest = message_limit(setup.limits);
        let (network, oracle) = Network::new(
            context.child("network"),
            simulated::Config {
                // Room for what only a liar sends.
                max_size: 4 * largest,
                max_peers_per_set: NZUsize!(32),
                disconnect_on_block: true,
                tracked_peer_sets: NZUsize!(1),
            },
        );
        network.start();
        oracle.manager().track(0, members.clone());
        Self {
            context,
            setup,
            members,
            oracle,
            running: BTreeMap::new(),
            acquaintances: Acquaintances::default(),
            links: BTreeMap::new(),
            laid: BTreeMap::new(),
        }
    }

    /// Does what the scenario says until it ends this life.
    pub(super) async fn live(mut self, scenario: &mut dyn Scenario) -> End {
        loop {
            self.end_the_failed().await;
            let statuses: Vec<_> = self.numbers().map(|member| self.status(member)).collect();
            let (actions, next) = scenario.step(pacing::now(&self.context), &statuses);
            for action in actions {
                self.act(action).await;
            }
            self.lay().await;
            match next {
                Next::After(pause) => self.context.sleep(pause).await,
                Next::PowerCut => return End::PowerCut,
                Next::End => {
                    self.prove(scenario).await;
                    return End::Over;
                }
            }
        }
    }

    /// Asks every member that runs for its proofs.
    async fn prove(&self, scenario: &mut dyn Scenario) {
        let heights = scenario.heights();
        for member in self.numbers() {
            let Some(order) = self.order_of(member) else { continue };
            for height in heights.iter().copied() {
                let proof = finality::find(&order.marshal, height).await.unwrap_or_default();
                scenario.proven(member, height, proof);
            }
        }
    }

    fn order_of(&self, member: Member) -> Option<Order> {
        let running = self.running.get(&member)?;
        match &*running.state() {
            State::Started(order) => Some(order.clone()),
            State::Starting | State::Failed(_) => None,
        }
    }

    /// Ends the parts of members that have failed, as a real engine does.
    async fn end_the_failed(&mut self) {
        for member in self.numbers() {
            let failed = match (self.status(member), self.place(member).drive.fallen()) {
                (Some(_), Some(panic)) => Error::Internal(panic),
                (Some(Status { phase: Phase::Failed(error), .. }), None) => error,
                _ => continue,
            };
            let Some(running) = self.running.get_mut(&member) else { continue };
            if running.tasks.is_empty() {
                continue;
            }
            let tasks = std::mem::take(&mut running.tasks);
            // It keeps its reason, and nothing of what it was.
            *running.state() = State::Failed(failed);
            self.bury(member, tasks).await;
        }
    }

    async fn bury(&self, member: Member, tasks: Vec<Handle<()>>) {
        for task in tasks {
            task.abort();
            // Aborted or over: it is gone.
            let _ = task.await;
        }
        self.acquaintances.forget(member);
        self.context.sleep(BURIAL).await;
    }

    fn numbers(&self) -> impl Iterator<Item = Member> + use<> {
        (0..self.members.len() as u16).map(Member)
    }

    fn status(&self, member: Member) -> Option<Status> {
        let running = self.running.get(&member)?;
        let state = running.state();
        Some(match &*state {
            State::Starting => Status::default(),
            State::Started(order) => order.monitor.status(),
            State::Failed(error) => {
                Status { phase: Phase::Failed(error.clone()), ..Status::default() }
            }
        })
    }

    async fn act(&mut self, action: Action) {
        match action {
            Action::Start { member, offices, application, conduct } => {
                let identity = self.place(member).identity;
                let keys = Keys::new(self.setup.network, identity, &offices)
                    .expect("a simulation is given seats that belong to their committees");
                self.start(member, keys, application, conduct).await;
            }
            Action::Crash(member) => self.crash(member).await,
            Action::Link { from, to, quality } => drop(self.links.insert((from, to), quality)),
            Action::Wake(member) => {
                if let Some(order) = self.order_of(member) {
                    order.woken.notify();
                }
            }
        }
    }

    async fn crash(&mut self, member: Member) {
        let Some(running) = self.running.remove(&member) else { return };
        self.bury(member, running.tasks).await;
    }

    /// Makes the network what it is to be.
    async fn lay(&mut self) {
        let ends = self.numbers().flat_map(|from| self.numbers().map(move |to| (from, to)));
        for (from, to) in ends.filter(|(from, to)| from != to).collect::<Vec<_>>() {
            let wanted = self.links.get(&(from, to)).copied().flatten();
            let wanted = wanted.filter(|_| self.acquaintances.are(from, to));
            if self.laid.insert((from, to), wanted).flatten() != wanted {
                self.link(from, to, wanted).await;
            }
        }
    }

    async fn link(&self, from: Member, to: Member, quality: Option<Quality>) {
        let (from, to) = (self.key(from), self.key(to));
        // A direction that does not exist cannot be removed, which is all that is wanted.
        let _ = self.oracle.remove_link(from.clone(), to.clone()).await;
        let Some(quality) = quality else { return };
        let link = Link {
            latency: quality.latency,
            jitter: quality.jitter,
            success_rate: Probability::new(100 - u64::from(quality.loss.min(100)), 100)
                .expect("at most 100 of 100"),
        };
        self.oracle.add_link(from, to, link).await.expect("the network outlives its members");
    }

    fn key(&self, member: Member) -> PublicKey {
        self.members.get(member.0.into()).expect("a scenario names members").clone()
    }

    fn keys_of(&self, members: &BTreeSet<Member>) -> Vec<PublicKey> {
        members.iter().map(|member| self.key(*member)).collect()
    }

    async fn start(
        &mut self,
        member: Member,
        keys: Keys,
        application: Arc<dyn Application>,
        conduct: Conduct,
    ) {
        assert!(!self.running.contains_key(&member), "member {} runs", member.0);
        let me = self.key(member);
        // Whom a member cut off is forgotten with the rest of its memory.
        for other in self.members.iter().filter(|other| **other != me) {
            self.oracle.unblock(me.clone(), other.clone()).await.expect("the network runs");
        }
        let mut running =
            Running { tasks: Vec::new(), state: Arc::new(Mutex::new(State::Starting)) };
        let limits = self.setup.limits;
        let (manner, limits) = match conduct {
            Conduct::Honest => (Manner::Plain, limits),
            Conduct::Partial(heard) => (Manner::only(self.keys_of(&heard)), limits),
            Conduct::Withholding => (Manner::Withholding, limits),
            Conduct::Repeating => (Manner::repeating(), limits),
            Conduct::Noisy => (Manner::noisy(message_limit(limits)), limits),
            Conduct::Unbounded(limits) => (Manner::Plain, limits),
            Conduct::Contradicting => {
                let (sender, receiver) = self.channel(&me, 0).await;
                let mut acquaintance = self.acquaintances.of(member, me);
                acquaintance.track(0, self.members.clone(), Set::default());
                let context =
                    self.context.child("contradicting").with_attribute("number", member.0);
                let task =
                    context.spawn(move |_| contradicting::run(keys.scheme(), sender, receiver));
                running.tasks.push(task);
                self.running.insert(member, running);
                return;
            }
            Conduct::Twins { second, apart, accomplices } => {
                let apart = self.keys_of(&apart);
                let accomplices = self.keys_of(&accomplices);
                let accomplices: Vec<_> =
                    accomplices.into_iter().filter(|key| *key != me).collect();
                let applications = [application, second];
                self.twins(&mut running, (member, keys), applications, &apart, &accomplices).await;
                self.running.insert(member, running);
                return;
            }
        };
        let links = self.links(member, &manner).await;
        let context = self.context.child("member").with_attribute("number", member.0);
        let part = (member, Arc::new(keys));
        self.order(&mut running, (context, String::new()), part, application, (links, limits));
        self.running.insert(member, running);
    }

    /// Two engines behind one seat.
    async fn twins(
        &self,
        running: &mut Running,
        (member, keys): (Member, Keys),
        applications: [Arc<dyn Application>; 2],
        apart: &[PublicKey],
        accomplices: &[PublicKey],
    ) {
        let (me, keys) = (self.key(member), Arc::new(keys));
        let others = self.members.iter().filter(|other| **other != me);
        let honest: Vec<_> = others.filter(|other| !accomplices.contains(other)).collect();
        let manners = [false, true].map(|second| {
            let hear = honest.iter().filter(|other| apart.contains(other) == second);
            Manner::twin(hear.map(|other| (*other).clone()).collect(), accomplices.to_vec(), second)
        });
        let mut channels = [Vec::new(), Vec::new()];
        for channel in 0..CHANNELS {
            let (sender, receiver) = self.channel(&me, channel).await;
            let context = self.context.child("twins").with_attribute("number", member.0);
            let (inlets, pump) =
                inlet::split(context, receiver, apart.to_vec(), accomplices.to_vec());
            running.tasks.push(pump);
            for ((channels, inlet), manner) in channels.iter_mut().zip(inlets).zip(&manners) {
                channels.push((Outlet::new(sender.clone(), channel, manner.clone()), inlet));
            }
        }
        for ((application, channels), name) in
            applications.into_iter().zip(channels).zip(["", "-twin"])
        {
            let barrier = Barrier::Open(self.oracle.control(me.clone()));
            let links = self.bundle(member, barrier, channels);
            let context = self.context.child("twin").with_attribute("number", member.0);
            let context = context.with_attribute("name", name);
            let place = (context, name.to_owned());
            let part = (member, Arc::clone(&keys));
            self.order(running, place, part, application, (links, self.setup.limits));
        }
    }

    /// Starts the engine in a task of its own: to catch up may take it long.
    fn order(
        &self,
        running: &mut Running,
        (context, suffix): (Context, String),
        (member, keys): (Member, Arc<Keys>),
        application: Arc<dyn Application>,
        (links, limits): (MemberLinks, BatchLimits),
    ) {
        let settings = Settings {
            keys,
            pacing: self.setup.pacing,
            limits,
            cache: CACHE,
            prefix: format!("member-{}{suffix}", member.0),
            respondent: Arc::new(Mute),
        };
        let state = Arc::clone(&running.state);
        let machine = Machine::new(context, Arc::clone(&self.place(member).drive));
        running.tasks.push(machine.spawn(move |context| async move {
            let order = Order::start(context.child("engine"), settings, application, links).await;
            {
                let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
                *state = match order {
                    Ok(order) => State::Started(order),
                    Err(error) => State::Failed(error),
                };
            }
            // Its parts end with this task.
            pending::<()>().await;
        }));
    }

    fn place(&self, member: Member) -> &Place {
        &self.setup.members[usize::from(member.0)]
    }

    async fn links(&self, member: Member, manner: &Manner) -> MemberLinks {
        let me = self.key(member);
        let mut channels = Vec::new();
        for channel in 0..CHANNELS {
            let (sender, receiver) = self.channel(&me, channel).await;
            let inlet = Inlet::direct(receiver, manner.heard());
            channels.push((Outlet::new(sender, channel, manner.clone()), inlet));
        }
        self.bundle(member, Barrier::Closing(self.oracle.control(me)), channels)
    }

    /// In the order of the real network's channels.
    fn bundle(
        &self,
        member: Member,
        blocker: Barrier,
        channels: Vec<(Outlet, Inlet)>,
    ) -> MemberLinks {
        let [votes, certificates, fetches, blocks, backfill, statements, inquiries] =
            <[_; CHANNELS as usize]>::try_from(channels)
                .unwrap_or_else(|_| unreachable!("one for each channel"));
        let provider = self.oracle.manager();
        let peering = self.acquaintances.of(member, self.key(member));
        Links {
            votes,
            certificates,
            fetches,
            blocks,
            backfill,
            statements,
            inquiries,
            provider,
            blocker,
            peering,
        }
    }

    async fn channel(
        &self,
        me: &PublicKey,
        channel: u64,
    ) -> (simulated::Sender<PublicKey, Context>, simulated::Receiver<PublicKey>) {
        let control = self.oracle.control(me.clone());
        control.register(channel, QUOTA).await.expect("the network outlives its members")
    }
}

/// The peer key of a member.
fn peer(place: &Place) -> PeerKey {
    let identity = keys::identity(&place.identity).expect("a member has a valid peer key");
    peer_key(&identity.public_key())
}

type MemberLinks = Links<Outlet, Inlet, Manager<PublicKey, Context>, Barrier, Acquaintance>;
