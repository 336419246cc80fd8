//! A process that commits is killed at random moments; what it acknowledged must be there.
//!
//! `TOUCHMARK_CRASHES` is the number of trials (10), `TOUCHMARK_SEED` the seed (1).

use super::fixture::{Actor, Dice, Node};
use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;
use touchmark_core::view::Read as _;
use touchmark_ledger::StateView as _;
use touchmark_wire::ids::{Height, LeafIndex};
use touchmark_wire::merkle::{self, Frontier};
use touchmark_wire::registry::EntryKind;
use touchmark_wire::state::StateKey;
use touchmark_wire::trie::TrieProof;

/// Set in the child: the data folder.
const FOLDER: &str = "TOUCHMARK_CRASH_FOLDER";
const THINGS: u64 = 40;

fn from_environment(name: &str, default: u64) -> u64 {
    env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// Not a test by itself: what the killed process runs.
#[test]
fn child_that_commits_until_it_is_killed() {
    let Some(folder) = env::var_os(FOLDER) else {
        return;
    };
    let node = Node::open(Path::new(&folder));
    let mut out = std::io::stdout();
    let mut actors: Vec<_> = if node.snapshot().height() == Height(0) {
        let (actors, inceptions): (Vec<_>, Vec<_>) = (0..THINGS).map(Actor::device).unzip();
        node.batch(inceptions);
        actors
    } else {
        (0..THINGS).map(|seed| Actor::resume(seed, &node.snapshot())).collect()
    };
    let mut dice = Dice(node.snapshot().height().0);
    loop {
        let mut records = Vec::new();
        for actor in &mut actors {
            if dice.below(3) == 0 {
                records.push(actor.record(&vec![7; dice.below(9_000) as usize]));
            }
        }
        let height = node.batch(records).height();
        writeln!(out, "acknowledged {height}").unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let seed = from_environment("TOUCHMARK_SEED", 1);
    let mut dice = Dice(seed);
    let mut acknowledged = 0;
    for trial in 0..from_environment("TOUCHMARK_CRASHES", 10) {
        acknowledged =
            run_and_kill(folder.path(), Duration::from_millis(dice.below(400)), acknowledged);
        let node = Node::open(folder.path());
        let snapshot = node.snapshot();
        let context = format!("seed {seed}, trial {trial}");
        assert!(snapshot.height().0 >= acknowledged, "{context}: {acknowledged} was acknowledged");
        acknowledged = snapshot.height().0;
        check(&snapshot, &context);
    }
    assert!(acknowledged > 3, "the trials did nothing");
}

/// The last height that the child acknowledged before it was killed, or `before`.
fn run_and_kill(folder: &Path, after: Duration, before: u64) -> u64 {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "tests::crash::child_that_commits_until_it_is_killed", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut heights = lines.map_while(Result::ok).filter_map(|line| {
        line.split_once("acknowledged ").and_then(|(_, height)| height.trim().parse().ok())
    });
    let first = heights.next();
    assert!(first.is_some(), "the child did not start");
    let killer = thread::spawn(move || {
        thread::sleep(after);
        child.kill().unwrap();
        child.wait().unwrap();
    });
    let last = heights.last().or(first).unwrap_or(before);
    killer.join().unwrap();
    last
}

/// Every leaf is there, hashes to the root, and the state proves itself.
fn check(snapshot: &crate::Snapshot, context: &str) {
    let tip = snapshot.tip();
    snapshot.check_tip().unwrap();
    let mut frontier = Frontier::new();
    for leaf in snapshot.leaves(LeafIndex(0)..LeafIndex(u64::MAX)) {
        frontier.append(merkle::leaf_hash(&leaf.unwrap().1));
    }
    assert_eq!(frontier, tip.frontier, "{context}");
    assert_eq!(frontier.root(), tip.batch.header().root, "{context}");
    let batches: Vec<_> = snapshot.batches(Height(0)).map(Result::unwrap).collect();
    assert_eq!(batches.len() as u64, snapshot.height().0, "{context}");
    assert!(batches.windows(2).all(|pair| pair[1].parent() == pair[0].digest()), "{context}");
    let heads: Vec<_> = (0..THINGS)
        .map(|seed| StateKey::thing(Actor::device(seed).0.id, EntryKind::HEAD))
        .collect();
    let proof = snapshot.prove(&heads).unwrap();
    assert!(TrieProof::verify(&proof, &tip.state_root).is_ok(), "{context}");
    for seed in 0..THINGS {
        let id = Actor::device(seed).0.id;
        let head = snapshot.head(id).unwrap().unwrap();
        let history = snapshot.history(id, crate::Order::OldestFirst, None, usize::MAX).unwrap();
        assert_eq!(history.len() as u64, head.history.count, "{context}");
        let last = snapshot.statement_in_chain(id, None, head.chain.sequence).unwrap().unwrap();
        assert_eq!(last.id.0, head.chain.last, "{context}");
    }
}
