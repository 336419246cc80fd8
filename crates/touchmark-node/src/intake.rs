//! What was submitted and not yet checked.
//!
//! Checking is the most expensive thing a node does, and many signatures are checked faster at
//! once than one by one. So requests wait here for one of a few threads, as many as there are
//! cores; what has gathered while they were busy is checked together. A request stays together and
//! in order: its statements may build on each other.
//!
//! Requests in the name of things that have just come to the log wait apart. As long as known ones
//! write, too, they are checked a few at a time, so that nobody known waits long for a thread.

use crate::ending::Ending;
use crate::order::Order;
use std::collections::VecDeque;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use tokio::sync::oneshot;
use touchmark_core::admission::Input;
use touchmark_core::refusal::{Outcome, Refusal};
use touchmark_ledger::{Ledger, Standing};
use touchmark_wire::hash::Digest;
use touchmark_wire::registry::RefusalCode;

/// Most items that are checked together; more wait for the next free thread.
const TOGETHER: usize = 1_024;

/// Of them, most that are of new things, as long as known ones write, too.
const NEW_TOGETHER: usize = 64;

/// Known things count as writing until threads were so often free without them.
const WRITING: u32 = 1_024;

/// Most bytes that wait here. A node that is so far behind says so before it does any work.
const LIMIT: usize = 32 << 20;

/// The part of them that new things have, as long as known ones write, too: a quarter.
const NEW_PART: usize = 4;

/// What became of one item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decided {
    /// Statement id or evidence id; `None` of what was refused before its signature was verified.
    pub id: Option<Digest>,
    /// Its fate.
    pub outcome: Outcome,
}

impl Decided {
    fn refused(code: RefusalCode, cause: &'static str) -> Self {
        Self { id: None, outcome: Outcome::Refused(Refusal::new(code, cause)) }
    }
}

/// The queue and its threads; they end when it is dropped.
pub(crate) struct Intake {
    queue: Arc<Queue>,
    ledger: Arc<Ledger>,
    threads: Vec<JoinHandle<()>>,
}

impl Intake {
    /// Starts the threads, which hand on to `ledger` and then wake `order`.
    pub(crate) fn start(ledger: &Arc<Ledger>, order: &Arc<Order>) -> Self {
        let queue = Arc::new(Queue::default());
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let threads = (0..cores).map(|_| {
            let (queue, ledger, order) = (queue.clone(), ledger.clone(), order.clone());
            thread::spawn(move || {
                while let Some(requests) = queue.take() {
                    // Those who wait are told that their answer was dropped; others go on.
                    let checked = AssertUnwindSafe(|| check(&ledger, requests));
                    if panic::catch_unwind(checked).is_err() {
                        tracing::error!("checking submissions panicked");
                    }
                    order.wake();
                }
            })
        });
        Self { threads: threads.collect(), ledger: ledger.clone(), queue }
    }

    /// Queues one request; waits until each of its items is decided, and durable if it was logged,
    /// or until the `ending` comes.
    pub(crate) async fn submit(&self, inputs: Vec<Input>, mut ending: Ending) -> Vec<Decided> {
        let over = |refusal| Decided { id: None, outcome: Outcome::Refused(refusal) };
        if let Some(refusal) = ending.now() {
            return vec![over(refusal); inputs.len()];
        }
        let (senders, receivers): (Vec<_>, Vec<_>) =
            inputs.iter().map(|_| oneshot::channel()).unzip();
        let bytes = inputs.iter().map(Vec::len).sum();
        // Nobody waits for anybody where nothing waits.
        let standing =
            if self.queue.is_empty() { Standing::Known } else { self.ledger.claimed(&inputs) };
        if !self.queue.put(Request { inputs, answers: senders, bytes }, standing) {
            let cause = "the node has as much waiting as it takes";
            let overloaded = Decided::refused(RefusalCode::OVERLOADED, cause);
            return vec![overloaded; receivers.len()];
        }
        let mut decided = Vec::with_capacity(receivers.len());
        for mut receiver in receivers {
            let answer = tokio::select! {
                // What was decided before the end is told.
                biased;
                answer = &mut receiver => answer.ok(),
                refusal = ending.come() => refusal.map(over),
            };
            decided.push(answer.unwrap_or_else(|| {
                let cause = "the node stopped before it could decide";
                Decided::refused(RefusalCode::NOT_READY, cause)
            }));
        }
        decided
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        self.queue.close();
        for thread in self.threads.drain(..) {
            thread.join().expect("a thread of the intake survives panics");
        }
    }
}

