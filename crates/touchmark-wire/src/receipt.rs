//! Receipts: signed proofs of inclusion and consistency that COSE tools outside of this project can
//! check (RFC 9942, verifiable data structure RFC9162_SHA256).
//!
//! ```text
//! 18([
//!   << { 1: alg, ?4: kid, ?15: {1: issuer, 2: subject}, 395: 1 } >>,
//!   { 396: { -1: [ << [size, index, [*path]] >> ] } },      inclusion, or
//!   { 396: { -2: [ << [old size, new size, [*path]] >> ] } },   consistency
//!   nil,                       detached: the Merkle root that the proof leads to
//!   signature
//! ])
//! ```
//!
//! # Deviations
//! * Exactly one proof in a receipt, and no other header than these, in deterministic CBOR.
//! * An empty path is `[]`, which the RFC's CDDL (`[ + bstr ]`) has no form for; the tree of one
//!   leaf needs it.

mod header;
mod proof;

pub use header::ReceiptHeader;
pub use proof::{Path, PathIter, Proof};

use crate::algorithm::{
    PublicKey, SIGNATURE_LENGTH, SignError, SignatureError, SignatureVerifier, SignedBytes, Signer,
};
use crate::codec::{self, Malformed};
use crate::hash::Digest;
use crate::ids::{LeafIndex, TreeSize};
use crate::merkle::{self, ProofError};
use core::fmt;
use header::EncodedHeader;
use minicbor::data::Tag;
use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode, Encoder};

/// COSE_Sign1 (RFC 9052 §2).
const SIGN1: Tag = Tag::new(18);
/// Header `vdp`: the proofs (RFC 9942).
const VDP: u16 = 396;

/// A receipt. Decoded, not checked.
#[derive(Clone, Copy, Debug)]
pub struct Receipt<'a> {
    header: EncodedHeader<'a>,
    proof: Proof<'a>,
    signature: [u8; SIGNATURE_LENGTH],
}

/// What an inclusion receipt proves: the leaf is at `index` of the signer's log, whose first
/// `size` leaves have this `root`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Included {
    /// Place of the leaf.
    pub index: LeafIndex,
    /// Size of the log that the signer vouches for.
    pub size: TreeSize,
    /// Its root.
    pub root: Digest,
}

impl<'a> Receipt<'a> {
    /// Longest encoding, bytes.
    pub const LIMIT: usize = ReceiptHeader::LIMIT + Proof::LIMIT + SIGNATURE_LENGTH + 32;

    /// Decodes the one accepted encoding.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, ReceiptError> {
        codec::decode(bytes, Self::LIMIT).map_err(ReceiptError::Malformed)
    }

    /// Signs `root` as the root that `proof` leads to. Only to be called for a root that the
    /// signer has computed itself.
    ///
    /// `header` is encoded into `buffer`, which the receipt borrows.
    pub fn sign(
        header: &ReceiptHeader<'_>,
        buffer: &'a mut [u8; ReceiptHeader::LIMIT],
        proof: Proof<'a>,
        root: &Digest,
        signer: &(impl Signer + ?Sized),
    ) -> Result<Self, ReceiptError> {
        if header.algorithm != signer.public_key().algorithm() {
            return Err(ReceiptError::OtherAlgorithm);
        }
        let header = EncodedHeader::new(header, buffer).map_err(ReceiptError::Malformed)?;
        let signature = signer.sign(&signed(&header, root)).map_err(ReceiptError::Unsigned)?;
        Ok(Self { header, proof, signature })
    }

    /// Who signed, as the receipt says.
    pub fn header(&self) -> ReceiptHeader<'a> {
        self.header.header()
    }

    /// The proof.
    pub const fn proof(&self) -> &Proof<'a> {
        &self.proof
    }

    /// Checks that the leaf is included in a log whose root `key` signed.
    pub fn verify_inclusion(
        &self,
        leaf_hash: &Digest,
        key: &PublicKey,
        verifier: &impl SignatureVerifier,
    ) -> Result<Included, ReceiptError> {
        let Proof::Inclusion { size, index, path } = self.proof else {
            return Err(ReceiptError::OtherProof);
        };
        let root = merkle::root_from_inclusion(leaf_hash, index, size, path)
            .map_err(ReceiptError::Proof)?;
        self.verify_root(&root, key, verifier)?;
        Ok(Included { index, size, root })
    }

    /// Checks that the log of `old` leaves with `old_root` is the beginning of the log of `new`
    /// leaves with `new_root`, the second of which `key` signed.
    pub fn verify_consistency(
        &self,
        (old, old_root): (TreeSize, &Digest),
        (new, new_root): (TreeSize, &Digest),
        key: &PublicKey,
        verifier: &impl SignatureVerifier,
    ) -> Result<(), ReceiptError> {
        match self.proof {
            Proof::Consistency { old: from, new: to, path } if from == old && to == new => {
                merkle::verify_consistency(old, old_root, new, new_root, path)
                    .map_err(ReceiptError::Proof)?;
                self.verify_root(new_root, key, verifier)
            }
            _ => Err(ReceiptError::OtherProof),
        }
    }

    fn verify_root(
        &self,
        root: &Digest,
        key: &PublicKey,
        verifier: &impl SignatureVerifier,
    ) -> Result<(), ReceiptError> {
        if self.header().algorithm != key.algorithm() {
            return Err(ReceiptError::OtherAlgorithm);
        }
        verifier
            .verify(key, &signed(&self.header, root), &self.signature)
            .map_err(ReceiptError::Signature)
    }
}

