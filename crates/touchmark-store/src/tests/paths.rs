//! Merkle paths from tiles against the verifier of touchmark-wire.

use super::fixture::genesis;
use crate::bundle::Bundles;
use crate::cache::{CacheLimits, Caches};
use crate::database::Database;
use crate::folder::Folder;
use crate::sealed::Sealed;
use crate::snapshot::NetworkRoot;
use crate::{Error, Snapshot, TILE_WIDTH, tile};
use std::sync::Arc;
use touchmark_ledger::{Node, Tip, genesis_batch};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Height, LeafIndex, TreeSize};
use touchmark_wire::merkle::{self, Frontier};
use touchmark_wire::trie::EMPTY;

/// A log of synthetic leaf hashes, written in uneven batches, with its root at every size.
struct Log {
    snapshot: Snapshot,
    hashes: Vec<Digest>,
    roots: Vec<Digest>,
    _folder: tempfile::TempDir,
}

impl Log {
    fn of(size: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let genesis = genesis("example.org/log");
        let claimed = Folder::claim(folder.path(), genesis.network_id()).unwrap();
        let database = Arc::new(Database::open(claimed, 8 << 20).unwrap());
        let hashes: Vec<_> = (0..size).map(|n| merkle::leaf_hash(&n.to_be_bytes())).collect();
        let (mut frontier, mut roots) = (Frontier::new(), vec![merkle::empty_root()]);
        let mut write = database.write();
        let (mut done, mut step) = (0, 1);
        while done < hashes.len() {
            let end = (done + step).min(hashes.len());
            step = step * 3 % 1_999 + 1;
            for hash in &hashes[done..end] {
                frontier.append(*hash);
                roots.push(frontier.root());
            }
            let nodes = completed(&hashes, done as u64, end as u64);
            tile::write(&mut write, LeafIndex(done as u64), &hashes[done..end], &nodes);
            done = end;
        }
        write.commit().unwrap();
        let caches = Arc::new(Caches::new(CacheLimits::default(), Height(0)));
        let batch = Arc::new(genesis_batch(&genesis, b""));
        let tip = Arc::new(Tip { batch, frontier, state_root: EMPTY });
        let (view, root) = (database.view(), NetworkRoot::of(&genesis));
        let sealed = Sealed::of(&view, Arc::new(Bundles::new(1))).unwrap();
        let snapshot = Snapshot::new(view, caches, root, tip, 0, sealed);
        Self { snapshot, hashes, roots, _folder: folder }
    }

    fn check_inclusion(&self, leaf: u64, size: u64) {
        let path = self.snapshot.inclusion_path(LeafIndex(leaf), TreeSize(size)).unwrap();
        let (hash, root) = (&self.hashes[leaf as usize], &self.roots[size as usize]);
        let verdict = merkle::verify_inclusion(hash, LeafIndex(leaf), TreeSize(size), path, root);
        assert_eq!(verdict, Ok(()), "leaf {leaf} in {size}");
    }

    fn check_consistency(&self, old: u64, new: u64) {
        let path = self.snapshot.consistency_path(TreeSize(old), TreeSize(new)).unwrap();
        let (old_root, new_root) = (&self.roots[old as usize], &self.roots[new as usize]);
        let verdict =
            merkle::verify_consistency(TreeSize(old), old_root, TreeSize(new), new_root, path);
        assert_eq!(verdict, Ok(()), "{old} to {new}");
    }
}

/// What the ledger's growth reports: subtrees at multiples of 8 levels that end in `old..new`.
fn completed(hashes: &[Digest], old: u64, new: u64) -> Vec<Node> {
    let mut nodes = Vec::new();
    for level in [8u8, 16] {
        for index in (old >> level)..(new >> level) {
            let mut frontier = Frontier::new();
            let (start, end) = ((index << level) as usize, ((index + 1) << level) as usize);
            hashes[start..end].iter().for_each(|hash| frontier.append(*hash));
            nodes.push(Node { level, index, hash: frontier.root() });
        }
    }
    nodes
}

