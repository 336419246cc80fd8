//! Snapshots stay what they were, whatever the caches hold.

use super::fixture::{Actor, Node};
use crate::{CacheLimits, Error};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use touchmark_core::view::{Read as _, View as _};
use touchmark_ledger::StateView as _;
use touchmark_ledger::trie::{PagePath, Pages as _};
use touchmark_wire::registry::EntryKind;
use touchmark_wire::state::StateKey;
use touchmark_wire::trie::TrieProof;

/// One answer of every kind that a later commit could spoil.
fn answers(snapshot: &crate::Snapshot, things: &[StateKey]) -> String {
    let entries: Vec<_> = things.iter().map(|key| snapshot.entry(key).unwrap()).collect();
    let proof = snapshot.prove(things).unwrap();
    let root = snapshot.tip().state_root;
    let proved = TrieProof::verify(&proof, &root).is_ok();
    let page = snapshot.page(&PagePath::ROOT).unwrap();
    format!("{entries:?} {proof:?} {proved} {page:?} {:?}", snapshot.counts())
}

fn isolated_with(limits: CacheLimits) {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::with_limits(folder.path(), limits);
    let (mut actors, inceptions): (Vec<_>, Vec<_>) = (0..120).map(Actor::device).unzip();
    node.batch(inceptions);
    let keys: Vec<_> =
        actors.iter().map(|actor| StateKey::thing(actor.id, EntryKind::HEAD)).collect();
    let mut taken: Vec<(Arc<crate::Snapshot>, String)> = Vec::new();
    for round in 0..6u8 {
        let snapshot = node.snapshot();
        // Every other snapshot is first read only after later commits.
        let answer = if round % 2 == 0 { answers(&snapshot, &keys) } else { String::new() };
        taken.push((snapshot, answer));
        let records = actors
            .iter_mut()
            .skip(usize::from(round))
            .step_by(3)
            .map(|actor| actor.record(&[round]));
        node.batch(records.collect());
        for (snapshot, answer) in &mut taken {
            let now = answers(snapshot, &keys);
            assert!(now.contains(" true "), "the proof is of the snapshot's own root");
            if answer.is_empty() {
                *answer = now.clone();
            }
            assert_eq!(now, *answer);
        }
    }
    // What was read late is what was true early.
    for (round, (snapshot, _)) in taken.iter().enumerate() {
        for (place, actor) in actors.iter().enumerate() {
            let expected =
                (0..round).filter(|done| place >= *done && (place - done) % 3 == 0).count();
            let head = snapshot.head(actor.id).unwrap().unwrap();
            assert_eq!(head.chain.sequence.0 as usize, 1 + expected);
        }
    }
}

#[test]
fn later_commits_do_not_reach_a_snapshot() {
    isolated_with(CacheLimits::default());
}

#[test]
fn nor_do_they_with_caches_that_hold_next_to_nothing() {
    isolated_with(CacheLimits {
        entries: 2_000,
        pages: 4_000,
        tiles: 1,
        bundles: 1,
        blocks: 1 << 20,
    });
}

#[test]
fn an_old_snapshot_does_not_spoil_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open(folder.path());
    let (mut actor, inception) = Actor::device(1);
    node.batch(vec![inception]);
    let old = node.snapshot();
    node.batch(vec![actor.record(b"1")]);
    let path = folder.path().to_owned();
    drop((node, old));
    // A cold cache, filled through an old snapshot after a commit.
    let node = Node::open(&path);
    let old = node.snapshot();
    let unrelated = Actor::device(2).1;
    node.batch(vec![unrelated]);
    node.batch(vec![actor.record(b"2")]);
    assert_eq!(old.head(actor.id).unwrap().unwrap().chain.sequence.0, 2);
    assert_eq!(node.snapshot().head(actor.id).unwrap().unwrap().chain.sequence.0, 3);
    assert_eq!(old.head(actor.id).unwrap().unwrap().chain.sequence.0, 2);
}

#[test]
fn readers_beside_a_writer_see_whole_batches() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::with_limits(
        folder.path(),
        CacheLimits { entries: 20_000, pages: 20_000, ..CacheLimits::default() },
    );
    let (mut actors, inceptions): (Vec<_>, Vec<_>) = (0..60).map(Actor::device).unzip();
    node.batch(inceptions);
    let ids: Vec<_> = actors.iter().map(|actor| actor.id).collect();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) {
                        let snapshot = node.snapshot();
                        let height = snapshot.height().0;
                        for id in &ids {
                            let head = snapshot.head(*id).unwrap().unwrap();
                            assert_eq!(
                                u64::from(head.chain.sequence.0),
                                height,
                                "every batch has one of each"
                            );
                        }
                    }
                })
            })
            .collect();
        for round in 0..25u8 {
            node.batch(actors.iter_mut().map(|actor| actor.record(&[round])).collect());
        }
        done.store(true, Ordering::Relaxed);
        for reader in readers {
            reader.join().unwrap();
        }
    });
    assert!(matches!(
        node.snapshot().leaf(touchmark_wire::ids::LeafIndex(1 << 40)),
        Err(Error::NoLeaf { .. })
    ));
}
