//! Who makes a thing's history longer: those who speak for it, and nobody else.

use crate::ledger::*;
use proptest::prelude::*;
use touchmark_core::entry::Head;
use touchmark_wire::ids::ThingId;
use touchmark_wire::registry::{EvidenceFormat, StatementKind, Status};

const URL: EvidenceFormat = EvidenceFormat::CARD_URL;

/// An organisation (key 0), its card (1) that was read once, its reader (2); a stranger (3).
struct Village {
    ledger: Ledger,
    organisation: ThingId,
    card: ThingId,
    reader: ThingId,
    stranger: ThingId,
    /// What is known of the card.
    known: Vec<u8>,
    counter: u32,
}

impl Village {
    fn new() -> Self {
        let mut ledger = Ledger::new();
        let organisation = ledger.with(&device(0), 0);
        let own = (organisation, 0);
        let things = [card(1, organisation), controlled(2, organisation)];
        let [card, reader] = things.map(|inception| {
            assert_eq!(ledger.state(own, StatementKind::REGISTER, &inception), Seen::Accepted);
            inception.id()
        });
        let word = accredit(reader, &["reader"]);
        assert_eq!(ledger.state(own, StatementKind::ACCREDIT, &word), Seen::Accepted);
        let stranger = ledger.with(&device(3), 3);
        let known = card_url(card, 1, 1).into_bytes();
        assert_eq!(ledger.see(&bare(URL, &known)), Seen::Accepted);
        Self { ledger, organisation, card, reader, stranger, known, counter: 1 }
    }

    fn heads(&self) -> [Head; 3] {
        [self.organisation, self.card, self.reader].map(|id| self.ledger.head_of(id))
    }

    fn wrap(&mut self, (by, n): (ThingId, u8), url: &[u8]) -> Seen {
        let payload = wrapped(URL, url);
        self.ledger.see(&self.ledger.next(by, StatementKind::EVIDENCE, payload).signed(0, n))
    }

    fn fresh(&mut self, n: u8) -> Vec<u8> {
        self.counter += 1;
        card_url(self.card, self.counter, n).into_bytes()
    }

    fn steal(&mut self) {
        let change = status(self.card, Status::STOLEN, &[]);
        self.ledger.state((self.organisation, 0), StatementKind::STATUS, &change);
    }

    /// Count of history and of mentions of the card, beyond `before`.
    fn growth(&self, before: &Head) -> (u64, u64) {
        let head = self.ledger.head_of(self.card);
        (head.history.count - before.history.count, head.mentions.count - before.mentions.count)
    }
}

#[test]
fn those_with_standing_grow_the_history_and_others_are_counted_apart() {
    let mut village = Village::new();
    let (reader, stranger) = ((village.reader, 2), (village.stranger, 3));
    let known = village.known.clone();
    let before = village.ledger.head_of(village.card);
    assert_eq!(village.wrap(reader, &known), Seen::Accepted);
    assert_eq!(village.growth(&before), (1, 0), "a reader that the controller vouches for");
    assert_eq!(village.wrap(stranger, &known), Seen::Accepted);
    assert_eq!(village.growth(&before), (1, 1), "a reader of its own");
    let new = village.fresh(1);
    assert_eq!(village.wrap(stranger, &new), Seen::Accepted);
    assert_eq!(village.growth(&before), (2, 1), "the card itself said something new");
    let forged = village.fresh(3);
    assert!(matches!(village.wrap(stranger, &forged), Seen::Denied(_)));
    assert_eq!(village.growth(&before), (2, 1), "what it did not say is not about it");
    let word = accredit(village.card, &["fake"]);
    let vouch = StatementKind::ACCREDIT;
    assert_eq!(village.ledger.state(stranger, vouch, &word), Seen::Accepted);
    assert_eq!(village.ledger.state(reader, vouch, &word), Seen::Accepted);
    assert_eq!(village.growth(&before), (3, 2));

    village.steal();
    let before = village.ledger.head_of(village.card);
    let sightings = [1, 1, 1].map(|n| village.fresh(n));
    assert!(matches!(village.wrap(reader, &sightings[0]), Seen::Sighted(_)));
    assert!(matches!(village.wrap(stranger, &sightings[1]), Seen::Sighted(_)));
    assert!(matches!(village.ledger.see(&bare(URL, &sightings[2])), Seen::Sighted(_)));
    assert_eq!(village.growth(&before), (1, 2), "whoever has the card makes any number of them");

    // Who is no longer vouched for has no standing any more.
    let withdrawn = accredit(village.reader, &[]);
    village.ledger.state((village.organisation, 0), vouch, &withdrawn);
    assert_eq!(village.wrap(reader, &known), Seen::Accepted);
    assert_eq!(village.growth(&before), (1, 3));
}

