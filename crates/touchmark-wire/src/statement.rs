//! Statements: COSE_Sign1 (RFC 9052 §4.2, tag 18) with one signer, COSE_Sign (§4.1, tag 98) with
//! several, in deterministic CBOR with one accepted encoding.
//!
//! ```text
//! one signer       18([ protected, {}, payload, signature ])
//! several signers  98([ protected, {}, payload, [ + [ protected {alg, kid}, {}, signature ] ] ])
//! ```
//!
//! The unprotected maps and the external AAD are empty, so any COSE library verifies a statement.
//! The id of a statement is SHA-256 of `["Signature1", protected, h'', payload]` in both forms:
//! another valid signature over the same bytes is the same statement.

mod kid;
mod preimage;
mod protected;
mod sig_structure;
mod signers;

#[cfg(feature = "alloc")]
mod draft;

#[cfg(feature = "alloc")]
pub use draft::Draft;
pub use kid::Kid;
pub use preimage::Preimage;
pub use protected::{Claims, Content, Link, Protected};
pub use sig_structure::SigStructure;
pub use signers::{SignerEntry, Signers};

use crate::codec::{self, Malformed};
use crate::hash::Digest;
use crate::ids::StatementId;
use crate::limits;
use minicbor::Decoder;

/// First bytes of a statement with one signer: tag 18, array of 4.
const ONE: [u8; 2] = [0xd2, 0x84];
/// First bytes of a statement with several signers: tag 98, array of 4.
const MANY: [u8; 3] = [0xd8, 0x62, 0x84];

/// A statement taken apart; nothing about its signatures is known yet.
#[derive(Clone, Copy, Debug)]
pub struct Statement<'a> {
    bytes: &'a [u8],
    protected_bytes: &'a [u8],
    protected: Protected<'a>,
    payload: &'a [u8],
    signatures: Signatures<'a>,
}

/// Who signed.
#[derive(Clone, Copy, Debug)]
pub enum Signatures<'a> {
    /// The key that the protected header names.
    One(&'a [u8]),
    /// Several keys, each named beside its signature.
    Many(Signers<'a>),
}

impl<'a> Statement<'a> {
    /// Takes the one accepted encoding apart; at most [`limits::STATEMENT`] bytes.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        if bytes.len() > limits::STATEMENT {
            return Err(Malformed::TooLong { limit: limits::STATEMENT, actual: bytes.len() });
        }
        let (rest, several) = if let Some(rest) = bytes.strip_prefix(&ONE) {
            (rest, false)
        } else if let Some(rest) = bytes.strip_prefix(&MANY) {
            (rest, true)
        } else {
            return Err(Malformed::Shape);
        };
        let mut d = Decoder::new(rest);
        let protected_bytes = byte_string(&mut d)?;
        empty_map(&mut d)?;
        let payload = byte_string(&mut d)?;
        let signatures = if several {
            Signatures::Many(Signers::parse(&mut d, rest)?)
        } else {
            Signatures::One(byte_string(&mut d)?)
        };
        if d.position() != rest.len() {
            return Err(Malformed::NotDeterministic);
        }
        let protected: Protected<'a> = codec::decode(protected_bytes, limits::PROTECTED)?;
        if !protected.is_consistent() || protected.algorithm.is_none() != several {
            return Err(Malformed::Shape);
        }
        if matches!(protected.content, Content::Committed(_)) && payload.len() != Digest::LEN {
            return Err(Malformed::Shape);
        }
        Ok(Self { bytes, protected_bytes, protected, payload, signatures })
    }

    /// The whole encoding.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The protected header.
    pub const fn protected(&self) -> &Protected<'a> {
        &self.protected
    }

    /// The payload as it is signed.
    pub const fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// The signatures, unchecked.
    pub const fn signatures(&self) -> &Signatures<'a> {
        &self.signatures
    }

    /// Sig_structure of the only signer; its digest is the statement's id.
    pub fn sig_structure(&self) -> SigStructure<'a> {
        SigStructure::of_one(self.protected_bytes, self.payload)
    }

    /// Sig_structure of one of several signers.
    pub fn sig_structure_of(&self, signer: &SignerEntry<'a>) -> SigStructure<'a> {
        SigStructure::of_several(self.protected_bytes, signer.protected_bytes(), self.payload)
    }

    /// The id, computed anew.
    pub fn id(&self) -> StatementId {
        StatementId(*self.sig_structure().signed_bytes().digest())
    }
}

/// A byte string in its shortest form.
fn byte_string<'a>(d: &mut Decoder<'a>) -> Result<&'a [u8], Malformed> {
    let start = d.position();
    let bytes = d.bytes().map_err(|_| Malformed::Shape)?;
    let head = d.position() - start - bytes.len();
    if head == head_length(bytes.len()) { Ok(bytes) } else { Err(Malformed::NotDeterministic) }
}

/// Bytes that the shortest CBOR head of an item of `length` takes.
const fn head_length(length: usize) -> usize {
    match length {
        0..=23 => 1,
        24..=0xff => 2,
        0x100..=0xffff => 3,
        _ => 5,
    }
}

fn empty_map(d: &mut Decoder<'_>) -> Result<(), Malformed> {
    let start = d.position();
    if d.map().map_err(|_| Malformed::Shape)? == Some(0) && d.position() - start == 1 {
        Ok(())
    } else {
        Err(Malformed::Shape)
    }
}
