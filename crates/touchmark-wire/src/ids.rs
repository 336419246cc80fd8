//! Newtypes for every id, position, number and time of the protocol.

use crate::hash::Digest;
use crate::limits;
use core::fmt;
use minicbor::{Decode, Encode};

macro_rules! number {
    ($($(#[$doc:meta])* $name:ident($inner:ty);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Encode, Decode)]
        #[cbor(transparent)]
        pub struct $name(#[n(0)] pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    )*};
}

number! {
    /// Position of a leaf in the log, from 0 (RFC 9162 §2.1).
    LeafIndex(u64);
    /// Number of leaves in the log (RFC 9162 §2.1).
    TreeSize(u64);
    /// Number of a batch, from 1; the genesis is height 0.
    Height(u64);
    /// Milliseconds since 1970-01-01T00:00:00Z, certified as part of a batch.
    Timestamp(u64);
    /// Place of a statement in its chain, from 1 by 1.
    Sequence(u32);
    /// Number of a key of a thing; never used again.
    KeyNumber(u32);
    /// Number of a validator committee, from 0; in the engine's own certificates, of a term.
    Epoch(u64);
}

impl LeafIndex {
    /// Size of the log in which this leaf is the last. The greatest index has none, and in the
    /// greatest size it is not.
    pub const fn size(self) -> TreeSize {
        TreeSize(self.0.saturating_add(1))
    }
}

impl Height {
    /// The term that the height is in.
    pub const fn term(self) -> Epoch {
        Epoch(self.0 / limits::TERM)
    }

    /// Whether it is the last of its term: the next height may be another committee's.
    pub const fn ends_term(self) -> bool {
        self.0 % limits::TERM == limits::TERM - 1
    }

    /// The first height of the next term. The last term has none after it, and is its own.
    #[must_use]
    pub const fn next_term(self) -> Self {
        Self((self.0 / limits::TERM + 1).saturating_mul(limits::TERM))
    }
}

macro_rules! short_id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub [u8; 20]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = 20;

            /// The first 20 bytes of `digest`.
            pub fn from_digest(digest: &Digest) -> Self {
                let mut id = [0; Self::LEN];
                id.copy_from_slice(&digest.0[..Self::LEN]);
                Self(id)
            }
        }

        impl fmt::Display for $name {
            /// 32 characters of lowercase base32 (RFC 4648 §6, no padding).
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                base32::write(f, &self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl core::str::FromStr for $name {
            type Err = InvalidId;

            /// Accepts either case.
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let mut id = [0; Self::LEN];
                base32::read(text, &mut id)?;
                Ok(Self(id))
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.bytes(&self.0)?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                <[u8; Self::LEN]>::try_from(d.bytes()?)
                    .map(Self)
                    .map_err(|_| minicbor::decode::Error::message("id is not 20 bytes"))
            }
        }
    )*};
}

short_id! {
    /// A thing: first 20 bytes of SHA-256 of its inception payload.
    ThingId;
    /// A channel: first 20 bytes of SHA-256 of a domain string, its author and the payload that
    /// opens it.
    ChannelId;
}

macro_rules! long_id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Encode, Decode)]
        #[cbor(transparent)]
        pub struct $name(#[n(0)] pub Digest);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl core::str::FromStr for $name {
            type Err = InvalidId;

            /// 64 hexadecimal characters, either case.
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.parse().map(Self)
            }
        }
    )*};
}

long_id! {
    /// A network: SHA-256 of its deterministic-CBOR genesis document.
    NetworkId;
    /// A statement: SHA-256 of ["Signature1", protected, h'', payload].
    StatementId;
    /// Evidence made elsewhere: SHA-256 of its inner bytes.
    EvidenceId;
}

impl ThingId {
    /// The thing's DID: `did:touchmark:<first 10 bytes of the network id>:<thing id>`, in base32.
    pub const fn did(self, network: &NetworkId) -> Did {
        let mut prefix = [0; 10];
        let mut place = 0;
        while place < prefix.len() {
            prefix[place] = network.0.0[place];
            place += 1;
        }
        Did { network: prefix, thing: self }
    }
}

/// A decentralised identifier (W3C DID 1.1) of method `touchmark`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Did {
    /// The first 10 bytes of the network id.
    pub network: [u8; 10],
    /// The thing.
    pub thing: ThingId,
}

impl fmt::Display for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("did:touchmark:")?;
        base32::write(f, &self.network)?;
        write!(f, ":{}", self.thing)
    }
}

impl core::str::FromStr for Digest {
    type Err = InvalidId;

    /// 64 hexadecimal characters, either case.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let mut bytes = [0; Self::LEN];
        if text.len() != 2 * Self::LEN || !text.is_ascii() {
            return Err(InvalidId);
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let pair = core::str::from_utf8(pair).map_err(|_| InvalidId)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| InvalidId)?;
        }
        Ok(Self(bytes))
    }
}

impl core::str::FromStr for Did {
    type Err = InvalidId;

    /// Accepts the one form that is displayed: lowercase.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let rest = text.strip_prefix("did:touchmark:").ok_or(InvalidId)?;
        let (prefix, thing) = rest.split_once(':').ok_or(InvalidId)?;
        if rest.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(InvalidId);
        }
        let mut network = [0; 10];
        base32::read(prefix, &mut network)?;
        Ok(Self { network, thing: thing.parse()? })
    }
}

/// A text that is not an id: wrong length or a foreign character.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidId;

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an id: wrong length or character")
    }
}

impl core::error::Error for InvalidId {}

mod base32 {
    use super::InvalidId;
    use core::fmt;

    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

    /// Writes whole groups: 5 bytes are 8 characters.
    pub(super) fn write(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
        for group in bytes.chunks_exact(5) {
            let bits = group.iter().fold(0u64, |acc, byte| acc << 8 | u64::from(*byte));
            for place in (0..8).rev() {
                let symbol = ALPHABET[(bits >> (5 * place) & 31) as usize];
                write!(f, "{}", char::from(symbol))?;
            }
        }
        Ok(())
    }

    pub(super) fn read(text: &str, out: &mut [u8]) -> Result<(), InvalidId> {
        if text.len() != out.len() / 5 * 8 {
            return Err(InvalidId);
        }
        for (group, bytes) in text.as_bytes().chunks_exact(8).zip(out.chunks_exact_mut(5)) {
            let mut bits = 0u64;
            for symbol in group {
                let value = ALPHABET
                    .iter()
                    .position(|known| *known == symbol.to_ascii_lowercase())
                    .ok_or(InvalidId)?;
                bits = bits << 5 | value as u64;
            }
            bytes.copy_from_slice(&bits.to_be_bytes()[3..]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn thing_id_text_is_rfc4648_base32_in_either_case() {
        let id = ThingId(*b"foobarfoobarfoobarfo");
        let text = id.to_string();
        assert_eq!(text, "mzxw6ytbojtg633cmfzgm33pmjqxeztp");
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(text.to_uppercase().parse(), Ok(id));
        assert_eq!("mzxw6".parse::<ThingId>(), Err(InvalidId));
        assert_eq!(text.replace('m', "1").parse::<ThingId>(), Err(InvalidId));
    }

    #[test]
    fn long_id_text_is_hexadecimal() {
        let id = StatementId(Digest::of(&[b"abc"]));
        let text = id.to_string();
        assert_eq!(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(text[1..].parse::<StatementId>(), Err(InvalidId));
    }
}
