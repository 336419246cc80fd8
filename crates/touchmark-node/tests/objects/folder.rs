//! A folder in the place of a service.

use super::story::{Story, wait_until_sealed, write};
use std::fs;

#[test]
fn a_folder_is_object_storage_too() {
    let shelf = tempfile::tempdir().unwrap();
    let url = format!("file://{}", shelf.path().display());
    let story = Story::with(vec![("TOUCHMARK__OBJECTS__URL", url)]);
    let mut node = story.start();
    let records = write(&node, 1_500);
    let sealed = wait_until_sealed(&node);
    let network = node.network().to_string();
    node.kill();
    let files = fs::read_dir(shelf.path().join(network).join("tile/entries")).unwrap();
    assert_eq!(files.count() as u64, sealed / 256);
    let node = story.start();
    for (leaf, bytes) in records.leaves.iter().step_by(53) {
        assert_eq!(node.client().leaf_bytes(*leaf).unwrap(), *bytes);
    }
    // A mount that is missing is no empty place.
    drop(node);
    fs::remove_dir_all(shelf.path()).unwrap();
    assert!(story.try_start().is_none());
}
