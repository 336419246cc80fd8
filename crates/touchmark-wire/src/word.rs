//! Words: what one validator asks the others to sign for a client, and what they answer.
//!
//! A client knows one node, and believes a quorum of validators. So the node that it asks asks the
//! other validators, over their own channel, and hands their words on. Whoever reads them checks
//! each signature; the node that gathers them is trusted with nothing.
//!
//! ```text
//! question = [1, [nonce, size, root]] fresh / [2, [size, root]] cosigned / [3, [leaf]] receipt
//!          / [4, [size, root]] commitment / [5, [size, root, [2*16 commitment]]] part
//! commitment = [validator, hiding, binding]
//! word     = [validator, signed]
//! ```

use crate::bundle::Freshness;
use crate::codec::{self, Malformed};
use crate::hash::Digest;
use crate::ids::{LeafIndex, TreeSize};
use crate::limits;
use alloc::vec::Vec;
use minicbor::{Decode, Encode};

/// What a validator is asked to sign.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
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
    /// To take part in signing this state's checkpoint as the log (FROST, RFC 9591 §5.1): its
    /// commitments to two nonces, 64 bytes: hiding, then binding.
    #[n(4)]
    Commitment(#[n(0)] TreeSize, #[n(1)] Digest),
    /// The same, once those who take part have committed (§5.2): its signature share, 32 bytes.
    #[n(5)]
    Part(#[n(0)] TreeSize, #[n(1)] Digest, #[n(2)] Vec<Commitment>),
}

/// What a validator committed to, who takes part in a signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Commitment {
    /// Its place in the committee in office.
    #[n(0)]
    pub validator: u16,
    /// Its hiding nonce times the generator: a point of Ed25519.
    #[n(1)]
    pub hiding: Digest,
    /// Its binding nonce times the generator.
    #[n(2)]
    pub binding: Digest,
}

impl Commitment {
    /// What a validator answers to [`Question::Commitment`].
    pub fn from_bytes(validator: u16, signed: &[u8]) -> Option<Self> {
        let (hiding, binding) = signed.split_at_checked(32)?;
        let point = |bytes: &[u8]| bytes.try_into().ok().map(Digest);
        Some(Self { validator, hiding: point(hiding)?, binding: point(binding)? })
    }

    /// The answer.
    pub fn to_bytes(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&self.hiding.0);
        bytes[32..].copy_from_slice(&self.binding.0);
        bytes
    }
}

impl<'a> Question<'a> {
    /// Longest encoding, bytes: 16 commitments of at most 72 bytes, and 64 for the rest.
    pub const LIMIT: usize = 1_216;

    /// Decodes the one accepted encoding.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let question: Self = codec::decode(bytes, Self::LIMIT)?;
        match question {
            Self::Fresh(nonce, ..) if !Freshness::NONCE.contains(&nonce.len()) => {
                Err(Malformed::Shape)
            }
            // Nobody signs alone, and each takes part once.
            Self::Part(_, _, ref by)
                if !(2..=limits::MEMBERS).contains(&by.len())
                    || !by.is_sorted_by(|a, b| a.validator < b.validator) =>
            {
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
            (Question::Commitment(TreeSize(5), root), 4),
            (Question::Part(TreeSize(5), root, commitments(2)), 5),
            (Question::Part(TreeSize(u64::MAX), root, commitments(16)), 5),
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
        assert_eq!(Question::decode(&[0x82, 6, 0x81, 0]), Err(Malformed::Shape));
    }

    fn commitments(count: u16) -> Vec<Commitment> {
        let point = |at: u16| Digest([at as u8; 32]);
        let places = (0..count).map(|at| u16::MAX - count + at);
        places.map(|at| Commitment { validator: at, hiding: point(at), binding: root() }).collect()
    }

    fn root() -> Digest {
        Digest([7; 32])
    }

    #[test]
    fn each_of_at_least_two_takes_part_once() {
        let two = commitments(2);
        for by in [Vec::new(), vec![two[0]], vec![two[0]; 2], vec![two[1], two[0]], commitments(17)]
        {
            let bytes = Question::Part(TreeSize(5), root(), by).encode_to_vec();
            assert!(Question::decode(&bytes).is_err());
        }
        let [one, _] = two[..] else { panic!("there are two") };
        assert_eq!(Commitment::from_bytes(one.validator, &one.to_bytes()), Some(one));
        for length in [0, 63, 65] {
            assert_eq!(Commitment::from_bytes(0, &vec![1; length]), None);
        }
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
