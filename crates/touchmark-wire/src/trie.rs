//! The state trie: hashing and proofs.
//!
//! A binary radix tree over [`StateKey`]s in which every branch has two children (PATRICIA). A
//! branch commits to the bit it decides on, a leaf to its whole key and value:
//!
//! ```text
//! leaf   = SHA-256(0x00 ‖ key (32) ‖ value)
//! branch = SHA-256(0x01 ‖ depth (1) ‖ left (32) ‖ right (32))
//! empty  = 32 zero bytes
//! ```
//!
//! A *proof* is the tree with everything irrelevant cut off, in preorder:
//! `0x00 hash` a cut-off subtree, `0x01 depth left right` a branch, `0x02 key u16 value` a leaf
//! (length big-endian). Whoever follows the bits of a key through a proof ends at a leaf: with
//! that key, its value is proved; with another, the key's absence is, because every branch on the
//! way decides on a bit that all keys below it share the bits before.

use crate::hash::Digest;
use crate::limits;
use crate::state::StateKey;
#[cfg(feature = "alloc")]
use alloc::vec::Vec;
use core::fmt;

/// Root of a trie without entries.
pub const EMPTY: Digest = Digest([0; 32]);

/// Hash of a leaf.
pub fn leaf_hash(key: &StateKey, value: &[u8]) -> Digest {
    Digest::of(&[&[0x00], &key.0, value])
}

/// Hash of a branch that decides on bit `depth`.
pub fn branch_hash(depth: u8, left: &Digest, right: &Digest) -> Digest {
    Digest::of(&[&[0x01, depth], &left.0, &right.0])
}

/// Marks of the three nodes of an encoded proof.
mod mark {
    pub(super) const CUT: u8 = 0;
    pub(super) const BRANCH: u8 = 1;
    pub(super) const LEAF: u8 = 2;
}

/// A proof that does not prove.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ProofError {
    /// Not the encoding of a proof.
    Malformed,
    /// A rightly encoded proof of another root.
    OtherRoot,
    /// The proof has cut off the place that was asked for.
    NotCovered,
}

impl fmt::Display for ProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not a trie proof",
            Self::OtherRoot => "the proof belongs to another state root",
            Self::NotCovered => "the proof does not cover this entry",
        })
    }
}

impl core::error::Error for ProofError {}

/// A proof whose root is known; made by [`TrieProof::verify`] alone.
#[derive(Clone, Copy, Debug)]
pub struct TrieProof<'a> {
    nodes: &'a [u8],
}

impl<'a> TrieProof<'a> {
    /// Checks that `nodes` is a proof of `root`.
    pub fn verify(nodes: &'a [u8], root: &Digest) -> Result<Self, ProofError> {
        if Self::root(nodes)? == *root { Ok(Self { nodes }) } else { Err(ProofError::OtherRoot) }
    }

    /// The root that `nodes` proves something about.
    pub fn root(nodes: &'a [u8]) -> Result<Digest, ProofError> {
        if nodes.is_empty() {
            return Ok(EMPTY);
        }
        let mut rest = Reader(nodes);
        let root = rest.hash(None, limits::TRIE_LEVELS)?;
        if rest.0.is_empty() { Ok(root) } else { Err(ProofError::Malformed) }
    }

    /// The value at `key`, or `None` when the proof shows that there is none. Walks the encoded
    /// proof, without memory; for many keys there is the `ProofIndex`.
    pub fn get(&self, key: &StateKey) -> Result<Option<&'a [u8]>, ProofError> {
        if self.nodes.is_empty() {
            return Ok(None);
        }
        let mut rest = Reader(self.nodes);
        loop {
            match rest.node()? {
                Node::Cut(_) => return Err(ProofError::NotCovered),
                Node::Leaf(found, value) => return Ok((found == *key).then_some(value)),
                Node::Branch(depth) => {
                    if key.bit(depth) {
                        rest.skip()?;
                    }
                }
            }
        }
    }

    /// The entries that the proof shows, in key order.
    pub fn entries(&self) -> impl Iterator<Item = (StateKey, &'a [u8])> + use<'a> {
        let mut rest = Reader(self.nodes);
        core::iter::from_fn(move || {
            while !rest.0.is_empty() {
                if let Node::Leaf(key, value) = rest.node().ok()? {
                    return Some((key, value));
                }
            }
            None
        })
    }
}

/// A proof laid out for many look-ups: each takes as many steps as its path has branches, at most
/// [`limits::TRIE_LEVELS`], however long the proof is.
#[cfg(feature = "alloc")]
#[derive(Clone, Debug)]
pub struct ProofIndex<'a> {
    /// In preorder, so the left subtree of a branch comes next.
    nodes: Vec<IndexedNode>,
    entries: Vec<(StateKey, &'a [u8])>,
}

#[cfg(feature = "alloc")]
#[derive(Clone, Copy, Debug)]
enum IndexedNode {
    Cut,
    Branch {
        depth: u8,
        /// Place of the right subtree.
        right: usize,
    },
    /// Place among the entries.
    Leaf(usize),
}

