//! What will happen in a run, decided beforehand by its seed.

use crate::lie::Lie;
use crate::trouble;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU16;
use std::time::Duration;
use touchmark_batch::Member;
use touchmark_engine::simulation::{Fault, Quality, Torn};
use touchmark_wire::ids::Height;

/// Longer than any term takes.
const LONGEST_TERM: Duration = Duration::from_secs(300);

/// A run in advance. Times count from its start.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Decides everything that the plan does not.
    pub seed: u64,
    /// Everybody who is a member of a committee at some time.
    pub members: NonZeroU16,
    /// The hand-over to another committee; without one all are in the only one.
    pub change: Option<Change>,
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
    /// When all is mended: every link is up and every member runs. If a committee changes, not
    /// before it has.
    pub healing: Duration,
    /// How long a change of the committee may take before all is mended nevertheless.
    pub patience: Duration,
}

/// One committee hands over to another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Who certifies at first.
    pub first: BTreeSet<Member>,
    /// Who does from the next term on.
    pub next: BTreeSet<Member>,
    /// When the appointment may be written.
    pub at: Duration,
    /// What goes wrong around the end of the term: so long after a member first has this height.
    pub around: Vec<(Height, Duration, Event)>,
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
    /// What it writes to fails; it stops by itself, and finds all repaired when it runs again.
    Fault(Member, Store, Fault),
    /// All members crash at once; they come back one after the other.
    PowerCut,
}

/// What a member writes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Store {
    /// Its log and state.
    Ledger,
    /// Votes, batches and certificates.
    Engine,
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
            change: None,
            issuers: 5,
            quality,
            torn: Torn::Lost,
            lies: BTreeMap::new(),
            events: Vec::new(),
            healing: Duration::from_secs(10),
            patience: LONGEST_TERM,
        }
    }

    /// The plan of a seed: mostly four members, now and then one or seven, and now and then some who
    /// hand over to others.
    pub fn of(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        if seed % 16 == 7 {
            return Self::changing(seed, &mut rng);
        }
        let members = match seed % 16 {
            3 => NonZeroU16::MIN,
            11 => NonZeroU16::MIN.saturating_add(6),
            _ => NonZeroU16::MIN.saturating_add(3),
        };
        let (quality, torn) = conditions(&mut rng, 60, 20);
        let lies = trouble::lies(&mut rng, members.get());
        let (events, healing) = trouble::series(&mut rng, members.get(), &lies);
        let issuers = rng.random_range(4..9);
        let calm = Self::calm(seed, members);
        Self { issuers, quality, torn, lies, events, healing, ..calm }
    }

    /// Members hand over to others, amid troubles.
    fn changing(seed: u64, rng: &mut StdRng) -> Self {
        let change = trouble::change(rng);
        let everyone = change.first.union(&change.next).count();
        let members = u16::try_from(everyone).ok().and_then(NonZeroU16::new);
        let members = members.expect("a committee has a few members");
        let (quality, torn) = conditions(rng, 20, 8);
        let issuers = rng.random_range(4..9);
        Self { issuers, quality, torn, change: Some(change), ..Self::calm(seed, members) }
    }

    /// Who certifies at first.
    pub fn founders(&self) -> BTreeSet<Member> {
        match &self.change {
            Some(change) => change.first.clone(),
            None => self.everyone().collect(),
        }
    }

    /// Who certifies in the end.
    pub fn in_office(&self) -> BTreeSet<Member> {
        match &self.change {
            Some(change) => change.next.clone(),
            None => self.everyone().collect(),
        }
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

/// How links are, with bounds of latency and jitter in milliseconds, and what a power cut leaves.
fn conditions(rng: &mut StdRng, latency: u64, jitter: u64) -> (Quality, Torn) {
    let quality = Quality {
        latency: Duration::from_millis(rng.random_range(2..latency)),
        jitter: Duration::from_millis(rng.random_range(0..jitter)),
        loss: rng.random_range(0..3),
    };
    (quality, *[Torn::Lost, Torn::Prefix, Torn::Scattered].choose(rng).expect("three"))
}
