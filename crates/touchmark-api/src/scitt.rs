//! What SCITT has and the protocol has not: Signed and Transparent Statements (RFC 9943), and sets
//! of keys as a Transparency Service publishes them (draft-ietf-scitt-scrapi, `spec/scitt.md`).

use minicbor::data::{Tag, Type};
use minicbor::{Decoder, Encoder};
use touchmark_wire::algorithm::{Algorithm, CoseKey};
use touchmark_wire::codec::{self, Malformed};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::StatementId;
use touchmark_wire::statement::{Signatures, Statement};

/// COSE_Sign1 (RFC 9052 §2).
const SIGN1: Tag = Tag::new(18);
/// An unprotected header without entries.
const EMPTY_MAP: u8 = 0xa0;
/// Header `receipts` (RFC 9942 §5.1).
const RECEIPTS: u16 = 394;
/// COSE_Key labels (RFC 9052 §7.1).
const KID: u8 = 2;

/// A statement in the profile that RFC 9943 calls a Signed Statement: one signer, and the CWT claims
/// `iss` and `sub` in its protected header. Nothing about its signature is known.
#[derive(Clone, Copy, Debug)]
pub struct SignedStatement<'a>(Statement<'a>);

/// Why bytes are no Signed Statement that could be registered here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotSignedStatement {
    /// They are no statement.
    #[error("the body is no statement in the one encoding that this service takes: {0}")]
    Malformed(Malformed),
    /// The payload is elsewhere.
    #[error("the payload must be in the Signed Statement, or a hash of it (RFC 9995)")]
    NoPayload,
    /// The algorithm is none that the protocol has.
    #[error("the COSE algorithm {0} is not supported; ES256, Ed25519 and ES256K are")]
    Algorithm(i64),
    /// A COSE_Sign.
    #[error("the statement has several signers, and a Signed Statement has one")]
    SeveralSigners,
    /// The compact profile.
    #[error("the statement has no CWT claims `iss` and `sub`")]
    NoClaims,
}

impl<'a> SignedStatement<'a> {
    /// Takes a Signed Statement apart.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, NotSignedStatement> {
        let statement = Statement::parse(bytes).map_err(|malformed| match malformed {
            // Nobody looks into what is too long.
            Malformed::TooLong { .. } => NotSignedStatement::Malformed(malformed),
            _ if is_detached(bytes).unwrap_or(false) => NotSignedStatement::NoPayload,
            _ => NotSignedStatement::Malformed(malformed),
        })?;
        if matches!(statement.signatures(), Signatures::Many(_)) {
            return Err(NotSignedStatement::SeveralSigners);
        }
        let protected = statement.protected();
        let known = |algorithm: &i64| Algorithm::from_cose_id(*algorithm).is_some();
        if let Some(algorithm) = protected.algorithm.filter(|algorithm| !known(algorithm)) {
            return Err(NotSignedStatement::Algorithm(algorithm));
        }
        protected.claims.map(|_| Self(statement)).ok_or(NotSignedStatement::NoClaims)
    }

    /// The statement's id.
    pub fn id(&self) -> StatementId {
        self.0.id()
    }

    /// The Transparent Statement (RFC 9943 §7): the same with receipts in its unprotected header,
    /// each an encoded COSE_Sign1.
    pub fn transparent(&self, receipts: &[&[u8]]) -> Vec<u8> {
        let bytes = self.0.bytes();
        let (before, after) = bytes.split_at(unprotected(bytes).expect("it was parsed as one"));
        let mut header = Vec::new();
        let mut e = Encoder::new(&mut header);
        let written = e.map(1).and_then(|e| e.u16(RECEIPTS)?.array(receipts.len() as u64));
        written.expect("writing to a vector cannot fail");
        for receipt in receipts {
            e.bytes(receipt).expect("writing to a vector cannot fail");
        }
        let [EMPTY_MAP, after @ ..] = after else { unreachable!("it was parsed as one") };
        [before, &header, after].concat()
    }
}

/// Where the unprotected header of a COSE_Sign1 begins.
fn unprotected(bytes: &[u8]) -> Option<usize> {
    let mut d = Decoder::new(bytes);
    let is_one = d.tag().ok()? == SIGN1 && d.array().ok()? == Some(4);
    d.bytes().ok()?;
    is_one.then_some(d.position())
}

