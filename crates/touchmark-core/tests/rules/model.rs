//! Random histories against a model that knows nothing but who may do what.

use crate::ledger::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use touchmark_core::directory::rotation::Rotation;
use touchmark_core::entry::{Entry, Purposes};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{KeyNumber, ThingId};
use touchmark_wire::registry::{EvidenceFormat, StatementKind, Status};

const URL: EvidenceFormat = EvidenceFormat::CARD_URL;

/// The players: 0 and 1 are organisations, 2 is a device of 0, 3 a card of 0, 4 a device of 1.
const PLAYERS: usize = 5;
const CARD: usize = 3;
const CONTROLLERS: [Option<usize>; PLAYERS] = [None, None, Some(0), Some(0), Some(1)];

/// Something that a player tries.
#[derive(Clone, Debug)]
enum Try {
    Record { by: usize, key: usize },
    OutOfOrder { by: usize },
    WrongPrevious { by: usize },
    Again { which: usize },
    Status { by: usize, of: usize, to: usize, with_key: bool },
    Rotate { by: usize, of: usize, close: bool },
    Evidence { counter: u32, key: usize, reader: Option<usize> },
    Nonsense { by: usize },
}

fn any_try() -> impl Strategy<Value = Try> {
    let player = || 0..PLAYERS;
    prop_oneof![
        4 => (player(), 0..4usize).prop_map(|(by, key)| Try::Record { by, key }),
        1 => player().prop_map(|by| Try::OutOfOrder { by }),
        1 => player().prop_map(|by| Try::WrongPrevious { by }),
        2 => any::<usize>().prop_map(|which| Try::Again { which }),
        4 => (player(), player(), 1..=7usize, any::<bool>())
            .prop_map(|(by, of, to, with_key)| Try::Status { by, of, to, with_key }),
        3 => (player(), player(), any::<bool>())
            .prop_map(|(by, of, close)| Try::Rotate { by, of, close }),
        4 => (0..12u32, 0..4usize, prop::option::of(player()))
            .prop_map(|(counter, key, reader)| Try::Evidence { counter, key, reader }),
        1 => player().prop_map(|by| Try::Nonsense { by }),
    ]
}

/// What the model knows of a player.
#[derive(Clone)]
struct Player {
    status: Status,
    /// Private keys in the order of their numbers, with whether they are valid.
    keys: Vec<(u8, bool)>,
    statements: u32,
}

impl Player {
    fn present(&self) -> Option<(u32, u8)> {
        let number = self.keys.iter().rposition(|(_, valid)| *valid)?;
        Some((number as u32, self.keys[number].0))
    }

    fn end_keys(&mut self) {
        self.keys.iter_mut().for_each(|(_, valid)| *valid = false);
    }
}

struct Model {
    players: Vec<Player>,
    counter: Option<u32>,
    seen: BTreeSet<Vec<u8>>,
    fresh: u8,
}

/// The classes of outcomes that the model tells apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Class {
    Accepted,
    Denied,
    Sighted,
    Known,
    Refused,
}

impl From<Seen> for Class {
    fn from(seen: Seen) -> Self {
        match seen {
            Seen::Accepted => Self::Accepted,
            Seen::Denied(_) => Self::Denied,
            Seen::Sighted(_) => Self::Sighted,
            Seen::Known(_) => Self::Known,
            Seen::Refused(_) => Self::Refused,
            Seen::Forked => panic!("nobody forks here"),
        }
    }
}

fn null_key(status: Status) -> bool {
    status >= Status::STOLEN
}

fn paused(status: Status) -> bool {
    [Status::SUSPENDED, Status::DISABLED].contains(&status)
}

impl Model {
    /// Whether `by` gets a statement of control as far as its rule, and if not, how it ends.
    fn states(&mut self, by: usize) -> Result<(), Class> {
        let player = &mut self.players[by];
        if by == CARD || player.status != Status::ACTIVE || player.present().is_none() {
            return Err(Class::Refused);
        }
        player.statements += 1;
        Ok(())
    }

