//! Commands as bytes, and a card that gets any of them.

use std::io;
use touchmark_card::apdu::{Answer, Command};
use touchmark_card::card::Card;
use touchmark_card::lifecycle::LifeCycle;
use touchmark_card::store::{CardStore, Kept, Locking, Memory, StoreError};
use touchmark_keys::software::SoftwareKey;
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::ids::ThingId;

/// Each command has its length in two bytes before it. A card answers all of them with a status
/// that the profile has, never counts backwards and never returns to an earlier state.
pub fn target(data: &[u8]) {
    for activated in [false, true] {
        let mut card = Card::switch_on(Volatile::new(activated)).expect("this store never fails");
        let mut last = card.memory().clone();
        for command in commands(data) {
            if let Ok(parsed) = Command::parse(command) {
                let again = parsed.encode().expect("what was read can be written");
                assert!(again.len() <= command.len());
                assert_eq!(Command::parse(&again), Ok(parsed));
            }
            let answer = card.execute(command);
            assert!(answer.status.name().is_some(), "{:?}", answer.status);
            assert_eq!(Answer::parse(&answer.clone().encode()), Some(answer));
            let now = card.memory();
            assert!(now.counter >= last.counter && now.counter <= last.counter + 1);
            assert!(age(now.lifecycle) >= age(last.lifecycle));
            if last.lifecycle != LifeCycle::Initialisation {
                assert_eq!((now.id, &now.url_base), (last.id, &last.url_base));
            }
            last = now.clone();
        }
    }
}

fn age(lifecycle: LifeCycle) -> u8 {
    match lifecycle {
        LifeCycle::Initialisation => 0,
        LifeCycle::Activated => 1,
        LifeCycle::Deactivated => 2,
        LifeCycle::Terminated => 3,
    }
}

fn commands(mut data: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = data.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (command, rest) = rest.split_at(length);
        data = rest;
        Some(command)
    })
}

/// Keeps a card while the program runs.
struct Volatile {
    memory: Memory,
    key: Option<SoftwareKey>,
    data: Vec<u8>,
}

impl Volatile {
    fn new(activated: bool) -> Self {
        let mut memory = Memory::blank(vec![4, 1, 2, 3]);
        if !activated {
            return Self { memory, key: None, data: Vec::new() };
        }
        memory.lifecycle = LifeCycle::Activated;
        memory.id = Some(ThingId([7; 20]));
        memory.url_base = Some("https://tap.example/p".into());
        memory.locking = Locking::Anyone;
        let key = SoftwareKey::from_seed(Algorithm::Es256, &[1; 32]).ok();
        Self { memory, key, data: b"specification".to_vec() }
    }
}

impl CardStore for Volatile {
    fn load(&mut self) -> Result<Kept, StoreError> {
        let key = self.key.take();
        Ok(Kept { memory: self.memory.clone(), key, data: self.data.clone() })
    }

    fn keep(&mut self, memory: &Memory) -> Result<(), StoreError> {
        // Every tenth write fails, so that failures are walked through as well.
        if memory.counter % 10 == 9 {
            return Err(StoreError::Io(io::Error::other("the disk fails")));
        }
        self.memory = memory.clone();
        Ok(())
    }

    fn keep_data(&mut self, data: &[u8]) -> Result<(), StoreError> {
        self.data = data.to_vec();
        Ok(())
    }

    fn keep_key(&mut self, _: &SoftwareKey) -> Result<(), StoreError> {
        Ok(())
    }

    fn destroy_key(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}
