//! A log as its operator shows it to a witness, honestly or not: roots and proofs by the recursive
//! definitions of RFC 6962, without the code that is tested.

use touchmark_keys::software::SoftwareKey;
use touchmark_wire::certificate::LogSignature;
use touchmark_wire::checkpoint::Checkpoint;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::TreeSize;
use touchmark_wire::merkle::{empty_root, leaf_hash, node_hash};
use touchmark_wire::witness::{Tree, submission};

/// One view of a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct View(Vec<Digest>);

impl View {
    /// The honest one.
    pub fn new(size: u64) -> Self {
        Self::forked(size, size)
    }

    /// One whose leaves from `fork` on are others.
    pub fn forked(size: u64, fork: u64) -> Self {
        let leaf = |index: u64| {
            let content: &[u8] = if index < fork { b"leaf" } else { b"other" };
            leaf_hash(&[content, &index.to_be_bytes()].concat())
        };
        Self((0..size).map(leaf).collect())
    }

    /// The same with one leaf more.
    #[must_use]
    pub fn and(mut self, leaf_hash: &Digest) -> Self {
        self.0.push(*leaf_hash);
        self
    }

    /// As it was when it had so many leaves, at most those that it has.
    #[must_use]
    pub fn beginning(mut self, size: u64) -> Self {
        self.0.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        self
    }

    /// Size and root.
    pub fn tree(&self) -> Tree {
        Tree { size: TreeSize(self.0.len() as u64), root: root(&self.0) }
    }

    /// Whether it begins with another.
    pub fn continues(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    /// Proves that it continues its own first `old` leaves; nothing if there are not so many.
    pub fn proof(&self, old: u64) -> Vec<Digest> {
        match usize::try_from(old) {
            Ok(old @ 1..) if old <= self.0.len() => proof(old, &self.0, true),
            _ => Vec::new(),
        }
    }

    /// Proves that a leaf is in it.
    ///
    /// # Panics
    /// If there is no such leaf.
    pub fn inclusion(&self, index: u64) -> Vec<Digest> {
        path(usize::try_from(index).expect("a leaf of this log"), &self.0)
    }

    /// The signed checkpoint.
    ///
    /// # Panics
    /// If there can be no log called `origin`.
    pub fn note(&self, origin: &str, key: &SoftwareKey) -> String {
        let Tree { size, root } = self.tree();
        let body = Checkpoint::new(origin, size, root).expect("an origin").to_string();
        let line = LogSignature::sign(origin, &body, key).expect("a key of notes");
        format!("{body}\n{line}")
    }

    /// What is sent to a witness that has cosigned a log of `old` leaves.
    ///
    /// # Panics
    /// If there can be no log called `origin`.
    pub fn submission(&self, origin: &str, key: &SoftwareKey, old: u64) -> String {
        submission(TreeSize(old), &self.proof(old), &self.note(origin, key))
    }
}

/// MTH(D_n), RFC 6962 §2.1.
fn root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves));
            node_hash(&root(left), &root(right))
        }
    }
}

/// PATH(m, D_n), RFC 6962 §2.1.1.
fn path(leaf: usize, leaves: &[Digest]) -> Vec<Digest> {
    if let [only] = leaves {
        assert!(leaf == 0, "{only:?} is the last leaf");
        return Vec::new();
    }
    let split = split(leaves);
    let (left, right) = leaves.split_at(split);
    let (mut path, sibling) = if leaf < split {
        (path(leaf, left), root(right))
    } else {
        (path(leaf - split, right), root(left))
    };
    path.push(sibling);
    path
}

/// SUBPROOF(m, D_n, b), RFC 6962 §2.1.2.
fn proof(old: usize, leaves: &[Digest], is_whole: bool) -> Vec<Digest> {
    if old == leaves.len() {
        return if is_whole { Vec::new() } else { vec![root(leaves)] };
    }
    let split = split(leaves);
    let (left, right) = leaves.split_at(split);
    let (mut path, sibling) = if old <= split {
        (proof(old, left, is_whole), root(right))
    } else {
        (proof(old - split, right, false), root(left))
    };
    path.push(sibling);
    path
}

/// Largest power of two below the number of leaves.
fn split(leaves: &[Digest]) -> usize {
    leaves.len().next_power_of_two() / 2
}
