//! Random histories of two channels against a model that knows nothing but who may write.

use crate::ledger::*;
use proptest::prelude::*;
use std::collections::BTreeSet;
use touchmark_core::channel::access::Access;
use touchmark_core::entry::Tally;
use touchmark_core::view::Read as _;
use touchmark_wire::ids::{ChannelId, Sequence, ThingId};
use touchmark_wire::registry::{RefusalCode, StatementKind, Writers};

/// Things 0 to 3; thing 0 is the author of both channels, of which anyone may write into the
/// second.
const THINGS: usize = 4;
const CHANNELS: usize = 2;

#[derive(Clone, Debug)]
enum Try {
    Write { by: usize, channel: usize },
    Fork { by: usize, channel: usize, place: u32 },
    Again { which: usize },
    Grant { by: usize, channel: usize, of: usize },
    Withdraw { by: usize, channel: usize, of: usize },
    Close { by: usize, channel: usize },
}

fn any_try() -> impl Strategy<Value = Try> {
    let (thing, channel) = (|| 0..THINGS, || 0..CHANNELS);
    prop_oneof![
        8 => (thing(), channel()).prop_map(|(by, channel)| Try::Write { by, channel }),
        2 => (thing(), channel(), 1..4u32)
            .prop_map(|(by, channel, place)| Try::Fork { by, channel, place }),
        1 => any::<usize>().prop_map(|which| Try::Again { which }),
        4 => (prop_oneof![4 => Just(0), 1 => thing()], channel(), thing())
            .prop_map(|(by, channel, of)| Try::Grant { by, channel, of }),
        2 => (prop_oneof![4 => Just(0), 1 => thing()], channel(), thing())
            .prop_map(|(by, channel, of)| Try::Withdraw { by, channel, of }),
        1 => (prop_oneof![1 => Just(0), 3 => thing()], channel())
            .prop_map(|(by, channel)| Try::Close { by, channel }),
    ]
}

/// What the model knows of a channel.
#[derive(Default)]
struct Known {
    anyone: bool,
    granted: BTreeSet<usize>,
    closed: bool,
    /// Places taken by each thing.
    places: [u32; THINGS],
    forked: [bool; THINGS],
}

impl Known {
    fn lets_write(&self, thing: usize) -> Result<(), RefusalCode> {
        match () {
            () if self.closed => Err(RefusalCode::CLOSED),
            () if self.anyone || thing == 0 || self.granted.contains(&thing) => Ok(()),
            () => Err(RefusalCode::NOT_AUTHORISED),
        }
    }

    fn access(&mut self, by: usize, change: impl FnOnce(&mut Self) -> bool) -> Seen {
        if by != 0 {
            return Seen::Denied(RefusalCode::NOT_AUTHORISED);
        }
        if self.closed {
            return Seen::Denied(RefusalCode::CLOSED);
        }
        if change(self) { Seen::Accepted } else { Seen::Denied(RefusalCode::STATUS) }
    }
}

struct Play {
    ledger: Ledger,
    things: Vec<ThingId>,
    channels: Vec<ChannelId>,
    known: [Known; CHANNELS],
    /// Entries, each with the leaf that it is in.
    entries: Vec<(Vec<u8>, u64)>,
    submitted: Vec<Vec<u8>>,
}

impl Play {
    fn new() -> Self {
        let mut ledger = Ledger::new();
        let things: Vec<_> = (0..THINGS as u8).map(|n| ledger.with(&device(n), n)).collect();
        let open = |writers| ledger.open((things[0], 0), &opening(writers, Writers(writers)));
        let channels = [Writers::GRANTED.0, Writers::ANYONE.0].map(open).to_vec();
        let known = [Known::default(), Known { anyone: true, ..Known::default() }];
        Self { ledger, things, channels, known, entries: Vec::new(), submitted: Vec::new() }
    }

    fn access(&self, by: usize, access: &Access) -> Vec<u8> {
        self.ledger
            .next(self.things[by], StatementKind::ACCESS, encoded(access))
            .signed(0, by as u8)
    }

