//! What a step of the demo can use: the binary, a data folder that is deleted at the end, nodes
//! that are ended at the end, and HTTP.

use super::reader::Reader;
use crate::process::{self, Owned};
use anyhow::{Context as _, Result, bail};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// A node says that it is ready within this time.
const READY: Duration = Duration::from_secs(30);
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

/// A running node.
struct Node {
    process: Owned,
    /// Where it listens, from its ready line.
    url: String,
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
            node.process.stop()?;
        }
        Ok(())
    }

    /// `touchmark` in the data folder, with nothing of the user's own configuration.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.current_dir(self.folder()).env("HOME", self.folder());
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("TOUCHMARK_") || name.starts_with("XDG_") {
                command.env_remove(&*name);
            }
        }
        command
    }

    /// Whether any node was started.
    pub(super) fn is_busy(&self) -> bool {
        !self.nodes.is_empty()
    }

    /// Whether all nodes still run.
    pub(super) fn is_whole(&mut self) -> Result<bool> {
        for node in &mut self.nodes {
            if node.process.ended()?.is_some() {
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
    /// Starts a node with these arguments and waits until a line of its standard output contains
    /// `http://`: the address behind it is the node's. Its log goes to `NAME.log`.
    pub(super) fn start_node<S: AsRef<OsStr>>(
        &mut self,
        name: &str,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<String> {
        let log_path = self.folder().join(format!("{name}.log"));
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(File::create(&log_path)?);
        let mut process = Owned::start(&mut command)?;
        let stdout = process.stdout().context("the pipe was asked for")?;
        let (sender, receiver) = mpsc::channel();
        // Reads on after the ready line, so that the node never writes into a closed pipe.
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Some(url) = address(&line) {
                    let _ = sender.send(url.to_owned());
                }
            }
        });
        let Ok(url) = receiver.recv_timeout(READY) else {
            drop(process);
            let log = std::fs::read_to_string(log_path).unwrap_or_default();
            bail!("{name} did not say that it is ready; its log:\n{}", log.trim_end());
        };
        self.nodes.push(Node { process, url: url.clone() });
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

/// The address in a ready line.
fn address(line: &str) -> Option<&str> {
    let start = line.find("http://")?;
    line[start..].split([' ', '"', ',', ')']).next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    fn stage() -> Stage {
        Stage::new("/bin/sh".into()).unwrap()
    }

    #[test]
    fn a_node_is_ready_when_it_names_its_address_and_ends_with_the_stage() {
        let mut stage = stage();
        let script = "echo starting; echo 'ready: http://127.0.0.1:1, data in x'; exec sleep 60";
        assert_eq!(stage.start_node("one", ["-c", script]).unwrap(), "http://127.0.0.1:1");
        assert!(stage.is_busy() && stage.is_whole().unwrap());
        assert_eq!(stage.addresses(), "http://127.0.0.1:1");
        let folder = stage.folder().to_path_buf();
        drop(stage);
        assert!(!folder.exists());
    }

    #[test]
    fn a_node_that_ends_early_fails_with_its_log() {
        let error = stage().start_node("one", ["-c", "echo 'port in use' >&2"]).unwrap_err();
        assert!(error.to_string().contains("port in use"), "{error}");
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
