//! A node in a process of its own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;
use touchmark_api::client::Client;
use touchmark_wire::ids::NetworkId;

pub(crate) struct Node {
    process: Child,
    url: String,
    /// Goes with the node, if it is its own.
    own_folder: Option<TempDir>,
}

impl Node {
    /// A new network in a folder that goes with the node.
    pub(crate) fn start_new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut node = Self::start(folder.path());
        node.own_folder = Some(folder);
        node
    }

    pub(crate) fn start(folder: &Path) -> Self {
        Self::try_start(folder).expect("the node starts")
    }

    /// None if it ends before it is ready.
    pub(crate) fn try_start(folder: &Path) -> Option<Self> {
        Self::try_start_with(folder, &[])
    }

    /// The same with variables of its environment.
    pub(crate) fn try_start_with(folder: &Path, variables: &[(&str, String)]) -> Option<Self> {
        let mut process = Command::new(env!("CARGO_BIN_EXE_touchmark"))
            .args(["--json", "node", "run", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.join("data"))
            .env("TOUCHMARK__LOG", "error")
            .envs(variables.iter().map(|(name, value)| (*name, value.as_str())))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
        let url = ready["url"].as_str().map(ToOwned::to_owned);
        if url.is_none() {
            println!("the node does not start: {line}");
            process.wait().unwrap();
        }
        Some(Self { process, url: url?, own_folder: None })
    }

    /// Status and body of a page.
    pub(crate) fn page(&self, path: &str) -> (u16, String) {
        let address = self.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: node\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&self.url).unwrap()
    }

    pub(crate) fn network(&self) -> NetworkId {
        self.client().network().unwrap().network.parse().unwrap()
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have been killed already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
