//! A leaf of the log has exactly one accepted encoding.

use touchmark_wire::leaf::Leaf;
use touchmark_wire::limits;

/// Whatever decodes encodes to the same bytes, and what is inside is found or not.
pub fn target(data: &[u8]) {
    if let Ok(leaf) = Leaf::decode(data) {
        assert!(data.len() <= limits::LEAF);
        assert_eq!(leaf.encode_to_vec(), data, "a second encoding of the same leaf");
        assert!(leaf.statement().is_none_or(|statement| statement.len() <= data.len()));
    }
}
