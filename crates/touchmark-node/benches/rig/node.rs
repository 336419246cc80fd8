//! A node in a process of its own.

use super::clock;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use touchmark_api::client::Client;
use touchmark_wire::ids::NetworkId;

pub(crate) struct Node {
    process: Child,
    folder: tempfile::TempDir,
    address: String,
    network: NetworkId,
}

impl Node {
    pub(crate) fn start() -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder for the node"))
    }

    fn start_in(folder: tempfile::TempDir) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_touchmark"))
            .args(["--json", "node", "run", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path().join("data"))
            .env("TOUCHMARK__LOG", "error")
            // All devices are at one source here.
            .env("TOUCHMARK__LIMITS__SOURCE_WRITES", "1000000:4000000000")
            .env("TOUCHMARK__LIMITS__SOURCE_READS", "1000000:4000000000")
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
            folder,
            address: url.trim_start_matches("http://").to_owned(),
            network: network.network.parse().expect("a network id"),
        }
    }

    /// Kills it without warning and starts it again; when it answers.
    pub(crate) fn restart(mut self) -> Self {
        self.end();
        let nowhere = tempfile::tempdir().expect("an empty folder");
        Self::start_in(std::mem::replace(&mut self.folder, nowhere))
    }

    fn end(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&format!("http://{}", self.address)).expect("an address")
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

    /// Bytes of its folder.
    pub(crate) fn disk(&self) -> u64 {
        clock::size(self.folder.path())
    }

    pub(crate) fn written(&self) -> u64 {
        clock::written(self.process.id())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.end();
    }
}
