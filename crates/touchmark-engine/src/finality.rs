//! Proof that a batch is final.

use crate::delivery::Marshal;
use commonware_codec::Encode as _;
use commonware_consensus::types::Height as EngineHeight;
use touchmark_wire::ids::Height;

/// How many heights may lie between a batch and the certificate that covers it. Members certify
/// most batches themselves; only views that raced ahead leave some to a descendant.
const LONGEST_CHAIN: u64 = 256;

/// A certificate and the headers that lead to what it certifies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finality {
    /// Finalization as the committee signed it: epoch, view and parent view as varints, the
    /// 32-byte digest of the last header, and a 48-byte signature (a compressed point of G1).
    /// Two certificates of one batch may differ: compare what they certify, never their bytes.
    pub certificate: Vec<u8>,
    /// Encoded headers from the asked height up to the certified one. The first is the asked
    /// batch's; each names the one before it as its parent.
    pub headers: Vec<Vec<u8>>,
}

/// Looks up the nearest certificate at or above `height`. `None` if there is none yet.
pub(crate) async fn find(marshal: &Marshal, height: Height) -> Option<Finality> {
    let mut headers = Vec::new();
    for height in height.0..=height.0.saturating_add(LONGEST_CHAIN) {
        let height = EngineHeight::new(height);
        let block = marshal.get_block(height).await?;
        headers.push(block.inner().batch().header_bytes().to_vec());
        if let Some(finalization) = marshal.get_finalization(height).await {
            return Some(Finality { certificate: finalization.encode().to_vec(), headers });
        }
    }
    None
}
