//! Pages and where they stand.

use touchmark_wire::hash::Digest;
use touchmark_wire::state::StateKey;

/// Prefix of a key in half bytes: the place of a page.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PagePath {
    nibbles: u8,
    prefix: [u8; 32],
}

impl PagePath {
    /// The page above all others.
    pub const ROOT: Self = Self { nibbles: 0, prefix: [0; 32] };

    /// How many half bytes of the key it fixes.
    pub const fn nibbles(&self) -> u8 {
        self.nibbles
    }

    /// The first bit of the key that it does not fix.
    pub const fn depth(&self) -> u8 {
        self.nibbles * 4
    }

    /// The page below, for keys whose next half byte is `nibble`.
    #[must_use]
    pub fn child(&self, nibble: u8) -> Self {
        let mut child = *self;
        let byte = &mut child.prefix[usize::from(self.nibbles / 2)];
        *byte |= if self.nibbles.is_multiple_of(2) { nibble << 4 } else { nibble };
        child.nibbles += 1;
        child
    }

    /// The half byte of `key` that chooses the child.
    pub const fn nibble_of(&self, key: &StateKey) -> u8 {
        let byte = key.0[(self.nibbles / 2) as usize];
        if self.nibbles.is_multiple_of(2) { byte >> 4 } else { byte & 15 }
    }

    /// Sortable key for a store: number of half bytes, then those bytes that are not all zero.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![self.nibbles];
        bytes.extend_from_slice(&self.prefix[..usize::from(self.nibbles.div_ceil(2))]);
        bytes
    }
}

/// Everything below a prefix.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Page {
    /// The leaves themselves, sorted by key, with their hashes.
    Leaves(Vec<(StateKey, Digest)>),
    /// The hashes of the pages below, sorted by half byte.
    Children(Vec<(u8, Digest)>),
}

/// Stored bytes that are not a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a page of the state trie")]
pub struct InvalidPage;

impl Page {
    /// Most leaves of a page; one more splits it into 16.
    pub const LEAVES: usize = 48;

    const MARK_LEAVES: u8 = 0;
    const MARK_CHILDREN: u8 = 1;

    /// The stored form.
    pub fn encode_to_vec(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self {
            Self::Leaves(leaves) => {
                bytes.push(Self::MARK_LEAVES);
                for (key, hash) in leaves {
                    bytes.extend_from_slice(&key.0);
                    bytes.extend_from_slice(&hash.0);
                }
            }
            Self::Children(children) => {
                bytes.push(Self::MARK_CHILDREN);
                for (nibble, hash) in children {
                    bytes.push(*nibble);
                    bytes.extend_from_slice(&hash.0);
                }
            }
        }
        bytes
    }

    /// Reads the stored form.
    pub fn decode(bytes: &[u8]) -> Result<Self, InvalidPage> {
        let (mark, rest) = bytes.split_first().ok_or(InvalidPage)?;
        match *mark {
            Self::MARK_LEAVES => {
                let (leaves, []) = rest.as_chunks::<64>() else {
                    return Err(InvalidPage);
                };
                let leaf = |bytes: &[u8; 64]| {
                    let (mut key, mut hash) = ([0; 32], [0; 32]);
                    key.copy_from_slice(&bytes[..32]);
                    hash.copy_from_slice(&bytes[32..]);
                    (StateKey(key), Digest(hash))
                };
                Ok(Self::Leaves(leaves.iter().map(leaf).collect()))
            }
            Self::MARK_CHILDREN => {
                let (children, []) = rest.as_chunks::<33>() else {
                    return Err(InvalidPage);
                };
                let child = |bytes: &[u8; 33]| {
                    let mut hash = [0; 32];
                    hash.copy_from_slice(&bytes[1..]);
                    (bytes[0], Digest(hash))
                };
                Ok(Self::Children(children.iter().map(child).collect()))
            }
            _ => Err(InvalidPage),
        }
    }
}
