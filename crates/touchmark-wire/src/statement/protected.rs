//! The protected header of a statement (RFC 9052 §3) in its one encoding.

use super::kid::Kid;
use crate::hash::Digest;
use crate::ids::{ChannelId, Did, Sequence, ThingId};
use crate::registry::{ContentFormat, StatementKind};
use minicbor::decode::Error as DecodeError;
use minicbor::encode::{Error as EncodeError, Write};
use minicbor::{Decode, Decoder, Encode, Encoder};

/// COSE header labels used here, in the order of deterministic encoding.
mod label {
    pub(super) const ALGORITHM: i64 = 1;
    pub(super) const CONTENT_TYPE: i64 = 3;
    pub(super) const KID: i64 = 4;
    /// CWT Claims (RFC 9597).
    pub(super) const CLAIMS: i64 = 15;
    /// payload-hash-alg (RFC 9995).
    pub(super) const PAYLOAD_HASH: i64 = 258;
    /// preimage-content-type (RFC 9995).
    pub(super) const PREIMAGE_TYPE: i64 = 259;
    /// Ours, private use: [kind, sequence, previous, ?channel].
    pub(super) const LINK: i64 = -65_537;
}

/// COSE algorithm number of SHA-256 (RFC 9054).
const SHA_256: i64 = -16;

/// The link that makes a statement part of a chain: private header label −65537.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Link {
    /// What the statement does.
    #[n(0)]
    pub kind: StatementKind,
    /// Place in the chain, from 1.
    #[n(1)]
    pub sequence: Sequence,
    /// Id of the statement before; at place 1 the network id.
    #[n(2)]
    pub previous: Digest,
    /// The channel the chain is in; none is the issuer's main chain.
    #[n(3)]
    pub channel: Option<ChannelId>,
}

/// How the payload stands in the statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Content {
    /// The content itself, in this format.
    Inline(ContentFormat),
    /// SHA-256 of [32-byte salt, content] (COSE Hash Envelope, RFC 9995); the content, in this
    /// format, is elsewhere and can be erased.
    Committed(ContentFormat),
}

/// CWT claims of the SCITT profile (RFC 9597, RFC 9943); they agree with the key id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Claims<'a> {
    /// `iss`: the issuer's DID.
    pub issuer: &'a str,
    /// `sub`: what the statement is about, in the issuer's words.
    pub subject: &'a str,
    /// `iat`: the issuer's clock, seconds since 1970-01-01T00:00:00Z.
    pub issued_at: Option<u64>,
}

impl Claims<'_> {
    /// Longest `iss` or `sub`, bytes.
    pub const TEXT_LIMIT: usize = 128;

    /// Whether `iss` is a DID of `thing`.
    fn names(&self, thing: ThingId) -> bool {
        self.issuer.parse::<Did>().is_ok_and(|did| did.thing == thing)
    }
}

/// Protected header of a statement's body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Protected<'a> {
    /// COSE algorithm of the only signer; none when there are several (COSE_Sign).
    pub algorithm: Option<i64>,
    /// Format of the payload.
    pub content: Content,
    /// The issuer, with the number of the key that signed where there is one signer.
    pub kid: Kid,
    /// Present in the SCITT profile.
    pub claims: Option<Claims<'a>>,
    /// Place in a chain.
    pub link: Link,
}

impl Protected<'_> {
    /// What a decoder cannot see field by field.
    pub(super) fn is_consistent(&self) -> bool {
        self.algorithm.is_some() == self.kid.key.is_some()
            && self.link.sequence.0 > 0
            && self.claims.is_none_or(|claims| claims.names(self.kid.thing))
    }
}

impl<C> Encode<C> for Protected<'_> {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        let committed = matches!(self.content, Content::Committed(_));
        let entries = 3
            + u64::from(self.algorithm.is_some())
            + u64::from(self.claims.is_some())
            + u64::from(committed);
        e.map(entries)?;
        if let Some(algorithm) = self.algorithm {
            e.i64(label::ALGORITHM)?.i64(algorithm)?;
        }
        if let Content::Inline(format) = self.content {
            e.i64(label::CONTENT_TYPE)?.u16(format.0)?;
        }
        e.i64(label::KID)?.encode_with(self.kid, ctx)?;
        if let Some(claims) = self.claims {
            e.i64(label::CLAIMS)?.encode_with(claims, ctx)?;
        }
        if let Content::Committed(format) = self.content {
            e.i64(label::PAYLOAD_HASH)?.i64(SHA_256)?;
            e.i64(label::PREIMAGE_TYPE)?.u16(format.0)?;
        }
        e.i64(label::LINK)?.encode_with(self.link, ctx)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Protected<'b> {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, DecodeError> {
        let entries = d.map()?.ok_or_else(|| DecodeError::message("indefinite length"))?;
        let mut algorithm = None;
        let mut content = None;
        let mut hashed = false;
        let mut kid = None;
        let mut claims = None;
        let mut link = None;
        for _ in 0..entries {
            match d.i64()? {
                label::ALGORITHM => algorithm = Some(d.i64()?),
                label::CONTENT_TYPE => content = Some(Content::Inline(d.decode_with(ctx)?)),
                label::KID => kid = Some(d.decode_with(ctx)?),
                label::CLAIMS => claims = Some(d.decode_with(ctx)?),
                label::PAYLOAD_HASH => hashed = d.i64()? == SHA_256,
                label::PREIMAGE_TYPE if hashed => {
                    content = Some(Content::Committed(d.decode_with(ctx)?));
                }
                label::LINK => link = Some(d.decode_with(ctx)?),
                _ => return Err(DecodeError::message("unknown header parameter")),
            }
        }
        match (content, kid, link) {
            (Some(content), Some(kid), Some(link)) => {
                Ok(Self { algorithm, content, kid, claims, link })
            }
            _ => Err(DecodeError::message("missing header parameter")),
        }
    }
}

impl<C> Encode<C> for Claims<'_> {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        e.map(2 + u64::from(self.issued_at.is_some()))?;
        e.u8(1)?.str(self.issuer)?;
        e.u8(2)?.str(self.subject)?;
        if let Some(seconds) = self.issued_at {
            e.u8(6)?.u64(seconds)?;
        }
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for Claims<'b> {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        let entries = d.map()?.ok_or_else(|| DecodeError::message("indefinite length"))?;
        let (mut issuer, mut subject, mut issued_at) = (None, None, None);
        for _ in 0..entries {
            match d.u8()? {
                1 => issuer = Some(d.str()?),
                2 => subject = Some(d.str()?),
                6 => issued_at = Some(d.u64()?),
                _ => return Err(DecodeError::message("unknown claim")),
            }
        }
        let (Some(issuer), Some(subject)) = (issuer, subject) else {
            return Err(DecodeError::message("missing claim"));
        };
        if issuer.len() > Self::TEXT_LIMIT || subject.len() > Self::TEXT_LIMIT {
            return Err(DecodeError::message("claim too long"));
        }
        Ok(Self { issuer, subject, issued_at })
    }
}