/// Whether a COSE_Sign1 has no payload in it.
fn is_detached(bytes: &[u8]) -> Option<bool> {
    let mut d = Decoder::new(bytes);
    d.set_position(unprotected(bytes)?);
    d.skip().ok()?;
    Some(d.datatype().ok()? == Type::Null)
}

/// A public key as a COSE_Key with its `kid`: its thumbprint (RFC 9679), which for the keys of this
/// protocol is [`CoseKey::digest`].
pub fn named_key(key: &CoseKey) -> Vec<u8> {
    let Digest(thumbprint) = key.digest();
    let plain = codec::encode(key);
    // The head of a short map, label and value of `kty`; `kid` comes next in deterministic order.
    let ([head, kty_label, kty], coordinates) =
        plain.split_first_chunk().expect("a COSE_Key has a kind");
    let mut named = vec![head + 1, *kty_label, *kty];
    let mut e = Encoder::new(&mut named);
    e.u8(KID).and_then(|e| e.bytes(&thumbprint)).expect("writing to a vector cannot fail");
    named.extend_from_slice(coordinates);
    named
}

/// A COSE_KeySet (RFC 9052 §7) of these keys, each with its `kid`.
pub fn key_set<'k>(keys: impl ExactSizeIterator<Item = &'k CoseKey>) -> Vec<u8> {
    let mut set = Vec::new();
    Encoder::new(&mut set).array(keys.len() as u64).expect("writing to a vector cannot fail");
    keys.for_each(|key| set.extend(named_key(key)));
    set
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchmark_wire::limits;

    fn hex(text: &str) -> Vec<u8> {
        let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
        (0..text.len()).step_by(2).map(byte).collect()
    }

    /// The statement of the vectors with claims.
    fn vector(name: &str) -> Vec<u8> {
        let vectors = include_str!("../../../spec/vectors/statements.json");
        let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
        let cases = vectors["accepted"].as_array().unwrap().iter();
        let mut found = cases.filter(|case| case["name"].as_str().unwrap().contains(name));
        hex(found.next().unwrap()["bytes"].as_str().unwrap())
    }

    #[test]
    fn a_kid_is_the_thumbprint_of_rfc_9679() {
        // The example of RFC 9679 §6.
        let x = hex("65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d");
        let y = hex("1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c");
        let key = CoseKey::es256(x.clone().try_into().unwrap(), y.clone().try_into().unwrap());
        let kid = hex("496bd8afadf307e5b08c64b0421bf9dc01528a344a43bda88fadd1669da253ec");
        let expected = [&hex("a50102025820")[..], &kid, &hex("2001215820"), &x, &hex("225820"), &y];
        assert_eq!(named_key(&key), expected.concat());
        let set = key_set([key, key].iter());
        assert_eq!(set, [vec![0x82], named_key(&key), named_key(&key)].concat());
    }

    #[test]
    fn only_one_signer_with_claims_makes_a_signed_statement() {
        let signed = vector("with claims");
        let parsed = SignedStatement::parse(&signed).unwrap();
        assert_eq!(parsed.id(), Statement::parse(&signed).unwrap().id());
        let error = |bytes: &[u8]| SignedStatement::parse(bytes).unwrap_err();
        let compact = vector("an organisation");
        assert_eq!(error(&compact), NotSignedStatement::NoClaims);
        assert_eq!(error(b"\xa0"), NotSignedStatement::Malformed(Malformed::Shape));
        // The same without its payload.
        let payload = unprotected(&signed).unwrap() + 1;
        let mut d = Decoder::new(&signed);
        d.set_position(payload);
        d.skip().unwrap();
        let detached = [&signed[..payload], &[0xf6], &signed[d.position()..]].concat();
        assert_eq!(error(&detached), NotSignedStatement::NoPayload);
        let long = [&detached[..], &vec![0; limits::STATEMENT]].concat();
        let too_long = error(&long);
        assert!(
            matches!(too_long, NotSignedStatement::Malformed(Malformed::TooLong { .. })),
            "{too_long}"
        );
    }

    #[test]
    fn a_transparent_statement_is_the_same_but_for_its_receipts() {
        let signed = vector("with claims");
        let transparent = SignedStatement::parse(&signed).unwrap().transparent(&[b"one", b"two"]);
        let at = unprotected(&signed).unwrap();
        let header = b"\xa1\x19\x01\x8a\x82\x43one\x43two";
        assert_eq!(transparent, [&signed[..at], header, &signed[at + 1..]].concat());
    }
}
