use super::*;
use alloc::vec;

fn bundle(anchor: Option<Anchor<'_>>) -> Bundle<'_> {
    Bundle {
        version: Bundle::VERSION,
        genesis: &[],
        headers: Vec::new(),
        certificate: None,
        batch: ProvedLeaf { index: LeafIndex(0), leaf: &[], path: Hashes::NONE },
        state: &[],
        leaves: Vec::new(),
        claims: vec![Claim::Continues(TreeSize(5), Digest([7; 32]), vec![Digest([8; 32])])],
        freshness: None,
        note: Some("note"),
        handovers: Handovers::default(),
        anchor,
    }
}

#[test]
fn an_anchor_has_one_encoding_within_its_bound() {
    let inner = vec![1; Anchor::LIMIT + 1];
    let of = |length: usize| Anchor { path: Hashes::NONE, bundle: &inner[..length] };
    for anchor in [None, Some(of(0)), Some(of(Anchor::LIMIT))] {
        let bytes = bundle(anchor).encode_to_vec();
        assert_eq!(Bundle::decode(&bytes), Ok(bundle(anchor)));
    }
    let bytes = bundle(Some(of(Anchor::LIMIT + 1))).encode_to_vec();
    assert_eq!(Bundle::decode(&bytes), Err(Malformed::Shape));
}

#[test]
fn a_question_is_a_claim_without_its_answer() {
    let (thing, channel) = (ThingId([1; 20]), ChannelId([2; 20]));
    let leaves = || vec![LeafIndex(3)];
    for (claim, question) in [
        (Claim::Complete(thing, leaves()), Claim::Complete(thing, Vec::new())),
        (Claim::Mentioned(thing, leaves()), Claim::Mentioned(thing, Vec::new())),
        (Claim::CompleteChannel(channel, leaves()), Claim::CompleteChannel(channel, Vec::new())),
        (
            Claim::Continues(TreeSize(5), Digest([7; 32]), vec![Digest([8; 32])]),
            Claim::Continues(TreeSize(5), Digest::default(), Vec::new()),
        ),
        (Claim::Record(LeafIndex(4)), Claim::Record(LeafIndex(4))),
    ] {
        assert_eq!(claim.question(), question);
    }
}
