//! Who has been in the log for a while, and who has just come.
//!
//! Identities are free, so a flood of new ones must not slow down those who were there before. This
//! is each node's own view of whom it serves in which turn; no rule depends on it.

use crate::view::StateView;
use std::collections::VecDeque;
use std::sync::Arc;
use touchmark_core::entry::{Entry, Thing};
use touchmark_core::refusal::Unreadable;
use touchmark_core::view::View;
use touchmark_wire::ids::{LeafIndex, ThingId, Timestamp};
use touchmark_wire::leaf::Leaf;
use touchmark_wire::registry::EntryKind;
use touchmark_wire::state::StateKey;
use touchmark_wire::statement::Statement;

/// How long a thing is new, milliseconds of the log's time.
const NEW_FOR: u64 = 60 * 60 * 1_000;
/// How often the log's size is noted, milliseconds.
const NOTED_EVERY: u64 = 60 * 1_000;

/// Whether a thing was in the log before a flood that comes now.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Standing {
    /// It was, or its controller was and says that it is its own.
    Known,
    /// It was not.
    New,
}

/// How old a thing must be to be known: it came to the log more than [`NEW_FOR`] ago, or before this
/// node started.
#[derive(Debug)]
pub(crate) struct Seniority {
    known: Known,
    /// When the log had which size, the oldest first.
    noted: VecDeque<(Timestamp, LeafIndex)>,
}

impl Seniority {
    /// At the start of a node.
    pub(crate) fn new(view: &dyn StateView) -> Self {
        let size = LeafIndex(view.tip().frontier.size().0);
        Self { known: Known(size), noted: VecDeque::new() }
    }

    /// A batch of this time has led to a log of this size.
    pub(crate) fn advance(&mut self, time: Timestamp, size: LeafIndex) {
        let due = |(last, _): &(Timestamp, _)| time.0 >= last.0.saturating_add(NOTED_EVERY);
        if self.noted.back().is_none_or(due) {
            self.noted.push_back((time, size));
        }
        while let Some((noted, size)) = self.noted.front()
            && time.0.saturating_sub(noted.0) >= NEW_FOR
        {
            self.known = Known(*size);
            self.noted.pop_front();
        }
    }

    /// Who is known now.
    pub(crate) const fn known(&self) -> Known {
        self.known
    }
}

/// Things from before this leaf are known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known(LeafIndex);

impl Known {
    /// What the state says of a thing. An organisation's things need not wait until they are known.
    pub(crate) fn of(self, id: ThingId, view: &dyn View) -> Standing {
        let is_known = |thing: &Thing| thing.created < self.0;
        let known = || -> Result<bool, Unreadable> {
            let thing = entry(id, view)?;
            let Some(Entry::Thing(thing)) = thing.as_deref() else { return Ok(false) };
            if is_known(thing) {
                return Ok(true);
            }
            let Some(controller) = thing.controller.filter(|_| thing.confirmed.is_some()) else {
                return Ok(false);
            };
            let controller = entry(controller, view)?;
            Ok(matches!(controller.as_deref(), Some(Entry::Thing(thing)) if is_known(thing)))
        };
        if known() == Ok(true) { Standing::Known } else { Standing::New }
    }

    /// What a leaf to be claims, before any signature is checked. Bare evidence names its thing in
    /// a format of its own and counts as of one that is known.
    pub(crate) fn claimed(self, leaf: &[u8], view: &dyn View) -> Standing {
        match Leaf::decode(leaf) {
            Ok(Leaf::Evidence(_)) => Standing::Known,
            Ok(Leaf::Accepted(bytes)) => match Statement::parse(bytes) {
                Ok(statement) => self.of(statement.protected().kid.thing, view),
                Err(_) => Standing::New,
            },
            _ => Standing::New,
        }
    }
}

fn entry(id: ThingId, view: &dyn View) -> Result<Option<Arc<Entry>>, Unreadable> {
    view.entry(&StateKey::thing(id, EntryKind::THING))
}
