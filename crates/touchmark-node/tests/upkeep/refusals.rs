//! One folder, one process.

use crate::node::Node;
use crate::operator;
use std::time::{Duration, Instant};

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
