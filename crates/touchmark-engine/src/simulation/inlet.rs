//! The receiving end of a member's channel.

use crate::keys::PublicKey;
use commonware_p2p::simulated::{self, Error};
use commonware_p2p::{Message, Receiver};
use commonware_runtime::deterministic::Context;
use commonware_runtime::{Handle, IoBuf, Spawner as _};
use commonware_utils::channel::mpsc;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

/// What a member said and heard, for one who repeats it.
pub(super) type Memory = Arc<Mutex<Vec<IoBuf>>>;

/// Messages from the network, or from the pump that feeds twins.
#[derive(Debug)]
pub(super) enum Inlet {
    /// The network's own receiver.
    Direct {
        receiver: simulated::Receiver<PublicKey>,
        /// Where to note what is heard.
        heard: Option<Memory>,
    },
    /// One of two that share a receiver.
    Shared { receiver: mpsc::UnboundedReceiver<Message<PublicKey>>, capacity: NonZeroUsize },
}

impl Inlet {
    pub(super) fn direct(receiver: simulated::Receiver<PublicKey>, heard: Option<Memory>) -> Self {
        Self::Direct { receiver, heard }
    }
}

impl Receiver for Inlet {
    type Error = Error;
    type PublicKey = PublicKey;

    async fn recv(&mut self) -> Result<Message<PublicKey>, Error> {
        match self {
            Self::Direct { receiver, heard } => {
                let message = receiver.recv().await?;
                if let Some(heard) = heard {
                    remember(heard, &message.1);
                }
                Ok(message)
            }
            Self::Shared { receiver, .. } => receiver.recv().await.ok_or(Error::NetworkClosed),
        }
    }

    fn capacity(&self) -> NonZeroUsize {
        match self {
            Self::Direct { receiver, .. } => receiver.capacity(),
            Self::Shared { capacity, .. } => *capacity,
        }
    }
}

pub(super) fn remember(memory: &Memory, message: &IoBuf) {
    /// Enough to be long out of date.
    const MOST: usize = 512;
    let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
    if memory.len() < MOST {
        memory.push(message.clone());
    }
}

/// Gives what arrives to one of two: to the second what those `apart` send, to the first what
/// others do. A message of `accomplices` says with its last byte for which of the two it is.
pub(super) fn split(
    context: Context,
    mut receiver: simulated::Receiver<PublicKey>,
    apart: Vec<PublicKey>,
    accomplices: Vec<PublicKey>,
) -> ([Inlet; 2], Handle<()>) {
    let capacity = receiver.capacity();
    let (senders, inlets): (Vec<_>, Vec<_>) = (0..2)
        .map(|_| {
            let (sender, receiver) = mpsc::unbounded_channel();
            (sender, Inlet::Shared { receiver, capacity })
        })
        .unzip();
    let pump = context.spawn(move |_| async move {
        while let Ok((from, message)) = receiver.recv().await {
            let (side, message) = if accomplices.contains(&from) {
                let Some((side, message)) = message.as_ref().split_last() else { continue };
                (usize::from(*side), IoBuf::from(message.to_vec()))
            } else {
                (usize::from(apart.contains(&from)), message)
            };
            // A twin that is over hears nothing.
            let _ = senders[side].send((from, message));
        }
    });
    let inlets = inlets.try_into().unwrap_or_else(|_| unreachable!("two were made"));
    (inlets, pump)
}
