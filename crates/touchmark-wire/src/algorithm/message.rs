//! The bytes that a signature covers.

use crate::hash::Digest;

/// Most parts of a message.
const MOST_PARTS: usize = 6;

/// A message to sign or check, as the concatenation of its parts, with its SHA-256.
///
/// The SHA-256 of a COSE_Sign1's `Sig_structure` is also the statement's id, and ES256 and ES256K
/// start from it; it is computed once, here. Ed25519 reads the parts.
#[derive(Clone, Copy, Debug)]
pub struct SignedBytes<'a> {
    parts: [&'a [u8]; MOST_PARTS],
    digest: Digest,
}

impl<'a> SignedBytes<'a> {
    /// The concatenation of `parts` (no separators: the caller's format must be unambiguous).
    ///
    /// At most 6 parts, checked when compiling.
    pub fn new<const N: usize>(parts: [&'a [u8]; N]) -> Self {
        const { assert!(N <= MOST_PARTS) };
        let digest = Digest::of(&parts);
        let mut table: [&[u8]; MOST_PARTS] = [&[]; MOST_PARTS];
        table[..N].copy_from_slice(&parts);
        Self { parts: table, digest }
    }

    /// The parts in order; some may be empty.
    pub const fn parts(&self) -> &[&'a [u8]] {
        &self.parts
    }

    /// SHA-256 of the message.
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Length of the message, bytes.
    pub fn len(&self) -> usize {
        self.parts.iter().map(|part| part.len()).sum()
    }

    /// Whether the message has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