    /// The bytes, and what the model expects of them.
    fn attempt(&mut self, attempt: &Try) -> (Vec<u8>, Seen) {
        match *attempt {
            Try::Write { by, channel } => {
                let text = format!("entry {}", self.submitted.len());
                let entry = self.ledger.entry_in(self.channels[channel], self.things[by], &text);
                let bytes = entry.signed(0, by as u8);
                self.entries.push((bytes.clone(), self.ledger.leaves.len() as u64));
                let known = &mut self.known[channel];
                known.places[by] += 1;
                (bytes, known.lets_write(by).map_or_else(Seen::Denied, |()| Seen::Accepted))
            }
            Try::Fork { by, channel, place } => {
                let known = &mut self.known[channel];
                let text = format!("other {}", self.submitted.len());
                let entry = self.ledger.entry_in(self.channels[channel], self.things[by], &text);
                let head = self.ledger.origin();
                let bytes = entry.at(place, head).signed(0, by as u8);
                let taken = place <= known.places[by];
                if place == known.places[by] + 1 && place == 1 {
                    known.places[by] = 1;
                    self.entries.push((bytes.clone(), self.ledger.leaves.len() as u64));
                    let seen = known.lets_write(by).map_or_else(Seen::Denied, |()| Seen::Accepted);
                    return (bytes, seen);
                }
                let code = match place {
                    _ if taken && !known.forked[by] => {
                        known.forked[by] = true;
                        return (bytes, Seen::Forked);
                    }
                    _ if place > known.places[by] + 1 => RefusalCode::OUT_OF_ORDER,
                    _ => RefusalCode::CONFLICT,
                };
                (bytes, Seen::Refused(code))
            }
            Try::Again { which } => match self.entries.len() {
                0 => self.attempt(&Try::Write { by: 0, channel: 0 }),
                count => {
                    let (bytes, leaf) = self.entries[which % count].clone();
                    (bytes, Seen::Known(leaf))
                }
            },
            Try::Grant { by, channel, of } => {
                let access = grant(self.channels[channel], self.things[of]);
                let seen = self.known[channel]
                    .access(by, |it| !it.anyone && of != 0 && it.granted.insert(of));
                (self.access(by, &access), seen)
            }
            Try::Withdraw { by, channel, of } => {
                let access = withdraw(self.channels[channel], self.things[of]);
                let seen = self.known[channel]
                    .access(by, |it| !it.anyone && of != 0 && it.granted.remove(&of));
                (self.access(by, &access), seen)
            }
            Try::Close { by, channel } => {
                let access = Access::closing(self.channels[channel]);
                let seen =
                    self.known[channel].access(by, |it| !std::mem::replace(&mut it.closed, true));
                (self.access(by, &access), seen)
            }
        }
    }

    fn play(&mut self, attempt: &Try) -> Result<(), TestCaseError> {
        let closed: Vec<_> = self.finals();
        let (bytes, expected) = self.attempt(attempt);
        let before = self.ledger.leaves.len();
        let seen = self.ledger.see(&bytes);
        prop_assert_eq!(seen, expected, "{:?}", attempt);
        let logged = !matches!(seen, Seen::Known(_) | Seen::Refused(_));
        prop_assert_eq!(self.ledger.leaves.len(), before + usize::from(logged));
        for (at, known) in self.known.iter().enumerate() {
            for (thing, id) in self.things.iter().enumerate() {
                let chain = self.ledger.channel_chain(self.channels[at], *id).unwrap();
                let sequence = chain.as_ref().map_or(Sequence(0), |it| it.chain.sequence);
                prop_assert_eq!(sequence.0, known.places[thing]);
                prop_assert_eq!(
                    chain.is_some_and(|it| it.chain.fork.is_some()),
                    known.forked[thing]
                );
            }
        }
        for (at, before) in closed.into_iter().enumerate() {
            prop_assert!(before.is_none() || before == self.finals()[at], "it is final");
        }
        self.submitted.push(bytes);
        Ok(())
    }

    /// Count and running hash of the channels that are closed.
    fn finals(&self) -> Vec<Option<Tally>> {
        let state = |id: &ChannelId| self.ledger.channel(*id).unwrap().unwrap();
        let end = |id| Some(state(id)).filter(|it| it.closed.is_some());
        self.channels.iter().map(|id| end(id).map(|it| it.history)).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn only_who_may_write_lengthens_a_channel(tries in prop::collection::vec(any_try(), 1..50)) {
        let mut play = Play::new();
        for attempt in &tries {
            play.play(attempt)?;
        }
        let mut again = Play::new().ledger;
        for bytes in &play.submitted {
            again.submit(bytes);
        }
        prop_assert!(again == play.ledger, "the same inputs lead to the same ledger");
    }
}
