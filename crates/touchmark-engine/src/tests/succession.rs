//! Committees that follow each other, in virtual time.

use super::ledger::Ledger;
use super::simulation::{Member, Stage, agreed, within};
use crate::ceremony::{Committee, Office, Seat, deal_among};
use crate::keys::{PublicKey, members};
use crate::term::Term;
use crate::{Pacing, finality};
use commonware_cryptography::{Signer as _, ed25519};
use commonware_runtime::{Clock as _, Runner as _, Supervisor as _, deterministic};
use commonware_utils::TryCollect as _;
use commonware_utils::ordered::Set;
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;
use touchmark_batch::Application as _;
use touchmark_wire::ids::Height;

/// Fast enough for terms to end in virtual seconds.
const PACING: Pacing =
    Pacing { idle_interval: Duration::from_millis(50), busy_interval: Duration::from_millis(30) };

/// A dead proposer costs seconds.
const PATIENCE: Duration = Duration::from_secs(900);

fn identities(range: Range<u64>) -> Vec<ed25519::PrivateKey> {
    range.map(ed25519::PrivateKey::from_seed).collect()
}

fn key(seed: u64) -> PublicKey {
    ed25519::PrivateKey::from_seed(seed).public_key()
}

fn keys(identities: &[ed25519::PrivateKey]) -> Set<PublicKey> {
    identities.iter().map(ed25519::PrivateKey::public_key).try_collect().unwrap()
}

/// A committee, and the seat of each of `identities` in it.
fn made(
    context: &deterministic::Context,
    identities: &[ed25519::PrivateKey],
) -> (Committee, Vec<(PublicKey, Seat)>) {
    let (committee, seats) = deal_among(&mut context.child("dealer"), identities);
    let members = members(&committee.members).unwrap();
    (committee, members.into_iter().zip(seats).collect())
}

fn office(
    (committee, seats): &(Committee, Vec<(PublicKey, Seat)>),
    key: &PublicKey,
) -> Option<Office> {
    let (_, seat) = seats.iter().find(|(member, _)| member == key)?;
    Some(Office { committee: committee.clone(), seat: seat.clone() })
}

async fn wait_until(context: &deterministic::Context, members: &[&Member], height: Height) {
    for _ in 0..4_000 {
        if members.iter().all(|member| member.ledger.finalized() >= height) {
            return;
        }
        context.sleep(Duration::from_millis(100)).await;
    }
    let heights: Vec<_> = members.iter().map(|member| member.ledger.finalized()).collect();
    panic!("waited in vain for height {height}: {heights:?}");
}

/// Submits an item to each of `members` in turn until their ledgers are at `height`.
async fn write_until(
    context: &deterministic::Context,
    members: &[&Member],
    items: &mut Vec<Vec<u8>>,
    height: Height,
) {
    while members.iter().any(|member| member.ledger.finalized() < height) {
        let item = u32::try_from(items.len()).unwrap().to_be_bytes().to_vec();
        members[items.len() % members.len()].submit(&item);
        items.push(item);
        context.sleep(Duration::from_millis(100)).await;
    }
}

fn assert_logged_once(member: &Member, items: &[Vec<u8>]) {
    let mut logged = member.ledger.items();
    logged.sort();
    assert_eq!(logged, items, "lost or doubled");
}

#[test]
fn terms_follow_each_other_without_a_change() {
    for count in [1, 4] {
        within(11, PATIENCE).start(|context| async move {
            let identities = identities(0..count);
            let made = made(&context, &identities);
            let stage = Stage::new(&context, PACING);
            stage.link(&keys(&identities)).await;
            let mut members = Vec::new();
            for identity in &identities {
                let office = office(&made, &identity.public_key()).unwrap();
                members.push(stage.enter(&context, &made.0, vec![office]).await);
            }
            let all: Vec<_> = members.iter().collect();
            let mut items = Vec::new();
            write_until(&context, &all, &mut items, Height(Term(2).first().0 + 8)).await;
            context.sleep(Duration::from_secs(2)).await;
            agreed(&members);
            for member in &members {
                assert_logged_once(member, &items);
                let last = Term(0).last();
                let finality = finality::find(&member.order.marshal, last).await.unwrap().unwrap();
                assert_eq!(finality.headers.len(), 1, "a term's last batch has no certificate");
                let status = member.order.monitor.status();
                assert_eq!((status.term, status.votes), (2, true));
            }
        });
    }
}

