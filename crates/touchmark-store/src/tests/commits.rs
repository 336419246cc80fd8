//! Commits that fail, and what is kept beside the commits.

use super::fixture::{Actor, Node};
use crate::{CacheLimits, Erased, Kept, Payload, VerifiedBackup};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use touchmark_core::view::Read as _;
use touchmark_ledger::{Durable as _, Execution, StateView as _};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::Height;
use touchmark_wire::statement::Preimage;

/// A file system of its own, where the tests may make one.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn mount(path: &'a Path) -> Option<Self> {
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=12m", "none"])
            .arg(path)
            .output();
        mount.is_ok_and(|done| done.status.success()).then_some(Self(path))
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        // Lazily: the engine's threads may still be closing files.
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

#[test]
fn a_full_disk_halts_writing_and_not_reading() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_disk) = SmallDisk::mount(folder.path()) else {
        eprintln!("skipped: this user may not mount a small file system");
        return;
    };
    let limits = CacheLimits { blocks: 1 << 20, ..CacheLimits::default() };
    let node = Node::with_limits(folder.path(), limits);
    let (mut actor, inception) = Actor::device(1);
    node.batch(vec![inception]);
    let mut written = 1;
    let halt = loop {
        let record = actor.record(&vec![written as u8; 60_000]);
        match node.try_batch(vec![record]) {
            Ok(_) => written += 1,
            Err(halt) => break halt,
        }
        assert!(written < 10_000, "the disk never got full");
    };
    assert!(halt.0.contains("No space left") || halt.0.contains("disk is full"), "{halt}");
    assert!(node.store.halted().is_some());
    // Reading goes on, at the last durable batch; writing stays refused.
    let snapshot = node.snapshot();
    assert_eq!(snapshot.height(), Height(written));
    assert_eq!(u64::from(snapshot.head(actor.id).unwrap().unwrap().chain.sequence.0), written);
    snapshot.check_tip().unwrap();
    assert!(node.try_batch(Vec::new()).is_err());
    // After the next start all that was acknowledged is there.
    drop((snapshot, node));
    fs::write(folder.path().join("unrelated"), b"").unwrap_or_default();
    let node = Node::with_limits(folder.path(), limits);
    assert!(node.snapshot().height() >= Height(written));
}

#[test]
fn only_the_next_batch_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open(folder.path());
    let (mut actor, inception) = Actor::device(1);
    let first = node.batch(vec![inception]);
    node.batch(vec![actor.record(b"1")]);
    let refused = node.store.commit(first, &Execution::default());
    assert!(refused.unwrap_err().0.contains("does not follow"));
    assert_eq!(node.store.halted(), None);
    assert_eq!(node.store.snapshot().tip().batch.height(), Height(2));
}

/// A payload and what the log says of it.
fn personal() -> (Digest, Payload) {
    let content = b"born in 1980";
    let commitment = Preimage { salt: [6; 32], content }.commitment();
    (commitment, Payload { salt: [6; 32], content: content.to_vec() })
}

/// Where a store in `folder` keeps what this is the commitment of.
fn kept_at(folder: &Path, commitment: Digest) -> PathBuf {
    let name = commitment.to_string();
    folder.join("payloads").join(&name[..2]).join(name)
}

/// Puts a file where the store keeps a payload, or a draft of it.
fn leave(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).unwrap().len()
}

#[test]
fn an_erased_payload_is_gone_from_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open(folder.path());
    let (commitment, payload) = personal();
    assert_eq!(node.store.payload(commitment).unwrap(), None);
    assert_eq!(node.store.put_payload(commitment, &payload).unwrap(), Kept::Durably);
    drop(node);
    let node = Node::open(folder.path());
    assert_eq!(node.store.payload(commitment).unwrap(), Some(payload.clone()));
    assert_eq!(format!("{:?}", node.store.payload(commitment).unwrap()), "Some(Payload(12 bytes))");
    assert_eq!(node.store.erase_payload(commitment).unwrap(), Erased::Gone);
    assert_eq!(node.store.erase_payload(commitment).unwrap(), Erased::NothingThere);
    assert_eq!(node.store.payload(commitment).unwrap(), None);
    let path = kept_at(folder.path(), commitment);
    assert_eq!((length(&path), fs::read_dir(path.parent().unwrap()).unwrap().count()), (0, 1));
    // Whoever has a copy puts none back.
    assert_eq!(node.store.put_payload(commitment, &payload).unwrap(), Kept::NeverAgain);
    assert_eq!(node.store.payload(commitment).unwrap(), None);
}

