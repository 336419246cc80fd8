//! Deterministic CBOR (RFC 8949 §4.2) with exactly one accepted encoding.
//!
//! A value is decoded, then encoded again *against* the bytes it came from. Whatever the decoder
//! let pass that our encoder would not write (longer integers, other key orders, unknown keys,
//! indefinite lengths, trailing bytes) differs at some byte and is refused.

use core::fmt;
use minicbor::{Decode, Decoder, Encode, Encoder};

/// Bytes that are not the one encoding of what they claim to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Malformed {
    /// Longer than the limit that the caller set, in bytes.
    TooLong {
        /// Limit, bytes.
        limit: usize,
        /// Actual length, bytes.
        actual: usize,
    },
    /// Not the expected CBOR shape, or cut off.
    Shape,
    /// The right shape in another than the deterministic encoding.
    NotDeterministic,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { limit, actual } => {
                write!(f, "{actual} bytes are more than the limit of {limit}")
            }
            Self::Shape => f.write_str("not the expected CBOR structure"),
            Self::NotDeterministic => f.write_str("not in deterministic CBOR encoding"),
        }
    }
}

impl core::error::Error for Malformed {}

/// Decodes the one accepted encoding of a `T` from all of `bytes`, of which there may be at most
/// `limit`.
pub fn decode<'b, T: Decode<'b, ()> + Encode<()>>(
    bytes: &'b [u8],
    limit: usize,
) -> Result<T, Malformed> {
    if bytes.len() > limit {
        return Err(Malformed::TooLong { limit, actual: bytes.len() });
    }
    let value = Decoder::new(bytes).decode::<T>().map_err(|_| Malformed::Shape)?;
    if is_encoding_of(&value, bytes) { Ok(value) } else { Err(Malformed::NotDeterministic) }
}

/// Whether `bytes` are exactly what `value` encodes to.
pub fn is_encoding_of<T: Encode<()>>(value: &T, bytes: &[u8]) -> bool {
    let mut rest = Expect(bytes);
    Encoder::new(&mut rest).encode(value).is_ok() && rest.0.is_empty()
}

/// Encodes `value`; its type's encoder is deterministic.
#[cfg(feature = "alloc")]
pub fn encode<T: Encode<()>>(value: &T) -> alloc::vec::Vec<u8> {
    let mut bytes = alloc::vec::Vec::new();
    Encoder::new(&mut bytes).encode(value).expect(
        "writing to a vector cannot fail and protocol encoders return no error of their own",
    );
    bytes
}

/// A writer that accepts only the bytes it expects.
struct Expect<'a>(&'a [u8]);

impl minicbor::encode::Write for Expect<'_> {
    type Error = Malformed;

    fn write_all(&mut self, written: &[u8]) -> Result<(), Malformed> {
        self.0 = self.0.strip_prefix(written).ok_or(Malformed::NotDeterministic)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_shortest_form_without_trailing_bytes_is_accepted() {
        assert_eq!(decode::<u64>(&[0x17], 9), Ok(23));
        assert_eq!(decode::<u64>(&[0x18, 23], 9), Err(Malformed::NotDeterministic));
        assert_eq!(decode::<u64>(&[0x17, 0x17], 9), Err(Malformed::NotDeterministic));
        assert_eq!(decode::<u64>(&[0x61, 0x61], 9), Err(Malformed::Shape));
        assert_eq!(decode::<u64>(&[0x18], 9), Err(Malformed::Shape));
        assert_eq!(decode::<u64>(&[0x17], 0), Err(Malformed::TooLong { limit: 0, actual: 1 }));
        assert_eq!(
            decode::<&minicbor::bytes::ByteSlice>(&[0x5f, 0x41, 1, 0xff], 9).map(|_| ()),
            Err(Malformed::Shape)
        );
    }
}
