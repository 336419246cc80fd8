//! A batch header has exactly one accepted encoding.

use touchmark_wire::codec;
use touchmark_wire::header::BatchHeader;

/// Whatever decodes encodes to the same bytes, within the limits.
pub fn target(data: &[u8]) {
    if let Ok(header) = BatchHeader::decode(data) {
        assert!(data.len() <= BatchHeader::LIMIT);
        assert!(header.context.len() <= BatchHeader::CONTEXT_LIMIT);
        assert_eq!(codec::encode(&header), data, "a second encoding of the same header");
    }
}
