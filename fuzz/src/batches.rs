//! Certified batches have exactly one accepted encoding, within their bounds.

use touchmark_wire::batches::CertifiedBatches;

/// Whatever decodes encodes to the same bytes.
pub fn target(data: &[u8]) {
    if let Ok(answer) = CertifiedBatches::decode(data) {
        assert!(data.len() <= CertifiedBatches::LIMIT);
        assert!(!answer.batches.is_empty());
        assert!(answer.batches.len() + answer.headers.len() <= CertifiedBatches::HEADERS);
        assert_eq!(answer.encode_to_vec(), data);
    }
}