/// The Sig_structure (RFC 9052 §4.4) over a detached root: no external data, 32-byte payload.
fn signed<'a>(header: &'a EncodedHeader<'_>, root: &'a Digest) -> SignedBytes<'a> {
    SignedBytes::new([
        b"\x84\x6aSignature1",
        header.bstr_head(),
        header.bytes(),
        b"\x40\x58\x20",
        root.as_bytes(),
    ])
}

impl<C> Encode<C> for Receipt<'_> {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.tag(SIGN1)?.array(4)?.bytes(self.header.bytes())?;
        e.map(1)?.u16(VDP)?.map(1)?.i8(self.proof.label())?.array(1)?;
        e.bytes_len(self.proof.encoded_len())?;
        self.proof.encode(e, ctx)?;
        e.null()?.bytes(&self.signature)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Receipt<'b> {
    /// Lenient about encodings of numbers and lengths; [`Receipt::decode`] is not.
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        expect(d.tag()? == SIGN1 && d.array()? == Some(4))?;
        let header = EncodedHeader::decode(d.bytes()?)?;
        expect(d.map()? == Some(1) && d.u16()? == VDP && d.map()? == Some(1))?;
        let label = d.i8()?;
        expect(d.array()? == Some(1))?;
        let proof = Proof::decode(label, d.bytes()?)?;
        d.null()?;
        let signature = d
            .bytes()?
            .try_into()
            .map_err(|_| minicbor::decode::Error::message("signature is not 64 bytes"))?;
        Ok(Self { header, proof, signature })
    }
}

/// For decoders: goes on only if the shape is as expected.
fn expect(shape: bool) -> Result<(), minicbor::decode::Error> {
    if shape { Ok(()) } else { Err(minicbor::decode::Error::message("not a receipt's structure")) }
}

/// Why a receipt proves nothing. [`ReceiptError::Unsigned`] is the signer's fault, all else that of
/// who sent the receipt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ReceiptError {
    /// Not the one encoding of a receipt.
    Malformed(Malformed),
    /// It proves something else: inclusion instead of consistency, or other sizes.
    OtherProof,
    /// The key is for another algorithm than the header names.
    OtherAlgorithm,
    /// The path does not fit the position or leads elsewhere.
    Proof(ProofError),
    /// The root is not signed by the key.
    Signature(SignatureError),
    /// The signer made no signature.
    Unsigned(SignError),
}

impl fmt::Display for ReceiptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "malformed receipt: {error}"),
            Self::OtherProof => f.write_str("the receipt proves something else"),
            Self::OtherAlgorithm => f.write_str("the receipt names another algorithm than the key"),
            Self::Proof(error) => fmt::Display::fmt(error, f),
            Self::Signature(error) => write!(f, "the receipt's root is not signed: {error}"),
            Self::Unsigned(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl core::error::Error for ReceiptError {}
