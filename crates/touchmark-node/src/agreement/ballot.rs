//! What nodes said, and whether enough of them said the same. Nothing is asked here.

use super::Policy;
use touchmark_api::{HeadView, HistoryView, ThingView};
use touchmark_wire::ids::{NetworkId, TreeSize};

/// What a node says of a thing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Said {
    /// The network that it is of.
    pub network: NetworkId,
    /// The log that it speaks of has so many leaves.
    pub size: TreeSize,
    /// The thing; nothing if there is none.
    pub thing: Option<Box<ThingView>>,
}

/// What came of asking a node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// It said this.
    Said(Said),
    /// It said nothing that counts.
    Nothing {
        /// Why.
        reason: String,
    },
}

/// All that was said, in the order in which nodes were asked.
#[derive(Clone, Debug)]
pub struct Ballot {
    policy: Policy,
    network: Option<NetworkId>,
    replies: Vec<Reply>,
}

/// What a ballot comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Count {
    /// Whatever counts was said of a log with at least so many leaves.
    pub size: TreeSize,
    /// Where each reply belongs.
    pub places: Vec<Place>,
    /// Those who said the same, the most first. Of as many the one that was said first.
    pub groups: Vec<Vec<usize>>,
    /// What it is.
    pub outcome: Outcome,
    /// Somebody of the first group with whom enough agree on chain head and history, too.
    pub history: Option<usize>,
}

/// Where a reply belongs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// To the group with this number.
    Group(usize),
    /// It speaks of an older state than others.
    Behind,
    /// It speaks of another network than the trusted one.
    OtherNetwork,
    /// Nothing was said.
    Nothing,
}

/// Whether nodes agree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Enough said what the first group says.
    Agreed,
    /// Enough said something, and not the same.
    Split,
    /// Too few said anything.
    TooFew,
}

impl Said {
    /// Whether both say the same of the thing. What every record of it moves does not matter:
    /// honest nodes answer about different moments.
    fn is_same(&self, other: &Self) -> bool {
        self.network == other.network
            && self.thing.as_deref().map(standing) == other.thing.as_deref().map(standing)
    }

    /// Whether both say the same also of chain and history.
    fn has_same_history(&self, other: &Self) -> bool {
        let moving = |said: &Self| {
            said.thing.as_ref().map(|thing| (thing.head.clone(), thing.history.clone()))
        };
        moving(self) == moving(other)
    }
}

/// What does not change with every record: a thing's entry without chain head, length of history
/// and size of the log. That its chain forked stays in.
fn standing(thing: &ThingView) -> ThingView {
    let fork = thing.history.fork;
    ThingView {
        head: HeadView { sequence: 0, last: String::new() },
        history: HistoryView { count: 0, hash: String::new(), mentions: 0, fork },
        size: 0,
        ..thing.clone()
    }
}

impl Ballot {
    /// What was said to whoever asked with this policy, and trusts this network if any.
    pub fn new(policy: Policy, network: Option<NetworkId>, replies: Vec<Reply>) -> Self {
        Self { policy, network, replies }
    }

    /// What was said, in the order in which nodes were asked.
    pub fn replies(&self) -> &[Reply] {
        &self.replies
    }

    /// How long a log an answer has to be about to count: so long a one that more claim to have it
    /// than may lie, so one of them is honest, and the others get there, too.
    pub fn size(&self) -> TreeSize {
        let mut sizes: Vec<_> = self.counting().map(|(_, said)| said.size).collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        sizes.get(self.policy.tolerated()).copied().unwrap_or(TreeSize(0))
    }

    /// Those whose answers are about a shorter log than that.
    pub fn behind(&self, size: TreeSize) -> Vec<usize> {
        let behind = self.counting().filter(|(_, said)| said.size < size);
        behind.map(|(place, _)| place).collect()
    }

    /// How long the logs are, at least, of which these speak.
    pub fn reach(&self, members: &[usize]) -> TreeSize {
        let sizes = members.iter().filter_map(|place| self.said(*place)).map(|said| said.size);
        sizes.min().unwrap_or(TreeSize(0))
    }

    /// Those who agree and speak of a shorter log than some of the same network who say otherwise,
    /// and how long that one is.
    pub(super) fn overtaken(&self, count: &Count) -> Option<(Vec<usize>, TreeSize)> {
        let (most, others) = count.groups.split_first()?;
        let first = self.said(*most.first()?).filter(|_| count.outcome == Outcome::Agreed)?;
        others.iter().find_map(|group| {
            self.said(*group.first()?).filter(|other| other.network == first.network)?;
            let size = self.reach(group);
            let is_shorter = |place: &usize| self.said(*place).is_some_and(|it| it.size < size);
            let shorter: Vec<_> = most.iter().copied().filter(is_shorter).collect();
            (!shorter.is_empty()).then_some((shorter, size))
        })
    }

    /// What a node said.
    pub fn said(&self, place: usize) -> Option<&Said> {
        match &self.replies[place] {
            Reply::Said(said) => Some(said),
            Reply::Nothing { .. } => None,
        }
    }

    /// Counts what was said of a log with at least so many leaves.
    pub fn count(&self, size: TreeSize) -> Count {
        let mut groups: Vec<(&Said, Vec<usize>)> = Vec::new();
        for (place, said) in self.counting().filter(|(_, said)| said.size >= size) {
            match groups.iter_mut().find(|(first, _)| first.is_same(said)) {
                Some((_, members)) => members.push(place),
                None => groups.push((said, vec![place])),
            }
        }
        groups.sort_by_key(|(_, members)| std::cmp::Reverse(members.len()));
        let groups: Vec<_> = groups.into_iter().map(|(_, members)| members).collect();
        let most = groups.first().filter(|members| members.len() >= self.policy.equal());
        let said = self.replies.iter().filter(|reply| matches!(reply, Reply::Said(_))).count();
        let outcome = match most {
            Some(_) => Outcome::Agreed,
            None if said < self.policy.equal() => Outcome::TooFew,
            None => Outcome::Split,
        };
        let history = most.and_then(|members| self.history(members));
        Count { size, places: self.places(&groups, size), groups, outcome, history }
    }

    /// Replies that speak of the trusted network, or of any if none is.
    fn counting(&self) -> impl Iterator<Item = (usize, &Said)> {
        let said = self.replies.iter().enumerate().filter_map(|(place, reply)| match reply {
            Reply::Said(said) => Some((place, said)),
            Reply::Nothing { .. } => None,
        });
        said.filter(|(_, said)| self.network.is_none_or(|network| said.network == network))
    }

    /// Somebody with whom enough of these agree on chain head and history.
    fn history(&self, members: &[usize]) -> Option<usize> {
        members.iter().copied().find(|place| {
            let own = self.said(*place);
            let same = members.iter().filter(|other| {
                own.zip(self.said(**other)).is_some_and(|(own, said)| own.has_same_history(said))
            });
            same.count() >= self.policy.equal()
        })
    }

    fn places(&self, groups: &[Vec<usize>], size: TreeSize) -> Vec<Place> {
        let behind = self.behind(size);
        let place = |(place, reply): (usize, &Reply)| {
            let group = groups.iter().position(|members| members.contains(&place));
            match (group, reply) {
                (Some(group), _) => Place::Group(group),
                (None, Reply::Nothing { .. }) => Place::Nothing,
                (None, Reply::Said(_)) if behind.contains(&place) => Place::Behind,
                (None, Reply::Said(_)) => Place::OtherNetwork,
            }
        };
        self.replies.iter().enumerate().map(place).collect()
    }
}

#[cfg(test)]
pub(super) mod tests;
