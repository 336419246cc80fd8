//! Nodes that a command starts, with the real binary and in processes of their own.

use crate::process::Owned;
use anyhow::{Context as _, Result, bail};
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// A node says that it is ready within this time.
const READY: Duration = Duration::from_secs(30);

/// A node that takes requests. Dropping it ends it.
pub(crate) struct Node {
    process: Owned,
    /// Where it listens, from its ready line.
    pub(crate) url: String,
}

/// A node that is not ready yet.
pub(crate) struct Beginning {
    name: String,
    process: Owned,
    log: PathBuf,
    address: mpsc::Receiver<String>,
}

/// `touchmark` in a folder, with nothing of the user's own configuration.
pub(crate) fn touchmark(binary: &Path, folder: &Path) -> Command {
    let mut command = Command::new(binary);
    command.current_dir(folder).env("HOME", folder);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("TOUCHMARK_") || name.starts_with("XDG_") {
            command.env_remove(&*name);
        }
    }
    command
}

impl Beginning {
    /// Starts a node by this command. What it logs goes to `NAME.log` in `logs`.
    pub(crate) fn new(name: &str, command: &mut Command, logs: &Path) -> Result<Self> {
        let log = logs.join(format!("{name}.log"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(&log)?);
        let mut process = Owned::start(command)?;
        let stdout = process.stdout().context("the pipe was asked for")?;
        let (sender, address) = mpsc::channel();
        // Reads on after the ready line, so that the node never writes into a closed pipe.
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Some(url) = self::address(&line) {
                    let _ = sender.send(url.to_owned());
                }
            }
        });
        Ok(Self { name: name.to_owned(), process, log, address })
    }

    /// Waits until a line of its standard output begins with `ready`: the address in it is the
    /// node's.
    pub(crate) fn ready(self) -> Result<Node> {
        let Self { name, process, log, address } = self;
        let Ok(url) = address.recv_timeout(READY) else {
            drop(process);
            let log = std::fs::read_to_string(log).unwrap_or_default();
            bail!("{name} did not say that it is ready; its log:\n{}", log.trim_end());
        };
        Ok(Node { process, url })
    }
}

impl Node {
    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> Result<bool> {
        Ok(self.process.ended()?.is_none())
    }

    /// Ends it and waits until it has ended.
    pub(crate) fn stop(self) -> Result<()> {
        self.process.stop()
    }
}

/// The address in a ready line.
fn address(line: &str) -> Option<&str> {
    let line = line.strip_prefix("ready")?;
    let start = line.find("http://")?;
    line[start..].split([' ', '"', ',', ')']).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(script: &str, folder: &Path) -> Beginning {
        Beginning::new("one", Command::new("/bin/sh").args(["-c", script]), folder).unwrap()
    }

    #[test]
    fn a_node_is_ready_when_it_names_its_address() {
        let folder = tempfile::tempdir().unwrap();
        let script = "echo 'set up http://127.0.0.1:1/setup'; echo 'ready  http://127.0.0.1:1'; exec sleep 60";
        let mut node = begin(script, folder.path()).ready().unwrap();
        assert_eq!(node.url, "http://127.0.0.1:1");
        assert!(node.runs().unwrap() && node.id() > 0);
    }

    #[test]
    fn a_node_that_ends_early_fails_with_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let Err(error) = begin("echo 'port in use' >&2", folder.path()).ready() else {
            panic!("it is ready");
        };
        assert!(error.to_string().contains("port in use"), "{error}");
    }
}