/// The items of one HTTP request, with those who wait for each.
struct Request {
    inputs: Vec<Input>,
    answers: Vec<oneshot::Sender<Decided>>,
    bytes: usize,
}

fn check(ledger: &Ledger, requests: Vec<Request>) {
    let (mut inputs, mut answers) = (Vec::new(), Vec::new());
    for request in requests {
        inputs.extend(request.inputs);
        answers.extend(request.answers);
    }
    let mut answers = answers.into_iter();
    ledger.submit(inputs, |id| {
        let answer = answers.next().expect("there is one answer for each item");
        // Who no longer waits need not be told.
        Box::new(move |outcome| drop(answer.send(Decided { id, outcome })))
    });
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    known: VecDeque<Request>,
    new: VecDeque<Request>,
    bytes: usize,
    /// Of them, those of new things.
    new_bytes: usize,
    /// How often a thread takes something until known things count as silent.
    writing: u32,
    closed: bool,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.known.is_empty() && self.new.is_empty()
    }

    /// Whether there is room. What is larger than the whole room is taken by an empty queue.
    fn has_room(&self, bytes: usize, standing: Standing) -> bool {
        let crowded = standing == Standing::New
            && self.writing > 0
            && self.new_bytes > 0
            && self.new_bytes + bytes > LIMIT / NEW_PART;
        !crowded && (self.bytes == 0 || self.bytes + bytes <= LIMIT)
    }

    /// Moves requests of one standing to `taken`, up to so many items there; the first one whatever
    /// its length.
    fn take(&mut self, standing: Standing, limit: usize, taken: &mut Vec<Request>) {
        let mut items: usize = taken.iter().map(|request| request.inputs.len()).sum();
        let requests = match standing {
            Standing::Known => &mut self.known,
            Standing::New => &mut self.new,
        };
        while let Some(next) = requests.front() {
            items += next.inputs.len();
            if !taken.is_empty() && items > limit {
                break;
            }
            let request = requests.pop_front().expect("it was looked at");
            self.bytes -= request.bytes;
            if standing == Standing::New {
                self.new_bytes -= request.bytes;
            }
            taken.push(request);
        }
    }
}

impl Queue {
    fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Queues a request, unless there is no room.
    fn put(&self, request: Request, standing: Standing) -> bool {
        let mut waiting = self.lock();
        if waiting.closed || !waiting.has_room(request.bytes, standing) {
            return false;
        }
        waiting.bytes += request.bytes;
        match standing {
            Standing::Known => waiting.known.push_back(request),
            Standing::New => {
                waiting.new_bytes += request.bytes;
                waiting.new.push_back(request);
            }
        }
        self.changed.notify_one();
        true
    }

    /// Waits for requests; `None` at the end.
    fn take(&self) -> Option<Vec<Request>> {
        let mut waiting = self
            .changed
            .wait_while(self.lock(), |waiting| waiting.is_empty() && !waiting.closed)
            .expect(NO_PANIC);
        let mut taken = Vec::new();
        waiting.take(Standing::Known, TOGETHER, &mut taken);
        waiting.writing =
            if taken.is_empty() { waiting.writing.saturating_sub(1) } else { WRITING };
        let known: usize = taken.iter().map(|request| request.inputs.len()).sum();
        let limit = if waiting.writing > 0 { known + NEW_TOGETHER } else { TOGETHER };
        waiting.take(Standing::New, limit, &mut taken);
        (!taken.is_empty()).then_some(taken)
    }

    fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().expect(NO_PANIC)
    }
}

const NO_PANIC: &str = "no holder of the lock on waiting requests panics";

#[cfg(test)]
mod tests {
    use super::*;

    fn request(items: usize, bytes: usize) -> Request {
        Request { inputs: vec![Vec::new(); items], answers: Vec::new(), bytes }
    }

    fn put(queue: &Queue, items: usize, bytes: usize) -> bool {
        queue.put(request(items, bytes), Standing::Known)
    }

    #[test]
    fn what_gathered_is_taken_together_in_order_up_to_a_bound() {
        let queue = Queue::default();
        for items in [TOGETHER / 2, TOGETHER / 2, 1, 2 * TOGETHER] {
            assert!(put(&queue, items, 1));
        }
        let sizes = || queue.take().map(|taken| taken.iter().map(|it| it.inputs.len()).collect());
        assert_eq!(sizes(), Some(vec![TOGETHER / 2, TOGETHER / 2]));
        assert_eq!(sizes(), Some(vec![1]));
        assert_eq!(sizes(), Some(vec![2 * TOGETHER]), "a request stays together");
        queue.close();
        assert_eq!(sizes(), None::<Vec<usize>>);
    }

    #[test]
    fn a_full_queue_takes_nothing_and_has_room_again_when_something_was_taken() {
        let queue = Queue::default();
        assert!(put(&queue, 1, 2 * LIMIT), "whatever its size, one request is taken");
        assert!(!put(&queue, 1, 1));
        queue.take();
        assert!(put(&queue, 1, LIMIT));
        assert!(!put(&queue, 1, 1));
        queue.close();
        queue.take();
        assert!(!put(&queue, 1, 1), "a closed queue takes nothing");
    }

    #[test]
    fn new_things_wait_as_long_as_known_ones_write() {
        let queue = Queue::default();
        let put = |items, standing| assert!(queue.put(request(items, 1), standing));
        let sizes = || -> Vec<_> {
            let taken = queue.take().unwrap();
            taken.iter().map(|request| request.inputs.len()).collect()
        };
        // Nobody known writes: they are checked as anybody's.
        (0..3).for_each(|_| put(NEW_TOGETHER, Standing::New));
        assert_eq!(sizes(), [NEW_TOGETHER; 3]);
        // Those that came later are first, and each time some new ones go with them.
        (0..3).for_each(|_| put(NEW_TOGETHER, Standing::New));
        (0..2).for_each(|_| put(TOGETHER, Standing::Known));
        assert_eq!(sizes(), [TOGETHER, NEW_TOGETHER]);
        assert_eq!(sizes(), [TOGETHER, NEW_TOGETHER]);
        assert_eq!(sizes(), [NEW_TOGETHER]);
        // Known ones are awaited for a while.
        for _ in 1..WRITING {
            put(NEW_TOGETHER, Standing::New);
            assert_eq!(sizes(), [NEW_TOGETHER]);
        }
        (0..8).for_each(|_| put(NEW_TOGETHER, Standing::New));
        assert_eq!(sizes(), [NEW_TOGETHER; 8]);
    }

    #[test]
    fn new_things_fill_a_quarter_of_the_room_where_known_ones_write() {
        let queue = Queue::default();
        let put = |bytes, standing| queue.put(request(1, bytes), standing);
        assert!(put(LIMIT / 2, Standing::New), "nobody known writes");
        queue.take();
        assert!(put(1, Standing::Known));
        queue.take();
        assert!(put(LIMIT / NEW_PART, Standing::New));
        assert!(!put(1, Standing::New));
        assert!(put(LIMIT / 2, Standing::Known));
    }
}
