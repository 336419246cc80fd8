//! Certified batches, given to nodes that follow this one's log.

use crate::node::Node;
use crate::proof::ProofError;
use touchmark_store::{Snapshot, StoredBatch};
use touchmark_wire::batches::{CertifiedBatches, EncodedBatch};
use touchmark_wire::bundle::Bytes;
use touchmark_wire::ids::Height;

/// Batches from a height on, as many as one answer holds and a term has; `None` if there is none
/// yet.
pub(crate) async fn certified(node: &Node, from: Height) -> Result<Option<Vec<u8>>, ProofError> {
    let snapshot = node.store.snapshot();
    // The genesis is everybody's own, and nobody certifies it.
    if from.0 == 0 || from > snapshot.height() {
        return Ok(None);
    }
    let reader = snapshot.clone();
    let reading = tokio::task::spawn_blocking(move || stored(&reader, from));
    // An answer that is cut off is asked for again.
    let stored = reading.await.map_err(|_| ProofError::NotCertified)??;
    let last = Height(from.0 + stored.len() as u64 - 1);
    let finality = node.finality(&snapshot, last).await?.ok_or(ProofError::NotCertified)?;
    let batches =
        stored.iter().map(|(batch, body)| EncodedBatch { header: batch.header_bytes(), body });
    let page = CertifiedBatches {
        batches: batches.collect(),
        headers: finality.headers.iter().skip(1).map(|header| Bytes(header)).collect(),
        certificate: &finality.certificate,
    };
    Ok(Some(page.encode_to_vec()))
}

/// A batch and its body.
type Whole = (StoredBatch, Vec<u8>);

/// Batches from a height on.
fn stored(snapshot: &Snapshot, from: Height) -> Result<Vec<Whole>, touchmark_store::Error> {
    let (mut stored, mut bytes) = (Vec::new(), 0);
    let end = snapshot.height().0.saturating_add(1).min(from.next_term().0);
    for height in (from.0..end).map(Height) {
        let Some(batch) = snapshot.batch(height)? else { break };
        let body = snapshot.body(&batch)?;
        bytes += body.len();
        if bytes > CertifiedBatches::BODIES && !stored.is_empty() {
            break;
        }
        stored.push((batch, body));
    }
    Ok(stored)
}
