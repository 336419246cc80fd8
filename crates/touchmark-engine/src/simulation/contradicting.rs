//! A member that signs whatever contradicts itself.

use crate::keys::Scheme;
use commonware_codec::varint::UInt;
use commonware_codec::{DecodeExt as _, Encode as _};
use commonware_consensus::Viewable as _;
use commonware_consensus::simplex::types::{Finalize, Notarize, Nullify, Proposal, Vote};
use commonware_cryptography::sha256;
use commonware_p2p::utils::mux;
use commonware_p2p::{Receiver, Recipients, Sender};
use std::collections::BTreeSet;
use std::sync::Arc;
use touchmark_wire::hash::Digest;

type AnyVote = Vote<Scheme, sha256::Digest>;

/// Answers votes with votes for what was proposed, for something that nobody proposed, and
/// for passing the view.
pub(super) async fn run(scheme: Arc<Scheme>, mut sender: impl Sender, mut receiver: impl Receiver) {
    let scheme = &*scheme;
    // Once for each view and kind of vote: two of these would answer each other for ever.
    let mut answered = BTreeSet::new();
    while let Ok((_, message)) = receiver.recv().await {
        // The term comes first.
        let Ok((term, message)) = mux::parse(message) else { continue };
        let Ok(vote) = AnyVote::decode(message) else { continue };
        let kind = match vote {
            Vote::Notarize(_) => 0,
            Vote::Nullify(_) => 1,
            Vote::Finalize(_) => 2,
        };
        if !answered.insert((term, vote.view(), kind)) {
            continue;
        }
        let votes = match vote {
            Vote::Notarize(vote) => {
                let other = other(&vote.proposal);
                [
                    Notarize::sign(scheme, other.clone()).map(Vote::Notarize),
                    Notarize::sign(scheme, vote.proposal).map(Vote::Notarize),
                    Finalize::sign(scheme, other).map(Vote::Finalize),
                ]
            }
            Vote::Finalize(vote) => {
                let (other, round) = (other(&vote.proposal), vote.proposal.round);
                [
                    Finalize::sign(scheme, other).map(Vote::Finalize),
                    Nullify::sign::<sha256::Digest>(scheme, round).map(Vote::Nullify),
                    Finalize::sign(scheme, vote.proposal).map(Vote::Finalize),
                ]
            }
            Vote::Nullify(vote) => {
                let again = Nullify::sign::<sha256::Digest>(scheme, vote.round).map(Vote::Nullify);
                [again, None, None]
            }
        };
        for vote in votes.into_iter().flatten() {
            let message = [UInt(term).encode(), vote.encode()].concat();
            sender.send(Recipients::All, message, true);
        }
    }
}

/// A proposal of the same view that nobody made.
fn other(proposal: &Proposal<sha256::Digest>) -> Proposal<sha256::Digest> {
    let payload = sha256::Digest(Digest::of(&[proposal.payload.as_ref()]).0);
    Proposal::new(proposal.round, proposal.parent, payload)
}
