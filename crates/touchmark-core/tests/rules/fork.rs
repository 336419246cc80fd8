//! Forks are judged by what held at their place and still holds.

use crate::ledger::*;
use proptest::prelude::*;
use std::collections::BTreeSet;
use touchmark_core::directory::NewKey;
use touchmark_core::directory::inception::Inception;
use touchmark_core::directory::rotation::Rotation;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{KeyNumber, ThingId};
use touchmark_wire::registry::{RefusalCode, StatementKind};

const CONFLICT: Seen = Seen::Refused(RefusalCode::CONFLICT);

/// An issuer with keys 0, 1 … and what its chain was, place by place.
struct Issuer {
    ledger: Ledger,
    id: ThingId,
    /// Weights of all keys that there ever were, by number; private key n is number n.
    weights: Vec<u16>,
    /// Numbers of the valid keys.
    valid: BTreeSet<u32>,
    /// How often the threshold became another one.
    thresholds: usize,
    places: Vec<Taken>,
}

/// A place of the chain.
struct Taken {
    previous: Digest,
    /// Keys that counted there, those that the statement brought included.
    keys: BTreeSet<u32>,
    /// [`Issuer::thresholds`] when it was signed.
    thresholds: usize,
}

impl Issuer {
    fn new(weights: &[u16], threshold: u16) -> Self {
        let ledger = Ledger::new();
        let keys = (0..).zip(weights).map(|(n, weight)| NewKey { weight: *weight, ..general(n) });
        let inception = Inception { keys: keys.collect(), threshold, ..device(0) };
        let (id, valid) = (inception.id(), (0..weights.len() as u32).collect());
        let weights = weights.to_vec();
        let mut issuer = Self { ledger, id, weights, valid, thresholds: 0, places: Vec::new() };
        assert_eq!(issuer.state(StatementKind::INCEPTION, &inception), Seen::Accepted);
        issuer
    }

    /// All valid keys sign.
    fn state(&mut self, kind: StatementKind, payload: &impl minicbor::Encode<()>) -> Seen {
        let next = self.ledger.next(self.id, kind, encoded(payload));
        let (previous, keys) = (next.link.previous, self.valid.clone());
        let seen = self.ledger.see(&next.signed_by(&self.signers(&keys)));
        self.places.push(Taken { previous, keys, thresholds: self.thresholds });
        seen
    }

    fn signers(&self, numbers: &BTreeSet<u32>) -> Vec<(ThingId, u32, u8)> {
        numbers.iter().map(|number| (self.id, *number, *number as u8)).collect()
    }

    fn rotate(&mut self, change: &Rotation) {
        let seen = self.state(StatementKind::ROTATE, change);
        if seen != Seen::Accepted {
            assert_eq!(seen, Seen::Denied(RefusalCode::THRESHOLD));
            return;
        }
        let place = self.places.last_mut().unwrap();
        for new in &change.add {
            let number = self.weights.len() as u32;
            self.weights.push(new.weight);
            self.valid.insert(number);
            place.keys.insert(number);
        }
        for ended in &change.close {
            self.valid.remove(&ended.0);
        }
        let threshold = self.ledger.state_of(self.id).threshold;
        assert_eq!(threshold, change.threshold.unwrap_or(threshold));
    }

    fn set_threshold(&mut self, threshold: u16) {
        let before = self.ledger.state_of(self.id).threshold;
        self.rotate(&Rotation { threshold: Some(threshold), ..rotation(self.id) });
        self.thresholds += usize::from(self.ledger.state_of(self.id).threshold != before);
    }

    fn weight(&self, numbers: impl Iterator<Item = u32>) -> u16 {
        numbers.map(|number| self.weights[number as usize]).sum()
    }

    /// A second statement at a place, counted from 0.
    fn fork(&self, place: usize, signers: &BTreeSet<u32>) -> Seen {
        let previous = self.places[place].previous;
        let second = self.ledger.record(self.id, "other").at(place as u32 + 1, previous);
        self.ledger.clone().see(&second.signed_by(&self.signers(signers)))
    }
}

/// The state does not say which threshold a place had before the present one.
#[test]
fn a_change_of_the_threshold_settles_the_places_before_it() {
    let forked = Seen::Forked;
    for (name, before, after, alone, both) in [
        // Key 0 sufficed for places 0 to 2; whoever has it alone speaks for nobody any more.
        ("raised", 1, 2, [CONFLICT; 4], [CONFLICT, CONFLICT, CONFLICT, forked]),
        // Key 0 alone never was the board's word at places 0 to 2.
        (
            "lowered",
            2,
            1,
            [CONFLICT, CONFLICT, CONFLICT, forked],
            [CONFLICT, CONFLICT, CONFLICT, forked],
        ),
        ("as it was", 2, 2, [CONFLICT; 4], [forked; 4]),
    ] {
        let mut issuer = Issuer::new(&[1, 1], before);
        issuer.state(StatementKind::RECORD, &"x");
        issuer.set_threshold(after);
        issuer.state(StatementKind::RECORD, &"y");
        for (place, (alone, both)) in alone.into_iter().zip(both).enumerate() {
            assert_eq!(issuer.fork(place, &[0].into()), alone, "{name}: one at {place}");
            assert_eq!(issuer.fork(place, &[0, 1].into()), both, "{name}: both at {place}");
        }
    }
}

#[derive(Clone, Debug)]
enum Act {
    Record,
    Add(u16),
    End(usize),
    Threshold(u16),
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => Just(Act::Record),
        2 => (1..3u16).prop_map(Act::Add),
        2 => any::<usize>().prop_map(Act::End),
        2 => (1..5u16).prop_map(Act::Threshold),
    ]
}

impl Issuer {
    fn act(&mut self, act: &Act) {
        match act {
            Act::Record => {
                self.state(StatementKind::RECORD, &"x");
            }
            Act::Add(weight) if self.weights.len() < 16 => {
                let new = NewKey { weight: *weight, ..general(self.weights.len() as u8) };
                self.rotate(&Rotation { add: vec![new], ..rotation(self.id) });
            }
            Act::Add(_) => {}
            Act::End(which) => {
                let number = *self.valid.iter().nth(which % self.valid.len()).unwrap();
                let close = vec![KeyNumber(number)];
                self.rotate(&Rotation { close, ..rotation(self.id) });
            }
            Act::Threshold(threshold) => self.set_threshold(*threshold),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_fork_needs_what_held_there_and_still_holds(
        acts in prop::collection::vec(any_act(), 0..12),
        tries in prop::collection::vec((any::<usize>(), any::<u16>()), 12),
    ) {
        let mut issuer = Issuer::new(&[1, 2], 1);
        for act in &acts {
            issuer.act(act);
        }
        let threshold = issuer.ledger.state_of(issuer.id).threshold;
        for (place, mask) in tries {
            let numbers = 0..issuer.weights.len() as u32;
            let signers: BTreeSet<u32> =
                numbers.filter(|number| mask & (1 << number) != 0).collect();
            if signers.is_empty() {
                continue;
            }
            let taken = &issuer.places[place % issuer.places.len()];
            let then = signers.intersection(&taken.keys).copied();
            let still = then.filter(|number| issuer.valid.contains(number));
            let expected = if taken.thresholds == issuer.thresholds
                && issuer.weight(still) >= threshold
            {
                Seen::Forked
            } else {
                CONFLICT
            };
            prop_assert_eq!(issuer.fork(place % issuer.places.len(), &signers), expected);
        }
    }
}