    fn set_status(&mut self, by: usize, of: usize, to: Status, key: Option<u8>) -> Class {
        let actor = &mut self.players[by];
        let can_sign = by != CARD && actor.present().is_some();
        if !can_sign || null_key(actor.status) {
            return Class::Refused;
        }
        actor.statements += 1;
        let actor_paused = paused(actor.status);
        let reports_itself = by == of && to == Status::TAMPERED;
        let governs = CONTROLLERS[of].unwrap_or(of) == by || reports_itself;
        if !governs || (actor_paused && by != of) {
            return Class::Denied;
        }
        let thing = &mut self.players[of];
        let from = thing.status;
        let impossible = from == Status::RETIRED
            || from == to
            || null_key(from) && paused(to)
            || to != Status::ACTIVE && key.is_some()
            || to == Status::ACTIVE && null_key(from) && key.is_none();
        if impossible {
            return Class::Denied;
        }
        if null_key(to) {
            thing.end_keys();
        }
        thing.keys.extend(key.map(|key| (key, true)));
        thing.status = to;
        Class::Accepted
    }

    fn rotate(&mut self, by: usize, of: usize, close: bool, key: u8) -> Class {
        if let Err(class) = self.states(by) {
            return class;
        }
        if by != of && CONTROLLERS[of] != Some(by) {
            return Class::Denied;
        }
        let thing = &mut self.players[of];
        if null_key(thing.status) {
            return Class::Denied;
        }
        if close {
            thing.end_keys();
        }
        thing.keys.push((key, true));
        Class::Accepted
    }

    fn evidence(&mut self, url: &[u8], counter: u32, n: u8, reader: Option<usize>) -> Class {
        if let Some(class) = reader.and_then(|by| self.states(by).err()) {
            return class;
        }
        let wrapped = reader.is_some();
        let rejected = if wrapped { Class::Denied } else { Class::Refused };
        let card = &self.players[CARD];
        // The key to check under: the last valid one, else the last of all.
        let expected = card.present().map_or(card.keys[card.keys.len() - 1].0, |(_, n)| n);
        if expected != n {
            return rejected;
        }
        let signed = &url[..url.len() - 128];
        if self.seen.contains(signed) {
            return if wrapped { Class::Accepted } else { Class::Known };
        }
        if self.counter.is_some_and(|last| counter <= last) {
            return rejected;
        }
        self.seen.insert(signed.to_vec());
        if card.status != Status::ACTIVE || card.present().is_none() {
            return Class::Sighted;
        }
        self.counter = Some(counter);
        Class::Accepted
    }
}

/// One play: the ledger, the model, everything submitted.
struct Play {
    ledger: Ledger,
    model: Model,
    ids: Vec<ThingId>,
    submitted: Vec<Vec<u8>>,
    stated: Vec<Vec<u8>>,
}

impl Play {
    fn new() -> Self {
        let mut ledger = Ledger::new();
        let mut ids: Vec<ThingId> = Vec::new();
        for (player, controller) in CONTROLLERS.iter().enumerate() {
            let n = player as u8;
            let inception = match controller {
                None => device(n),
                Some(by) if player == CARD => card(n, ids[*by]),
                Some(by) => controlled(n, ids[*by]),
            };
            ids.push(ledger.with(&inception, n));
        }
        let players = (0..PLAYERS as u8)
            .map(|n| Player { status: Status::ACTIVE, keys: vec![(n, true)], statements: 1 })
            .collect();
        let model = Model { players, counter: None, seen: BTreeSet::new(), fresh: 20 };
        Self { ledger, model, ids, submitted: Vec::new(), stated: Vec::new() }
    }

    /// The newest key that `player` ever had signs, valid or not.
    fn sign(&self, player: usize, writing: &Writing) -> Vec<u8> {
        let keys = &self.model.players[player].keys;
        let (number, n) = self.model.players[player]
            .present()
            .unwrap_or((keys.len() as u32 - 1, keys[keys.len() - 1].0));
        writing.signed(number, n)
    }

