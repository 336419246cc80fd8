//! Clients that write as fast as they are answered.

use crate::issuer::Issuer;
use crate::node::Node;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use touchmark_wire::ids::{LeafIndex, StatementId};
use touchmark_wire::statement::Statement;

/// The longest wait for a first answer: a node that takes longer is broken.
const FIRST_ANSWER: Duration = Duration::from_secs(20);

/// When a node is killed.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) since: Since,
    pub(crate) delay: Duration,
}

/// What a [`Moment`] counts from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    /// The start of the load.
    Start,
    /// The first statement that the node answered.
    FirstAnswer,
}

/// When a client counts a statement as accepted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Acknowledged {
    /// When the node said so.
    WhenAnswered,
    /// As soon as it was sent: what a careless node would do.
    WhenSent,
}

/// A statement that counts as accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Written {
    pub(crate) id: StatementId,
    pub(crate) bytes: Vec<u8>,
    pub(crate) position: Option<u64>,
}

impl Node {
    /// Whether the leaf is at the position that was answered, or anywhere if none was.
    pub(crate) fn has(&self, written: &Written) -> bool {
        let client = self.client();
        let Some(position) = written.position else {
            return client.statement(written.id).is_ok();
        };
        client.leaf_bytes(LeafIndex(position)).is_ok_and(|bytes| bytes == written.bytes)
    }
}

/// Lets every issuer write until the node is killed at `moment`. A statement without an answer
/// stays pending, and its same bytes are sent first the next time.
pub(crate) fn write_until_killed(
    node: &mut Node,
    moment: Moment,
    issuers: &mut [Issuer],
    pending: &mut [Option<Vec<u8>>],
    acknowledged: Acknowledged,
) -> Vec<Written> {
    let client = node.client();
    let (answered, first) = mpsc::channel();
    thread::scope(|scope| {
        let writers: Vec<_> = issuers
            .iter_mut()
            .zip(pending)
            .map(|(issuer, pending)| {
                let (client, answered) = (client.clone(), answered.clone());
                scope.spawn(move || {
                    let mut written = Vec::new();
                    loop {
                        let bytes = pending.take().unwrap_or_else(|| issuer.record(b"a reading"));
                        let id = Statement::parse(&bytes).unwrap().id();
                        if acknowledged == Acknowledged::WhenSent {
                            written.push(Written { id, bytes: bytes.clone(), position: None });
                        }
                        let Ok(answer) = client.submit_statement(&bytes) else {
                            *pending = Some(bytes);
                            return written;
                        };
                        // Nobody listens any more once the kill is due.
                        let _ = answered.send(());
                        if acknowledged == Acknowledged::WhenAnswered {
                            written.push(Written { id, bytes, position: answer.position });
                        }
                    }
                })
            })
            .collect();
        if moment.since == Since::FirstAnswer {
            first.recv_timeout(FIRST_ANSWER).unwrap();
        }
        thread::sleep(moment.delay);
        node.kill();
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    })
}
