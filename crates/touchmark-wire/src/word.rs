//! Words: what one validator asks the others to sign for a client, and what they answer.
//!
//! A client knows one node, and believes a quorum of validators. So the node that it asks asks the
//! other validators, over their own channel, and hands their words on. Whoever reads them checks
//! each signature; the node that gathers them is trusted with nothing.
//!
//! ```text
//! question = [1, [nonce, size, root]] fresh / [2, [size, root]] cosigned / [3, [leaf]] receipt
//! word     = [validator, signed]
//! ```

use crate::bundle::Freshness;
use crate::codec::{self, Malformed};
use crate::hash::Digest;
use crate::ids::{LeafIndex, TreeSize};
use alloc::vec::Vec;
use minicbor::{Decode, Encode};

/// What a validator is asked to sign.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub enum Question<'a> {
    /// A client's nonce with this state of the log: its log key's signature, 64 bytes.
    #[n(1)]
    Fresh(
        #[b(0)]
        #[cbor(with = "minicbor::bytes")]
        &'a [u8],
        #[n(1)] TreeSize,
        #[n(2)] Digest,
    ),
    /// The checkpoint of this state of the log: its cosignature, 72 bytes (C2SP tlog-cosignature:
    /// time, then signature).
    #[n(2)]
    Cosigned(#[n(0)] TreeSize, #[n(1)] Digest),
    /// A leaf: its receipt (RFC 9942).
    #[n(3)]
    Receipt(#[n(0)] LeafIndex),
}

impl<'a> Question<'a> {
    /// Longest encoding, bytes.
    pub const LIMIT: usize = 256;

    /// Decodes the one accepted encoding.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let question: Self = codec::decode(bytes, Self::LIMIT)?;
        match question {
            Self::Fresh(nonce, ..) if !Freshness::NONCE.contains(&nonce.len()) => {
                Err(Malformed::Shape)
            }
            _ => Ok(question),
        }
    }

    /// The encoding.
    pub fn encode_to_vec(&self) -> Vec<u8> {
        codec::encode(self)
    }
}

/// What a validator answers. Decoded, not checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Word<'a> {
    /// Its place in the committee in office.
    #[n(0)]
    pub validator: u16,
    /// What the question asks for.
    #[b(1)]
    #[cbor(with = "minicbor::bytes")]
    pub signed: &'a [u8],
}

impl<'a> Word<'a> {
    /// Longest encoding, bytes: a receipt has a path of at most 64 hashes.
    pub const LIMIT: usize = 4_096;

    /// Decodes the one accepted encoding.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        codec::decode(bytes, Self::LIMIT)
    }

    /// The encoding.
    pub fn encode_to_vec(&self) -> Vec<u8> {
        codec::encode(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn questions_have_one_encoding_within_their_bounds() {
        let root = Digest([7; 32]);
        for (question, first) in [
            (Question::Fresh(&[9; 16], TreeSize(5), root), 1),
            (Question::Fresh(&[9; 64], TreeSize(u64::MAX), root), 1),
            (Question::Cosigned(TreeSize(5), root), 2),
            (Question::Receipt(LeafIndex(4)), 3),
        ] {
            let bytes = question.encode_to_vec();
            assert_eq!(bytes[..2], [0x82, first]);
            assert_eq!(Question::decode(&bytes), Ok(question));
            assert!(Question::decode(&bytes[..bytes.len() - 1]).is_err());
            assert!(Question::decode(&[&bytes[..], &[0]].concat()).is_err());
        }
        for length in [15, 65] {
            let nonce = vec![9; length];
            let bytes = Question::Fresh(&nonce, TreeSize(5), root).encode_to_vec();
            assert_eq!(Question::decode(&bytes), Err(Malformed::Shape));
        }
        assert_eq!(Question::decode(&[0x82, 4, 0x81, 0]), Err(Malformed::Shape));
    }

    #[test]
    fn words_have_one_encoding_within_their_bounds() {
        let word = Word { validator: 3, signed: &[1; 72] };
        let bytes = word.encode_to_vec();
        assert_eq!(Word::decode(&bytes), Ok(word));
        assert!(Word::decode(&bytes[1..]).is_err());
        let long = Word { validator: 3, signed: &[0; Word::LIMIT] }.encode_to_vec();
        assert!(matches!(Word::decode(&long), Err(Malformed::TooLong { .. })));
    }
}
