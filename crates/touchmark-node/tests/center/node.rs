//! A real node behind its HTTP interface, in this process.

use std::net::SocketAddr;
use std::sync::Arc;
use tempfile::TempDir;
use touchmark_engine::Pacing;
use touchmark_node::folder::NewNetwork;
use touchmark_node::http::{self, Gateway, Limits};
use touchmark_node::node::{Node as Inner, NodeConfig, now};

pub(crate) struct Node {
    address: SocketAddr,
    inner: Arc<Inner>,
    _runtime: tokio::runtime::Runtime,
    _folder: TempDir,
}

impl Node {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = NodeConfig {
            data: folder.path().join("data"),
            engine_listen: ([127, 0, 0, 1], 0).into(),
            pacing: Pacing::default(),
            new: NewNetwork { origin: None, validator: "one".into(), time: now() },
        };
        let inner = Arc::new(Inner::start(&config).unwrap());
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0");
        let listener = runtime.block_on(listener).unwrap();
        let address = listener.local_addr().unwrap();
        let (served, data) = (inner.clone(), config.data);
        runtime.spawn(async move {
            let gateway = Gateway::new(served, &data, Limits::default());
            http::serve(listener, gateway, std::future::pending()).await;
        });
        Self { address, inner, _runtime: runtime, _folder: folder }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.inner.stop();
    }
}
