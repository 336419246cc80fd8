//! One folder, one process.

use crate::node::Node;
use crate::operator;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use touchmark_wire::genesis::{Genesis, RULES_VERSION};

#[test]
fn a_second_process_on_the_same_folder_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let first = Node::start(folder.path());
    for command in [&["run", "--listen", "127.0.0.1:0"][..], &["rebuild"]] {
        let start = Instant::now();
        let (exit, document) = operator::node(command, &data);
        assert!(start.elapsed() < Duration::from_secs(5), "it waited");
        let (code, hint) = operator::error(&document);
        assert_eq!((exit, code), (3, "TM-BUSY"), "{document}");
        assert!(hint.contains("stop that process"), "{hint}");
        let what = document["error"]["what"].as_str().unwrap();
        assert!(what.contains(&format!("process {}", first.id())), "{what}");
    }
    let written = operator::write(&first, 1, 1);
    assert!(written.iter().all(|it| first.has(it)), "the first one suffered");
}

#[test]
fn where_there_is_no_node_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (exit, document) = operator::node(&["rebuild"], &data);
    let (code, _) = operator::error(&document);
    assert_eq!((exit, code), (2, "TM-NOT-HERE"));
    assert!(!data.exists());
}

/// Every file below a folder, with its bytes.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

#[test]
fn a_network_whose_rules_this_build_lacks_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    Node::start(folder.path()).kill();
    let path = data.join("genesis.cbor");
    let sound = fs::read(&path).unwrap();
    for rules in [0, RULES_VERSION + 1] {
        let genesis = Genesis { rules, ..Genesis::decode(&sound).unwrap() };
        fs::write(&path, genesis.encode_to_vec()).unwrap();
        let before = contents(&data);
        for command in [&["run", "--listen", "127.0.0.1:0"][..], &["rebuild"]] {
            let (exit, document) = operator::node(command, &data);
            let (code, hint) = operator::error(&document);
            assert_eq!((exit, code), (2, "TM-RULES"), "{document}");
            assert!(hint.contains("install a build"), "{hint}");
            let why = document["error"]["why"].as_str().unwrap();
            assert!(why.contains(&format!("rules of version {rules}")), "{why}");
        }
        // The lock says who held it last.
        let changed: Vec<_> = contents(&data)
            .into_iter()
            .filter(|(path, bytes)| before.get(path) != Some(bytes) && !path.ends_with("LOCK"))
            .collect();
        assert!(
            changed.is_empty(),
            "{:?}",
            changed.iter().map(|(path, _)| path).collect::<Vec<_>>()
        );
    }
    // With the build that has the rules the same folder goes on.
    fs::write(&path, sound).unwrap();
    let node = Node::start(folder.path());
    operator::write(&node, 1, 1);
}
