//! A chain: how far an issuer got in it, and whether it stated two things at one place.

use minicbor::{Decode, Encode};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{LeafIndex, NetworkId, Sequence, StatementId};

/// A chain of an issuer.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Chain {
    /// Place of the last statement; 0 before the first.
    #[n(0)]
    pub sequence: Sequence,
    /// Id of that statement; the network id before the first.
    #[n(1)]
    pub last: Digest,
    /// The first fork of the chain, if it was ever forked.
    #[n(2)]
    pub fork: Option<Fork>,
}

/// A proved fork of a chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Fork {
    /// The leaf that proves it.
    #[n(0)]
    pub leaf: LeafIndex,
    /// Id of the second statement, which is in that leaf.
    #[n(1)]
    pub statement: StatementId,
}

impl Chain {
    /// Before the first statement.
    pub const fn new(network: NetworkId) -> Self {
        Self { sequence: Sequence(0), last: network.0, fork: None }
    }

    /// The statement at `sequence` stands.
    pub(crate) const fn advance(&mut self, sequence: Sequence, id: StatementId) {
        (self.sequence, self.last) = (sequence, id.0);
    }
}
