//! A batch as the block that consensus orders.

use crate::context::{self, Context};
use bytes::{BufMut, Bytes};
use commonware_codec::{Buf, EncodeSize, RangeCfg, Read, Write};
use commonware_consensus::types::Height;
use commonware_consensus::{BoundedBlock, CertifiableBlock, Heightable};
use commonware_cryptography::{Digestible, sha256};
use std::sync::Arc;
use touchmark_batch::{Batch, BatchLimits};
use touchmark_wire::codec::Malformed;
use touchmark_wire::header::BatchHeader;

/// Longest varint of a length, bytes.
const LENGTH_LIMIT: usize = 5;

/// A batch whose header carries a consensus context.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    batch: Arc<Batch>,
    context: Context,
}

impl Block {
    /// Wraps a batch if its header's context decodes.
    pub(crate) fn new(batch: Arc<Batch>) -> Result<Self, Malformed> {
        let context = context::decode(&batch.header())?;
        Ok(Self { batch, context })
    }

    pub(crate) fn batch(&self) -> &Arc<Batch> {
        &self.batch
    }
}

impl Write for Block {
    fn write(&self, buf: &mut impl BufMut) {
        for part in [self.batch.header_bytes(), self.batch.body_bytes()] {
            part.len().write(buf);
            buf.put_slice(part);
        }
    }
}

impl EncodeSize for Block {
    fn encode_size(&self) -> usize {
        [self.batch.header_bytes(), self.batch.body_bytes()]
            .map(|part| part.len().encode_size() + part.len())
            .iter()
            .sum()
    }
}

impl Read for Block {
    type Cfg = BatchLimits;

    fn read_cfg(buf: &mut impl Buf, limits: &BatchLimits) -> Result<Self, commonware_codec::Error> {
        let header = Bytes::read_cfg(buf, &RangeCfg::new(..=BatchHeader::LIMIT))?;
        let body = Bytes::read_cfg(buf, &RangeCfg::new(..=limits.body))?;
        Batch::from_parts(header.into(), body.into(), *limits)
            .and_then(|batch| Self::new(Arc::new(batch)))
            .map_err(|_| commonware_codec::Error::Invalid("Block", "malformed batch"))
    }
}

impl Digestible for Block {
    type Digest = sha256::Digest;

    fn digest(&self) -> sha256::Digest {
        sha256::Digest(self.batch.digest().0)
    }
}

impl Heightable for Block {
    fn height(&self) -> Height {
        Height::new(self.batch.height().0)
    }
}

impl commonware_consensus::Block for Block {
    fn parent(&self) -> sha256::Digest {
        sha256::Digest(self.batch.parent().0)
    }
}

impl CertifiableBlock for Block {
    type Context = Context;

    fn context(&self) -> Context {
        self.context.clone()
    }
}

impl BoundedBlock for Block {
    fn max_encode_size(limits: &BatchLimits) -> usize {
        2 * LENGTH_LIMIT + BatchHeader::LIMIT + limits.body
    }
}