    fn fresh(&mut self) -> u8 {
        self.model.fresh += 1;
        self.model.fresh
    }

    fn purposes(of: usize) -> Purposes {
        if of == CARD { Purposes::CARD } else { Purposes::GENERAL }
    }

    /// The bytes, and what the model expects of them.
    fn attempt(&mut self, attempt: &Try) -> Option<(Vec<u8>, Class)> {
        Some(match *attempt {
            Try::Record { by, key } => self.attempt_record(by, key),
            Try::OutOfOrder { by } => {
                let writing = self.ledger.record(self.ids[by], "later");
                let sequence = writing.link.sequence.0 + 1;
                let previous = writing.link.previous;
                (self.sign(by, &writing.at(sequence, previous)), Class::Refused)
            }
            Try::WrongPrevious { by } => {
                let writing = self.ledger.record(self.ids[by], "elsewhere");
                let sequence = writing.link.sequence.0;
                (self.sign(by, &writing.at(sequence, Digest([3; 32]))), Class::Refused)
            }
            Try::Again { which } => {
                let bytes = self.stated.get(which % self.stated.len().max(1))?.clone();
                (bytes, Class::Known)
            }
            Try::Status { by, of, to, with_key } => {
                let to = Status(to as u8);
                let key = with_key.then(|| self.fresh());
                let keys: Vec<_> =
                    key.map(|n| for_purposes(n, Self::purposes(of))).into_iter().collect();
                let payload = encoded(&status(self.ids[of], to, &keys));
                let writing = self.ledger.next(self.ids[by], StatementKind::STATUS, payload);
                let bytes = self.sign(by, &writing);
                (bytes, self.model.set_status(by, of, to, key))
            }
            Try::Rotate { by, of, close } => {
                let n = self.fresh();
                if self.model.players[of].keys.iter().filter(|(_, valid)| *valid).count() == 16 {
                    return None;
                }
                let closed = if close { self.valid_numbers(of) } else { Vec::new() };
                let change = Rotation {
                    add: vec![for_purposes(n, Self::purposes(of))],
                    close: closed,
                    ..rotation(self.ids[of])
                };
                let writing =
                    self.ledger.next(self.ids[by], StatementKind::ROTATE, encoded(&change));
                let bytes = self.sign(by, &writing);
                (bytes, self.model.rotate(by, of, close, n))
            }
            Try::Evidence { counter, key, reader } => {
                let keys = &self.model.players[CARD].keys;
                let n = keys[key % keys.len()].0;
                let url = card_url(self.ids[CARD], counter, n).into_bytes();
                let bytes = match reader {
                    None => bare(URL, &url),
                    Some(by) => {
                        let payload = wrapped(URL, &url);
                        let kind = StatementKind::EVIDENCE;
                        self.sign(by, &self.ledger.next(self.ids[by], kind, payload))
                    }
                };
                (bytes, self.model.evidence(&url, counter, n, reader))
            }
            Try::Nonsense { by } => {
                let writing = self.ledger.next(self.ids[by], StatementKind::UPDATE, vec![0xff]);
                let bytes = self.sign(by, &writing);
                (bytes, self.model.states(by).err().unwrap_or(Class::Denied))
            }
        })
    }

    fn attempt_record(&mut self, by: usize, key: usize) -> (Vec<u8>, Class) {
        let player = &mut self.model.players[by];
        let number = key % player.keys.len();
        let (n, valid) = player.keys[number];
        let accepted = valid && by != CARD && player.status == Status::ACTIVE;
        player.statements += u32::from(accepted);
        let text = format!("record {}", self.submitted.len());
        let bytes = self.ledger.record(self.ids[by], &text).signed(number as u32, n);
        (bytes, if accepted { Class::Accepted } else { Class::Refused })
    }