/// A committee of those with the seeds `first` hands over to one of `next`. One may be `absent`
/// meanwhile; it comes back.
fn hands_over(first: Range<u64>, next: Range<u64>, absent: Option<u64>) {
    within(12, PATIENCE).start(|context| async move {
        let seeds = first.start.min(next.start)..first.end.max(next.end);
        let everyone = keys(&identities(seeds.clone()));
        let committees = [first.clone(), next.clone()].map(|it| made(&context, &identities(it)));
        let stage = Stage::new(&context, PACING);
        stage.link(&everyone).await;
        let mut members = BTreeMap::new();
        for seed in seeds {
            let key = key(seed);
            let offices = committees.iter().filter_map(|made| office(made, &key)).collect();
            let member = stage.enter(&context, &committees[0].0, offices).await;
            member.ledger.appoint(Term(1), &committees[1].0);
            members.insert(seed, member);
        }
        let of = |seeds: &Range<u64>, without: Option<u64>| -> Vec<&Member> {
            let seeds = seeds.clone().filter(|seed| Some(*seed) != without);
            seeds.map(|seed| &members[&seed]).collect()
        };
        let mut items = Vec::new();
        write_until(&context, &of(&first, None), &mut items, Height(40)).await;
        if let Some(absent) = absent {
            stage.cut(&key(absent), &everyone).await;
        }
        write_until(&context, &of(&first, absent), &mut items, Height(80)).await;
        let there = of(&next, absent);
        wait_until(&context, &there, Height(Term(1).first().0 + 20)).await;
        write_until(&context, &there, &mut items, Height(Term(1).first().0 + 60)).await;
        if let Some(absent) = absent {
            stage.join(&key(absent), &everyone).await;
        }
        let height = Height(there[0].ledger.finalized().0 + 20);
        write_until(&context, &of(&next, None), &mut items, height).await;
        context.sleep(Duration::from_secs(5)).await;
        let size = usize::try_from(next.end - next.start).unwrap();
        for member in of(&next, None) {
            assert_logged_once(member, &items);
            let status = member.order.monitor.status();
            assert_eq!((status.term, status.votes, status.members), (1, true, size));
        }
        // Who left has all up to the end of its term, and nothing that differs.
        for seed in first.filter(|seed| !next.contains(seed)) {
            let digests = members[&seed].ledger.digests();
            assert!(digests.len() as u64 > Term(0).last().0);
            assert_eq!(members[&next.start].ledger.digests()[..digests.len()], digests);
            assert!(!members[&seed].order.monitor.status().votes);
        }
    });
}

#[test]
fn one_owner_grows_into_four() {
    hands_over(0..1, 0..4, None);
}

#[test]
fn a_member_is_replaced() {
    hands_over(0..4, 1..5, None);
}

#[test]
fn all_members_are_replaced() {
    hands_over(0..4, 4..8, None);
}

#[test]
fn who_was_away_during_a_hand_over_comes_back() {
    hands_over(0..4, 0..5, Some(2));
}

#[test]
fn a_member_that_was_not_there_at_a_hand_over_joins_later() {
    hands_over(0..4, 1..5, Some(4));
}

/// Three of a committee of four at work, and the place of the fourth.
async fn three_of_four(
    context: &deterministic::Context,
) -> (Stage, Committee, Vec<Member>, Office) {
    let identities = identities(0..4);
    let made = made(context, &identities);
    let stage = Stage::new(context, PACING);
    stage.link(&keys(&identities)).await;
    let mut offices = identities.iter().map(|it| office(&made, &it.public_key()).unwrap());
    let fourth = offices.next().unwrap();
    let mut members = Vec::new();
    for office in offices {
        members.push(stage.enter(context, &made.0, vec![office]).await);
    }
    (stage, made.0, members, fourth)
}

#[test]
fn who_lost_its_votes_of_a_term_waits_for_the_next_one() {
    within(13, PATIENCE).start(|context| async move {
        let (stage, committee, mut members, fourth) = three_of_four(&context).await;
        let mut items = Vec::new();
        let all: Vec<_> = members.iter().collect();
        write_until(&context, &all, &mut items, Height(20)).await;
        let chain = members[0].ledger.log().chain[..15].to_vec();
        let ledger = Ledger::with_chain(&committee, chain);
        let late = stage.enter_with(&context, &committee, vec![fourth], ledger).await;
        members.push(late);
        let all: Vec<_> = members.iter().collect();
        let late = &members[3];
        write_until(&context, &all, &mut items, Height(60)).await;
        let status = late.order.monitor.status();
        assert_eq!((status.term, status.votes), (0, false));
        // It hears what the others certify, long before the term ends.
        let others = members[0].ledger.finalized();
        assert!(others < Height(200) && late.ledger.finalized().0 + 8 > others.0, "{others}");
        wait_until(&context, &all, Height(Term(1).first().0 + 20)).await;
        let status = late.order.monitor.status();
        assert_eq!((status.term, status.votes), (1, true));
        context.sleep(Duration::from_secs(2)).await;
        agreed(&members);
        assert_logged_once(&members[3], &items);
    });
}

/// All of the term was in the ledger, and a vote for the next term's first batch may be what was lost
/// with the store.
#[test]
fn who_lost_its_votes_at_a_terms_end_does_not_vote_in_the_next_one() {
    within(14, PATIENCE).start(|context| async move {
        let (stage, committee, members, fourth) = three_of_four(&context).await;
        let all: Vec<_> = members.iter().collect();
        let first = Term(1).first();
        wait_until(&context, &all, first).await;
        let chain = members[0].ledger.log().chain[..usize::try_from(first.0).unwrap()].to_vec();
        let ledger = Ledger::with_chain(&committee, chain);
        let late = stage.enter_with(&context, &committee, vec![fourth], ledger).await;
        wait_until(&context, &[&late], Height(first.0 + 8)).await;
        let status = late.order.monitor.status();
        assert_eq!((status.term, status.votes), (1, false));
    });
}
