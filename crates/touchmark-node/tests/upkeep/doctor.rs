//! `touchmark doctor` on folders as they are found.

use crate::node::Node;
use crate::operator;
use serde_json::Value;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the doctor says of the data folder in `folder`.
struct Examined {
    exit: i32,
    report: Value,
}

impl Examined {
    fn of(folder: &Path, more: &[&str]) -> Self {
        let output = Command::new(env!("CARGO_BIN_EXE_touchmark"))
            .args(["--json", "doctor", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.join("data"))
            .args(more)
            .env("TOUCHMARK__LOG", "error")
            .output()
            .unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let exit = output.status.code().unwrap();
        assert_eq!(report["healthy"], exit == 0, "{report}");
        Self { exit, report }
    }

    /// Verdict, what was found and the hint of the first check of this name.
    fn check(&self, name: &str) -> (&str, &str, &str) {
        let mut checks = self.report["checks"].as_array().unwrap().iter();
        let check = checks.find(|check| check["name"] == name);
        let check = check.unwrap_or_else(|| panic!("no {name}: {}", self.report));
        let text = |member: &str| check[member].as_str().unwrap_or_default();
        (text("verdict"), text("found"), text("hint"))
    }

    /// Names of the checks that are neither fine nor about how busy this machine is.
    fn ill(&self) -> Vec<&str> {
        let checks = self.report["checks"].as_array().unwrap().iter();
        let ill = checks.filter(|check| check["verdict"] != "fine");
        let names = ill.map(|check| check["name"].as_str().unwrap());
        names.filter(|name| !["disk", "space"].contains(name)).collect()
    }
}

const NAMES: [&str; 13] = [
    "configuration",
    "folder",
    "keys",
    "ledger",
    "disk",
    "space",
    "node",
    "build",
    "http port",
    "engine port",
    "clock",
    "peers",
    "committee",
];

#[test]
fn a_sound_folder_is_sound_while_its_node_runs_and_after() {
    let folder = tempfile::tempdir().unwrap();
    let mut node = Node::start(folder.path());
    operator::write(&node, 1, 2);
    let running = Examined::of(folder.path(), &["--node", &node.url(), "--against", &node.url()]);
    assert!(running.ill().is_empty() && running.exit == 0, "{}", running.report);
    assert!(running.check("node").1.starts_with("ready at http://"), "{}", running.report);
    node.kill();
    let stopped = Examined::of(folder.path(), &[]);
    assert!(stopped.ill().is_empty() && stopped.exit == 0, "{}", stopped.report);
    assert_eq!(stopped.check("node").1, "no node runs here");
    assert!(stopped.check("ledger").1.ends_with("the votes go with it"), "{}", stopped.report);
    for name in NAMES {
        assert!(!running.check(name).1.is_empty() && !stopped.check(name).1.is_empty(), "{name}");
    }
    assert!(running.check("quorum").1.starts_with("1 of 1"), "{}", running.report);
    // What was examined goes on.
    let node = Node::start(folder.path());
    operator::write(&node, 1, 1);
}

#[test]
fn what_is_wrong_is_named_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let place = |name: &str| data.join(name);
    let aside = folder.path().join("aside");
    let failed = |more: &[&str], name: &str, found: &str, hint: &str| {
        let examined = Examined::of(folder.path(), more);
        let check = examined.check(name);
        assert_eq!((examined.exit, check.0), (1, "failed"), "{}", examined.report);
        assert!(check.1.contains(found) && check.2.contains(hint), "{check:?}");
    };
    failed(&[], "folder", "there is no node", "--data");
    let mut node = Node::start(folder.path());
    operator::write(&node, 1, 1);
    node.kill();

    fs::set_permissions(place("secrets.cbor"), fs::Permissions::from_mode(0o640)).unwrap();
    failed(&[], "keys", "secrets.cbor", "chmod 600");
    fs::set_permissions(place("secrets.cbor"), fs::Permissions::from_mode(0o600)).unwrap();

    fs::rename(place("consensus"), &aside).unwrap();
    failed(&[], "ledger", "`consensus` is not", "put back");
    // An older copy, while the ledger went on.
    fs::rename(&aside, place("consensus")).unwrap();
    copy(&place("consensus"), &aside);
    let mut node = Node::start(folder.path());
    operator::write(&node, 1, 3);
    node.kill();
    fs::rename(place("consensus"), folder.path().join("newest")).unwrap();
    fs::rename(&aside, place("consensus")).unwrap();
    failed(&[], "ledger", "set back", "put back the last `consensus`");
    fs::remove_dir_all(place("consensus")).unwrap();
    fs::rename(folder.path().join("newest"), place("consensus")).unwrap();

    fs::rename(place("ledger"), &aside).unwrap();
    let without = Examined::of(folder.path(), &[]);
    assert_eq!((without.exit, without.check("ledger").0), (0, "warning"), "{}", without.report);
    fs::rename(&aside, place("ledger")).unwrap();

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    failed(&["--engine-listen", &address], "engine port", &address, "--engine-listen");
    failed(&["--engine-idle-interval", "soon"], "configuration", "not right", "Time between");
    fs::rename(place("secrets.cbor"), &aside).unwrap();
    failed(&[], "folder", "no keys", "keys and votes");
    fs::rename(&aside, place("secrets.cbor")).unwrap();
    assert!(Examined::of(folder.path(), &[]).ill().is_empty());
}

#[test]
fn a_node_that_is_not_found_and_a_strangers_clock_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let _node = Node::start(folder.path());
    let stranger = Node::start_new();
    let silent = Examined::of(folder.path(), &["--node", "http://127.0.0.1:1"]);
    let (verdict, found, hint) = silent.check("node");
    assert_eq!((silent.exit, verdict), (1, "failed"), "{}", silent.report);
    assert!(found.contains("works in the folder") && hint.contains("--node"), "{found} {hint}");
    let other = Examined::of(folder.path(), &["--node", &stranger.url()]);
    assert!(other.check("node").1.contains("another node answers"), "{}", other.report);
    let against = Examined::of(folder.path(), &["--against", &stranger.url()]);
    let checks = against.report["checks"].as_array().unwrap();
    let clocks: Vec<_> = checks.iter().filter(|check| check["name"] == "clock").collect();
    assert_eq!(clocks[1]["verdict"], "warning", "{}", against.report);
    assert!(clocks[1]["found"].as_str().unwrap().contains("another network"));
}

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}
