//! A COSE receipt has exactly one accepted encoding.

use touchmark_wire::codec;
use touchmark_wire::receipt::{Proof, Receipt};

/// Whatever decodes encodes to the same bytes, and its path can be walked.
pub fn target(data: &[u8]) {
    let Ok(receipt) = Receipt::decode(data) else { return };
    assert_eq!(codec::encode(&receipt), data, "a second encoding of the same receipt");
    let _ = receipt.header();
    let (Proof::Inclusion { path, .. } | Proof::Consistency { path, .. }) = *receipt.proof() else {
        return;
    };
    assert_eq!(path.into_iter().count(), path.len());
}