    fn valid_numbers(&self, of: usize) -> Vec<KeyNumber> {
        let keys = &self.model.players[of].keys;
        (0..)
            .zip(keys)
            .filter(|(_, (_, valid))| *valid)
            .map(|(number, _)| KeyNumber(number))
            .collect()
    }

    fn play(&mut self, attempt: &Try) -> Result<(), TestCaseError> {
        let Some((bytes, expected)) = self.attempt(attempt) else { return Ok(()) };
        let before = self.ledger.clone();
        let seen = self.ledger.see(&bytes);
        prop_assert_eq!(Class::from(seen), expected, "{:?} gave {:?}", attempt, seen);
        if matches!(expected, Class::Refused | Class::Known) {
            prop_assert!(self.ledger == before, "what is not logged changes nothing");
        } else {
            prop_assert_eq!(self.ledger.leaves.len(), before.leaves.len() + 1);
            check_growth(&before, &self.ledger)?;
            if !matches!(attempt, Try::Evidence { reader: None, .. }) {
                self.stated.push(bytes.clone());
            }
        }
        for (player, id) in self.model.players.iter().zip(&self.ids) {
            let state = self.ledger.state_of(*id);
            prop_assert_eq!(state.status(), player.status);
            let numbers: Vec<_> = state.keys.iter().map(|key| key.number.0 as usize).collect();
            let valid: Vec<_> =
                (0..player.keys.len()).filter(|number| player.keys[*number].1).collect();
            prop_assert_eq!(numbers, valid);
            prop_assert_eq!(self.ledger.head_of(*id).chain.sequence.0, player.statements);
        }
        self.submitted.push(bytes);
        Ok(())
    }
}

/// Counters, key numbers, sequences and histories only grow.
fn check_growth(before: &Ledger, after: &Ledger) -> Result<(), TestCaseError> {
    for (key, old) in &before.entries {
        match (&**old, &*after.entries[key]) {
            (Entry::Counter(old), Entry::Counter(new)) => {
                prop_assert!(new == old || new.value > old.value);
            }
            (Entry::Thing(old), Entry::Thing(new)) => {
                prop_assert!(new.next_number >= old.next_number);
                let known: BTreeMap<_, _> = old.keys.iter().map(|key| (key.number, key)).collect();
                for key in &new.keys {
                    let is_known = known.get(&key.number).is_some_and(|known| *known == key);
                    prop_assert!(is_known || key.number >= old.next_number, "a number again");
                }
            }
            (Entry::Head(old), Entry::Head(new)) => {
                prop_assert!(new.chain.sequence.0 - old.chain.sequence.0 <= 1, "a hole in a chain");
                prop_assert!(new.history.count - old.history.count <= 1);
            }
            (Entry::ClosedKey(old), Entry::ClosedKey(new)) => prop_assert_eq!(old, new),
            (old, new) => prop_assert_eq!(
                std::mem::discriminant(old),
                std::mem::discriminant(new),
                "an entry changed its kind"
            ),
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn only_what_the_model_allows_happens(tries in prop::collection::vec(any_try(), 1..60)) {
        let mut play = Play::new();
        for attempt in &tries {
            play.play(attempt)?;
        }
        // The same inputs, once more and all in one call each, lead to the same ledger.
        let mut again = Play::new().ledger;
        for bytes in &play.submitted {
            again.submit(bytes);
        }
        prop_assert!(again == play.ledger);
    }

    #[test]
    fn no_mutation_of_a_statement_is_accepted(
        at in any::<prop::sample::Index>(), difference in 1..=255u8,
        mutated in any::<prop::sample::Index>(),
    ) {
        let mut play = Play::new();
        for by in [0, 1, 2] {
            play.play(&Try::Record { by, key: 0 })?;
        }
        let mut bytes = mutated.get(&play.submitted).clone();
        let at = at.index(bytes.len());
        bytes[at] ^= difference;
        let before = play.ledger.clone();
        prop_assert!(matches!(play.ledger.see(&bytes), Seen::Refused(_)));
        prop_assert!(play.ledger == before);
    }
}
