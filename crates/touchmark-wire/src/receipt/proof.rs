//! The proof in a receipt.

use super::expect;
use crate::codec;
use crate::hash::Digest;
use crate::ids::{LeafIndex, TreeSize};
use crate::merkle::CONSISTENCY_LIMIT;
use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode, Encoder};

/// Proof types of RFC9162_SHA256 (RFC 9942).
const INCLUSION: i8 = -1;
const CONSISTENCY: i8 = -2;

/// How a 32-byte string begins.
const DIGEST_HEAD: [u8; 2] = [0x58, 0x20];
/// Length of an encoded hash, bytes.
const ENCODED_DIGEST: usize = DIGEST_HEAD.len() + Digest::LEN;

/// What a receipt proves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Proof<'a> {
    /// The leaf is at `index` of the first `size`.
    Inclusion {
        /// Size of the log.
        size: TreeSize,
        /// Place of the leaf.
        index: LeafIndex,
        /// RFC 9162 §2.1.3.
        path: Path<'a>,
    },
    /// The first `old` leaves are the beginning of the first `new`.
    Consistency {
        /// Earlier size.
        old: TreeSize,
        /// Later size, whose root is signed.
        new: TreeSize,
        /// RFC 9162 §2.1.4.
        path: Path<'a>,
    },
}

impl<'a> Proof<'a> {
    /// Longest encoding, bytes: two 9-byte numbers, two array heads, the path.
    pub const LIMIT: usize = 21 + CONSISTENCY_LIMIT * ENCODED_DIGEST;

    pub(super) const fn label(&self) -> i8 {
        match self {
            Self::Inclusion { .. } => INCLUSION,
            Self::Consistency { .. } => CONSISTENCY,
        }
    }

    const fn parts(&self) -> (u64, u64, Path<'a>) {
        match *self {
            Self::Inclusion { size, index, path } => (size.0, index.0, path),
            Self::Consistency { old, new, path } => (old.0, new.0, path),
        }
    }

    pub(super) const fn encoded_len(&self) -> u64 {
        let (first, second, path) = self.parts();
        let heads = 1 + head_len(first) + head_len(second) + head_len(path.len() as u64);
        heads + (path.len() * ENCODED_DIGEST) as u64
    }

    pub(super) fn decode(label: i8, bytes: &'a [u8]) -> Result<Self, minicbor::decode::Error> {
        let Parts(first, second, path) = codec::decode(bytes, Self::LIMIT)
            .map_err(|_| minicbor::decode::Error::message("not a receipt's proof"))?;
        match label {
            INCLUSION => {
                Ok(Self::Inclusion { size: TreeSize(first), index: LeafIndex(second), path })
            }
            CONSISTENCY => {
                Ok(Self::Consistency { old: TreeSize(first), new: TreeSize(second), path })
            }
            _ => Err(minicbor::decode::Error::message("unknown kind of proof")),
        }
    }
}

impl<C> Encode<C> for Proof<'_> {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        let (first, second, path) = self.parts();
        Parts(first, second, path).encode(e, ctx)
    }
}

/// Length of the head of a CBOR item with this argument (RFC 8949 §3).
const fn head_len(argument: u64) -> u64 {
    match argument {
        0..=23 => 1,
        24..=0xff => 2,
        0x100..=0xffff => 3,
        0x1_0000..=0xffff_ffff => 5,
        _ => 9,
    }
}

/// Both kinds look the same in CBOR: two numbers and a path.
struct Parts<'a>(u64, u64, Path<'a>);

impl<C> Encode<C> for Parts<'_> {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        let Self(first, second, path) = self;
        e.array(3)?.u64(*first)?.u64(*second)?.array(path.len() as u64)?;
        for hash in *path {
            e.encode(hash)?;
        }
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for Parts<'b> {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        expect(d.array()? == Some(3))?;
        let (first, second) = (d.u64()?, d.u64()?);
        let count = d.array()?;
        let start = d.position();
        let hashes = &d.input()[start..];
        let path = Path::encoded(hashes).ok_or_else(|| {
            minicbor::decode::Error::message("a path has at most 65 hashes of 32 bytes")
        })?;
        expect(count == Some(path.len() as u64))?;
        d.set_position(start + hashes.len());
        Ok(Self(first, second, path))
    }
}

/// The hashes of a proof, from the leaf up; read from where they are.
#[derive(Clone, Copy)]
pub struct Path<'a>(Hashes<'a>);

#[derive(Clone, Copy)]
enum Hashes<'a> {
    Encoded(&'a [u8]),
    Plain(&'a [Digest]),
}

impl<'a> Path<'a> {
    /// A path from its hashes, of which there are at most [`CONSISTENCY_LIMIT`].
    pub fn new(hashes: &'a [Digest]) -> Option<Self> {
        (hashes.len() <= CONSISTENCY_LIMIT).then_some(Self(Hashes::Plain(hashes)))
    }

    fn encoded(bytes: &'a [u8]) -> Option<Self> {
        let whole = bytes.len() <= CONSISTENCY_LIMIT * ENCODED_DIGEST
            && bytes.len().is_multiple_of(ENCODED_DIGEST)
            && bytes.chunks_exact(ENCODED_DIGEST).all(|hash| hash.starts_with(&DIGEST_HEAD));
        whole.then_some(Self(Hashes::Encoded(bytes)))
    }

    /// Number of hashes.
    pub const fn len(&self) -> usize {
        match self.0 {
            Hashes::Encoded(bytes) => bytes.len() / ENCODED_DIGEST,
            Hashes::Plain(hashes) => hashes.len(),
        }
    }

    /// Whether there is no hash.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<'a> IntoIterator for Path<'a> {
    type Item = Digest;
    type IntoIter = PathIter<'a>;

    fn into_iter(self) -> PathIter<'a> {
        PathIter(self)
    }
}

impl PartialEq for Path<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.into_iter().eq(*other)
    }
}

impl Eq for Path<'_> {}

impl core::fmt::Debug for Path<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(*self).finish()
    }
}

/// The hashes of a [`Path`], from the leaf up.
#[derive(Clone, Debug)]
pub struct PathIter<'a>(Path<'a>);

impl Iterator for PathIter<'_> {
    type Item = Digest;

    fn next(&mut self) -> Option<Digest> {
        let (hash, rest) = match self.0.0 {
            Hashes::Encoded(bytes) => {
                let (hash, rest) = bytes.split_first_chunk::<ENCODED_DIGEST>()?;
                let mut digest = Digest::default();
                digest.0.copy_from_slice(&hash[DIGEST_HEAD.len()..]);
                (digest, Hashes::Encoded(rest))
            }
            Hashes::Plain(hashes) => {
                let (hash, rest) = hashes.split_first()?;
                (*hash, Hashes::Plain(rest))
            }
        };
        self.0 = Path(rest);
        Some(hash)
    }
}