#[cfg(feature = "alloc")]
impl<'a> ProofIndex<'a> {
    /// Lays a proof out.
    pub fn new(proof: &TrieProof<'a>) -> Self {
        let (mut nodes, mut entries) = (Vec::new(), Vec::new());
        // Branches whose right subtree is still to come.
        let mut open = Vec::new();
        let mut rest = Reader(proof.nodes);
        while let Ok(node) = rest.node() {
            let place = nodes.len();
            nodes.push(match node {
                Node::Cut(_) => IndexedNode::Cut,
                Node::Branch(depth) => IndexedNode::Branch { depth, right: 0 },
                Node::Leaf(key, value) => {
                    entries.push((key, value));
                    IndexedNode::Leaf(entries.len() - 1)
                }
            });
            if matches!(node, Node::Branch(_)) {
                open.push(place);
            } else if let Some(IndexedNode::Branch { right, .. }) =
                open.pop().and_then(|branch: usize| nodes.get_mut(branch))
            {
                *right = place + 1;
            }
        }
        Self { nodes, entries }
    }

    /// The entries that the proof shows, in the order of the proof.
    pub fn entries(&self) -> &[(StateKey, &'a [u8])] {
        &self.entries
    }

    /// The place among [`Self::entries`] of the one at `key`, or `None` when the proof shows that
    /// there is none.
    pub fn find(&self, key: &StateKey) -> Result<Option<usize>, ProofError> {
        let mut place = 0;
        loop {
            match self.nodes.get(place) {
                // Of a trie without entries.
                None => return Ok(None),
                Some(IndexedNode::Cut) => return Err(ProofError::NotCovered),
                Some(IndexedNode::Leaf(entry)) => {
                    return Ok((self.entries[*entry].0 == *key).then_some(*entry));
                }
                Some(IndexedNode::Branch { depth, right }) => {
                    place = if key.bit(*depth) { *right } else { place + 1 };
                }
            }
        }
    }
}

enum Node<'a> {
    Cut(Digest),
    Branch(u8),
    Leaf(StateKey, &'a [u8]),
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn node(&mut self) -> Result<Node<'a>, ProofError> {
        match self.array::<1>()? {
            [mark::CUT] => Ok(Node::Cut(Digest(self.array()?))),
            [mark::BRANCH] => Ok(Node::Branch(self.array::<1>()?[0])),
            [mark::LEAF] => {
                let key = StateKey(self.array()?);
                let length = usize::from(u16::from_be_bytes(self.array()?));
                let (value, rest) = self.0.split_at_checked(length).ok_or(ProofError::Malformed)?;
                self.0 = rest;
                if length > limits::STATE_VALUE {
                    return Err(ProofError::Malformed);
                }
                Ok(Node::Leaf(key, value))
            }
            _ => Err(ProofError::Malformed),
        }
    }

    /// Hash of the next subtree, all of whose branches decide on bits after `above`.
    fn hash(&mut self, above: Option<u8>, levels: usize) -> Result<Digest, ProofError> {
        match self.node()? {
            Node::Cut(hash) => Ok(hash),
            Node::Leaf(key, value) => Ok(leaf_hash(&key, value)),
            Node::Branch(depth) => {
                let levels = levels.checked_sub(1).ok_or(ProofError::Malformed)?;
                if above.is_some_and(|above| depth <= above) {
                    return Err(ProofError::Malformed);
                }
                let left = self.hash(Some(depth), levels)?;
                let right = self.hash(Some(depth), levels)?;
                Ok(branch_hash(depth, &left, &right))
            }
        }
    }

    fn skip(&mut self) -> Result<(), ProofError> {
        let mut open = 1;
        while open > 0 {
            match self.node()? {
                Node::Branch(_) => open += 1,
                Node::Cut(_) | Node::Leaf(..) => open -= 1,
            }
        }
        Ok(())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ProofError> {
        let (head, rest) = self.0.split_first_chunk().ok_or(ProofError::Malformed)?;
        self.0 = rest;
        Ok(*head)
    }
}

/// Writes the nodes of a proof in preorder.
#[cfg(feature = "alloc")]
#[derive(Default, Debug)]
pub struct ProofWriter(Vec<u8>);

#[cfg(feature = "alloc")]
impl ProofWriter {
    /// A subtree of which only the hash is shown.
    pub fn cut(&mut self, hash: &Digest) {
        self.0.push(mark::CUT);
        self.0.extend_from_slice(&hash.0);
    }

    /// A branch; its left and then its right subtree must follow.
    pub fn branch(&mut self, depth: u8) {
        self.0.extend_from_slice(&[mark::BRANCH, depth]);
    }

    /// An entry.
    pub fn leaf(&mut self, key: &StateKey, value: &[u8]) {
        let length =
            u16::try_from(value.len()).expect("state values are bounded by limits::STATE_VALUE");
        self.0.push(mark::LEAF);
        self.0.extend_from_slice(&key.0);
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(value);
    }

    /// The encoded proof.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}
