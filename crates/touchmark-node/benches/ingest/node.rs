//! A node in a process of its own.

use crate::clock;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use touchmark_api::client::Client;
use touchmark_wire::ids::NetworkId;

pub(crate) struct Node {
    process: Child,
    _folder: tempfile::TempDir,
    address: String,
    network: NetworkId,
}

impl Node {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the node");
        let mut process = Command::new(env!("CARGO_BIN_EXE_touchmark"))
            .args(["--json", "node", "run", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path().join("data"))
            .env("TOUCHMARK__LOG", "error")
            // All devices are at one source here.
            .env("TOUCHMARK__LIMITS__SOURCE_WRITES", "1000000:4000000000")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the node starts");
        let stdout = process.stdout.take().expect("the pipe was asked for");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("the node says that it is ready");
        let ready: serde_json::Value = serde_json::from_str(&line).expect("one JSON document");
        let url = ready["url"].as_str().expect("an address").to_owned();
        let network = Client::new(&url).expect("an address").network().expect("the node answers");
        Self {
            process,
            _folder: folder,
            address: url.trim_start_matches("http://").to_owned(),
            network: network.network.parse().expect("a network id"),
        }
    }

    pub(crate) fn network(&self) -> NetworkId {
        self.network
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn cpu_seconds(&self) -> f64 {
        clock::process_seconds(self.process.id())
    }

    pub(crate) fn written(&self) -> u64 {
        clock::written(self.process.id())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