#[test]
fn every_path_of_every_small_log_verifies() {
    let log = Log::of(70);
    for size in 0..=70 {
        assert_eq!(log.snapshot.root(TreeSize(size)).unwrap(), log.roots[size as usize]);
        (0..size).for_each(|leaf| log.check_inclusion(leaf, size));
        (1..=size).for_each(|old| log.check_consistency(old, size));
    }
}

/// RFC 9162 §2.1.4.1 defines a path for 0 < old; prover and verifier refuse the same sizes.
#[test]
fn the_prover_has_a_path_exactly_where_the_verifier_takes_one() {
    let log = Log::of(9);
    for (old, new) in [(0, 0), (0, 9), (9, 8)] {
        let size = |size| TreeSize(size);
        let root = |size: u64| &log.roots[size as usize];
        assert!(log.snapshot.consistency_path(size(old), size(new)).is_err(), "{old} to {new}");
        let verdict = merkle::verify_consistency(size(old), root(old), size(new), root(new), []);
        assert_eq!(verdict, Err(merkle::ProofError::OutOfRange), "{old} to {new}");
    }
    assert!(log.snapshot.consistency_path(TreeSize(3), TreeSize(10)).is_err());
}

#[test]
fn paths_verify_around_the_borders_of_tiles() {
    let log = Log::of(66_000);
    let sizes = [
        1, 2, 255, 256, 257, 511, 512, 513, 4_097, 65_279, 65_280, 65_281, 65_535, 65_536, 65_537,
        65_792, 65_793, 66_000,
    ];
    for size in sizes {
        assert_eq!(log.snapshot.root(TreeSize(size)).unwrap(), log.roots[size as usize]);
        let borders = sizes.iter().flat_map(|size| [size - 1, *size]);
        borders
            .chain([0, size / 2])
            .filter(|leaf| *leaf < size)
            .for_each(|leaf| log.check_inclusion(leaf, size));
        sizes.iter().filter(|old| **old <= size).for_each(|old| log.check_consistency(*old, size));
    }
}

#[test]
fn tiles_are_those_of_c2sp() {
    let log = Log::of(66_000);
    let flat = |hashes: &[Digest]| hashes.iter().flat_map(|hash| hash.0).collect::<Vec<_>>();
    assert_eq!(log.snapshot.tile(0, 3, 256).unwrap(), flat(&log.hashes[768..1024]));
    let width = 66_000 % TILE_WIDTH;
    assert_eq!(log.snapshot.tile(0, 257, width as u16).unwrap(), flat(&log.hashes[65_792..]));
    assert_eq!(log.snapshot.tile(0, 257, 3).unwrap(), flat(&log.hashes[65_792..65_795]));
    assert_eq!(
        log.snapshot.tile(1, 1, 1).unwrap(),
        flat(&[completed(&log.hashes, 65_536, 65_792)[0].hash])
    );
    let whole = completed(&log.hashes, 0, 65_536);
    assert_eq!(log.snapshot.tile(2, 0, 1).unwrap(), flat(&[whole[whole.len() - 1].hash]));
    for (level, number, width) in [
        (0, 257, 209),
        (0, 258, 1),
        (1, 1, 2),
        (2, 0, 2),
        (3, 0, 1),
        (9, 0, 1),
        (255, 0, 1),
        (0, 0, 0),
        (0, 0, 257),
        (0, u64::MAX, 1),
    ] {
        let refused = log.snapshot.tile(level, number, width);
        assert!(matches!(refused, Err(Error::NoTile)), "{level} {number} {width}");
    }
}

#[test]
fn what_is_beyond_the_log_is_refused() {
    let log = Log::of(5);
    let inclusion = |leaf, size| log.snapshot.inclusion_path(LeafIndex(leaf), TreeSize(size));
    assert!(matches!(inclusion(0, 6), Err(Error::NoTree { .. })));
    assert!(matches!(inclusion(3, 3), Err(Error::NoLeaf { .. })));
    let consistency = |old, new| log.snapshot.consistency_path(TreeSize(old), TreeSize(new));
    assert!(matches!(consistency(4, 3), Err(Error::NoTree { .. })));
    assert!(matches!(consistency(4, 6), Err(Error::NoTree { .. })));
}
