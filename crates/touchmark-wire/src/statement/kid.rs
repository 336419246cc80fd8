//! Key ids: which key of which thing signed.

use crate::ids::{KeyNumber, ThingId};
use core::fmt;
use minicbor::{Decode, Decoder, Encode, Encoder};

/// COSE `kid`: the 20-byte thing id, then the key number in 1 to 4 bytes, big-endian, minimal.
/// The body of a statement with several signers names the thing alone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Kid {
    /// Whose key.
    pub thing: ThingId,
    /// Which of its keys; none in the body of a statement with several signers.
    pub key: Option<KeyNumber>,
}

impl Kid {
    /// Key `number` of `thing`.
    pub const fn new(thing: ThingId, number: KeyNumber) -> Self {
        Self { thing, key: Some(number) }
    }

    /// The bytes, and how many of them count.
    fn bytes(&self) -> ([u8; 24], usize) {
        let mut bytes = [0; 24];
        bytes[..20].copy_from_slice(&self.thing.0);
        let Some(KeyNumber(number)) = self.key else {
            return (bytes, 20);
        };
        let length = 4 - (number.leading_zeros() as usize / 8).min(3);
        bytes[20..20 + length].copy_from_slice(&number.to_be_bytes()[4 - length..]);
        (bytes, 20 + length)
    }
}

impl fmt::Display for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key {
            Some(number) => write!(f, "{}#{number}", self.thing),
            None => write!(f, "{}", self.thing),
        }
    }
}

impl<C> Encode<C> for Kid {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        let (bytes, length) = self.bytes();
        e.bytes(&bytes[..length])?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Kid {
    /// Longer forms of a number decode too; encoding the result again shows them.
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let invalid = || minicbor::decode::Error::message("not a key id");
        let (thing, number) = d.bytes()?.split_first_chunk::<20>().ok_or_else(invalid)?;
        let key = match number.len() {
            0 => None,
            1..=4 => {
                let value = number.iter().fold(0u32, |acc, byte| acc << 8 | u32::from(*byte));
                Some(KeyNumber(value))
            }
            _ => return Err(invalid()),
        };
        Ok(Self { thing: ThingId(*thing), key })
    }
}
