//! A node that seals early and often, and what was written there.

use super::issuer::Issuer;
use super::node::Node;
use super::service::Service;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::ids::{LeafIndex, ThingId};
use touchmark_wire::registry::ThingKind;

/// Newest leaves that stay.
pub(crate) const TAIL: u64 = 512;

/// A folder with a node, and what it is started with.
pub(crate) struct Story {
    folder: tempfile::TempDir,
    pub(crate) variables: Vec<(&'static str, String)>,
}

impl Story {
    /// Of a node whose old leaves are in a service.
    pub(crate) fn of(service: &Service) -> Self {
        Self::with(service.variables())
    }

    pub(crate) fn with(mut variables: Vec<(&'static str, String)>) -> Self {
        variables.push(("TOUCHMARK__OBJECTS__TAIL", TAIL.to_string()));
        variables.push(("TOUCHMARK__OBJECTS__INTERVAL", "100ms".into()));
        variables.push(("TOUCHMARK__LIMITS__SOURCE_WRITES", String::new()));
        variables.push(("TOUCHMARK__LIMITS__IDENTITY_WRITES", String::new()));
        Self { folder: tempfile::tempdir().unwrap(), variables }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn start(&self) -> Node {
        self.try_start().expect("the node starts")
    }

    /// None if it ends before it is ready.
    pub(crate) fn try_start(&self) -> Option<Node> {
        Node::try_start_with(self.folder.path(), &self.variables)
    }

    /// A node that is told of no object storage.
    pub(crate) fn start_unsealed(&self) -> Option<Node> {
        Node::try_start_with(self.folder.path(), &[])
    }
}

/// What was written, with its place.
pub(crate) struct Records {
    pub(crate) thing: ThingId,
    pub(crate) leaves: Vec<(LeafIndex, Vec<u8>)>,
}

/// Has a new thing write so many records of 300 bytes, in requests of 500.
pub(crate) fn write(node: &Node, records: usize) -> Records {
    let client = node.client();
    let mut issuer = Issuer::new(node.network(), ThingKind::DEVICE, Algorithm::Ed25519);
    let mut statements = vec![issuer.inception()];
    statements.extend((0..records).map(|n| issuer.record(&[n as u8; 300])));
    let mut leaves = Vec::new();
    for statements in statements.chunks(500) {
        let answers = client.submit_sequence(&statements.concat()).unwrap();
        for (answer, statement) in answers.iter().zip(statements) {
            leaves.push((LeafIndex(answer.position.unwrap()), statement.clone()));
        }
    }
    Records { thing: issuer.id, leaves }
}

/// The value of one of the node's own counters.
pub(crate) fn counted(node: &Node, name: &str) -> u64 {
    let (_, metrics) = node.page("/metrics");
    let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("touchmark_{name} ")));
    line.unwrap().parse().unwrap()
}

/// Waits until all leaves are sealed but the newest; how many are.
pub(crate) fn wait_until_sealed(node: &Node) -> u64 {
    let limit = Instant::now() + Duration::from_secs(60);
    loop {
        let (size, sealed) = (counted(node, "log_leaves"), counted(node, "store_sealed_leaves"));
        if sealed + TAIL + 256 > size {
            return sealed;
        }
        assert!(Instant::now() < limit, "{sealed} of {size} are sealed");
        std::thread::sleep(Duration::from_millis(50));
    }
}
