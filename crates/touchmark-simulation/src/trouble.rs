//! What a seed lets go wrong.

use crate::lie::Lie;
use crate::plan::{Change, Event, Store};
use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use touchmark_batch::Member;
use touchmark_engine::simulation::{Fault, Quality};
use touchmark_wire::ids::Height;
use touchmark_wire::limits::TERM;

/// At most a third of the members lie; in a third of the runs nobody.
pub(crate) fn lies(rng: &mut StdRng, members: u16) -> BTreeMap<Member, Lie> {
    let most = (members - 1) / 3;
    if most == 0 || rng.random_ratio(1, 3) {
        return BTreeMap::new();
    }
    let mut everyone: Vec<_> = (0..members).map(Member).collect();
    everyone.shuffle(rng);
    let liars: BTreeSet<_> = everyone.drain(..usize::from(rng.random_range(1..=most))).collect();
    liars
        .iter()
        .map(|liar| {
            let count = rng.random_range(1..everyone.len());
            let some = everyone.sample(rng, count).copied().collect();
            let lie = Lie::all(&some).choose(rng).expect("there are lies").clone();
            (*liar, lie)
        })
        .collect()
}

/// Three to five troubles, one after the other, and when they are over.
pub(crate) fn series(
    rng: &mut StdRng,
    members: u16,
    lies: &BTreeMap<Member, Lie>,
) -> (Vec<(Duration, Event)>, Duration) {
    let honest: Vec<_> =
        (0..members).map(Member).filter(|member| !lies.contains_key(member)).collect();
    let mut at = Duration::from_millis(rng.random_range(3_000..6_000));
    let mut events = Vec::new();
    for _ in 0..rng.random_range(3..6) {
        let victim = *honest.choose(rng).expect("two thirds are honest");
        let lasts = Duration::from_millis(rng.random_range(500..6_000));
        let (trouble, end) = match rng.random_range(0..7) {
            0 | 1 => (Event::Partition(partition(rng, members)), Some(Event::Mended)),
            2 => (Event::Weather(weather(rng)), Some(Event::Mended)),
            3 | 4 => (Event::Crash(victim), Some(Event::Restart(victim))),
            5 => (fault(rng, victim), Some(Event::Restart(victim))),
            _ => (Event::PowerCut, None),
        };
        events.push((at, trouble));
        // Now and then the next trouble comes before this one is over.
        events.extend(end.map(|end| (at + lasts, end)));
        let pause = Duration::from_millis(rng.random_range(500..4_000));
        at += if rng.random_ratio(1, 3) { lasts / 2 } else { lasts + pause };
    }
    events.sort_by_key(|(at, _)| *at);
    let last = events.last().map_or(at, |(last, _)| *last);
    (events, last.max(at) + Duration::from_millis(200))
}

/// Two groups, of whatever sizes.
fn partition(rng: &mut StdRng, members: u16) -> Vec<BTreeSet<Member>> {
    let mut everyone: Vec<_> = (0..members).map(Member).collect();
    everyone.shuffle(rng);
    let (one, other) = everyone.split_at(rng.random_range(0..=everyone.len() / 2));
    vec![one.iter().copied().collect(), other.iter().copied().collect()]
}

/// What the member writes to fails.
fn fault(rng: &mut StdRng, victim: Member) -> Event {
    let store = *[Store::Ledger, Store::Engine].choose(rng).expect("two");
    Event::Fault(victim, store, *Fault::TOLD.choose(rng).expect("five"))
}

fn weather(rng: &mut StdRng) -> Quality {
    Quality {
        latency: Duration::from_millis(rng.random_range(50..600)),
        jitter: Duration::from_millis(rng.random_range(0..200)),
        loss: rng.random_range(5..40),
    }
}

/// A committee grows, shrinks, or exchanges a member, and two or three troubles come around the end
/// of its term.
pub(crate) fn change(rng: &mut StdRng) -> Change {
    let (everyone, first, next) = match rng.random_range(0..6) {
        0 => (4, 0..1, 0..4),
        1 => (5, 0..4, 0..5),
        2 => (5, 0..5, 0..4),
        3 => (6, 0..4, 0..6),
        _ => (5, 0..4, 1..5),
    };
    // Who comes and who goes may be anywhere in the order of the peer keys.
    let mut numbers: Vec<_> = (0..everyone).map(Member).collect();
    numbers.shuffle(rng);
    let pick = |places: std::ops::Range<usize>| numbers[places].iter().copied().collect();
    let (first, next): (BTreeSet<_>, BTreeSet<_>) = (pick(first), pick(next));
    let at = Duration::from_millis(rng.random_range(1_000..4_000));
    let mut around = Vec::new();
    for _ in 0..rng.random_range(2..4) {
        let height = Height(rng.random_range(TERM - 12..TERM + 6));
        let lasts = Duration::from_millis(rng.random_range(500..6_000));
        let (trouble, end) = one_or_few(rng, &numbers);
        around.push((height, Duration::ZERO, trouble));
        around.extend(end.map(|end| (height, lasts, end)));
    }
    around.sort_by_key(|(height, after, _)| (*height, *after));
    Change { first, next, at, around }
}

/// What may happen when a committee changes, and how it ends.
fn one_or_few(rng: &mut StdRng, everyone: &[Member]) -> (Event, Option<Event>) {
    let victim = *everyone.choose(rng).expect("there are members");
    match rng.random_range(0..8) {
        0 => {
            let count = u16::try_from(everyone.len()).expect("there are a few members");
            (Event::Partition(partition(rng, count)), Some(Event::Mended))
        }
        1 => (Event::Weather(weather(rng)), Some(Event::Mended)),
        2..=4 => (Event::Crash(victim), Some(Event::Restart(victim))),
        5 | 6 => (fault(rng, victim), Some(Event::Restart(victim))),
        _ => (Event::PowerCut, None),
    }
}
