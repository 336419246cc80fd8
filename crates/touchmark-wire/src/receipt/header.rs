//! The protected header of a receipt.

use super::expect;
use crate::algorithm::Algorithm;
use crate::codec::{self, Malformed};
use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode, Encoder};

/// Header labels in deterministic order (RFC 9052 §3.1, RFC 9597, RFC 9942).
const ALG: u16 = 1;
const KID: u16 = 4;
const CWT_CLAIMS: u16 = 15;
const VDS: u16 = 395;
/// RFC9162_SHA256 (RFC 9942).
const RFC9162_SHA256: u8 = 1;
/// CWT claims (RFC 8392 §3.1.1 and §3.1.2).
const ISSUER: u8 = 1;
const SUBJECT: u8 = 2;

/// Who signed a receipt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReceiptHeader<'a> {
    /// Algorithm of the signature.
    pub algorithm: Algorithm,
    /// Names the log key; at most [`ReceiptHeader::TEXT`] bytes.
    pub kid: Option<&'a [u8]>,
    /// CWT claim `iss` (RFC 9597): the log; at most [`ReceiptHeader::TEXT`] bytes. RFC 9943 wants
    /// both claims.
    pub issuer: Option<&'a str>,
    /// CWT claim `sub`: what the log is about; at most [`ReceiptHeader::TEXT`] bytes.
    pub subject: Option<&'a str>,
}

impl ReceiptHeader<'_> {
    /// Longest encoding, bytes.
    pub const LIMIT: usize = 448;
    /// Longest key id, issuer and subject, bytes.
    pub const TEXT: usize = 128;

    fn fits(&self) -> bool {
        let claims = [self.issuer.unwrap_or_default(), self.subject.unwrap_or_default()];
        self.kid.unwrap_or_default().len() <= Self::TEXT
            && claims.iter().all(|claim| claim.len() <= Self::TEXT)
    }

    fn claims(&self) -> u64 {
        u64::from(self.issuer.is_some()) + u64::from(self.subject.is_some())
    }

    fn entries(&self) -> u64 {
        2 + u64::from(self.kid.is_some()) + u64::from(self.claims() > 0)
    }
}

impl<C> Encode<C> for ReceiptHeader<'_> {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.map(self.entries())?.u16(ALG)?;
        self.algorithm.encode(e, ctx)?;
        if let Some(kid) = self.kid {
            e.u16(KID)?.bytes(kid)?;
        }
        if self.claims() > 0 {
            e.u16(CWT_CLAIMS)?.map(self.claims())?;
        }
        if let Some(issuer) = self.issuer {
            e.u8(ISSUER)?.str(issuer)?;
        }
        if let Some(subject) = self.subject {
            e.u8(SUBJECT)?.str(subject)?;
        }
        e.u16(VDS)?.u8(RFC9162_SHA256)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for ReceiptHeader<'b> {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        let entries = d.map()?;
        expect(d.u16()? == ALG)?;
        let algorithm = Algorithm::decode(d, ctx)?;
        let mut header = Self { algorithm, kid: None, issuer: None, subject: None };
        let mut label = d.u16()?;
        if label == KID {
            header.kid = Some(d.bytes()?);
            label = d.u16()?;
        }
        if label == CWT_CLAIMS {
            for _ in 0..d.map()?.unwrap_or_default().min(2) {
                match d.u8()? {
                    ISSUER => header.issuer = Some(d.str()?),
                    SUBJECT => header.subject = Some(d.str()?),
                    _ => expect(false)?,
                }
            }
            label = d.u16()?;
        }
        expect(label == VDS && d.u8()? == RFC9162_SHA256)?;
        expect(entries == Some(header.entries()) && header.fits())?;
        Ok(header)
    }
}

/// A protected header and its one encoding.
#[derive(Clone, Copy, Debug)]
pub(super) struct EncodedHeader<'a> {
    header: ReceiptHeader<'a>,
    bytes: &'a [u8],
    /// How a CBOR byte string of `bytes` begins.
    head: ([u8; 3], usize),
}

impl<'a> EncodedHeader<'a> {
    pub(super) fn new(
        header: &ReceiptHeader<'_>,
        buffer: &'a mut [u8; ReceiptHeader::LIMIT],
    ) -> Result<Self, Malformed> {
        let mut rest = &mut buffer[..];
        Encoder::new(&mut rest).encode(header).map_err(|_| Malformed::Shape)?;
        let length = ReceiptHeader::LIMIT - rest.len();
        // Read back, so that the header borrows from the buffer and its limits are checked.
        Self::decode(&buffer[..length]).map_err(|_| Malformed::Shape)
    }

    pub(super) fn decode(bytes: &'a [u8]) -> Result<Self, minicbor::decode::Error> {
        let header = codec::decode(bytes, ReceiptHeader::LIMIT)
            .map_err(|_| minicbor::decode::Error::message("not a receipt's protected header"))?;
        let mut head = [0; 3];
        let mut rest = &mut head[..];
        let written = Encoder::new(&mut rest).bytes_len(bytes.len() as u64).is_ok();
        let unused = rest.len();
        expect(written)?;
        Ok(Self { header, bytes, head: (head, 3 - unused) })
    }

    pub(super) const fn header(&self) -> ReceiptHeader<'a> {
        self.header
    }

    pub(super) const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    pub(super) fn bstr_head(&self) -> &[u8] {
        &self.head.0[..self.head.1]
    }
}
