//! Questions that a member asks the others beside the order of batches, and their answers.
//!
//! Both are bytes that the engine does not look into. A question goes to all members of the present
//! term and is open until whoever asked it has enough, or has waited long enough. Messages are lost
//! without a word, so an answer may never come.
//!
//! ```text
//! message = kind (1 byte: 0 question, 1 answer, 2 none) ‖ number (8 bytes, big-endian) ‖ bytes
//! ```

use crate::ceremony::{PeerKey, peer_key};
use crate::committees::Committees;
use crate::keys::PublicKey;
use crate::order::Settings;
use crate::signal::Signal;
use bytes::Buf as _;
use commonware_cryptography::Signer as _;
use commonware_p2p::{Blocker, Receiver, Recipients, Sender};
use commonware_runtime::{Clock, Handle, Metrics, Spawner};
use futures::StreamExt as _;
use futures::channel::mpsc;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use touchmark_batch::{Reply, Respondent};
use touchmark_wire::hash::Digest;

/// Longest question, bytes.
const QUESTION: usize = 1_536;
/// Longest answer, bytes.
const ANSWER: usize = 4_096;
/// Most questions that are open at a time.
const OPEN: usize = 32;
/// Most questions of one member that are answered at a time.
const ANSWERED: usize = 32;
/// Most questions that wait until fewer are open.
const WAITING: usize = 1_024;
/// Between two questions. Whoever reaches this node makes it ask, and what goes beyond the network's
/// quota holds up votes, too.
const PAUSE: Duration = Duration::from_millis(2);
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_millis(500);

/// A message between two members.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Message {
    Question(u64, Vec<u8>),
    /// `None`: there is no answer.
    Answer(u64, Option<Vec<u8>>),
}

impl Message {
    fn pack(&self) -> Vec<u8> {
        let (kind, number, bytes) = match self {
            Self::Question(number, bytes) => (0, number, &bytes[..]),
            Self::Answer(number, Some(bytes)) => (1, number, &bytes[..]),
            Self::Answer(number, None) => (2, number, &[][..]),
        };
        [&[kind], &number.to_be_bytes()[..], bytes].concat()
    }

    fn unpack(mut message: &[u8]) -> Option<Self> {
        let (kind, number) = (message.try_get_u8().ok()?, message.try_get_u64().ok()?);
        match kind {
            0 if message.len() <= QUESTION => Some(Self::Question(number, message.to_vec())),
            1 if message.len() <= ANSWER => Some(Self::Answer(number, Some(message.to_vec()))),
            2 if message.is_empty() => Some(Self::Answer(number, None)),
            _ => None,
        }
    }
}

/// The questions of this member.
#[derive(Default)]
pub(crate) struct Inquiries {
    questions: Mutex<Questions>,
    changed: Signal,
}

#[derive(Default)]
struct Questions {
    next: u64,
    waiting: VecDeque<Waiting>,
    open: BTreeMap<u64, Open>,
}

struct Waiting {
    number: u64,
    question: Vec<u8>,
    answers: mpsc::UnboundedSender<Answer>,
}

struct Open {
    /// Who has not answered yet.
    asked: BTreeSet<PublicKey>,
    answers: mpsc::UnboundedSender<Answer>,
}

impl Inquiries {
    /// Asks all other members.
    pub(crate) fn ask(self: &Arc<Self>, question: Vec<u8>) -> Answers {
        let (answers, receiver) = mpsc::unbounded();
        let mut questions = self.lock();
        let number = questions.next;
        questions.next = number.wrapping_add(1);
        // What is dropped here has no answers.
        if questions.waiting.len() < WAITING && question.len() <= QUESTION {
            questions.waiting.push_back(Waiting { number, question, answers });
        }
        drop(questions);
        self.changed.notify();
        Answers { inquiries: Arc::clone(self), number, receiver }
    }

    /// The next question for `members`, once it may be asked.
    fn next(&self, members: &BTreeSet<PublicKey>) -> Option<Message> {
        let mut questions = self.lock();
        if questions.open.len() >= OPEN {
            return None;
        }
        let Waiting { number, question, answers } = questions.waiting.pop_front()?;
        // Of nobody there is nothing to wait for.
        if !members.is_empty() {
            questions.open.insert(number, Open { asked: members.clone(), answers });
        }
        Some(Message::Question(number, question))
    }

    /// Takes an answer; one to no open question, late or doubled, is nothing.
    fn answered(&self, from: &PublicKey, number: u64, answer: Option<Vec<u8>>) {
        let mut questions = self.lock();
        let Some(open) = questions.open.get_mut(&number) else { return };
        if !open.asked.remove(from) {
            return;
        }
        if let Some(answer) = answer {
            // Who asked may not listen any more.
            let _ = open.answers.unbounded_send(Answer { by: peer_key(from), said: answer });
        }
        if open.asked.is_empty() {
            questions.open.remove(&number);
            drop(questions);
            self.changed.notify();
        }
    }

    fn forget(&self, number: u64) {
        let mut questions = self.lock();
        questions.open.remove(&number);
        questions.waiting.retain(|waiting| waiting.number != number);
        drop(questions);
        self.changed.notify();
    }

    fn lock(&self) -> MutexGuard<'_, Questions> {
        // No call leaves the lists half changed.
        self.questions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a member answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// Who certainly said it.
    pub by: PeerKey,
    /// What.
    pub said: Vec<u8>,
}

