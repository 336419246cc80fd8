//! A backup against what its network certified.

use crate::backup::{Story, text};
use crate::node::Node;
use crate::operator;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;
use touchmark_node::upkeep::{self, UpkeepError};

/// What checking the backup at `path` and restoring it into a new folder say; of one that is
/// refused, no ledger may be left.
fn refused(story: &Story, path: &str, trust: &[&str]) -> [(i32, Value); 2] {
    let (backup, new) = (story.path(path), story.path("new"));
    let answers = [
        operator::command(&[&["verify-backup", text(&backup)], trust].concat()),
        operator::node(&[&["restore", text(&backup)], trust].concat(), &new),
    ];
    for name in ["ledger", "ledger.new", "genesis.cbor"] {
        assert!(!new.join(name).exists(), "{name} of a refused backup");
    }
    answers
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (entry, to) = (entry.as_ref().unwrap(), to.join(entry.as_ref().unwrap().file_name()));
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn a_backup_is_checked_against_the_root_that_the_reader_trusts() {
    let story = Story::begin();
    let backup = story.path("backup");
    let (network, genesis) = (story.network(), story.path("data/genesis.cbor"));
    for trust in [network.as_str(), text(&genesis)] {
        let (exit, verified) =
            operator::command(&["verify-backup", text(&backup), "--trust", trust]);
        assert_eq!((exit, &verified["trusted"]), (0, &true.into()), "{verified}");
        assert_eq!(verified["state_root"], *story.made("state_root"));
    }
    let (exit, restored) =
        operator::node(&["restore", text(&backup), "--trust", &network], &story.path("trusting"));
    assert_eq!((exit, &restored["trusted"]), (0, &true.into()), "{restored}");
    let (exit, restored) =
        operator::node(&["restore", text(&backup)], &story.path("trusting-nobody"));
    assert_eq!((exit, &restored["trusted"]), (0, &false.into()), "{restored}");

    let other = format!("{}{}", &network[1..], &network[..1]);
    for (exit, answer) in refused(&story, "backup", &["--trust", &other]) {
        assert_eq!((exit, operator::error(&answer).0), (1, "TM-WRONG-NETWORK"), "{answer}");
        assert!(answer.to_string().contains(&other), "{answer}");
    }
}

#[test]
fn whoever_trusts_nobody_is_told_what_that_proves() {
    let story = Story::begin();
    let output = Command::new(env!("CARGO_BIN_EXE_touchmark"))
        .args(["node", "verify-backup", text(&story.path("backup"))])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains(&story.network()) && said.contains("--trust"), "{said}");
}

#[test]
fn the_proof_of_a_backup_is_a_bundle_like_any_other() {
    let story = Story::begin();
    let output = Command::new(env!("CARGO_BIN_EXE_touchmark"))
        .args(["--json", "verify", text(&story.path("backup/proof.tmb"))])
        .args(["--trust", &story.network()])
        .output()
        .unwrap();
    let verdict: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &verdict["valid"]), (Some(0), &true.into()), "{verdict}");
    for name in ["height", "size", "root"] {
        assert_eq!(verdict["as_of"][name], *story.made(name), "{verdict}");
    }
}

/// Every file fits its manifest and the roots fit the leaves, but the network certified others.
#[test]
fn what_the_network_did_not_certify_is_refused_however_consistent_it_is() {
    let story = Story::begin();
    let mut node = Node::start(&story.path(""));
    operator::write(&node, 1, 1);
    node.kill();
    story.back_up("longer");
    // The log went on, the proof did not.
    fs::copy(story.path("backup/proof.tmb"), story.path("longer/proof.tmb")).unwrap();

    // Another log altogether, whose manifest names this network.
    let mut other = Node::start(&story.path("other"));
    operator::write(&other, 2, 3);
    let name = other.network().to_string();
    other.kill();
    let to = story.path("other/backup");
    let (exit, made) = operator::node(&["backup", "--to", text(&to)], &story.path("other/data"));
    assert_eq!(exit, 0, "{made}");
    let forged = story.path("forged");
    copy_folder(&story.path("backup"), &forged);
    fs::remove_dir_all(forged.join("ledger")).unwrap();
    copy_folder(&to.join("ledger"), &forged.join("ledger"));
    let manifest = fs::read_to_string(forged.join("ledger/MANIFEST")).unwrap();
    fs::write(forged.join("ledger/MANIFEST"), manifest.replace(&name, &story.network())).unwrap();

    for backup in ["longer", "forged"] {
        for (exit, answer) in refused(&story, backup, &["--trust", &story.network()]) {
            let (code, hint) = operator::error(&answer);
            assert_eq!((exit, code), (1, "TM-NOT-PROVED"), "{backup}: {answer}");
            assert!(hint.contains("another backup"), "{answer}");
            assert!(answer.to_string().contains("root, state root differ"), "{answer}");
        }
    }
    // With its own proof it is what was certified.
    let (exit, verified) = operator::command(&["verify-backup", text(&to), "--trust", &name]);
    assert_eq!(exit, 0, "{verified}");
}

#[test]
fn a_backup_whose_proof_is_missing_or_damaged_is_refused() {
    let story = Story::begin();
    let (backup, proof) = (story.path("backup"), story.path("backup/proof.tmb"));
    let whole = fs::read(&proof).unwrap();
    for place in (0..whole.len()).step_by(11) {
        let mut damaged = whole.clone();
        damaged[place] ^= 1;
        fs::write(&proof, damaged).unwrap();
        let found = upkeep::verify_backup(&backup, None, None, drop);
        assert!(matches!(found, Err(UpkeepError::Unproved { .. })), "byte {place}: {found:?}");
    }
    fs::write(&proof, &whole[..whole.len() - 1]).unwrap();
    for (exit, answer) in refused(&story, "backup", &[]) {
        assert_eq!((exit, operator::error(&answer).0), (1, "TM-NOT-PROVED"), "{answer}");
        assert!(answer.to_string().contains("TM-MALFORMED"), "{answer}");
    }
    fs::remove_file(&proof).unwrap();
    for (exit, answer) in refused(&story, "backup", &[]) {
        let (code, hint) = operator::error(&answer);
        assert_eq!((exit, code), (1, "TM-NOT-PROVED"), "{answer}");
        assert!(hint.contains("another backup"), "{answer}");
        assert!(answer.to_string().contains("proof.tmb is missing"), "{answer}");
    }
    fs::write(&proof, &whole).unwrap();
    upkeep::verify_backup(&backup, None, None, drop).unwrap();
}

#[test]
fn a_ledger_without_its_certificates_is_not_backed_up() {
    let story = Story::begin();
    let copy = story.path("copy");
    let (exit, restored) = operator::node(&["restore", text(&story.path("backup"))], &copy);
    assert_eq!(exit, 0, "{restored}");
    let to = story.path("again");
    let (exit, answer) = operator::node(&["backup", "--to", text(&to)], &copy);
    let (code, hint) = operator::error(&answer);
    assert_eq!((exit, code), (1, "TM-NOT-PROVED"), "{answer}");
    assert!(hint.contains("`consensus`"), "{hint}");
    assert!(!to.exists() && !copy.join("consensus").exists());
}
