//! The order in which submissions are proposed: fair between those who brought them.

use crate::standing::Standing;
use std::collections::{BTreeMap, VecDeque};
use touchmark_batch::Member;
use touchmark_wire::hash::Digest;

/// Who brought a submission.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Origin {
    /// It was submitted to this node.
    Here,
    /// Another member passed it on.
    Member(Member),
}

/// Whose submissions wait together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Lane {
    pub(crate) standing: Standing,
    pub(crate) origin: Origin,
}

/// A queue for each lane. They are served in turns, one submission at a time, so however much one
/// member brings, it does not make the others wait for more than its turns.
#[derive(Default)]
pub(crate) struct Lanes {
    queues: BTreeMap<Lane, VecDeque<Digest>>,
    served: Option<Lane>,
}

impl Lanes {
    pub(crate) fn push_back(&mut self, lane: Lane, id: Digest) {
        self.queues.entry(lane).or_default().push_back(id);
    }

    pub(crate) fn push_front(&mut self, lane: Lane, id: Digest) {
        self.queues.entry(lane).or_default().push_front(id);
    }

    /// The first of the lane whose turn it is: of all, or of those that are known alone.
    pub(crate) fn pop(&mut self, new_too: bool) -> Option<Digest> {
        let mut open =
            self.queues.keys().filter(|lane| new_too || lane.standing == Standing::Known);
        let served = self.served;
        let lane = *open
            .clone()
            .find(|lane| served.is_some_and(|served| **lane > served))
            .or_else(|| open.next())?;
        self.served = Some(lane);
        let queue = self.queues.get_mut(&lane)?;
        let id = queue.pop_front();
        if queue.is_empty() {
            self.queues.remove(&lane);
        }
        id
    }

    /// Forgets what stands first in a lane, as far as it is `over`.
    pub(crate) fn shed(&mut self, lane: Lane, over: impl Fn(&Digest) -> bool) {
        let Some(queue) = self.queues.get_mut(&lane) else { return };
        while queue.front().is_some_and(&over) {
            queue.pop_front();
        }
        if queue.is_empty() {
            self.queues.remove(&lane);
        }
    }

    /// What waits in a lane, in order.
    pub(crate) fn of(&self, lane: Lane) -> impl Iterator<Item = &Digest> {
        self.queues.get(&lane).into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn lane(standing: Standing, origin: Origin) -> Lane {
        Lane { standing, origin }
    }

    const fn known(origin: Origin) -> Lane {
        lane(Standing::Known, origin)
    }

    fn id(n: u8) -> Digest {
        Digest([n; 32])
    }

    #[test]
    fn origins_take_turns_and_each_keeps_its_order() {
        let mut lanes = Lanes::default();
        let noisy = known(Origin::Member(Member(1)));
        (10..14).for_each(|n| lanes.push_back(noisy, id(n)));
        (0..2).for_each(|n| lanes.push_back(known(Origin::Here), id(n)));
        lanes.push_back(known(Origin::Member(Member(3))), id(30));
        lanes.push_front(noisy, id(9));
        let order: Vec<_> = std::iter::from_fn(|| lanes.pop(true)).map(|id| id.0[0]).collect();
        assert_eq!(order, [0, 9, 30, 1, 10, 11, 12, 13]);
    }

    #[test]
    fn new_ones_take_turns_with_those_that_are_known_or_wait() {
        let mut lanes = Lanes::default();
        (0..3).for_each(|n| lanes.push_back(known(Origin::Here), id(n)));
        (10..13).for_each(|n| lanes.push_back(lane(Standing::New, Origin::Here), id(n)));
        let mut pop = |new_too| lanes.pop(new_too).map(|id| id.0[0]);
        assert_eq!([pop(true), pop(true), pop(true)], [Some(0), Some(10), Some(1)]);
        assert_eq!([pop(false), pop(false)], [Some(2), None]);
        assert_eq!([pop(true), pop(true), pop(true)], [Some(11), Some(12), None]);
    }

    #[test]
    fn what_is_over_is_forgotten_up_to_the_first_that_is_not() {
        let (mut lanes, here) = (Lanes::default(), known(Origin::Here));
        (0..5).for_each(|n| lanes.push_back(here, id(n)));
        lanes.shed(here, |id| id.0[0] != 2);
        let left: Vec<_> = lanes.of(here).map(|id| id.0[0]).collect();
        assert_eq!(left, [2, 3, 4]);
        lanes.shed(here, |_| true);
        assert_eq!(lanes.of(here).count(), 0);
        lanes.shed(known(Origin::Member(Member(1))), |_| true);
    }
}
