//! State keys: where an entry stands in the trie.
//!
//! A key is 31 bytes of SHA-256(domain ‖ subject) and one byte that names the kind of entry, so
//! everything about one thing lies side by side and shares one path of proof.

use crate::hash::{Digest, domain};
use crate::ids::{ChannelId, Epoch, KeyNumber, NetworkId, ThingId};
use crate::registry::{EntryKind, EvidenceFormat};

/// Key of a state entry, 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StateKey(pub [u8; 32]);

impl StateKey {
    /// Length in bytes.
    pub const LEN: usize = 32;

    /// Entry of `kind` about a thing.
    pub fn thing(id: ThingId, kind: EntryKind) -> Self {
        Self::new(&[&id.0], kind)
    }

    /// Usage counter of a thing in one evidence format.
    pub fn counter(id: ThingId, format: EvidenceFormat) -> Self {
        Self::new(&[&id.0], EntryKind(EntryKind::COUNTER.0 | format.0 & 63))
    }

    /// What `controller` says of `thing`.
    pub fn accreditation(controller: ThingId, thing: ThingId) -> Self {
        Self::new(&[&controller.0, &thing.0], EntryKind::ACCREDITATION)
    }

    /// Key `number` of a thing, after it was replaced or revoked.
    pub fn closed_key(id: ThingId, number: KeyNumber) -> Self {
        Self::new(&[&id.0, &number.0.to_be_bytes()], EntryKind::CLOSED_KEY)
    }

    /// Entry of `kind` about a channel.
    pub fn channel(id: ChannelId, kind: EntryKind) -> Self {
        Self::new(&[&id.0], kind)
    }

    /// A thing's rights and chain in a channel.
    pub fn channel_chain(channel: ChannelId, issuer: ThingId) -> Self {
        Self::new(&[&channel.0, &issuer.0], EntryKind::CHANNEL_CHAIN)
    }

    /// The committee that was appointed last.
    pub fn committee(network: NetworkId) -> Self {
        Self::new(&[&network.0.0], EntryKind::COMMITTEE)
    }

    /// The committee with this number, after a later one was appointed.
    pub fn former_committee(network: NetworkId, number: Epoch) -> Self {
        Self::new(&[&network.0.0, &number.0.to_be_bytes()], EntryKind::COMMITTEE)
    }

    fn new(subject: &[&[u8]], kind: EntryKind) -> Self {
        let (first, second) = (subject[0], subject.get(1).copied().unwrap_or_default());
        let mut key = Digest::of(&[domain::STATE_KEY, first, second]).0;
        key[31] = kind.0;
        Self(key)
    }

    /// What the entry holds.
    pub const fn kind(&self) -> EntryKind {
        EntryKind(self.0[31])
    }

    /// Bit `depth`, from the most significant bit of the first byte.
    pub const fn bit(&self, depth: u8) -> bool {
        self.0[(depth / 8) as usize] >> (7 - depth % 8) & 1 == 1
    }

    /// First bit at which two keys differ; `None` when they are equal.
    pub fn first_difference(&self, other: &Self) -> Option<u8> {
        let byte = (0..Self::LEN).find(|place| self.0[*place] != other.0[*place])?;
        let bit = (self.0[byte] ^ other.0[byte]).leading_zeros();
        Some((byte * 8) as u8 + bit as u8)
    }
}

impl core::fmt::Debug for StateKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}", Digest(self.0))
    }
}
