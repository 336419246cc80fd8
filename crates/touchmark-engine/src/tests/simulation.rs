//! Committees in virtual time, where a seed decides everything.

use super::inquiry::Parrot;
use super::ledger::{LIMITS, Ledger};
use crate::ceremony::{Office, deal};
use crate::keys::{Keys, PublicKey};
use crate::network::message_limit;
use crate::order::{Links, Order, Settings};
use crate::status::Phase;
use crate::succession::Peering;
use crate::term::Term;
use crate::{Committee, Pacing, finality};
use commonware_cryptography::Signer as _;
use commonware_p2p::simulated::{self, Link, Network, Oracle};
use commonware_p2p::{Manager as _, TrackedPeers};
use commonware_runtime::{Clock as _, Quota, Runner as _, Supervisor as _, deterministic};
use commonware_utils::ordered::Set;
use commonware_utils::{NZU32, NZUsize, TryCollect as _, probability};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use touchmark_batch::Application as _;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Height, NetworkId};

pub(super) struct Member {
    pub(super) ledger: Arc<Ledger>,
    pub(super) order: Order,
    /// Everybody's in the first committee.
    keys: Set<PublicKey>,
}

impl Member {
    pub(super) fn submit(&self, item: &[u8]) {
        self.ledger.submit(item);
        self.order.woken.notify();
    }
}

pub(super) const NETWORK: NetworkId = NetworkId(Digest([8; 32]));

async fn committee(context: &deterministic::Context, count: u16, pacing: Pacing) -> Vec<Member> {
    let count = NonZeroU16::new(count).unwrap();
    let (committee, seats) = deal(&mut context.child("dealer"), count);
    let stage = Stage::new(context, pacing);
    stage.link(&crate::keys::members(&committee.members).unwrap()).await;
    let mut started = Vec::new();
    for seat in seats {
        let office = Office { committee: committee.clone(), seat };
        started.push(stage.enter(context, &committee, vec![office]).await);
    }
    started
}

/// Where members meet.
pub(super) struct Stage {
    oracle: Oracle<PublicKey, deterministic::Context>,
    pacing: Pacing,
}

impl Stage {
    pub(super) fn new(context: &deterministic::Context, pacing: Pacing) -> Self {
        let (simulation, oracle) = Network::new(
            context.child("network"),
            simulated::Config {
                max_size: message_limit(LIMITS),
                max_peers_per_set: NZUsize!(8),
                disconnect_on_block: true,
                tracked_peer_sets: NZUsize!(1),
            },
        );
        simulation.start();
        Self { oracle, pacing }
    }

    /// Lets all of `members` hear each other.
    pub(super) async fn link(&self, members: &Set<PublicKey>) {
        for one in members {
            let others = members.iter().filter(|other| *other > one);
            self.join(one, &others.cloned().try_collect().unwrap()).await;
        }
    }

    /// Lets one hear others, and be heard.
    pub(super) async fn join(&self, one: &PublicKey, others: &Set<PublicKey>) {
        for other in others.iter().filter(|other| *other != one) {
            for (from, to) in [(one, other), (other, one)] {
                let link = Link {
                    latency: Duration::from_millis(10),
                    jitter: Duration::from_millis(5),
                    success_rate: probability!(0.98),
                };
                self.oracle.add_link(from.clone(), to.clone(), link).await.unwrap();
            }
        }
    }

    /// The opposite of [`Self::join`].
    pub(super) async fn cut(&self, one: &PublicKey, others: &Set<PublicKey>) {
        for other in others.iter().filter(|other| *other != one) {
            for (from, to) in [(one, other), (other, one)] {
                self.oracle.remove_link(from.clone(), to.clone()).await.unwrap();
            }
        }
    }

    /// Where one who does not run asks and answers.
    pub(super) async fn channel(&self, one: &PublicKey) -> Channel {
        let quota = Quota::per_second(NZU32!(1024));
        self.oracle.control(one.clone()).register(INQUIRIES, quota).await.unwrap()
    }

    /// Who has cut off whom.
    pub(super) async fn blocked(&self) -> Vec<(PublicKey, PublicKey)> {
        self.oracle.blocked().await.unwrap()
    }

    /// Starts a member of a network whose first committee is `first`.
    pub(super) async fn enter(
        &self,
        context: &deterministic::Context,
        first: &Committee,
        offices: Vec<Office>,
    ) -> Member {
        self.enter_with(context, first, offices, Ledger::new(first)).await
    }

