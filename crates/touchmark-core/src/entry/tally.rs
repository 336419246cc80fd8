//! A tally of leaves, with which a list of them is proved complete.

use minicbor::{Decode, Encode};
use touchmark_wire::hash::{Digest, domain};
use touchmark_wire::ids::LeafIndex;

/// How many leaves there are of some sort, with a running hash over them: no other list of leaves
/// has the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode)]
#[cbor(array)]
pub struct Tally {
    /// How many.
    #[n(0)]
    pub count: u64,
    /// Running hash; 32 zero bytes before the first.
    #[n(1)]
    pub hash: Digest,
}

impl Tally {
    /// Takes the next leaf in: SHA-256(domain ‖ hash before ‖ leaf index, 8 bytes big-endian ‖ leaf
    /// hash).
    pub fn extend(&mut self, position: LeafIndex, leaf_hash: &Digest) {
        let position = position.0.to_be_bytes();
        self.count += 1;
        self.hash = Digest::of(&[domain::TALLY, &self.hash.0, &position, &leaf_hash.0]);
    }
}
