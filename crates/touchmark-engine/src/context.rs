//! The consensus context inside a batch header.
//!
//! A header already holds the height, which tells the term, and the parent's digest, so its
//! `context` field holds only the rest: view and parent view as varints, then the leader's 32-byte key; at most
//! [`LIMIT`] bytes. The genesis, which no leader proposed, has an empty one.

use crate::keys::PublicKey;
use crate::term::Term;
use commonware_codec::{Buf, Copying, EncodeSize, FixedSize, ReadExt, Write};
use commonware_consensus::simplex::types::Context as SimplexContext;
use commonware_consensus::types::{Round, View};
use commonware_cryptography::{Signer as _, ed25519, sha256};
use touchmark_wire::codec::Malformed;
use touchmark_wire::header::BatchHeader;

/// What consensus tells about a proposal.
pub(crate) type Context = SimplexContext<sha256::Digest, PublicKey>;

/// Longest encoding, bytes.
const LIMIT: usize = 10 + 10 + PublicKey::SIZE;

const _: () = assert!(LIMIT <= BatchHeader::CONTEXT_LIMIT, "a context must fit its header field");

/// The context of every network's genesis header.
#[must_use]
pub const fn genesis_context() -> &'static [u8] {
    &[]
}

/// What goes into the header of a batch proposed in `context`.
pub(crate) fn encode(context: &Context) -> Vec<u8> {
    let view = context.round.view();
    let mut bytes =
        Vec::with_capacity(view.encode_size() + context.parent.0.encode_size() + PublicKey::SIZE);
    view.write(&mut bytes);
    context.parent.0.write(&mut bytes);
    context.leader.write(&mut bytes);
    bytes
}

/// The context that a header carries.
pub(crate) fn decode(header: &BatchHeader<'_>) -> Result<Context, Malformed> {
    if header.height.0 == 0 {
        return if header.context == genesis_context() {
            Ok(of_genesis())
        } else {
            Err(Malformed::NotDeterministic)
        };
    }
    let mut rest = Copying(header.context);
    let view = View::read(&mut rest).map_err(|_| Malformed::Shape)?;
    let parent_view = View::read(&mut rest).map_err(|_| Malformed::Shape)?;
    let leader = PublicKey::read(&mut rest).map_err(|_| Malformed::Shape)?;
    let context = Context {
        round: Round::new(Term::of(header.height).epoch(), view),
        leader,
        parent: (parent_view, sha256::Digest(header.parent.0)),
    };
    if remaining(&rest) > 0 || encode(&context) != header.context {
        return Err(Malformed::NotDeterministic);
    }
    Ok(context)
}

fn remaining(buffer: &impl Buf) -> usize {
    buffer.remaining()
}

/// A stand-in that consensus never asks for: genesis is not certified.
fn of_genesis() -> Context {
    Context {
        round: Round::zero(),
        leader: ed25519::PrivateKey::from_seed(0).public_key(),
        parent: (View::zero(), sha256::Digest([0; 32])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchmark_wire::hash::Digest;
    use touchmark_wire::ids::Height;

    fn header(context: &[u8], height: u64) -> BatchHeader<'_> {
        BatchHeader {
            context,
            parent: Digest([7; 32]),
            height: Height(height),
            time: touchmark_wire::ids::Timestamp(1),
            epoch: touchmark_wire::ids::Epoch(1),
            data_root: Digest::default(),
            size: touchmark_wire::ids::TreeSize(0),
            root: Digest::default(),
            next: Digest::default(),
        }
    }

    #[test]
    fn header_and_context_field_together_give_the_context_back() {
        let context = Context {
            round: Round::new(Term(3).epoch(), View::new(u64::MAX)),
            leader: ed25519::PrivateKey::from_seed(9).public_key(),
            parent: (View::new(u64::MAX - 1), sha256::Digest([7; 32])),
        };
        let bytes = encode(&context);
        assert_eq!(bytes.len(), LIMIT);
        assert_eq!(decode(&header(&bytes, Term(3).last().0)), Ok(context));
    }

    #[test]
    fn only_one_encoding_is_accepted() {
        let key = ed25519::PrivateKey::from_seed(9).public_key();
        let short = [&[1, 0][..], key.as_ref()].concat();
        assert!(decode(&header(&short, 5)).is_ok());
        let overlong = [&[0x81, 0x00, 0][..], key.as_ref()].concat();
        assert!(decode(&header(&overlong, 5)).is_err());
        let trailing = [&short[..], &[0]].concat();
        assert_eq!(decode(&header(&trailing, 5)), Err(Malformed::NotDeterministic));
        assert_eq!(decode(&header(&[], 5)), Err(Malformed::Shape));
        assert!(decode(&header(genesis_context(), 0)).is_ok());
        assert_eq!(decode(&header(&short, 0)), Err(Malformed::NotDeterministic));
    }
}