    /// The same with a ledger that was filled elsewhere; the engine's store is empty.
    pub(super) async fn enter_with(
        &self,
        context: &deterministic::Context,
        first: &Committee,
        offices: Vec<Office>,
        ledger: Arc<Ledger>,
    ) -> Member {
        let keys = Keys::new(NETWORK, offices[0].seat.identity, &offices).unwrap();
        let me = keys.signer.public_key();
        let links = links(&self.oracle, &me).await;
        let prefix = format!("member-{me}");
        let settings = Settings {
            keys: Arc::new(keys),
            pacing: self.pacing,
            limits: LIMITS,
            cache: 1 << 18,
            prefix,
            respondent: Arc::new(Parrot(me.clone())),
        };
        let context = context.child("member").with_attribute("key", &me);
        let order = Order::start(context, settings, ledger.clone(), links).await.unwrap();
        let keys = crate::keys::members(&first.members).unwrap();
        Member { ledger, order, keys }
    }
}

/// Where members ask and answer.
pub(super) type Channel = (Sender, Receiver);
/// Its number.
const INQUIRIES: u64 = 6;

type Sender = simulated::Sender<PublicKey, deterministic::Context>;
type Receiver = simulated::Receiver<PublicKey>;
type Manager = simulated::Manager<PublicKey, deterministic::Context>;
type Control = simulated::Control<PublicKey, deterministic::Context>;

struct Tracked(Manager);

impl Peering for Tracked {
    fn track(&mut self, set: u64, called: Set<PublicKey>, accepted: Set<PublicKey>) {
        self.0.track(set, TrackedPeers::new(called, accepted));
    }
}

async fn links(
    oracle: &Oracle<PublicKey, deterministic::Context>,
    member: &PublicKey,
) -> Links<Sender, Receiver, Manager, Control, Tracked> {
    let control = oracle.control(member.clone());
    let quota = Quota::per_second(NZU32!(1024));
    Links {
        votes: control.register(0, quota).await.unwrap(),
        certificates: control.register(1, quota).await.unwrap(),
        fetches: control.register(2, quota).await.unwrap(),
        blocks: control.register(3, quota).await.unwrap(),
        backfill: control.register(4, quota).await.unwrap(),
        statements: control.register(5, quota).await.unwrap(),
        inquiries: control.register(INQUIRIES, quota).await.unwrap(),
        provider: oracle.manager(),
        blocker: control,
        peering: Tracked(oracle.manager()),
    }
}

pub(super) fn runner(seed: u64) -> deterministic::Runner {
    within(seed, Duration::from_secs(120))
}

/// As [`runner`], for a run that takes no longer than `limit` of its own time.
pub(super) fn within(seed: u64, limit: Duration) -> deterministic::Runner {
    deterministic::Runner::new(
        deterministic::Config::new()
            .with_seed(seed)
            .with_start_time(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000))
            .with_timeout(Some(limit)),
    )
}

/// What a run leaves: the runtime's own account of every step, and the chain.
fn run(seed: u64, count: u16) -> (String, Vec<Digest>) {
    runner(seed).start(|context| async move {
        let members = committee(&context, count, Pacing::default()).await;
        for round in 0..40u16 {
            let member = &members[usize::from(round % count)];
            member.submit(&round.to_be_bytes());
            context.sleep(Duration::from_millis(100)).await;
        }
        context.sleep(Duration::from_secs(12)).await;
        let chain = agreed(&members);
        let mut items = members[0].ledger.items();
        items.sort();
        let expected: Vec<_> = (0..40u16).map(|round| round.to_be_bytes().to_vec()).collect();
        assert_eq!(items, expected, "lost or doubled");
        for member in &members {
            assert_eq!(member.order.monitor.status().phase, Phase::Running);
            let finality = finality::find(&member.order.marshal, Height(1)).await.unwrap().unwrap();
            assert!(!finality.headers.is_empty());
        }
        (context.auditor().state(), chain)
    })
}

/// The chain that all members share, up to the slowest of them.
pub(super) fn agreed(members: &[Member]) -> Vec<Digest> {
    let chains: Vec<_> = members.iter().map(|member| member.ledger.digests()).collect();
    let shortest = chains.iter().map(Vec::len).min().unwrap();
    let longest = chains.iter().map(Vec::len).max().unwrap();
    assert!(longest - shortest < 5, "a member is left behind: {shortest} of {longest}");
    for chain in &chains {
        assert_eq!(chain[..shortest], chains[0][..shortest]);
    }
    chains[0][..shortest].to_vec()
}

#[test]
fn one_member_and_four_members_agree_and_a_seed_decides_the_run() {
    for count in [1, 4] {
        let (trace, chain) = run(7, count);
        assert!(chain.len() > 15, "{} batches", chain.len());
        assert_eq!(run(7, count), (trace.clone(), chain));
        assert_ne!(run(8, count).0, trace);
    }
}

