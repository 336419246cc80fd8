//! The log executed once more, from its beginning, by a ledger that was not there; and its roots
//! from their definitions.

use crate::disk::Disk;
use crate::site::Site;
use std::sync::Arc;
use touchmark_batch::{Application as _, Batch};
use touchmark_core::admission::OneByOne;
use touchmark_wire::hash::Digest;
use touchmark_wire::merkle;
use touchmark_wire::state::StateKey;
use touchmark_wire::trie;

/// Executes the finalized `batches` on an empty disk and compares every root with `disk`'s. Says
/// what differs.
pub(crate) fn audit(site: &Site, disk: &Disk) -> Result<(), String> {
    let fresh = Arc::new(site.disk());
    let ledger = site.ledger(fresh.clone(), Arc::new(OneByOne));
    let batches = disk.batches(1);
    for batch in &batches {
        ledger
            .deliver(batch.clone())
            .map_err(|halt| format!("batch {}: {halt}", batch.height()))?;
    }
    let (there, here) = (disk.tip(), fresh.tip());
    if there.state_root != here.state_root {
        return Err(format!(
            "the state's root is {}, replayed {}",
            there.state_root, here.state_root
        ));
    }
    if there.frontier.root() != here.frontier.root() {
        return Err("the log's root differs when replayed".to_owned());
    }
    let state = state_root(disk);
    if there.state_root != state {
        return Err(format!(
            "the state's root is {}, its entries lead to {state}",
            there.state_root
        ));
    }
    let log = log_root(&leaf_hashes(&batches));
    let said = there.batch.header().root;
    if said != log {
        return Err(format!("the header's root is {said}, the leaves lead to {log}"));
    }
    Ok(())
}

fn leaf_hashes(batches: &[Arc<Batch>]) -> Vec<Digest> {
    let leaves = batches.iter().flat_map(|batch| batch.leaves());
    leaves.map(merkle::leaf_hash).collect()
}

/// The Merkle tree hash of RFC 9162, section 2.1.1.
fn log_root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => merkle::empty_root(),
        [leaf] => *leaf,
        _ => {
            let left = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(left);
            merkle::node_hash(&log_root(left), &log_root(right))
        }
    }
}

fn state_root(disk: &Disk) -> Digest {
    let entries = disk.entries();
    let leaves: Vec<_> = entries
        .iter()
        .map(|(key, entry)| (*key, trie::leaf_hash(key, &entry.encode_to_vec())))
        .collect();
    subtree(&leaves, 0)
}

/// The trie over sorted `leaves`, which share all bits before `depth`.
fn subtree(leaves: &[(StateKey, Digest)], depth: usize) -> Digest {
    match leaves {
        [] => trie::EMPTY,
        [(_, hash)] => *hash,
        _ => {
            let bit = |key: &StateKey| key.0[depth / 8] >> (7 - depth % 8) & 1;
            let left = leaves.partition_point(|(key, _)| bit(key) == 0);
            if left == 0 || left == leaves.len() {
                return subtree(leaves, depth + 1);
            }
            let (left, right) = leaves.split_at(left);
            let (left, right) = (subtree(left, depth + 1), subtree(right, depth + 1));
            trie::branch_hash(u8::try_from(depth).expect("keys have 256 bits"), &left, &right)
        }
    }
}
