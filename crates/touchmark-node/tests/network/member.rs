//! A member of a formation: a folder, its ports, and processes that work in it.

use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;
use touchmark_api::client::Client;

const BINARY: &str = env!("CARGO_BIN_EXE_touchmark");

/// A port that was free a moment ago.
pub(crate) fn port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub(crate) struct Member {
    pub(crate) name: String,
    folder: TempDir,
    pub(crate) engine: u16,
    place: Place,
}

/// Where a member's processes run, and with which settings.
#[derive(Clone)]
pub(crate) struct Place {
    /// What its commands are started with; nothing on this machine as it is.
    pub(crate) launcher: Vec<String>,
    /// Where other members reach it.
    pub(crate) inside: String,
    /// Where its interface listens.
    pub(crate) outside: String,
    /// Environment of its node.
    pub(crate) settings: &'static [(&'static str, &'static str)],
}

impl Place {
    /// This machine.
    pub(crate) fn here() -> Self {
        let loopback = || "127.0.0.1".to_owned();
        Self { launcher: Vec::new(), inside: loopback(), outside: loopback(), settings: &[] }
    }
}

/// What a command of a member did.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) document: Value,
    pub(crate) stderr: String,
}

impl Ended {
    pub(crate) fn error(&self) -> &str {
        self.document["error"]["code"].as_str().unwrap_or_else(|| panic!("no error: {self:?}"))
    }
}

impl Member {
    pub(crate) fn new(name: &str) -> Self {
        Self::at(name, Place::here())
    }

    pub(crate) fn at(name: &str, place: Place) -> Self {
        Self { name: name.into(), folder: tempfile::tempdir().unwrap(), engine: port(), place }
    }

    /// The same member somewhere else.
    #[allow(dead_code, reason = "not every test that shares this moves members")]
    pub(crate) fn moved(self, place: Place) -> Self {
        Self { place, ..self }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Begins a command in this member's folder.
    pub(crate) fn start(&self, words: &[&str]) -> Child {
        let launched: Vec<_> = self.place.launcher.iter().map(String::as_str).collect();
        let launched = [&launched[..], &[BINARY]].concat();
        Command::new(launched[0])
            .args(&launched[1..])
            .arg("--json")
            .args(words)
            .arg("--data")
            .arg(self.data())
            .envs(self.place.settings.iter().copied())
            .env("TOUCHMARK__HOME", self.folder.path().join("home"))
            .env("TOUCHMARK__LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// A command that has nothing to do with the data folder.
    pub(crate) fn ask(&self, words: &[&str]) -> Ended {
        let process = Command::new(BINARY)
            .arg("--json")
            .args(words)
            .env("TOUCHMARK__HOME", self.folder.path().join("home"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        end(process.unwrap())
    }

    pub(crate) fn run(&self, words: &[&str]) -> Ended {
        end(self.start(words))
    }

    /// Begins a formation of `count`.
    pub(crate) fn convene(&self, count: usize) -> Ended {
        self.convene_with(count, &[])
    }

    pub(crate) fn convene_with(&self, count: usize, more: &[&str]) -> Ended {
        let (address, formation) = (self.address(), format!("{}:{}", self.place.inside, port()));
        let count = count.to_string();
        let words = ["network", "init", "--name", &self.name, "--validators", &count];
        let places = ["--address", &address, "--formation-listen", &formation];
        self.run(&[&words[..], &places, more].concat())
    }

    pub(crate) fn invite(&self, name: &str, valid: &str) -> String {
        let invited = self.run(&["network", "invite", "--name", name, "--valid", valid]);
        assert_eq!(invited.code, 0, "{invited:?}");
        invited.document["invitation"].as_str().unwrap().to_owned()
    }

    pub(crate) fn join(&self, invitation: &str, more: &[&str]) -> Child {
        let address = self.address();
        let words = ["network", "join", invitation, "--name", &self.name, "--address", &address];
        self.start(&[&words[..], more].concat())
    }

    pub(crate) fn address(&self) -> String {
        format!("{}:{}", self.place.inside, self.engine)
    }

    /// Starts the node and waits until it is ready.
    pub(crate) fn node(&self) -> Node {
        self.begin().ready()
    }

    /// As [`Self::node`], with the folder beside it.
    pub(crate) fn node_in_place(self) -> (Self, Node) {
        let node = self.node();
        (self, node)
    }

    fn begin(&self) -> Beginning {
        let listen = format!("{}:0", self.place.outside);
        let process = self.start(&["node", "run", "--listen", &listen]);
        Beginning { name: self.name.clone(), process }
    }
}

/// Starts all nodes: one that lacks batches which are final may need the others to be ready.
pub(crate) fn nodes<'m>(members: impl IntoIterator<Item = &'m Member>) -> Vec<Node> {
    let beginning: Vec<_> = members.into_iter().map(Member::begin).collect();
    beginning.into_iter().map(Beginning::ready).collect()
}

/// A node that is not ready yet.
struct Beginning {
    name: String,
    process: Child,
}

impl Beginning {
    fn ready(self) -> Node {
        let Self { name, mut process } = self;
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap_or_default();
        let Some(url) = ready["url"].as_str() else { panic!("{name} does not start: {line}") };
        Node { url: url.to_owned(), process }
    }
}

/// Waits for a command.
pub(crate) fn end(process: Child) -> Ended {
    let output = process.wait_with_output().unwrap();
    Ended {
        code: output.status.code().unwrap_or(-1),
        document: serde_json::from_slice(&output.stdout).unwrap_or_default(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A running node.
pub(crate) struct Node {
    pub(crate) url: String,
    process: Child,
}

impl Node {
    pub(crate) fn client(&self) -> Client {
        Client::new(&self.url).unwrap()
    }

    /// Its process.
    #[allow(dead_code, reason = "benchmarks count its processor time")]
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Node {
    /// As when the power fails.
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Forms a network of `names`, the first of which convenes; all folders are then validators'.
pub(crate) fn form(names: &[&str]) -> Vec<Member> {
    form_of(names.iter().map(|name| Member::new(name)).collect())
}

/// As [`form`], of members that are somewhere.
pub(crate) fn form_of(members: Vec<Member>) -> Vec<Member> {
    let (convener, others) = members.split_first().unwrap();
    assert_eq!(convener.convene(members.len()).code, 0);
    let mut running = Vec::new();
    for member in others {
        running.push(member.join(&convener.invite(&member.name, "1h"), &["--accept"]));
    }
    running.push(convener.start(&["network", "form", "--accept"]));
    let ended: Vec<_> = running.into_iter().map(end).collect();
    for ended in &ended {
        assert_eq!(ended.code, 0, "{ended:?}");
    }
    let networks: Vec<_> = ended.iter().map(|ended| &ended.document["network"]).collect();
    assert!(networks.iter().all(|network| *network == networks[0]), "{networks:?}");
    members
}
