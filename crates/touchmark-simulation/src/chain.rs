//! What a log says, read without the ledger's code.

use touchmark_batch::Batch;
use touchmark_wire::leaf::Leaf;

/// The submission that a leaf holds, as it was submitted; `None` for the leaf that closes a batch
/// and for what is no leaf.
pub(crate) fn submission(leaf: &[u8]) -> Option<&[u8]> {
    match Leaf::decode(leaf).ok()? {
        Leaf::Denied { statement, .. } => Some(statement),
        Leaf::Fork { second, .. } => Some(second),
        Leaf::Sighting { leaf, .. } => Some(leaf),
        Leaf::Accepted(_) | Leaf::Evidence(_) => Some(leaf),
        Leaf::Batch(_) => None,
    }
}

/// The submissions of a batch with their places in the log.
pub(crate) fn submissions(batch: &Batch) -> impl Iterator<Item = (u64, &[u8])> {
    let places = batch.first_leaf().0..;
    places.zip(batch.leaves()).filter_map(|(place, leaf)| Some((place, submission(leaf)?)))
}
