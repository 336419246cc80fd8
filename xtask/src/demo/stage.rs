//! What a step of the demo can use: the binary, a data folder that is deleted at the end, nodes
//! that are ended at the end, and HTTP.

use super::reader::Reader;
use crate::node::{self, Beginning, Node};
use crate::process;
use anyhow::{Context as _, Result};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// An HTTP answer arrives within this time.
const ANSWER: Duration = Duration::from_secs(30);

/// Everything that a step leaves to the next.
pub(super) struct Stage {
    binary: PathBuf,
    // Before the folder, so that the nodes end before their data goes.
    nodes: Vec<Node>,
    reader: Option<Reader>,
    folder: TempDir,
    notes: BTreeMap<&'static str, String>,
    http: ureq::Agent,
}

impl Stage {
    pub(super) fn new(binary: PathBuf) -> Result<Self> {
        let http = ureq::Agent::config_builder().timeout_global(Some(ANSWER)).build().into();
        let folder = tempfile::Builder::new().prefix("touchmark-demo-").tempdir()?;
        Ok(Self { binary, nodes: Vec::new(), reader: None, folder, notes: BTreeMap::new(), http })
    }

    /// The folder for everything that the story writes.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Opens the reader for cards.
    pub(super) fn open_reader(&mut self) -> Result<()> {
        self.reader = Some(Reader::open(self)?);
        Ok(())
    }

    /// The reader for cards.
    pub(super) fn reader(&self) -> Result<&Reader> {
        self.reader.as_ref().context("no step opened the reader")
    }

    /// Runs `touchmark` with these arguments in the data folder; returns its standard output, and
    /// fails when it fails.
    pub(super) fn touchmark<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<String> {
        process::output(self.command().args(arguments))
    }

    /// Runs `touchmark` with these arguments; returns whether it succeeded, its standard output and
    /// its standard error.
    pub(super) fn attempt<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<(bool, String, String)> {
        let output = self.command().args(arguments).stdin(Stdio::null()).output()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok((output.status.success(), text(&output.stdout), text(&output.stderr)))
    }

    /// Ends the nodes and waits until they have ended.
    pub(super) fn stop_nodes(&mut self) -> Result<()> {
        for node in std::mem::take(&mut self.nodes) {
            node.stop()?;
        }
        Ok(())
    }

    /// `touchmark` in the data folder, with nothing of the user's own configuration.
    pub(super) fn command(&self) -> Command {
        node::touchmark(&self.binary, self.folder())
    }

    /// Whether any node was started.
    pub(super) fn is_busy(&self) -> bool {
        !self.nodes.is_empty()
    }

    /// Whether all nodes still run.
    pub(super) fn is_whole(&mut self) -> Result<bool> {
        for node in &mut self.nodes {
            if !node.runs()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Where the nodes listen.
    pub(super) fn addresses(&self) -> String {
        let urls: Vec<&str> = self.nodes.iter().map(|node| node.url.as_str()).collect();
        urls.join(", ")
    }
}

/// For steps that need a node.
impl Stage {
    /// Starts a node with these arguments and waits until it says that it is ready; its address. Its
    /// log goes to `NAME.log`.
    pub(super) fn start_node<S: AsRef<OsStr>>(
        &mut self,
        name: &str,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<String> {
        let mut command = self.command();
        let node = Beginning::new(name, command.args(arguments), self.folder())?.ready()?;
        let url = node.url.clone();
        self.nodes.push(node);
        Ok(url)
    }

    /// The JSON at `url`.
    pub(super) fn get(&self, url: &str) -> Result<serde_json::Value> {
        let mut answer = self.http.get(url).call().with_context(|| format!("GET {url}"))?;
        answer.body_mut().read_json().with_context(|| format!("GET {url}: no JSON"))
    }

    /// Keeps something for later steps.
    pub(super) fn note(&mut self, name: &'static str, value: impl Into<String>) {
        self.notes.insert(name, value.into());
    }

    /// What an earlier step kept.
    pub(super) fn noted(&self, name: &str) -> Result<&str> {
        let value = self.notes.get(name).with_context(|| format!("no step noted {name}"))?;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread;

    fn stage() -> Stage {
        Stage::new("/bin/sh".into()).unwrap()
    }

    #[test]
    fn a_node_ends_with_the_stage() {
        let mut stage = stage();
        let script = "echo starting; echo 'ready  http://127.0.0.1:1'; exec sleep 60";
        assert_eq!(stage.start_node("one", ["-c", script]).unwrap(), "http://127.0.0.1:1");
        assert!(stage.is_busy() && stage.is_whole().unwrap());
        assert_eq!(stage.addresses(), "http://127.0.0.1:1");
        let folder = stage.folder().to_path_buf();
        drop(stage);
        assert!(!folder.exists());
    }

    #[test]
    fn json_is_fetched_over_http() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            let answer =
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\n{\"ok\": 1}";
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let mut stage = stage();
        assert_eq!(stage.get(&url).unwrap()["ok"], 1);
        server.join().unwrap();
        stage.note("thing", "abc");
        assert_eq!(stage.noted("thing").unwrap(), "abc");
        assert!(stage.noted("other").is_err());
    }
}
