//! The sending end of a member's channel, and what a dishonest one does there.

use super::inlet::{Memory, remember};
use crate::keys::PublicKey;
use commonware_actor::{Feedback, Unreliable};
use commonware_p2p::{CheckedSender, LimitedSender, Recipients, Sender as _, simulated};
use commonware_runtime::deterministic::Context;
use commonware_runtime::{IoBuf, IoBufs};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::SystemTime;

type Wire = simulated::Sender<PublicKey, Context>;

/// Channels on which batches travel: to everybody, and to who asks.
const BATCHES: [u64; 2] = [3, 4];

/// How a member sends.
#[derive(Clone)]
pub(super) enum Manner {
    Plain,
    Only(Arc<Vec<PublicKey>>),
    Withholding,
    Repeating { memory: Memory, count: Arc<AtomicUsize> },
    Noisy { longest: usize, count: Arc<AtomicUsize> },
    Twin { hear: Arc<Vec<PublicKey>>, accomplices: Arc<Vec<PublicKey>>, side: u8 },
}

impl Manner {
    pub(super) fn only(heard: Vec<PublicKey>) -> Self {
        Self::Only(Arc::new(heard))
    }

    pub(super) fn repeating() -> Self {
        Self::Repeating { memory: Memory::default(), count: Arc::default() }
    }

    pub(super) fn noisy(longest: u32) -> Self {
        Self::Noisy { longest: longest as usize, count: Arc::default() }
    }

    /// Talks to those who `hear` this twin and, marked with its side, to other twins.
    pub(super) fn twin(hear: Vec<PublicKey>, accomplices: Vec<PublicKey>, second: bool) -> Self {
        let (hear, accomplices) = (Arc::new(hear), Arc::new(accomplices));
        Self::Twin { hear, accomplices, side: second.into() }
    }

    /// Where to note what arrives.
    pub(super) fn heard(&self) -> Option<Memory> {
        match self {
            Self::Repeating { memory, .. } => Some(Arc::clone(memory)),
            _ => None,
        }
    }

    /// Whom a message reaches as it is.
    fn narrowed(&self, channel: u64, to: &Recipients<PublicKey>) -> Recipients<PublicKey> {
        match self {
            Self::Withholding if BATCHES.contains(&channel) => Recipients::Some(Vec::new()),
            Self::Only(heard) => among(heard, to),
            Self::Twin { hear, .. } => among(hear, to),
            _ => to.clone(),
        }
    }
}

/// Those of `few` whom a message is for.
fn among(few: &[PublicKey], to: &Recipients<PublicKey>) -> Recipients<PublicKey> {
    let meant = |key: &&PublicKey| match to {
        Recipients::All => true,
        Recipients::Some(keys) => keys.contains(*key),
        Recipients::One(one) => one == *key,
    };
    Recipients::Some(few.iter().filter(meant).cloned().collect())
}

/// A sender with manners.
#[derive(Clone)]
pub(super) struct Outlet {
    wire: Wire,
    channel: u64,
    manner: Manner,
}

impl Outlet {
    pub(super) fn new(wire: Wire, channel: u64, manner: Manner) -> Self {
        Self { wire, channel, manner }
    }
}

impl LimitedSender for Outlet {
    type PublicKey = PublicKey;
    type Checked<'a> = Checked<'a>;

    fn check(&mut self, to: Recipients<PublicKey>) -> Result<Checked<'_>, SystemTime> {
        let aside = self.wire.clone();
        let narrowed = self.manner.narrowed(self.channel, &to);
        Ok(Checked { inner: self.wire.check(narrowed)?, aside, to, manner: &self.manner })
    }
}

/// One message on its way.
pub(super) struct Checked<'a> {
    inner: <Wire as LimitedSender>::Checked<'a>,
    /// For what goes out beside it.
    aside: Wire,
    /// Whom the engine meant.
    to: Recipients<PublicKey>,
    manner: &'a Manner,
}

impl CheckedSender for Checked<'_> {
    type PublicKey = PublicKey;

    fn recipients(&self) -> Vec<PublicKey> {
        self.inner.recipients()
    }

    fn send(mut self, message: impl Into<IoBufs> + Send, priority: bool) -> Unreliable<Feedback> {
        let message = message.into().coalesce();
        match self.manner {
            Manner::Plain | Manner::Only(_) | Manner::Withholding => {}
            Manner::Repeating { memory, count } => {
                remember(memory, &message);
                let count = count.fetch_add(1, Ordering::Relaxed);
                let old = {
                    let memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
                    memory[count * 7 % memory.len()].clone()
                };
                if count % 3 == 0 {
                    self.aside.send(self.to.clone(), old, priority);
                }
            }
            Manner::Noisy { longest, count } => {
                let count = count.fetch_add(1, Ordering::Relaxed);
                if let Some(noise) = noise(&message, count, *longest) {
                    return self.inner.send(noise, priority);
                }
            }
            Manner::Twin { accomplices, side, .. } => {
                let marked = [message.as_ref(), &[*side]].concat();
                self.aside.send(among(accomplices, &self.to), marked, priority);
            }
        }
        self.inner.send(message, priority)
    }
}

/// What is sent instead of the message of this number, if anything.
fn noise(message: &IoBuf, number: usize, longest: usize) -> Option<Vec<u8>> {
    let mut bytes = message.as_ref().to_vec();
    match number % 64 {
        9 => {
            let place = number * 13 % bytes.len().max(1);
            *bytes.get_mut(place)? ^= 0x10;
        }
        25 => bytes.truncate(bytes.len() / 2),
        41 => bytes = vec![0xa5; longest],
        57 => bytes = vec![0; 4 * longest],
        _ => return None,
    }
    Some(bytes)
}
