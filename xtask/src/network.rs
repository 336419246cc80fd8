//! `cargo xtask network`: several validators on this machine, formed with the commands that
//! organisations use, each in a data folder of its own.
//!
//! A developer's command and not one of the binary: the node starts no processes, and whoever has
//! several machines forms the network by hand.

use crate::node::{Beginning, Node, touchmark};
use crate::process::{self, Owned};
use crate::workspace::Workspace;
use anyhow::{Context as _, Result, bail};
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Arguments of `cargo xtask network`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many validators
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=16))]
    nodes: u16,
    /// Keep the data folders in this one; a network that is there already goes on
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
    /// End once all have the same batch instead of running until Ctrl-C
    #[arg(long)]
    once: bool,
}

/// Names of validators, in order.
const NAMES: [&str; 16] = [
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa",
    "lambda", "mu", "nu", "xi", "omicron", "pi",
];
/// A network is formed within this time.
const FORMED: Duration = Duration::from_secs(120);
/// All have a batch within this time.
const CERTIFIED: Duration = Duration::from_secs(60);

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    let interrupts = process::interrupts()?;
    let temporary = tempfile::Builder::new().prefix("touchmark-network-").tempdir()?;
    let place = Place {
        binary: std::path::absolute(workspace.binary()?)?,
        folder: match &arguments.keep {
            Some(folder) => {
                fs::create_dir_all(folder)?;
                folder.canonicalize()?
            }
            None => temporary.path().to_owned(),
        },
    };
    let names = &NAMES[..usize::from(arguments.nodes)];
    place.form(names)?;
    let nodes = place.start(names)?;
    certifying(&nodes)?;
    print!("{}", place.description(names, &nodes));
    if !arguments.once {
        println!("\nCtrl-C ends them.");
        linger(names, nodes, &interrupts)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Where a network lives.
struct Place {
    binary: PathBuf,
    /// Has a data folder and a log for each validator.
    folder: PathBuf,
}

impl Place {
    fn touchmark(&self, words: &[&str]) -> Command {
        let mut command = touchmark(&self.binary, &self.folder);
        command.args(words);
        command
    }

    /// Makes the network, unless it is there.
    fn form(&self, names: &[&str]) -> Result<()> {
        let has_network = |name: &&&str| self.folder.join(name).join("genesis.cbor").exists();
        let made = names.iter().filter(has_network).count();
        if made == names.len() {
            return Ok(());
        }
        if made > 0 {
            let folder = self.folder.display();
            bail!("{folder} has {made} of {} validators: name an empty folder", names.len());
        }
        let (convener, others) = names.split_first().context("a network has a validator")?;
        let [engine, formation] = [free_address()?, free_address()?];
        let count = names.len().to_string();
        let mut init = self.touchmark(&["network", "init", "--data", convener, "--name", convener]);
        init.args(["--validators", &count, "--address", &engine, "--formation-listen", &formation]);
        process::output(&mut init)?;
        let mut members = Vec::new();
        for name in others {
            let mut invite =
                self.touchmark(&["network", "invite", "--data", convener, "--name", name]);
            let invitation = process::output(&mut invite)?;
            let mut join = self.touchmark(&["network", "join", invitation.trim(), "--accept"]);
            join.args(["--data", name, "--name", name, "--address", &free_address()?]);
            members.push((*name, self.begin(name, &mut join)?));
        }
        let mut form = self.touchmark(&["network", "form", "--accept", "--data", convener]);
        members.push((convener, self.begin(convener, &mut form)?));
        for (name, mut member) in members {
            if !member.wait(FORMED)?.success() {
                let log = fs::read_to_string(self.log(name)).unwrap_or_default();
                bail!("{name} did not form the network:\n{}", log.trim_end());
            }
        }
        Ok(())
    }

    fn begin(&self, name: &str, command: &mut Command) -> Result<Owned> {
        let log = File::create(self.log(name))?;
        Owned::start(command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log))
    }

    fn log(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.log"))
    }

    /// Starts all nodes: one that lacks batches may need the others to be ready.
    fn start(&self, names: &[&str]) -> Result<Vec<Node>> {
        let beginning = names.iter().map(|name| {
            let words = ["node", "run", "--data", name, "--listen", "127.0.0.1:0"];
            Beginning::new(name, &mut self.touchmark(&words), &self.folder)
        });
        let beginning: Vec<_> = beginning.collect::<Result<_>>()?;
        beginning.into_iter().map(Beginning::ready).collect()
    }

    /// Who is where, and what to try.
    fn description(&self, names: &[&str], nodes: &[Node]) -> String {
        let folder = self.folder.display();
        let title = format!("{} validators certify one log; logs are in {folder}", names.len());
        let rows = names.iter().zip(nodes).map(|(name, node)| {
            let (url, process) = (&node.url, node.id());
            format!("{name:<8} {url}  process {process}  data {folder}/{name}")
        });
        let (binary, url) = (self.binary.display(), &nodes[0].url);
        let last = &nodes[nodes.len() - 1];
        let tries = [
            format!("{binary} network status --node {url}"),
            format!("{binary} network show --qr --node {url}"),
            format!(
                "{binary} doctor --data {folder}/{} --node {url} --against {}",
                names[0], last.url
            ),
            format!("{binary} identity create me --unencrypted --home {folder}/home --node {url}"),
            format!("kill {}    # of four, one may fail: the others go on", last.id()),
        ];
        let lines = [title, String::new()].into_iter().chain(rows);
        let lines = lines.chain([String::new(), "Try:".to_owned()]);
        let lines = lines.chain(tries.into_iter().map(|line| format!("  {line}")));
        lines.map(|line| line + "\n").collect()
    }
}

