//! Following goes on where it ended, and refuses a log that is not the one that was seen.

use super::desk::Desk;
use super::node::Node;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use touchmark_node::cli::Exit;

/// An organisation, and the key files `k1` to `k9`.
fn center(node: &Node) -> Desk {
    let mut desk = Desk::at(node);
    desk.json("center create acme --unencrypted");
    for n in 1..=9 {
        desk.json(&format!("center key k{n} --unencrypted"));
    }
    desk
}

fn init(desk: &mut Desk, n: u8) {
    desk.json(&format!("center init card --as acme --serial C-{n} --key k{n}"));
}

fn size(node: &Node) -> u64 {
    node.client().network().unwrap().size
}

/// How many tiles the node has served.
fn tiles(node: &Node) -> u64 {
    let (_, metrics) = node.page("/metrics");
    let line = metrics
        .lines()
        .find(|line| line.starts_with("touchmark_http_requests") && line.contains("/tile/"));
    line.map_or(0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
}

fn position(desk: &Desk) -> PathBuf {
    let only = |folder: PathBuf| std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    only(only(desk.home().join("followed"))).join("position")
}

fn from_and_read(told: &Value) -> (u64, u64) {
    (told["from"].as_u64().unwrap(), told["read"].as_u64().unwrap())
}

#[test]
fn only_new_leaves_are_read() {
    let node = Node::start_new();
    let mut desk = center(&node);
    init(&mut desk, 1);
    let first = desk.json("center follow --of acme");
    let before = size(&node);
    assert_eq!((from_and_read(&first), &first["size"]), ((0, before), &json!(before)));

    let served = tiles(&node);
    let again = desk.json("center follow --of acme");
    assert_eq!((from_and_read(&again), tiles(&node)), ((before, 0), served));
    for same in ["changes", "size", "root", "height", "time"] {
        assert!(!again[same].is_null(), "{same}");
        assert_eq!(again[same], first[same], "{same}");
    }

    init(&mut desk, 2);
    let more = desk.json("center follow --of acme");
    assert_eq!(from_and_read(&more), (before, size(&node) - before));
    assert_eq!(tiles(&node), served + 1, "what is new stands in one tile");
    let since = desk.json(&format!("center follow --of acme --since {before}"));
    let new = since["changes"].as_array().unwrap();
    assert!(!new.is_empty() && more["changes"].as_array().unwrap().ends_with(new));
    let served = tiles(&node);
    desk.json("center list --of acme --from-log");
    desk.json("center export --of acme --from-log");
    assert_eq!(tiles(&node), served, "lists and exports go on from there, too");
    let restarted = desk.json("center follow --of acme --restart");
    assert_eq!(from_and_read(&restarted), (0, size(&node)));
    assert_eq!(restarted["changes"], more["changes"]);
}

#[test]
fn many_readings_tell_what_one_does() {
    let node = Node::start_new();
    let mut desk = center(&node);
    let acme = desk.json("identity show acme")["thing"].as_str().unwrap().to_owned();
    let steps = [
        "identity rotate --as acme",
        "center init card --as acme --serial C-1 --key k1 --spec model=NX",
        "center init reader --as acme --serial R-1 --identity door --unencrypted",
        "identity create stranger --unencrypted",
        "center revoke card/1 stolen --as acme --reason van",
        "reader alert --as door --reason lid",
        "center reinstate card/1 --as acme --key k2",
        "identity rotate --as acme",
        "center init card --as acme --serial C-2 --key k3",
        "center revoke card/2 suspended --as acme",
    ];
    let ask = |desk: &mut Desk, what: &str, home: &str| {
        desk.json(&format!("center {what} --of {acme} --home {home}"))
    };
    for step in steps {
        desk.json(step);
        ask(&mut desk, "follow", "many");
        let fresh = step.split_whitespace().collect::<String>().replace('/', "");
        for what in ["list --from-log", "follow"] {
            let (many, one) = (ask(&mut desk, what, "many"), ask(&mut desk, what, &fresh));
            let same = |told: &Value| (told["items"].clone(), told["changes"].clone());
            assert_eq!(same(&many), same(&one), "{what} after {step}");
        }
    }
    assert_eq!(ask(&mut desk, "list --from-log", "many"), ask(&mut desk, "list", "many"));
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-r").args([from, to]).status().unwrap().success());
}

/// A network whose log goes two ways, as where validators that enough sign for are stolen: two
/// nodes with the keys of one, and a desk at each, of which only the first has followed.
struct Fork {
    folders: [tempfile::TempDir; 2],
    nodes: [Node; 2],
    desks: [Desk; 2],
}

impl Fork {
    fn begin() -> Self {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let mut node = Node::start(folders[0].path());
        let mut first = center(&node);
        init(&mut first, 1);
        node.kill();
        copy(&folders[0].path().join("data"), &folders[1].path().join("data"));
        let nodes = [Node::start(folders[0].path()), Node::start(folders[1].path())];
        first.set("TOUCHMARK__CONTEXT__NODE", &nodes[0].url());
        let second = Desk::at(&nodes[1]);
        copy(&first.home(), &second.home());
        init(&mut first, 2);
        first.json("center follow --of acme");
        Self { folders, nodes, desks: [first, second] }
    }

    /// What the first desk is told of the second node.
    fn refusal(&mut self, command: &str) -> Value {
        let kept = std::fs::read(position(&self.desks[0])).unwrap();
        let line = format!("center {command} --of acme --node {}", self.nodes[1].url());
        let (exit, error) = self.desks[0].error(&line);
        assert_eq!(exit, Exit::Refused, "{error}");
        assert!(error["hint"].as_str().unwrap().contains("center follow --of "), "{error}");
        assert!(error["hint"].as_str().unwrap().contains("--restart"), "{error}");
        assert_eq!(std::fs::read(position(&self.desks[0])).unwrap(), kept, "it stays");
        error["code"].clone()
    }
}

#[test]
fn a_log_that_is_another_one_is_refused() {
    let mut fork = Fork::begin();
    assert!(size(&fork.nodes[1]) < size(&fork.nodes[0]));
    assert_eq!(fork.refusal("follow"), "TM-LOG-ROLLED-BACK");
    fork.desks[1].json("identity rotate --as acme");
    assert_eq!(size(&fork.nodes[1]), size(&fork.nodes[0]));
    assert_eq!(fork.refusal("follow"), "TM-LOG-SPLIT");
    assert_eq!(fork.refusal("list --from-log"), "TM-LOG-SPLIT");
    // Signed with a key of which the log that was seen knows nothing.
    fork.desks[1].json("identity rotate --as acme");
    assert_eq!(fork.refusal("follow"), "TM-LOG-NOT-EXTENDED");
    let folder = position(&fork.desks[0]).parent().unwrap().to_path_buf();
    let genesis = fork.folders[0].path().join("data/genesis.cbor");
    for name in ["seen.checkpoint", "shown.checkpoint"] {
        let note = folder.join(name);
        let verify = format!("verify {} --trust {}", note.display(), genesis.display());
        assert_eq!(fork.desks[0].json(&verify)["valid"], true, "{name} is evidence");
    }

    let told = fork.desks[0].json("center follow --of acme");
    assert_eq!(told["read"], 0, "the log that was seen is still the one");
    let other = fork.nodes[1].url();
    let told = fork.desks[0].json(&format!("center follow --of acme --node {other} --restart"));
    assert_eq!(from_and_read(&told), (0, size(&fork.nodes[1])));
    let error = fork.desks[0].error("center follow --of acme").1;
    assert_eq!(error["code"], "TM-LOG-ROLLED-BACK", "now the other one is");
}

#[test]
fn a_damaged_position_is_refused_until_it_is_forgotten() {
    let node = Node::start_new();
    let mut desk = center(&node);
    desk.json("center follow --of acme");
    let path = position(&desk);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    for command in ["follow", "list --from-log", "export --from-log"] {
        let (exit, error) = desk.error(&format!("center {command} --of acme"));
        assert_eq!((exit, &error["code"]), (Exit::Internal, &json!("TM-CORRUPT")), "{error}");
        assert!(error["hint"].as_str().unwrap().contains("--restart"), "{error}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "it is left for who wants to see it");
    let restarted = desk.json("center follow --of acme --restart");
    assert_eq!(from_and_read(&restarted), (0, size(&node)));
    assert_eq!(desk.json("center follow --of acme")["read"], 0);
}
