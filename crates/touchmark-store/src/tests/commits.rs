//! Commits that fail, and what is kept beside the commits.

use super::fixture::{Actor, Node};
use crate::{CacheLimits, Erased, Kept, Payload};
use std::path::Path;
use std::process::Command;
use touchmark_core::view::Read as _;
use touchmark_ledger::{Durable as _, Execution, StateView as _};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::Height;

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
    assert_eq!(u64::from(snapshot.head(actor.id).unwrap().unwrap().sequence.0), written);
    snapshot.check_tip().unwrap();
    assert!(node.try_batch(Vec::new()).is_err());
    assert!(node.store.put_certificate(Height(1), b"late").is_err());
    // After the next start all that was acknowledged is there.
    drop((snapshot, node));
    std::fs::write(folder.path().join("unrelated"), b"").unwrap_or_default();
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

#[test]
fn certificates_are_found_at_or_after_a_height() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open(folder.path());
    node.store.put_certificate(Height(3), b"three").unwrap();
    node.store.put_certificate(Height(300), b"three hundred").unwrap();
    let at = |height| node.store.certificate_at_or_after(Height(height)).unwrap();
    assert_eq!(at(0), Some((Height(3), b"three".to_vec())));
    assert_eq!(at(3), Some((Height(3), b"three".to_vec())));
    assert_eq!(at(4), Some((Height(300), b"three hundred".to_vec())));
    assert_eq!(at(301), None);
}

#[test]
fn an_erased_payload_is_gone_from_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open(folder.path());
    let commitment = Digest([5; 32]);
    let payload = Payload { salt: [6; 32], content: b"born in 1980".to_vec() };
    assert_eq!(node.store.payload(commitment).unwrap(), None);
    node.store.put_payload(commitment, &payload).unwrap();
    drop(node);
    let node = Node::open(folder.path());
    assert_eq!(node.store.payload(commitment).unwrap(), Some(payload));
    assert_eq!(format!("{:?}", node.store.payload(commitment).unwrap()), "Some(Payload(12 bytes))");
    assert_eq!(node.store.erase_payload(commitment).unwrap(), Erased::Gone);
    assert_eq!(node.store.erase_payload(commitment).unwrap(), Erased::NothingThere);
    assert_eq!(node.store.payload(commitment).unwrap(), None);
    let path = folder.path().join("payloads/05");
    let left: Vec<_> = std::fs::read_dir(path).unwrap().map(|it| it.unwrap()).collect();
    assert_eq!((left.len(), left[0].metadata().unwrap().len()), (1, 0));
    // Whoever has a copy puts none back.
    let payload = Payload { salt: [6; 32], content: b"born in 1980".to_vec() };
    assert_eq!(node.store.put_payload(commitment, &payload).unwrap(), Kept::NeverAgain);
    assert_eq!(node.store.payload(commitment).unwrap(), None);
}
