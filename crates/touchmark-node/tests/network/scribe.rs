//! Things that write without a pause, keep what was acknowledged, and repeat what was not.

use super::issuer::Issuer;
use super::member::Node;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use touchmark_api::client::Client;
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::ids::{LeafIndex, NetworkId};
use touchmark_wire::registry::ThingKind;

/// Between two statements.
const PAUSE: Duration = Duration::from_millis(50);

/// A statement that a node acknowledged.
struct Acknowledged {
    at: Instant,
    position: LeafIndex,
    statement: Vec<u8>,
}

/// Writes at one node until it is told to stop.
pub(crate) struct Scribe {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

struct Shared {
    /// Where it writes.
    url: Mutex<String>,
    acknowledged: Mutex<Vec<Acknowledged>>,
    ends: AtomicBool,
}

impl Scribe {
    pub(crate) fn at(node: &Node, network: NetworkId) -> Self {
        let shared = Arc::new(Shared {
            url: Mutex::new(node.url.clone()),
            acknowledged: Mutex::default(),
            ends: AtomicBool::new(false),
        });
        let writes = Arc::clone(&shared);
        Self { shared, thread: std::thread::spawn(move || writes.write(network)) }
    }

    /// The node is another process now, at another address.
    pub(crate) fn move_to(&self, node: &Node) {
        node.url.clone_into(&mut self.shared.url.lock().unwrap());
    }

    /// How long after `moment` the first acknowledgement came; waits for it.
    pub(crate) fn resumed_after(&self, moment: Instant, patience: Duration) -> Duration {
        loop {
            let acknowledged = self.shared.acknowledged.lock().unwrap();
            let first = acknowledged.iter().map(|it| it.at).find(|at| *at > moment);
            drop(acknowledged);
            if let Some(first) = first {
                return first - moment;
            }
            assert!(moment.elapsed() < patience, "nothing acknowledged in {patience:?}");
            std::thread::sleep(PAUSE);
        }
    }

    /// How many statements were acknowledged so far.
    pub(crate) fn count(&self) -> usize {
        self.shared.acknowledged.lock().unwrap().len()
    }

    /// Stops, and checks that each acknowledged statement is in the log of every node, once, where
    /// it was said to be. How many there were.
    pub(crate) fn check(scribes: Vec<Self>, nodes: &[Node]) -> usize {
        for scribe in &scribes {
            scribe.shared.ends.store(true, Ordering::Relaxed);
        }
        let mut written = Vec::new();
        for Self { shared, thread } in scribes {
            thread.join().unwrap();
            written.append(&mut shared.acknowledged.lock().unwrap());
        }
        let positions: Vec<_> = written.iter().map(|it| it.position.0).collect();
        super::running::same(nodes, &positions[positions.len().saturating_sub(1)..]);
        for node in nodes {
            let client = node.client();
            let size = client.network().unwrap().size;
            let leaves: Vec<_> =
                (0..size).map(|at| client.leaf_bytes(LeafIndex(at)).unwrap()).collect();
            let once: BTreeSet<_> = leaves.iter().collect();
            assert_eq!(once.len(), leaves.len(), "a leaf is there twice");
            for it in &written {
                let place = usize::try_from(it.position.0).unwrap();
                assert!(leaves[place].ends_with(&it.statement), "not where it was said to be");
            }
        }
        written.len()
    }
}

impl Shared {
    fn write(&self, network: NetworkId) {
        let mut issuer = Issuer::new(network, ThingKind::DEVICE, Algorithm::Ed25519);
        let mut statement = issuer.inception();
        while !self.ends.load(Ordering::Relaxed) {
            let url = self.url.lock().unwrap().clone();
            // Whatever went wrong: the same bytes again.
            if let Ok(written) = Client::new(&url).unwrap().submit_statement(&statement)
                && let Some(position) = written.position
            {
                let position = LeafIndex(position);
                let (at, next) = (Instant::now(), issuer.record(b"said"));
                let statement = std::mem::replace(&mut statement, next);
                self.acknowledged.lock().unwrap().push(Acknowledged { at, position, statement });
            }
            std::thread::sleep(PAUSE);
        }
    }
}
