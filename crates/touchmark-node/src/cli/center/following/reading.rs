//! A log being read: each leaf goes into the tree whose root is certified, and into the roster that
//! the statements make.

use super::position::{Kept, Position};
use touchmark_core::event::Event;
use touchmark_core::roster::{Contradiction, Roster};
use touchmark_wire::ids::{LeafIndex, NetworkId, ThingId};
use touchmark_wire::leaf::Leaf;
use touchmark_wire::merkle;

/// What was read so far.
pub(super) struct Reading {
    pub(super) roster: Roster,
    /// What happened to the organisation and its things, by leaf.
    pub(super) changes: Vec<(LeafIndex, Event)>,
    pub(super) position: Position,
    /// The first leaf that the rules would not have accepted. It says less than a wrong root does,
    /// so the leaves behind it are still hashed.
    pub(super) contradiction: Option<(LeafIndex, Contradiction)>,
}

impl Reading {
    /// Goes on from a position: its leaves make the roster again.
    pub(super) fn resume(
        network: NetworkId,
        organisation: ThingId,
        position: Position,
    ) -> Result<Self, Contradiction> {
        let mut roster = Roster::new(network, organisation);
        let mut changes = Vec::new();
        for Kept { at, bytes } in &position.leaves {
            let events = roster.take(*at, bytes)?;
            changes.extend(events.into_iter().map(|event| (*at, event)));
        }
        Ok(Self { roster, changes, position, contradiction: None })
    }

    /// Takes the next leaf.
    pub(super) fn take(&mut self, bytes: Vec<u8>) {
        let at = LeafIndex(self.position.frontier.size().0);
        self.position.frontier.append(merkle::leaf_hash(&bytes));
        if let Ok(Leaf::Batch(batch)) = Leaf::decode(&bytes) {
            self.position.batch = Some(batch);
        }
        if self.contradiction.is_some() {
            return;
        }
        match self.roster.take(at, &bytes) {
            Ok(events) if events.is_empty() => {}
            Ok(events) => {
                self.changes.extend(events.into_iter().map(|event| (at, event)));
                self.position.leaves.push(Kept { at, bytes });
            }
            Err(contradiction) => self.contradiction = Some((at, contradiction)),
        }
    }
}
