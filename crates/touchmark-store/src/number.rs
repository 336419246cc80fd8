//! Numbers in keys: big-endian, so that they sort.

use fjall::Slice;

/// 8 bytes, big-endian.
pub(crate) fn bytes(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}

/// What [`bytes`] wrote.
pub(crate) fn read(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}

/// Concatenates the parts of a key or value.
pub(crate) fn join(parts: &[&[u8]]) -> Slice {
    Slice::from(parts.concat())
}
