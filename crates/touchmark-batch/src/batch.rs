//! A batch: header and leaves, the unit that the engine orders and certifies.

use touchmark_wire::codec::Malformed;
use touchmark_wire::hash::Digest;
use touchmark_wire::header::BatchHeader;
use touchmark_wire::ids::{Epoch, Height, Timestamp, TreeSize};

/// Bounds of a batch that arrives from outside.
#[derive(Clone, Copy, Debug)]
pub struct BatchLimits {
    /// Longest body, bytes.
    pub body: usize,
    /// Most leaves.
    pub leaves: usize,
}

/// One batch, its parts already consistent with each other: the header decodes, and its data root
/// is that of the leaves. Whether the *content* is right is for [`crate::Application::check`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    header: Vec<u8>,
    /// Leaves as in a C2SP entry bundle: each a big-endian u16 length and that many bytes.
    body: Vec<u8>,
    leaf_hashes: Vec<Digest>,
    digest: Digest,
    parent: Digest,
    height: Height,
    time: Timestamp,
    epoch: Epoch,
    size: TreeSize,
}

impl Batch {
    /// Takes an encoded header and a body apart, checks that they belong together.
    pub fn from_parts(
        header: Vec<u8>,
        body: Vec<u8>,
        limits: BatchLimits,
    ) -> Result<Self, Malformed> {
        if body.len() > limits.body {
            return Err(Malformed::TooLong { limit: limits.body, actual: body.len() });
        }
        let mut leaf_hashes = Vec::new();
        for leaf in leaves(&body) {
            if leaf_hashes.len() == limits.leaves {
                return Err(Malformed::TooLong { limit: limits.leaves, actual: limits.leaves + 1 });
            }
            leaf_hashes.push(touchmark_wire::merkle::leaf_hash(leaf?));
        }
        Self::with_leaf_hashes(header, body, leaf_hashes)
    }

    /// As [`Self::from_parts`], for a body whose leaf hashes the caller has just computed itself.
    pub fn with_leaf_hashes(
        encoded: Vec<u8>,
        body: Vec<u8>,
        leaf_hashes: Vec<Digest>,
    ) -> Result<Self, Malformed> {
        let header = BatchHeader::decode(&encoded)?;
        if header.data_root != BatchHeader::data_root(&leaf_hashes)
            || header.size.0 < leaf_hashes.len() as u64
        {
            return Err(Malformed::Shape);
        }
        let (parent, height, time) = (header.parent, header.height, header.time);
        let (epoch, size) = (header.epoch, header.size);
        let digest = BatchHeader::digest(&encoded);
        Ok(Self { header: encoded, body, leaf_hashes, digest, parent, height, time, epoch, size })
    }

    /// The encoded header; [`Self::digest`] is its SHA-256.
    pub fn header_bytes(&self) -> &[u8] {
        &self.header
    }

    /// The header's fields.
    pub fn header(&self) -> BatchHeader<'_> {
        BatchHeader::decode(&self.header).expect("the header was decoded when the batch was made")
    }

    /// The encoded leaves.
    pub fn body_bytes(&self) -> &[u8] {
        &self.body
    }

    /// The leaves in log order; the last is the batch leaf (an empty batch has none).
    pub fn leaves(&self) -> impl Iterator<Item = &[u8]> {
        leaves(&self.body)
            .map(|leaf| leaf.expect("the body was taken apart when the batch was made"))
    }

    /// RFC 9162 leaf hashes, one per leaf.
    pub fn leaf_hashes(&self) -> &[Digest] {
        &self.leaf_hashes
    }

    /// SHA-256 of the encoded header.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Digest of the parent batch.
    pub const fn parent(&self) -> Digest {
        self.parent
    }

    /// Number of the batch.
    pub const fn height(&self) -> Height {
        self.height
    }

    /// Certified time.
    pub const fn time(&self) -> Timestamp {
        self.time
    }

    /// Committee that certifies the batch.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Log size after the batch.
    pub const fn size(&self) -> TreeSize {
        self.size
    }

    /// Log size before the batch.
    pub fn first_leaf(&self) -> TreeSize {
        TreeSize(self.size.0 - self.leaf_hashes.len() as u64)
    }
}

/// Splits an entry bundle.
pub fn leaves(mut body: &[u8]) -> impl Iterator<Item = Result<&[u8], Malformed>> {
    std::iter::from_fn(move || {
        if body.is_empty() {
            return None;
        }
        let Some((length, rest)) = body.split_first_chunk::<2>() else {
            body = &[];
            return Some(Err(Malformed::Shape));
        };
        let Some((leaf, rest)) = rest.split_at_checked(u16::from_be_bytes(*length).into()) else {
            body = &[];
            return Some(Err(Malformed::Shape));
        };
        body = rest;
        Some(Ok(leaf))
    })
}
