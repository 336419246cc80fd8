//! `touchmark node backup`, `verify-backup` and `restore`, and what a restored node may do.

use crate::node::Node;
use crate::operator;
use crate::writer::Written;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// A stopped node that has written, and its backup.
pub(crate) struct Story {
    folder: tempfile::TempDir,
    written: Vec<Written>,
    made: Value,
}

impl Story {
    pub(crate) fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut node = Node::start(folder.path());
        let written = operator::write(&node, 2, 3);
        node.kill();
        let mut story = Self { folder, written, made: Value::Null };
        story.made = story.back_up("backup");
        story
    }

    /// Backs the stopped node up once more.
    pub(crate) fn back_up(&self, to: &str) -> Value {
        let (exit, made) =
            operator::node(&["backup", "--to", text(&self.path(to))], &self.path("data"));
        assert_eq!(exit, 0, "{made}");
        made
    }

    /// What the backup's making said of it.
    pub(crate) fn made(&self, name: &str) -> &Value {
        &self.made[name]
    }

    /// Id of the node's network.
    pub(crate) fn network(&self) -> String {
        self.made["network"].as_str().unwrap().to_owned()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn restore(&self, data: &str) -> (i32, Value) {
        operator::node(&["restore", text(&self.path("backup"))], &self.path(data))
    }
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn run(data: &Path) -> (i32, Value) {
    operator::node(&["run", "--listen", "127.0.0.1:0"], data)
}

#[test]
fn a_node_goes_on_from_a_backup_with_what_came_after_it() {
    let story = Story::begin();
    let (exit, mut verified) = operator::command(&["verify-backup", text(&story.path("backup"))]);
    assert_eq!(verified.as_object_mut().unwrap().remove("trusted"), Some(false.into()));
    assert_eq!((exit, &verified), (0, &story.made));
    let mut node = Node::start(story.folder.path());
    let later = operator::write(&node, 1, 2);
    node.kill();

    let (exit, refused) = story.restore("data");
    assert_eq!((exit, operator::error(&refused).0), (2, "TM-NOT-HERE"), "a ledger is there");
    fs::rename(story.path("data/ledger"), story.path("lost")).unwrap();
    let (exit, restored) = story.restore("data");
    assert_eq!((exit, &restored["complete"]), (0, &true.into()), "{restored}");
    assert_eq!(restored["trusted"], true, "the folder had the network's root of trust");
    assert_eq!(restored["state_root"], story.made["state_root"]);

    let node = Node::start(story.folder.path());
    for written in story.written.iter().chain(&later) {
        assert!(node.has(written), "what was acknowledged is lost");
    }
    assert!(operator::write(&node, 1, 1).iter().all(|it| node.has(it)));
}

/// A second node with the first one's keys and without its votes could sign another history.
#[test]
fn what_is_restored_elsewhere_is_a_copy_that_nobody_votes_with() {
    let story = Story::begin();
    let (exit, restored) = story.restore("copy");
    assert_eq!((exit, &restored["complete"]), (0, &false.into()), "{restored}");
    let copy = story.path("copy");
    let (exit, refused) = run(&copy);
    let (code, hint) = operator::error(&refused);
    assert_eq!((exit, code), (2, "TM-NOT-HERE"), "{refused}");
    assert!(hint.contains("keys and votes"), "{hint}");
    let (exit, rebuilt) = operator::node(&["rebuild"], &copy);
    assert_eq!((exit, &rebuilt["state_root"]), (0, &story.made["state_root"]), "{rebuilt}");

    fs::copy(story.path("data/secrets.cbor"), copy.join("secrets.cbor")).unwrap();
    let (exit, refused) = run(&copy);
    let (code, hint) = operator::error(&refused);
    assert_eq!((exit, code), (4, "TM-CORRUPT"), "it would vote without knowing what on: {refused}");
    assert!(hint.contains("`consensus`"), "{hint}");
}

#[test]
fn only_a_whole_backup_of_the_same_network_is_restored() {
    let story = Story::begin();
    let mut other = Node::start(&story.path("other"));
    other.kill();
    fs::rename(story.path("other/data/ledger"), story.path("other/lost")).unwrap();
    let (exit, refused) = story.restore("other/data");
    assert_eq!((exit, operator::error(&refused).0), (1, "TM-WRONG-NETWORK"), "{refused}");
    assert!(!story.path("other/data/ledger").exists());

    let tables = story.path("backup/ledger/tables");
    let mut bytes = fs::read(&tables).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&tables, bytes).unwrap();
    let backup = story.path("backup");
    for (exit, refused) in
        [operator::command(&["verify-backup", text(&backup)]), story.restore("new")]
    {
        assert_eq!((exit, operator::error(&refused).0), (1, "TM-MALFORMED"), "{refused}");
    }
    assert!(!story.path("new/ledger").exists());
    // What was cut off is begun anew.
    fs::create_dir_all(story.path("data/ledger.new/kv")).unwrap();
    story.back_up("again");
    fs::rename(story.path("data/ledger"), story.path("lost")).unwrap();
    let (exit, restored) =
        operator::node(&["restore", text(&story.path("again"))], &story.path("data"));
    assert_eq!(exit, 0, "{restored}");
}
