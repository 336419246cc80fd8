//! Committees in virtual time, where a seed decides everything.

use super::ledger::{LIMITS, Ledger};
use crate::ceremony::deal;
use crate::keys::{Keys, PublicKey};
use crate::network::message_limit;
use crate::order::{Links, Order, Settings};
use crate::status::Phase;
use crate::{Pacing, finality};
use commonware_cryptography::Signer as _;
use commonware_p2p::Manager as _;
use commonware_p2p::simulated::{self, Link, Network, Oracle};
use commonware_runtime::{Clock as _, Quota, Runner as _, Supervisor as _, deterministic};
use commonware_utils::ordered::Set;
use commonware_utils::{NZU32, NZUsize, probability};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use touchmark_batch::Application as _;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Height, NetworkId};

struct Member {
    ledger: Arc<Ledger>,
    order: Order,
    /// Everybody's.
    keys: Set<PublicKey>,
}

impl Member {
    fn submit(&self, item: &[u8]) {
        self.ledger.submit(item);
        self.order.woken.notify();
    }
}

async fn committee(context: &deterministic::Context, count: u16, pacing: Pacing) -> Vec<Member> {
    let count = NonZeroU16::new(count).unwrap();
    let (committee, seats) = deal(&mut context.child("dealer"), count);
    let network = NetworkId(Digest([8; 32]));
    let keys: Vec<_> =
        seats.iter().map(|seat| Keys::new(network, &committee, seat).unwrap()).collect();
    let members = keys[0].members.clone();
    let (simulation, oracle) = Network::new(
        context.child("network"),
        simulated::Config {
            max_size: message_limit(u32::from(count.get()), LIMITS),
            max_peers_per_set: NZUsize!(8),
            disconnect_on_block: true,
            tracked_peer_sets: NZUsize!(1),
        },
    );
    simulation.start();
    oracle.manager().track(0, members.clone());
    for from in &members {
        for to in members.iter().filter(|to| *to != from) {
            let link = Link {
                latency: Duration::from_millis(10),
                jitter: Duration::from_millis(5),
                success_rate: probability!(0.98),
            };
            oracle.add_link(from.clone(), to.clone(), link).await.unwrap();
        }
    }
    let mut started = Vec::new();
    for (number, keys) in keys.into_iter().enumerate() {
        let ledger = Ledger::new();
        let links = links(&oracle, &keys.signer.public_key()).await;
        let prefix = format!("member-{number}");
        let settings = Settings { keys, pacing, limits: LIMITS, cache: 1 << 18, prefix };
        let context = context.child("member").with_attribute("number", number);
        let order = Order::start(context, settings, ledger.clone(), links).await.unwrap();
        started.push(Member { ledger, order, keys: members.clone() });
    }
    started
}

type Sender = simulated::Sender<PublicKey, deterministic::Context>;
type Receiver = simulated::Receiver<PublicKey>;
type Manager = simulated::Manager<PublicKey, deterministic::Context>;
type Control = simulated::Control<PublicKey, deterministic::Context>;

async fn links(
    oracle: &Oracle<PublicKey, deterministic::Context>,
    member: &PublicKey,
) -> Links<Sender, Receiver, Manager, Control> {
    let control = oracle.control(member.clone());
    let quota = Quota::per_second(NZU32!(1024));
    Links {
        votes: control.register(0, quota).await.unwrap(),
        certificates: control.register(1, quota).await.unwrap(),
        fetches: control.register(2, quota).await.unwrap(),
        blocks: control.register(3, quota).await.unwrap(),
        backfill: control.register(4, quota).await.unwrap(),
        statements: control.register(5, quota).await.unwrap(),
        provider: oracle.manager(),
        blocker: control,
    }
}

fn runner(seed: u64) -> deterministic::Runner {
    deterministic::Runner::new(
        deterministic::Config::new()
            .with_seed(seed)
            .with_start_time(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000))
            .with_timeout(Some(Duration::from_secs(120))),
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
fn agreed(members: &[Member]) -> Vec<Digest> {
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
            let view = context.round.view().get();
            assert_eq!(crate::courier::proposer(&keys, view), Some(&context.leader));
        }
    });
}

#[test]
fn what_is_submitted_to_any_member_of_an_idle_committee_is_logged_at_once_and_once() {
    runner(5).start(|context| async move {
        let members = committee(&context, 4, Pacing::default()).await;
        context.sleep(Duration::from_secs(5)).await;
        let mut slowest = Duration::ZERO;
        for round in 0..32u16 {
            let member = &members[usize::from(round % 4)];
            let item = round.to_be_bytes();
            member.submit(&item);
            let start = context.current();
            while !member.ledger.items().contains(&item.to_vec()) {
                context.sleep(Duration::from_millis(5)).await;
            }
            slowest = slowest.max(context.current().duration_since(start).unwrap());
            context.sleep(Duration::from_millis(u64::from(round) * 37 % 700)).await;
        }
        // Without being passed on it would wait for up to four heartbeats.
        assert!(slowest < Duration::from_millis(900), "{slowest:?}");
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
