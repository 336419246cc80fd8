//! Sig_structure (RFC 9052 §4.4): the bytes that a signature covers, without copying them together.

use crate::algorithm::SignedBytes;
use minicbor::Encoder;
use minicbor::encode::write::Cursor;

/// The parts of a Sig_structure: fixed beginnings of our own, headers and payload borrowed.
#[derive(Clone, Copy, Debug)]
pub struct SigStructure<'a> {
    start: Head,
    body_protected: &'a [u8],
    middle: Head,
    signer_protected: &'a [u8],
    end: Head,
    payload: &'a [u8],
}

impl<'a> SigStructure<'a> {
    /// `["Signature1", protected, h'', payload]`
    pub fn of_one(protected: &'a [u8], payload: &'a [u8]) -> Self {
        Self {
            start: Head::array(4, "Signature1", protected.len()),
            body_protected: protected,
            middle: Head::EMPTY,
            signer_protected: &[],
            end: Head::external_aad(payload.len()),
            payload,
        }
    }

    /// `["Signature", body_protected, sign_protected, h'', payload]`
    pub fn of_several(body: &'a [u8], signer: &'a [u8], payload: &'a [u8]) -> Self {
        Self {
            start: Head::array(5, "Signature", body.len()),
            body_protected: body,
            middle: Head::bytes(signer.len()),
            signer_protected: signer,
            end: Head::external_aad(payload.len()),
            payload,
        }
    }

    /// The bytes to sign, with their SHA-256.
    pub fn signed_bytes(&self) -> SignedBytes<'_> {
        SignedBytes::new([
            self.start.as_bytes(),
            self.body_protected,
            self.middle.as_bytes(),
            self.signer_protected,
            self.end.as_bytes(),
            self.payload,
        ])
    }
}

/// A short run of CBOR before borrowed bytes.
#[derive(Clone, Copy, Debug)]
struct Head {
    bytes: [u8; 24],
    length: usize,
}

impl Head {
    const EMPTY: Self = Self { bytes: [0; 24], length: 0 };

    fn array(elements: u64, context: &str, first: usize) -> Self {
        Self::write(|e| {
            e.array(elements)?.str(context)?;
            length_head(e, first)
        })
    }

    fn bytes(length: usize) -> Self {
        Self::write(|e| length_head(e, length))
    }

    /// The empty external AAD, then the head of the payload.
    fn external_aad(payload: usize) -> Self {
        Self::write(|e| {
            e.bytes(&[])?;
            length_head(e, payload)
        })
    }

    fn write(
        content: impl FnOnce(&mut Encoder<Cursor<&mut [u8]>>) -> Result<(), HeadError>,
    ) -> Self {
        let mut head = Self::EMPTY;
        let mut encoder = Encoder::new(Cursor::new(&mut head.bytes[..]));
        content(&mut encoder).expect("24 bytes hold every head: 1 + 11 + 9");
        head.length = encoder.writer().position();
        head
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

type HeadError = minicbor::encode::Error<minicbor::encode::write::EndOfSlice>;

/// Head of a byte string of `length`.
fn length_head(e: &mut Encoder<Cursor<&mut [u8]>>, length: usize) -> Result<(), HeadError> {
    e.bytes_len(length as u64)?;
    Ok(())
}