/// The answers to a question, as they come. Dropped, the question is forgotten.
pub struct Answers {
    inquiries: Arc<Inquiries>,
    number: u64,
    receiver: mpsc::UnboundedReceiver<Answer>,
}

impl Answers {
    /// The next answer; `None` once all members have answered. It waits as long as one has not, so
    /// whoever asks says how long that may be.
    pub async fn next(&mut self) -> Option<Answer> {
        self.receiver.next().await
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        self.inquiries.forget(self.number);
    }
}

/// Asks, and answers.
#[derive(Clone)]
pub(crate) struct Inquirer {
    me: PublicKey,
    committees: Committees,
    /// What this member asks.
    pub(crate) inquiries: Arc<Inquiries>,
    respondent: Arc<dyn Respondent>,
}

impl Inquirer {
    /// Of this member, among whoever is in office.
    pub(crate) fn new(settings: &Settings, committees: Committees) -> Self {
        Self {
            me: settings.keys.signer.public_key(),
            committees,
            inquiries: Arc::default(),
            respondent: Arc::clone(&settings.respondent),
        }
    }

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
        let (asks, asking) = (self.clone(), sender.clone());
        vec![
            context.child("asking").spawn(move |context| asks.ask(context, asking)),
            context
                .child("hearing")
                .spawn(move |context| self.hear(context, receiver, sender, blocker)),
        ]
    }

    async fn ask<E, S>(self, context: E, mut sender: S)
    where
        E: Clock,
        S: Sender<PublicKey = PublicKey>,
    {
        loop {
            let next = || {
                let others = self.others();
                Some((self.inquiries.next(&others)?, others))
            };
            let (question, others) = self.inquiries.changed.until(next).await;
            let others = others.into_iter().collect();
            sender.send(Recipients::Some(others), question.pack(), false);
            context.sleep(PAUSE).await;
        }
    }

    /// Who is in office, without this member.
    fn others(&self) -> BTreeSet<PublicKey> {
        let present = self.committees.present();
        let members = present.map(|(_, standing)| standing.members).unwrap_or_default();
        members.iter().filter(|member| **member != self.me).cloned().collect()
    }

    async fn hear<E, S, R, B>(self, context: E, mut receiver: R, sender: S, mut blocker: B)
    where
        E: Clock + Metrics + Spawner,
        S: Sender<PublicKey = PublicKey>,
        R: Receiver<PublicKey = PublicKey>,
        B: Blocker<PublicKey = PublicKey>,
    {
        let busy = Arc::new(Busy::default());
        while let Ok((from, message)) = receiver.recv().await {
            let Some(message) = Message::unpack(message.as_ref()) else {
                tracing::warn!(peer = %from, "cut off: it sent what is neither question nor answer");
                blocker.block(from);
                continue;
            };
            match message {
                Message::Answer(number, answer) => self.inquiries.answered(&from, number, answer),
                // Who is no member any more, or not yet, may have sent it in good faith.
                Message::Question(number, question) if self.others().contains(&from) => {
                    let Some(place) = Busy::enter(&busy, &from) else { continue };
                    let reply = self.respondent.answer(Digest(peer_key(&from).0), question);
                    let sender = sender.clone();
                    context.child("answering").spawn(move |context| async move {
                        let _held_to_the_end = place;
                        answer(context, (from, number), reply, sender).await;
                    });
                }
                Message::Question(..) => {}
            }
        }
    }
}

async fn answer<E, S>(context: E, (from, number): (PublicKey, u64), reply: Reply, mut sender: S)
where
    E: Clock,
    S: Sender<PublicKey = PublicKey>,
{
    let answer = match context.timeout(PATIENCE, reply.wait()).await {
        Ok(Ok(answer)) if answer.len() <= ANSWER => Some(answer),
        _ => None,
    };
    sender.send(Recipients::One(from), Message::Answer(number, answer).pack(), false);
}

/// How many questions of each member are being answered.
#[derive(Default)]
struct Busy(Mutex<BTreeMap<PublicKey, usize>>);

impl Busy {
    /// A place for one more question of `member`, if there is one.
    fn enter(busy: &Arc<Self>, member: &PublicKey) -> Option<Place> {
        let mut counts = busy.lock();
        let count = counts.entry(member.clone()).or_default();
        if *count >= ANSWERED {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Place { busy: Arc::clone(busy), member: member.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<PublicKey, usize>> {
        // Counts are never half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A question that is being answered.
struct Place {
    busy: Arc<Busy>,
    member: PublicKey,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.busy.lock();
        if let Some(count) = counts.get_mut(&self.member) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.member);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back_and_nothing_else_is_one() {
        for message in [
            Message::Question(7, vec![1; QUESTION]),
            Message::Question(u64::MAX, Vec::new()),
            Message::Answer(7, Some(vec![2; ANSWER])),
            Message::Answer(7, None),
        ] {
            assert_eq!(Message::unpack(&message.pack()), Some(message));
        }
        let number = 7u64.to_be_bytes();
        for (kind, length) in [(0, QUESTION + 1), (1, ANSWER + 1), (2, 1), (3, 0)] {
            let message = [&[kind], &number[..], &vec![0; length]].concat();
            assert_eq!(Message::unpack(&message), None, "{kind}");
        }
        assert_eq!(Message::unpack(&[]), None);
        assert_eq!(Message::unpack(&[0; 8]), None);
    }
}
