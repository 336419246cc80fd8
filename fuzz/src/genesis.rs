//! A genesis document has exactly one accepted encoding, of which the network id is the hash.

use touchmark_wire::genesis::Genesis;
use touchmark_wire::hash::Digest;
use touchmark_wire::limits;

/// Whatever decodes encodes to the same bytes.
pub fn target(data: &[u8]) {
    if let Ok(genesis) = Genesis::decode(data) {
        assert!(data.len() <= limits::GENESIS);
        assert_eq!(genesis.encode_to_vec(), data, "a second encoding of the same document");
        assert_eq!(genesis.network_id().0, Digest::of(&[data]));
    }
}