#[test]
fn an_idle_network_beats_and_a_loaded_one_fills_its_batches() {
    runner(1).start(|context| async move {
        let members = committee(&context, 1, Pacing::default()).await;
        let member = &members[0];
        let height = || member.ledger.finalized().0;

        context.sleep(Duration::from_secs(2)).await;
        let before = height();
        context.sleep(Duration::from_secs(20)).await;
        let beats = height() - before;
        assert!((18..=20).contains(&beats), "{beats} heartbeats in 20 s");

        // Well between two heartbeats: right after one a statement waits for the busy interval.
        let beat = height();
        while height() == beat {
            context.sleep(Duration::from_millis(1)).await;
        }
        context.sleep(Duration::from_millis(300)).await;
        let before = height();
        member.submit(b"at once");
        context.sleep(Duration::from_millis(30)).await;
        assert_eq!(height(), before + 1, "a statement waited for the heartbeat");
        assert!(member.ledger.items().contains(&b"at once".to_vec()));

        let before = height();
        for number in 0..10_000u16 {
            member.submit(&number.to_be_bytes());
            context.sleep(Duration::from_millis(1)).await;
        }
        let under_load = height() - before;
        assert!((200..=304).contains(&under_load), "{under_load} batches in 10 s of load");
    });
}

#[test]
fn members_propose_in_the_turns_that_are_foreseen() {
    runner(2).start(|context| async move {
        let members = committee(&context, 4, Pacing::default()).await;
        context.sleep(Duration::from_secs(12)).await;
        let keys = members[0].keys.clone();
        let chain = members[0].ledger.log().chain.clone();
        assert!(chain.len() > 8);
        for batch in &chain[1..] {
            let context = crate::context::decode(&batch.header()).unwrap();
            let (term, view) = (Term(context.round.epoch().get()), context.round.view().get());
            assert_eq!(crate::courier::proposer(&keys, term, view), Some(&context.leader));
        }
    });
}

#[test]
fn what_is_submitted_to_any_member_of_an_idle_committee_is_logged_at_once_and_once() {
    runner(5).start(|context| async move {
        let members = committee(&context, 4, Pacing::default()).await;
        context.sleep(Duration::from_secs(5)).await;
        let mut waited = Vec::new();
        for round in 0..32u16 {
            let member = &members[usize::from(round % 4)];
            let item = round.to_be_bytes();
            member.submit(&item);
            let start = context.current();
            while !member.ledger.items().contains(&item.to_vec()) {
                context.sleep(Duration::from_millis(5)).await;
            }
            waited.push(context.current().duration_since(start).unwrap());
            context.sleep(Duration::from_millis(u64::from(round) * 37 % 700)).await;
        }
        waited.sort();
        // Without being passed on it would wait for up to four heartbeats. A view in which messages
        // of two members were lost costs its timeout.
        assert!(waited[16] < Duration::from_millis(300), "{waited:?}");
        assert!(waited[28] < Duration::from_millis(900), "{waited:?}");
        let mut items = members[0].ledger.items();
        items.sort();
        let expected: Vec<_> = (0..32u16).map(|round| round.to_be_bytes().to_vec()).collect();
        assert_eq!(items, expected, "lost or doubled");
    });
}

#[test]
fn a_wrong_batch_is_refused_by_the_others() {
    runner(3).start(|context| async move {
        let members = committee(&context, 4, Pacing::default()).await;
        context.sleep(Duration::from_secs(5)).await;
        members[0].ledger.log().lies = true;
        let before = members[1].ledger.log().chain.len();
        context.sleep(Duration::from_secs(30)).await;
        let chain = members[1].ledger.log().chain.clone();
        assert!(chain.len() > before + 8, "the others do not go on");
        assert!(chain.iter().all(|batch| batch.header().root != Digest([13; 32])));
        agreed(&members);
        assert!(members[0].ledger.log().discards > 0, "the liar never heard that it lost");
    });
}

#[test]
fn a_batch_from_the_future_waits_and_is_not_refused() {
    runner(4).start(|context| async move {
        let pacing = Pacing::default();
        let members = committee(&context, 4, pacing).await;
        context.sleep(Duration::from_secs(5)).await;
        for member in &members {
            member.ledger.log().clock_lead = Duration::from_millis(2_800);
        }
        context.sleep(Duration::from_secs(20)).await;
        let chain = agreed(&members);
        let last = members[0].ledger.log().chain[chain.len() - 1].time();
        let now = crate::pacing::now(&context);
        assert!(last > now, "none of these batches was finalized");
        assert!(last.0 <= now.0 + 2_100, "finalized {} ms early", last.0 - now.0 - 2_000);
    });
}
