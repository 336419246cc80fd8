//! `touchmark node rebuild` on the folder of a node that was killed.

use crate::node::Node;
use crate::operator;
use std::fs;

#[test]
fn a_node_whose_tables_are_gone_says_so_and_goes_on_after_a_rebuild() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut node = Node::start(folder.path());
    let written = operator::write(&node, 3, 4);
    node.kill();
    let (exit, before) = operator::node(&["rebuild"], &data);
    assert_eq!(exit, 0, "{before}");
    assert!(before["height"].as_u64().unwrap() > 0);

    // All tables but those of the log (2 and 4), and the engine's own (0).
    let tables = data.join("ledger/kv/keyspaces");
    for table in [1, 3].into_iter().chain(5..15) {
        fs::remove_dir_all(tables.join(table.to_string())).unwrap();
    }
    let (exit, refused) = operator::node(&["run", "--listen", "127.0.0.1:0"], &data);
    let (code, hint) = operator::error(&refused);
    assert_eq!((exit, code), (4, "TM-CORRUPT"), "{refused}");
    assert!(hint.contains("touchmark node rebuild"), "{hint}");

    let (exit, after) = operator::node(&["rebuild"], &data);
    assert_eq!(exit, 0, "{after}");
    assert_eq!(after, before);
    let node = Node::start(folder.path());
    assert!(written.iter().all(|it| node.has(it)));
    let more = operator::write(&node, 1, 1);
    assert!(more.iter().all(|it| node.has(it)));
}

/// The order engine keeps every final batch: a log that is lost is delivered again.
#[test]
fn a_ledger_that_is_gone_comes_back_from_the_order_engine() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut node = Node::start(folder.path());
    let written = operator::write(&node, 2, 3);
    node.kill();
    let (_, before) = operator::node(&["rebuild"], &data);
    fs::rename(data.join("ledger"), data.join("ledger.damaged")).unwrap();
    let mut node = Node::start(folder.path());
    assert!(written.iter().all(|it| node.has(it)));
    node.kill();
    let (_, after) = operator::node(&["rebuild"], &data);
    assert!(after["height"].as_u64() >= before["height"].as_u64());
    assert_eq!(after["state_root"], before["state_root"]);
}
