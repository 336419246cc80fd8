//! Building statements.

use super::kid::Kid;
use super::protected::{Claims, Content, Link, Protected};
use super::sig_structure::SigStructure;
use super::{MANY, ONE};
use crate::algorithm::{SignError, Signer};
use crate::codec;
use crate::ids::{KeyNumber, StatementId, ThingId};
use alloc::vec::Vec;
use minicbor::Encoder;

/// A statement before it is signed.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// Who states.
    pub issuer: ThingId,
    /// Place in a chain.
    pub link: Link,
    /// Format of the payload.
    pub content: Content,
    /// Claims of the SCITT profile.
    pub claims: Option<Claims<'a>>,
    /// The payload; for committed content the 32-byte commitment.
    pub payload: &'a [u8],
}

impl Draft<'_> {
    /// Signs as key `number` of the issuer: a COSE_Sign1.
    pub fn sign(&self, number: KeyNumber, signer: &dyn Signer) -> Result<Vec<u8>, SignError> {
        let algorithm = signer.public_key().algorithm().cose_id();
        let protected = self.protected(Some((algorithm.into(), number)));
        let structure = SigStructure::of_one(&protected, self.payload);
        let signature = signer.sign(&structure.signed_bytes())?;

        let mut bytes = Vec::with_capacity(protected.len() + self.payload.len() + 80);
        bytes.extend_from_slice(&ONE);
        let mut e = Encoder::new(&mut bytes);
        write_body(&mut e, &protected, self.payload);
        written(e.bytes(&signature));
        Ok(bytes)
    }

    /// Signs as several keys, of one or more things: a COSE_Sign. The order of `signers` does not
    /// matter; the encoding sorts them.
    pub fn sign_many(&self, signers: &[(Kid, &dyn Signer)]) -> Result<Vec<u8>, SignError> {
        let body = self.protected(None);
        let mut entries = Vec::with_capacity(signers.len());
        for (kid, signer) in signers {
            let protected = signer_header(*kid, signer.public_key().algorithm().cose_id());
            let structure = SigStructure::of_several(&body, &protected, self.payload);
            let signature = signer.sign(&structure.signed_bytes())?;
            entries.push((*kid, protected, signature));
        }
        entries.sort_by_key(|(kid, ..)| *kid);

        let mut bytes = Vec::new();
        bytes.extend_from_slice(&MANY);
        let mut e = Encoder::new(&mut bytes);
        write_body(&mut e, &body, self.payload);
        written(e.array(entries.len() as u64));
        for (_, protected, signature) in &entries {
            written(e.array(3));
            written(e.bytes(protected));
            written(e.map(0));
            written(e.bytes(signature));
        }
        Ok(bytes)
    }

    /// The id that a statement with one signer will have.
    pub fn id(&self, number: KeyNumber, algorithm: crate::algorithm::Algorithm) -> StatementId {
        let protected = self.protected(Some((algorithm.cose_id().into(), number)));
        StatementId(*SigStructure::of_one(&protected, self.payload).signed_bytes().digest())
    }

    fn protected(&self, signer: Option<(i64, KeyNumber)>) -> Vec<u8> {
        codec::encode(&Protected {
            algorithm: signer.map(|(algorithm, _)| algorithm),
            content: self.content,
            kid: Kid { thing: self.issuer, key: signer.map(|(_, number)| number) },
            claims: self.claims,
            link: self.link,
        })
    }
}

fn signer_header(kid: Kid, algorithm: i32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut e = Encoder::new(&mut bytes);
    written(e.map(2));
    written(e.u8(1));
    written(e.i32(algorithm));
    written(e.u8(4));
    written(e.encode(kid));
    bytes
}

fn write_body(e: &mut Encoder<&mut Vec<u8>>, protected: &[u8], payload: &[u8]) {
    written(e.bytes(protected));
    written(e.map(0));
    written(e.bytes(payload));
}

fn written<T>(result: Result<T, minicbor::encode::Error<core::convert::Infallible>>) {
    result.map(drop).expect("writing to a vector cannot fail");
}