#[test]
fn a_payload_whose_erasure_broke_off_is_erased() {
    let (commitment, payload) = personal();
    let acts: [fn(&Node, Digest, &Payload); 3] = [
        |node, at, _| assert_eq!(node.store.payload(at).unwrap(), None),
        |node, at, it| assert_eq!(node.store.put_payload(at, it).unwrap(), Kept::NeverAgain),
        |node, at, _| assert_eq!(node.store.erase_payload(at).unwrap(), Erased::NothingThere),
    ];
    let half = [&[0; 40][..], b"1980"].concat();
    for (act, left) in
        acts.iter().flat_map(|act| [&[0; 44][..], &[0; 7], &half].map(|it| (act, it)))
    {
        let folder = tempfile::tempdir().unwrap();
        let node = Node::open(folder.path());
        let path = kept_at(folder.path(), commitment);
        leave(&path, left);
        act(&node, commitment, &payload);
        assert_eq!(length(&path), 0);
        assert_eq!(node.store.put_payload(commitment, &payload).unwrap(), Kept::NeverAgain);
        assert_eq!(node.store.payload(commitment).unwrap(), None);
    }
}

#[test]
fn a_draft_of_a_payload_is_erased_with_it() {
    let (commitment, payload) = personal();
    for is_kept in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let node = Node::open(folder.path());
        let draft = kept_at(folder.path(), commitment).with_extension("new");
        if is_kept {
            node.store.put_payload(commitment, &payload).unwrap();
        }
        leave(&draft, b"born in 19");
        // Another name of the file: whether its bytes went, and not only the name.
        let witness = folder.path().join("witness");
        fs::hard_link(&draft, &witness).unwrap();
        assert_eq!(node.store.erase_payload(commitment).unwrap(), Erased::Gone);
        assert_eq!((draft.exists(), length(&witness)), (false, 0));
        assert_eq!(node.store.put_payload(commitment, &payload).unwrap(), Kept::NeverAgain);
    }
}

#[test]
fn a_draft_of_a_payload_is_overwritten_before_it_is_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open(folder.path());
    let (commitment, payload) = personal();
    let path = kept_at(folder.path(), commitment);
    leave(&path.with_extension("new"), b"born in 19");
    let witness = folder.path().join("witness");
    fs::hard_link(path.with_extension("new"), &witness).unwrap();
    assert_eq!(node.store.put_payload(commitment, &payload).unwrap(), Kept::Durably);
    assert_eq!(node.store.payload(commitment).unwrap(), Some(payload));
    assert_eq!(length(&witness), 0);
}

#[test]
fn a_payload_that_does_not_fit_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open(folder.path());
    let (commitment, payload) = personal();
    let other = Payload { salt: [7; 32], ..payload.clone() };
    assert_eq!(node.store.put_payload(commitment, &other).unwrap(), Kept::Unfit);
    assert_eq!(node.store.payload(commitment).unwrap(), None);
    assert_eq!(node.store.put_payload(commitment, &payload).unwrap(), Kept::Durably);
}

#[test]
fn a_payload_that_comes_again_is_not_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open(folder.path());
    let (commitment, payload) = personal();
    node.store.put_payload(commitment, &payload).unwrap();
    let witness = folder.path().join("witness");
    fs::hard_link(kept_at(folder.path(), commitment), &witness).unwrap();
    assert_eq!(node.store.put_payload(commitment, &payload).unwrap(), Kept::Durably);
    assert_eq!(node.store.erase_payload(commitment).unwrap(), Erased::Gone);
    assert_eq!(length(&witness), 0, "the first blocks were freed with the content in them");
}

#[test]
fn a_payload_erased_before_it_comes_is_never_kept() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open(folder.path());
    let (commitment, payload) = personal();
    assert_eq!(node.store.erase_payload(commitment).unwrap(), Erased::NothingThere);
    assert_eq!(node.store.put_payload(commitment, &payload).unwrap(), Kept::NeverAgain);
    assert_eq!(node.store.payload(commitment).unwrap(), None);
}

#[test]
fn a_backup_has_the_marks_of_erased_payloads() {
    let (commitment, payload) = personal();
    for left in [&[][..], &[0; 44]] {
        let folder = tempfile::tempdir().unwrap();
        let [store, backup, again] = ["store", "backup", "again"].map(|it| folder.path().join(it));
        let node = Node::open(&store);
        leave(&kept_at(&store, commitment), left);
        let network = node.store.backup(&node.snapshot(), &backup).unwrap().network;
        VerifiedBackup::check(&backup, network, drop).unwrap().restore(&again, drop).unwrap();
        let node = Node::open(&again);
        assert_eq!(node.store.payload(commitment).unwrap(), None);
        assert_eq!(node.store.put_payload(commitment, &payload).unwrap(), Kept::NeverAgain);
    }
}
