//! Other nodes of the network that the examined one is compared with, each asked once.

use crate::node::now;
use std::thread;
use touchmark_api::NodeView;
use touchmark_api::client::{Client, ClientError};
use touchmark_wire::ids::Timestamp;

/// Another node, and what it said.
pub(super) struct Other {
    pub(super) url: String,
    pub(super) said: Result<Said, ClientError>,
}

/// What a node says of itself, asked and answered at these times of this machine.
pub(super) struct Said {
    pub(super) network: String,
    pub(super) sent: Timestamp,
    pub(super) node: NodeView,
    pub(super) received: Timestamp,
}

/// Asks all before any is waited for.
pub(super) fn ask(urls: &[String]) -> Vec<Other> {
    thread::scope(|scope| {
        let asking = urls.iter().map(|url| scope.spawn(move || Other::ask(url)));
        let asking: Vec<_> = asking.collect();
        asking.into_iter().map(|it| it.join().expect("asking does not panic")).collect()
    })
}

impl Other {
    fn ask(url: &str) -> Self {
        let said = Client::new(url).and_then(|client| {
            let network = client.network()?.network;
            let sent = now();
            let node = client.node()?;
            Ok(Said { network, sent, node, received: now() })
        });
        Self { url: url.to_owned(), said }
    }
}
