//! The order in which submissions are proposed: fair between those who brought them.

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

/// A queue for each origin. They are served in turns, one submission at a time, so however much one
/// member brings, it does not make the others wait for more than its turns.
#[derive(Default)]
pub(crate) struct Lanes {
    queues: BTreeMap<Origin, VecDeque<Digest>>,
    served: Option<Origin>,
}

impl Lanes {
    pub(crate) fn push_back(&mut self, origin: Origin, id: Digest) {
        self.queues.entry(origin).or_default().push_back(id);
    }

    pub(crate) fn push_front(&mut self, origin: Origin, id: Digest) {
        self.queues.entry(origin).or_default().push_front(id);
    }

    /// The first of the origin whose turn it is.
    pub(crate) fn pop(&mut self) -> Option<Digest> {
        let after = |served: &Origin| self.queues.range(..).find(|(origin, _)| *origin > served);
        let next = self.served.as_ref().and_then(after).or_else(|| self.queues.iter().next());
        let origin = *next?.0;
        self.served = Some(origin);
        let queue = self.queues.get_mut(&origin)?;
        let id = queue.pop_front();
        if queue.is_empty() {
            self.queues.remove(&origin);
        }
        id
    }

    /// Forgets what stands first of an origin, as far as it is `over`.
    pub(crate) fn shed(&mut self, origin: Origin, over: impl Fn(&Digest) -> bool) {
        let Some(queue) = self.queues.get_mut(&origin) else { return };
        while queue.front().is_some_and(&over) {
            queue.pop_front();
        }
        if queue.is_empty() {
            self.queues.remove(&origin);
        }
    }

    /// What one origin brought, in order.
    pub(crate) fn of(&self, origin: Origin) -> impl Iterator<Item = &Digest> {
        self.queues.get(&origin).into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_take_turns_and_each_keeps_its_order() {
        let mut lanes = Lanes::default();
        let id = |n: u8| Digest([n; 32]);
        let noisy = Origin::Member(Member(1));
        (10..14).for_each(|n| lanes.push_back(noisy, id(n)));
        (0..2).for_each(|n| lanes.push_back(Origin::Here, id(n)));
        lanes.push_back(Origin::Member(Member(3)), id(30));
        lanes.push_front(noisy, id(9));
        let order: Vec<_> = std::iter::from_fn(|| lanes.pop()).map(|id| id.0[0]).collect();
        assert_eq!(order, [0, 9, 30, 1, 10, 11, 12, 13]);
    }

    #[test]
    fn what_is_over_is_forgotten_up_to_the_first_that_is_not() {
        let mut lanes = Lanes::default();
        (0..5).for_each(|n| lanes.push_back(Origin::Here, Digest([n; 32])));
        lanes.shed(Origin::Here, |id| id.0[0] != 2);
        let left: Vec<_> = lanes.of(Origin::Here).map(|id| id.0[0]).collect();
        assert_eq!(left, [2, 3, 4]);
        lanes.shed(Origin::Here, |_| true);
        assert_eq!(lanes.of(Origin::Here).count(), 0);
        lanes.shed(Origin::Member(Member(1)), |_| true);
    }
}
