//! The signers of a statement that has several (RFC 9052 §4.1).

use super::kid::Kid;
use super::{byte_string, empty_map};
use crate::codec::{self, Malformed};
use crate::limits;
use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode, Encoder};

/// Protected header of one signer: {1: algorithm, 4: key id}.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Header {
    algorithm: i64,
    kid: Kid,
}

impl<C> Encode<C> for Header {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.map(2)?.u8(1)?.i64(self.algorithm)?;
        e.u8(4)?.encode_with(self.kid, ctx)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Header {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        let invalid = || minicbor::decode::Error::message("not a signer's header");
        if d.map()? != Some(2) || d.u8()? != 1 {
            return Err(invalid());
        }
        let algorithm = d.i64()?;
        if d.u8()? != 4 {
            return Err(invalid());
        }
        Ok(Self { algorithm, kid: d.decode_with(ctx)? })
    }
}

/// One signer and its signature, unchecked.
#[derive(Clone, Copy, Debug)]
pub struct SignerEntry<'a> {
    protected_bytes: &'a [u8],
    header: Header,
    signature: &'a [u8],
}

impl<'a> SignerEntry<'a> {
    fn parse(d: &mut Decoder<'a>) -> Result<Self, Malformed> {
        let start = d.position();
        if d.array().map_err(|_| Malformed::Shape)? != Some(3) || d.position() - start != 1 {
            return Err(Malformed::Shape);
        }
        let protected_bytes = byte_string(d)?;
        empty_map(d)?;
        let signature = byte_string(d)?;
        let header: Header = codec::decode(protected_bytes, limits::PROTECTED)?;
        if header.kid.key.is_none() {
            return Err(Malformed::Shape);
        }
        Ok(Self { protected_bytes, header, signature })
    }

    /// COSE algorithm number.
    pub const fn algorithm(&self) -> i64 {
        self.header.algorithm
    }

    /// Which key of which thing.
    pub const fn kid(&self) -> Kid {
        self.header.kid
    }

    /// The signature.
    pub const fn signature(&self) -> &'a [u8] {
        self.signature
    }

    pub(super) const fn protected_bytes(&self) -> &'a [u8] {
        self.protected_bytes
    }
}

/// The signers, sorted by key id, each key id once; 1 to [`limits::SIGNERS`].
#[derive(Clone, Copy, Debug)]
pub struct Signers<'a> {
    entries: &'a [u8],
    count: usize,
}

impl<'a> Signers<'a> {
    /// Checks the array that `d` stands at; `input` is what `d` reads.
    pub(super) fn parse(d: &mut Decoder<'a>, input: &'a [u8]) -> Result<Self, Malformed> {
        let start = d.position();
        let count = d.array().map_err(|_| Malformed::Shape)?.ok_or(Malformed::NotDeterministic)?;
        if count == 0 || count > limits::SIGNERS as u64 || d.position() - start != 1 {
            return Err(Malformed::Shape);
        }
        let first = d.position();
        let mut last = None;
        for _ in 0..count {
            let kid = SignerEntry::parse(d)?.kid();
            if last.is_some_and(|last| last >= kid) {
                return Err(Malformed::NotDeterministic);
            }
            last = Some(kid);
        }
        Ok(Self { entries: &input[first..d.position()], count: count as usize })
    }

    /// How many.
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Never: there is at least one.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = SignerEntry<'a>> + use<'a> {
        let mut d = Decoder::new(self.entries);
        (0..self.count)
            .map(move |_| SignerEntry::parse(&mut d).expect("parse() has read the same bytes"))
    }
}