/// An address of this machine whose port was free a moment ago.
fn free_address() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

/// Waits until every node has a batch after the first.
fn certifying(nodes: &[Node]) -> Result<()> {
    let deadline = Instant::now() + CERTIFIED;
    for node in nodes {
        while height(&node.url)? == 0 {
            if Instant::now() >= deadline {
                bail!("{} has no batch after {} s", node.url, CERTIFIED.as_secs());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
    Ok(())
}

/// The last batch that a node has.
fn height(url: &str) -> Result<u64> {
    let url = format!("{url}/v1/network");
    let view: serde_json::Value =
        ureq::get(&url).call().with_context(|| format!("GET {url}"))?.body_mut().read_json()?;
    view["height"].as_u64().with_context(|| format!("GET {url}: no height"))
}

/// Waits for an interrupt; says which nodes end meanwhile.
fn linger(names: &[&str], nodes: Vec<Node>, interrupts: &mpsc::Receiver<()>) -> Result<()> {
    let mut running: Vec<_> = names.iter().zip(nodes).collect();
    while !running.is_empty() && interrupts.recv_timeout(Duration::from_millis(200)).is_err() {
        let mut going = Vec::new();
        for (name, mut node) in running {
            if node.runs()? {
                going.push((name, node));
            } else {
                println!("{name} has ended");
            }
        }
        running = going;
    }
    running.into_iter().try_for_each(|(_, node)| node.stop())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    /// A stand-in for the binary: notes what it is asked for, and answers as far as it is needed.
    const SCRIPT: &str = r#"#!/bin/sh
echo "$*" >> calls
case "$2" in
invite) echo "invitation-for-$6" ;;
run) echo "ready http://127.0.0.1:1"; exec sleep 60 ;;
form) for name in alpha beta gamma delta; do mkdir -p $name; touch $name/genesis.cbor; done ;;
esac
"#;

    fn place(folder: &Path) -> Place {
        let binary = folder.join("touchmark");
        fs::write(&binary, SCRIPT).unwrap();
        fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
        Place { binary, folder: folder.to_owned() }
    }

    #[test]
    fn each_member_joins_with_its_invitation_and_what_is_there_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path());
        let names = &NAMES[..4];
        place.form(names).unwrap();
        let calls = || fs::read_to_string(folder.path().join("calls")).unwrap();
        let text = calls();
        let count = |what: &str| text.lines().filter(|line| line.starts_with(what)).count();
        assert!(
            text.starts_with("network init --data alpha --name alpha --validators 4"),
            "{text}"
        );
        assert_eq!(
            (count("network invite"), count("network join"), count("network form")),
            (3, 3, 1)
        );
        for name in &names[1..] {
            let join = format!("network join invitation-for-{name} --accept --data {name} ");
            assert_eq!(count(&join), 1, "{text}");
        }
        place.form(names).unwrap();
        assert_eq!(calls(), text);
        fs::remove_file(folder.path().join("beta/genesis.cbor")).unwrap();
        let error = place.form(names).unwrap_err().to_string();
        assert!(error.contains("3 of 4"), "{error}");
    }

    #[test]
    fn all_are_started_described_and_ended_by_an_interrupt() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path());
        let names = &NAMES[..2];
        let nodes = place.start(names).unwrap();
        let ids: Vec<_> = nodes.iter().map(Node::id).collect();
        let text = place.description(names, &nodes);
        for part in ["alpha", "beta", "network status --node http://127.0.0.1:1", "doctor --data"] {
            assert!(text.contains(part), "{text}");
        }
        assert!(text.contains(&format!("kill {}", ids[1])), "{text}");
        let (sender, interrupts) = mpsc::channel();
        sender.send(()).unwrap();
        // A stand-in that is terminated does not end well, but it ends.
        let _ = linger(names, nodes, &interrupts);
        assert!(ids.iter().all(|id| !Path::new(&format!("/proc/{id}")).exists()));
    }

    #[test]
    fn a_member_that_fails_is_named_with_what_it_said() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path());
        let script = SCRIPT.replace("case", "[ \"$2\" = join ] && { echo refused; exit 1; }\ncase");
        fs::write(&place.binary, script).unwrap();
        let error = place.form(&NAMES[..2]).unwrap_err().to_string();
        assert!(error.contains("beta did not form") && error.contains("refused"), "{error}");
    }
}