#[derive(Clone, Debug)]
enum Act {
    Vouch(usize, bool),
    Corroborate,
    Forge(bool),
    Sight(bool),
    Govern(usize, usize),
    Record,
    Name,
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (0..3usize, any::<bool>()).prop_map(|(of, vouch)| Act::Vouch(of, vouch)),
        Just(Act::Corroborate),
        any::<bool>().prop_map(Act::Forge),
        any::<bool>().prop_map(Act::Sight),
        (0..3usize, 0..3usize).prop_map(|(of, how)| Act::Govern(of, how)),
        Just(Act::Record),
        Just(Act::Name),
    ]
}

impl Village {
    /// The stranger does what it can; says which of the three the leaf should mention.
    fn act(&mut self, act: &Act) -> Option<usize> {
        let stranger = (self.stranger, 3);
        let things = [self.organisation, self.card, self.reader];
        match *act {
            Act::Vouch(of, vouch) => {
                let roles: &[&str] = if vouch { &["own"] } else { &[] };
                let word = accredit(things[of], roles);
                let seen = self.ledger.state(stranger, StatementKind::ACCREDIT, &word);
                (seen == Seen::Accepted).then_some(of)
            }
            Act::Corroborate => {
                let known = self.known.clone();
                assert_eq!(self.wrap(stranger, &known), Seen::Accepted);
                Some(1)
            }
            Act::Forge(wrapped) => {
                let forged = self.fresh(3);
                if wrapped {
                    assert!(matches!(self.wrap(stranger, &forged), Seen::Denied(_)));
                } else {
                    assert!(matches!(self.ledger.see(&bare(URL, &forged)), Seen::Refused(_)));
                }
                None
            }
            Act::Sight(wrapped) => {
                let url = self.fresh(1);
                let seen = if wrapped {
                    self.wrap(stranger, &url)
                } else {
                    self.ledger.see(&bare(URL, &url))
                };
                assert!(matches!(seen, Seen::Sighted(_)));
                Some(1)
            }
            Act::Govern(of, how) => {
                let (kind, payload) = match how {
                    0 => (StatementKind::STATUS, encoded(&status(things[of], Status::LOST, &[]))),
                    1 => (StatementKind::ROTATE, encoded(&rotation(things[of]))),
                    _ => (StatementKind::UPDATE, vec![0xff]),
                };
                let statement = self.ledger.next(stranger.0, kind, payload).signed(0, 3);
                assert!(matches!(self.ledger.see(&statement), Seen::Denied(_)));
                None
            }
            Act::Record => {
                let record = self.ledger.record(stranger.0, "x").signed(0, 3);
                assert_eq!(self.ledger.see(&record), Seen::Accepted);
                None
            }
            Act::Name => {
                let n = 10 + (self.ledger.leaves.len() % 200) as u8;
                let _ = self.ledger.incept(&controlled(n, self.organisation), n);
                None
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_stranger_makes_nobodys_history_longer(
        acts in prop::collection::vec(any_act(), 1..30),
    ) {
        let mut village = Village::new();
        village.steal();
        for act in &acts {
            let before = village.heads();
            let mentioned = village.act(act);
            for (place, (before, after)) in before.iter().zip(village.heads()).enumerate() {
                prop_assert_eq!(before.history, after.history, "{:?} and {}", act, place);
                let more = u64::from(mentioned == Some(place));
                prop_assert_eq!(before.mentions.count + more, after.mentions.count, "{:?}", act);
            }
        }
    }
}
