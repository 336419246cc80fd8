//! The members of one life of the world: from the start, or from a power cut, to the next.

use super::barrier::Barrier;
use super::contradicting;
use super::inlet::{self, Inlet};
use super::outlet::{Manner, Outlet};
use super::{Action, Conduct, End, Next, Quality, Scenario, Setup};
use crate::ceremony::Office;
use crate::error::Error;
use crate::keys::{self, Keys, PublicKey};
use crate::network::message_limit;
use crate::order::{Links, Order, Settings};
use crate::pacing;
use crate::status::{Phase, Status};
use crate::succession::Peering;
use commonware_p2p::Manager as _;
use commonware_p2p::simulated::{self, Link, Manager, Network, Oracle};
use commonware_runtime::deterministic::Context;
use commonware_runtime::{Clock as _, Handle, Quota, Spawner as _, Supervisor as _};
use commonware_utils::ordered::Set;
use commonware_utils::{NZU32, NZUsize, Probability};
use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};
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
}

/// A member that runs, or failed.
struct Running {
    tasks: Vec<Handle<()>>,
    state: Arc<Mutex<State>>,
}

/// All members are connected from the start.
pub(super) struct Tracked;

impl Peering for Tracked {
    fn track(&mut self, _set: u64, _members: Set<PublicKey>, _others: Set<PublicKey>) {}
}

/// How far a member has come.
enum State {
    Starting,
    Started(Order),
    Failed(Error),
}

impl<'a> World<'a> {
    pub(super) fn new(context: Context, setup: &'a Setup) -> Self {
        let members = keys::members(&setup.committee.members)
            .expect("a simulation is given a committee of valid keys");
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
        Self { context, setup, members, oracle, running: BTreeMap::new() }
    }

    /// Does what the scenario says until it ends this life.
    pub(super) async fn live(mut self, scenario: &mut dyn Scenario) -> End {
        loop {
            let statuses: Vec<_> = self.numbers().map(|member| self.status(member)).collect();
            let (actions, next) = scenario.step(pacing::now(&self.context), &statuses);
            for action in actions {
                self.act(action).await;
            }
            match next {
                Next::After(pause) => self.context.sleep(pause).await,
                Next::PowerCut => return End::PowerCut,
                Next::End => return End::Over,
            }
        }
    }

    fn numbers(&self) -> impl Iterator<Item = Member> + use<> {
        (0..self.members.len() as u16).map(Member)
    }

    fn status(&self, member: Member) -> Option<Status> {
        let running = self.running.get(&member)?;
        let state = running.state.lock().unwrap_or_else(PoisonError::into_inner);
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
            Action::Start { member, application, conduct } => {
                self.start(member, application, conduct).await;
            }
            Action::Crash(member) => self.crash(member).await,
            Action::Link { from, to, quality } => self.link(from, to, quality).await,
            Action::Wake(member) => {
                if let Some(running) = self.running.get(&member)
                    && let State::Started(order) =
                        &*running.state.lock().unwrap_or_else(PoisonError::into_inner)
                {
                    order.woken.notify();
                }
            }
        }
    }

    async fn crash(&mut self, member: Member) {
        let Some(running) = self.running.remove(&member) else { return };
        for task in running.tasks {
            task.abort();
            // Aborted or over: it is gone.
            let _ = task.await;
        }
        self.context.sleep(BURIAL).await;
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

    async fn start(&mut self, member: Member, application: Arc<dyn Application>, conduct: Conduct) {
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
                let keys = self.seat(member);
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
                self.twins(&mut running, member, [application, second], &apart, &accomplices).await;
                self.running.insert(member, running);
                return;
            }
        };
        let links = self.links(&me, &manner).await;
        let context = self.context.child("member").with_attribute("number", member.0);
        self.order(&mut running, (context, String::new()), member, application, (links, limits));
        self.running.insert(member, running);
    }

    /// Two engines behind one seat.
    async fn twins(
        &self,
        running: &mut Running,
        member: Member,
        applications: [Arc<dyn Application>; 2],
        apart: &[PublicKey],
        accomplices: &[PublicKey],
    ) {
        let me = self.key(member);
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
            let links = self.bundle(barrier, channels);
            let context = self.context.child("twin").with_attribute("number", member.0);
            let context = context.with_attribute("name", name);
            let place = (context, name.to_owned());
            self.order(running, place, member, application, (links, self.setup.limits));
        }
    }

    /// Starts the engine in a task of its own: to catch up may take it long.
    fn order(
        &self,
        running: &mut Running,
        (context, suffix): (Context, String),
        member: Member,
        application: Arc<dyn Application>,
        (links, limits): (MemberLinks, BatchLimits),
    ) {
        let settings = Settings {
            keys: self.seat(member),
            pacing: self.setup.pacing,
            limits,
            cache: CACHE,
            prefix: format!("member-{}{suffix}", member.0),
            respondent: Arc::new(Mute),
        };
        let state = Arc::clone(&running.state);
        running.tasks.push(context.spawn(move |context| async move {
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

    fn seat(&self, member: Member) -> Keys {
        let seat = self.setup.seats[usize::from(member.0)].clone();
        let (identity, committee) = (seat.identity, self.setup.committee.clone());
        Keys::new(self.setup.network, identity, &[Office { committee, seat }])
            .expect("a simulation is given seats of its committee")
    }

    async fn links(&self, me: &PublicKey, manner: &Manner) -> MemberLinks {
        let mut channels = Vec::new();
        for channel in 0..CHANNELS {
            let (sender, receiver) = self.channel(me, channel).await;
            let inlet = Inlet::direct(receiver, manner.heard());
            channels.push((Outlet::new(sender, channel, manner.clone()), inlet));
        }
        self.bundle(Barrier::Closing(self.oracle.control(me.clone())), channels)
    }

    /// In the order of the real network's channels.
    fn bundle(&self, blocker: Barrier, channels: Vec<(Outlet, Inlet)>) -> MemberLinks {
        let [votes, certificates, fetches, blocks, backfill, statements, inquiries] =
            <[_; CHANNELS as usize]>::try_from(channels)
                .unwrap_or_else(|_| unreachable!("one for each channel"));
        let provider = self.oracle.manager();
        let peering = Tracked;
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

type MemberLinks = Links<Outlet, Inlet, Manager<PublicKey, Context>, Barrier, Tracked>;
