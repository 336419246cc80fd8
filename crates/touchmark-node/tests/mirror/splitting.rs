//! A network whose log goes two ways, as where validators that enough sign for are stolen: two
//! nodes with the keys of one.

use super::desk::Desk;
use super::issuer::Issuer;
use super::node::Node;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;
use touchmark_node::cli::Exit;
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::registry::ThingKind;

/// Writes a thing and so many records of it.
pub(crate) fn write(node: &Node, records: usize) {
    let mut issuer = Issuer::new(node.network(), ThingKind::DEVICE, Algorithm::Ed25519);
    let mut sequence = issuer.inception();
    (0..records).for_each(|n| sequence.extend(issuer.record(&n.to_be_bytes())));
    let written = node.client().submit_sequence(&sequence).unwrap();
    assert!(written.iter().all(|written| written.position.is_some()), "{written:?}");
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-r").args([from, to]).status().unwrap().success());
}

/// Two nodes that have the first `common` leaves in common, and then each a thing of its own.
fn fork() -> ([TempDir; 2], [Node; 2], u64) {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut node = Node::start(folders[0].path());
    write(&node, 300);
    let common = node.client().network().unwrap().size;
    node.kill();
    copy(&folders[0].path().join("data"), &folders[1].path().join("data"));
    let nodes = [Node::start(folders[0].path()), Node::start(folders[1].path())];
    (folders, nodes, common)
}

#[test]
fn an_auditor_finds_a_split_view_and_says_who_signed_it() {
    let (folders, nodes, common) = fork();
    write(&nodes[0], 20);
    write(&nodes[1], 30);
    let mut desk = Desk::new();
    let genesis = folders[0].path().join("data/genesis.cbor");
    let trust = format!("--trust {}", genesis.display());
    let [one, two] = [&nodes[0], &nodes[1]].map(Node::url);
    let ended = desk.run(&format!("audit {one} {two} {one} {trust} --evidence evidence --json"));
    let report = ended.document();
    assert_eq!((ended.exit, &report["valid"]), (Exit::Refused, &false.into()), "{report}");
    assert!(report["deviation"].is_null(), "each log keeps the rules: {report}");
    let split = &report["compared"][0];
    assert_eq!((&split["standing"], &split["leaves_in_common"]), (&"split".into(), &common.into()));
    assert_eq!(report["compared"][1]["standing"], "same");
    for signed in [&report["signed_by"], &split["signed_by"]] {
        for how in ["certificate", "validator-1: checkpoint", "validator-1: receipt"] {
            assert!(signed.to_string().contains(how), "{how}: {signed}");
        }
    }
    // Each proves alone that the network signed it.
    for name in ["1.checkpoint", "1.tmb", "2.checkpoint", "2.tmb"] {
        let verdict = desk.json(&format!("verify evidence/{name} {trust}"));
        assert_eq!(verdict["valid"], true, "{name}");
    }
    assert!(!desk.path("evidence/3.tmb").exists(), "the third shows nothing else");
}

#[test]
fn a_mirror_refuses_a_log_that_does_not_continue_its_own() {
    let (folders, nodes, common) = fork();
    let mut desk = Desk::new();
    let genesis = folders[0].path().join("data/genesis.cbor");
    let trust = format!("--trust {}", genesis.display());
    write(&nodes[0], 20);
    desk.json(&format!("mirror {} --to copy {trust}", nodes[0].url()));
    let kept = std::fs::read(desk.path("copy/checkpoint")).unwrap();
    let refused = |desk: &mut Desk| {
        let (exit, error) = desk.error(&format!("mirror {} --to copy", nodes[1].url()));
        assert_eq!(exit, Exit::Refused, "{error}");
        assert_eq!(std::fs::read(desk.path("copy/checkpoint")).unwrap(), kept, "it stays");
        error["code"].clone()
    };
    assert_eq!(nodes[1].client().network().unwrap().size, common);
    assert_eq!(refused(&mut desk), "TM-LOG-ROLLED-BACK");
    assert!(!desk.path("copy/evidence").exists(), "being behind is no crime");
    // Smaller, and not its beginning; then larger, and not its continuation.
    for records in [5, 50] {
        write(&nodes[1], records);
        assert_eq!(refused(&mut desk), "TM-LOG-SPLIT", "{records}");
        for name in ["seen.checkpoint", "seen.tmb", "shown.checkpoint", "shown.tmb"] {
            let verdict = desk.json(&format!("verify copy/evidence/{name} {trust}"));
            assert_eq!(verdict["valid"], true, "{name}");
        }
    }
    desk.json(&format!("mirror {} --to copy", nodes[0].url()));
}
