//! What will happen in a run, decided beforehand by its seed.

use crate::lie::Lie;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{RngExt as _, SeedableRng as _};
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU16;
use std::time::Duration;
use touchmark_batch::Member;
use touchmark_engine::simulation::{Quality, Torn};

/// A run in advance. Times count from its start.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Decides everything that the plan does not.
    pub seed: u64,
    /// Size of the committee.
    pub members: NonZeroU16,
    /// Identities that write.
    pub issuers: u16,
    /// How links are when nothing is wrong with them.
    pub quality: Quality,
    /// What a power cut leaves of writes.
    pub torn: Torn,
    /// Who lies, and how.
    pub lies: BTreeMap<Member, Lie>,
    /// What goes wrong, in the order of time.
    pub events: Vec<(Duration, Event)>,
    /// When all is mended: every link is up and every member runs.
    pub healing: Duration,
}

/// Something that goes wrong, or is mended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// Only members that are in a group together reach each other.
    Partition(Vec<BTreeSet<Member>>),
    /// Links get this bad.
    Weather(Quality),
    /// Every link is as it was at first.
    Mended,
    /// A member ends without notice.
    Crash(Member),
    /// It runs again.
    Restart(Member),
    /// Its disk takes nothing more; it stops by itself with its next batch.
    FullDisk(Member),
    /// All members crash at once; they come back one after the other.
    PowerCut,
}

impl Plan {
    /// A run in which nothing goes wrong.
    pub fn calm(seed: u64, members: NonZeroU16) -> Self {
        let quality = Quality {
            latency: Duration::from_millis(10),
            jitter: Duration::from_millis(5),
            loss: 0,
        };
        Self {
            seed,
            members,
            issuers: 5,
            quality,
            torn: Torn::Lost,
            lies: BTreeMap::new(),
            events: Vec::new(),
            healing: Duration::from_secs(10),
        }
    }

    /// The plan of a seed: mostly four members, now and then one or seven.
    pub fn of(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let members = match seed % 16 {
            3 => NonZeroU16::MIN,
            11 => NonZeroU16::MIN.saturating_add(6),
            _ => NonZeroU16::MIN.saturating_add(3),
        };
        let quality = Quality {
            latency: Duration::from_millis(rng.random_range(2..60)),
            jitter: Duration::from_millis(rng.random_range(0..20)),
            loss: rng.random_range(0..3),
        };
        let torn = *[Torn::Lost, Torn::Prefix, Torn::Scattered].choose(&mut rng).expect("three");
        let lies = lies(&mut rng, members.get());
        let (events, healing) = troubles(&mut rng, members.get(), &lies);
        let issuers = rng.random_range(4..9);
        Self { seed, members, issuers, quality, torn, lies, events, healing }
    }

    /// The members.
    pub fn everyone(&self) -> impl Iterator<Item = Member> + use<> {
        (0..self.members.get()).map(Member)
    }

    /// The members that do not lie.
    pub fn honest(&self) -> impl Iterator<Item = Member> + '_ {
        self.everyone().filter(|member| !self.lies.contains_key(member))
    }
}

/// At most a third of the members lie; in a third of the runs nobody.
fn lies(rng: &mut StdRng, members: u16) -> BTreeMap<Member, Lie> {
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
fn troubles(
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
            5 => (Event::FullDisk(victim), Some(Event::Restart(victim))),
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

fn weather(rng: &mut StdRng) -> Quality {
    Quality {
        latency: Duration::from_millis(rng.random_range(50..600)),
        jitter: Duration::from_millis(rng.random_range(0..200)),
        loss: rng.random_range(5..40),
    }
}
