use super::fixture::{Node, try_open};
use crate::{CacheLimits, Error};
use std::fs;

#[test]
fn a_second_opener_is_refused_at_once_and_told_by_whom() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open(folder.path());
    let refused = try_open(folder.path(), "example.org/log", CacheLimits::default()).err().unwrap();
    assert!(
        matches!(refused, Error::InUse { process: Some(id), .. } if id == std::process::id()),
        "{refused}"
    );
    assert!(refused.to_string().contains("stop that process"));
    // A snapshot keeps the database, and with it the folder, in use.
    let snapshot = node.snapshot();
    drop(node);
    assert!(try_open(folder.path(), "example.org/log", CacheLimits::default()).is_err());
    drop(snapshot);
    assert!(try_open(folder.path(), "example.org/log", CacheLimits::default()).is_ok());
}

#[test]
fn another_networks_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(Node::open(folder.path()));
    let refused =
        try_open(folder.path(), "example.org/other", CacheLimits::default()).err().unwrap();
    assert!(matches!(refused, Error::OtherNetwork { .. }), "{refused}");
}

#[test]
fn an_unknown_format_and_a_strange_folder_are_refused_untouched() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("FORMAT"), "touchmark-store 99\n").unwrap();
    let refused = try_open(folder.path(), "example.org/log", CacheLimits::default()).err().unwrap();
    assert!(
        matches!(&refused, Error::UnknownFormat { found, known: 5, .. } if found == "touchmark-store 99"),
        "{refused}"
    );

    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("letter.txt"), "dear").unwrap();
    let refused = try_open(folder.path(), "example.org/log", CacheLimits::default()).err().unwrap();
    assert!(matches!(refused, Error::NotAStore { .. }), "{refused}");
    assert!(!folder.path().join("kv").exists());
}
