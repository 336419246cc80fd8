//! A network of one node in a folder of its own.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use touchmark_core::refusal::Outcome;
use touchmark_engine::Pacing;
use touchmark_node::folder::NewNetwork;
use touchmark_node::node::{Node, NodeConfig, now};
use touchmark_wire::ids::NetworkId;

pub(crate) struct Network {
    pub(crate) node: Arc<Node>,
    pub(crate) folder: TempDir,
    runtime: tokio::runtime::Runtime,
}

impl Network {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let node = start(folder.path());
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        Self { node, folder, runtime }
    }

    pub(crate) fn id(&self) -> NetworkId {
        self.node.genesis.network_id()
    }

    pub(crate) fn submit(&self, leaves: Vec<Vec<u8>>) -> Vec<Outcome> {
        let limit = Duration::from_secs(30);
        let answered = async { tokio::time::timeout(limit, self.node.submit(leaves)).await };
        let decided = self.runtime.block_on(answered).unwrap();
        decided.into_iter().map(|decided| decided.outcome).collect()
    }

    pub(crate) fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    pub(crate) fn restart(self) -> Self {
        let Self { node, folder, runtime } = self;
        node.stop();
        drop(node);
        let node = start(folder.path());
        Self { node, folder, runtime }
    }
}

fn start(folder: &Path) -> Arc<Node> {
    let config = NodeConfig {
        data: folder.join("data"),
        engine_listen: None,
        pacing: Pacing::default(),
        new: NewNetwork { origin: None, validator: "one".into(), time: now() },
        objects: None,
    };
    Arc::new(Node::start(&config).unwrap())
}
