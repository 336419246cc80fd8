//! Statements on their way to whoever proposes next.
//!
//! A batch carries what its proposer has, and members propose in turns. So each member passes what
//! was submitted to it on to the proposer of this view and of the next one, and keeps it until it
//! is logged; what a failed proposer lost is passed on again a few views later. The one who was
//! asked answers its submitter, from its own ledger.

use crate::committees::Committees;
use crate::keys::PublicKey;
use crate::signal::Signal;
use crate::status::Monitor;
use crate::term::Term;
use bytes::Buf as _;
use commonware_p2p::{Blocker, Receiver, Recipients, Sender};
use commonware_runtime::{Clock, Handle, Metrics, Spawner};
use commonware_utils::ordered::Set;
use std::sync::Arc;
use std::time::Duration;
use touchmark_batch::{Application, BatchLimits, Member};

/// Most bytes of a message.
const MESSAGE: usize = 1 << 20;
/// Between two messages to the same member: what comes faster goes together. Well within the
/// network's own quota, which would drop messages without a word.
const PAUSE: Duration = Duration::from_millis(10);
/// Views after which what is still not logged is passed on again.
const TURN: u64 = 16;

/// Passes on and takes what is passed on.
#[derive(Clone)]
pub(crate) struct Courier {
    pub(crate) me: PublicKey,
    pub(crate) committees: Committees,
    pub(crate) application: Arc<dyn Application>,
    pub(crate) monitor: Arc<Monitor>,
    pub(crate) woken: Arc<Signal>,
    pub(crate) limits: BatchLimits,
}

impl Courier {
    /// Starts both ways.
    pub(crate) fn start<E, S, R, B>(
        self,
        context: &E,
        (sender, receiver): (S, R),
        blocker: B,
    ) -> Vec<Handle<()>>
    where
        E: Clock + Metrics + Spawner,
        S: Sender<PublicKey = PublicKey>,
        R: Receiver<PublicKey = PublicKey>,
        B: Blocker<PublicKey = PublicKey>,
    {
        let takes = self.clone();
        vec![
            context.child("sending").spawn(move |context| self.send(context, sender)),
            context
                .child("receiving")
                .spawn(move |context| takes.receive(context, receiver, blocker)),
        ]
    }

    async fn send<E: Clock, S: Sender<PublicKey = PublicKey>>(self, context: E, mut sender: S) {
        loop {
            let leaves = self.woken.until(|| self.outgoing()).await;
            let message = pack(&leaves);
            for member in self.proposers() {
                sender.send(Recipients::One(member), message.clone(), false);
            }
            context.sleep(PAUSE).await;
        }
    }

    fn outgoing(&self) -> Option<Vec<Vec<u8>>> {
        let (term, standing) = self.committees.present()?;
        // Alone there is nobody to talk to.
        if standing.is_alone() {
            return None;
        }
        // Views begin anew in each term, turns never do.
        let turn = (term.0 << 32).saturating_add(self.monitor.status().view / TURN);
        let leaves = self.application.pass_on(turn, MESSAGE.min(self.limits.body));
        (!leaves.is_empty()).then_some(leaves)
    }

    /// Who proposes in this view and in the next one, without this member.
    fn proposers(&self) -> Vec<PublicKey> {
        let Some((term, standing)) = self.committees.present() else {
            return Vec::new();
        };
        let view = self.monitor.status().view;
        let mut proposers: Vec<_> = [view, view.saturating_add(1)]
            .into_iter()
            .filter_map(|view| proposer(&standing.members, term, view))
            .filter(|member| **member != self.me)
            .cloned()
            .collect();
        proposers.dedup();
        proposers
    }

    /// A member's place in the present committee.
    fn place(&self, member: &PublicKey) -> Option<Member> {
        let (_, standing) = self.committees.present()?;
        u16::try_from(standing.members.position(member)?).ok().map(Member)
    }

    async fn receive<E, R, B>(self, context: E, mut receiver: R, mut blocker: B)
    where
        E: Clock + Metrics + Spawner,
        R: Receiver<PublicKey = PublicKey>,
        B: Blocker<PublicKey = PublicKey>,
    {
        while let Ok((from, message)) = receiver.recv().await {
            let Some(leaves) = unpack(message.as_ref()) else {
                tracing::warn!(peer = %from, "cut off: it passed on what is no list of leaves");
                blocker.block(from);
                continue;
            };
            // Who is no member any more, or not yet, may have sent it in good faith.
            let Some(place) = self.place(&from) else { continue };
            let application = Arc::clone(&self.application);
            let taken = context
                .child("taking")
                .shared(true)
                .spawn(move |_| async move { application.receive(place, leaves) });
            // The runtime is shutting down.
            if taken.await.is_err() {
                return;
            }
            self.woken.notify();
        }
    }
}

/// Who proposes in `view` of `term`: members take turns.
pub(crate) fn proposer(members: &Set<PublicKey>, term: Term, view: u64) -> Option<&PublicKey> {
    let turn = term.0.wrapping_add(view) % members.len() as u64;
    usize::try_from(turn).ok().and_then(|turn| members.get(turn))
}

/// Each leaf as a big-endian u16 length and that many bytes, as in a batch's body.
fn pack(leaves: &[Vec<u8>]) -> Vec<u8> {
    let mut message = Vec::with_capacity(leaves.iter().map(|leaf| leaf.len() + 2).sum());
    for leaf in leaves {
        // A longer one is no leaf, and was not admitted.
        if let Ok(length) = u16::try_from(leaf.len()) {
            message.extend_from_slice(&length.to_be_bytes());
            message.extend_from_slice(leaf);
        }
    }
    message
}

fn unpack(mut message: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut leaves = Vec::new();
    while !message.is_empty() {
        let length = usize::from(message.try_get_u16().ok()?);
        let (leaf, rest) = message.split_at_checked(length)?;
        leaves.push(leaf.to_vec());
        message = rest;
    }
    Some(leaves)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_come_back_and_nothing_else_is_a_list_of_them() {
        let leaves = vec![b"one".to_vec(), Vec::new(), vec![7; 65_535]];
        let message = pack(&leaves);
        assert_eq!(unpack(&message), Some(leaves));
        assert_eq!(unpack(&[]), Some(Vec::new()));
        assert_eq!(unpack(&message[..message.len() - 1]), None);
        assert_eq!(unpack(&[0]), None);
        assert_eq!(unpack(&[0, 2, 1]), None);
    }
}
