//! Hand-overs: what leads a reader from one committee to the next, with pairings and without.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

mod support;

use serde_json::Value;
use support::{bytes, cases, number, text, vectors};
use touchmark_wire::bundle::Bundle;
use touchmark_wire::codec;
use touchmark_wire::genesis::{Committee, Genesis};
use touchmark_wire::handover::{Handover, HandoverError, Tenure};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Height, NetworkId};
use touchmark_wire::limits::{self, TERM};

fn network() -> NetworkId {
    NetworkId(Digest(bytes(&vectors("hand-overs"), "network").try_into().unwrap()))
}

fn tenure(case: &Value) -> Tenure {
    let committee = Committee::decode(&bytes(case, "present")).unwrap();
    Tenure { committee, since: Height(number(case, "since")) }
}

/// As the vectors call it.
fn name(error: &HandoverError) -> &'static str {
    match error {
        HandoverError::Header(_) | HandoverError::OtherHeader => "header",
        HandoverError::Number { .. } => "number",
        HandoverError::Height(_) => "height",
        HandoverError::Next => "next",
        HandoverError::Committee(_) => "committee",
        HandoverError::Order => "order",
        HandoverError::Stranger { .. } => "stranger",
        HandoverError::Quorum { .. } => "quorum",
        HandoverError::Signature { .. } => "signature",
        HandoverError::Certificate(_) => "certificate",
        _ => "unknown",
    }
}

#[test]
fn each_ends_as_it_says() {
    for case in cases("hand-overs") {
        let encoded = bytes(&case, "handover");
        let handover = Handover::decode(&encoded).unwrap();
        assert_eq!(handover.encode_to_vec(), encoded);
        let (tenure, title) = (tenure(&case), text(&case, "name"));
        let followed = tenure.follow(network(), &handover);
        let result = followed.as_ref().map_or_else(name, |_| "followed");
        assert_eq!(result, text(&case, "result"), "{title}");
        // The certificate is all that a reader without pairings leaves out.
        let approved = tenure.follow_approvals(network(), &handover);
        match result {
            "certificate" => assert!(approved.is_ok(), "{title}"),
            _ => assert_eq!(approved, followed, "{title}"),
        }
        if let Ok(next) = followed {
            assert_eq!(next.committee, handover.committee, "{title}");
            assert_eq!(next.since.0 % TERM, 0, "{title}");
            assert!(next.since > tenure.since, "{title}");
        }
    }
}

#[test]
fn what_is_for_one_network_leads_nowhere_in_another() {
    let case = cases("hand-overs").remove(0);
    let encoded = bytes(&case, "handover");
    let handover = Handover::decode(&encoded).unwrap();
    let other = NetworkId(Digest([1; 32]));
    let error = tenure(&case).follow(other, &handover).unwrap_err();
    assert_eq!(name(&error), "signature");
}

#[test]
fn no_byte_can_be_changed() {
    let case = cases("hand-overs").remove(1);
    let (encoded, tenure) = (bytes(&case, "handover"), tenure(&case));
    assert!(tenure.follow(network(), &Handover::decode(&encoded).unwrap()).is_ok());
    for (at, bit) in (0..encoded.len()).zip((0..8).cycle()) {
        let mut changed = encoded.clone();
        changed[at] ^= 1 << bit;
        let followed = Handover::decode(&changed).map(|it| tenure.follow(network(), &it));
        assert!(!matches!(followed, Ok(Ok(_))), "byte {at} of {}", encoded.len());
    }
}

#[test]
fn terms_divide_all_heights() {
    for (height, term, ends, next) in [
        (0, 0, false, TERM),
        (TERM - 1, 0, true, TERM),
        (TERM, 1, false, 2 * TERM),
        (2 * TERM - 1, 1, true, 2 * TERM),
        (u64::MAX, u64::MAX / TERM, true, u64::MAX),
    ] {
        let height = Height(height);
        let seen = (height.term().0, height.ends_term(), height.next_term().0);
        assert_eq!(seen, (term, ends, next), "{height}");
    }
}

/// Bundles without hand-overs are encoded as they always were, and there is no second form.
#[test]
fn a_bundle_has_hand_overs_or_no_such_member() {
    let vectors = vectors("hand-overs");
    let bundles = vectors["bundles"].as_array().unwrap();
    let of = |name: &str| bundles.iter().find(|case| case["name"] == name).unwrap();
    let without = bytes(of("before any change"), "bytes");
    let bundle = Bundle::decode(&without).unwrap();
    assert!(bundle.handovers.0.is_empty());
    assert_eq!(bundle.encode_to_vec(), without);
    // The head of the map counts one member more, whose list is empty.
    let mut explicit = [&without[..], &[11, 0x80]].concat();
    explicit[0] += 1;
    assert!(Bundle::decode(&explicit).is_err());

    let with = bytes(of("the first height after a change"), "bytes");
    let mut bundle = Bundle::decode(&with).unwrap();
    let one = bundle.handovers.0[0].clone();
    bundle.handovers.0 = vec![one.clone(); limits::HANDOVERS];
    assert!(Bundle::decode(&bundle.encode_to_vec()).is_ok());
    bundle.handovers.0.push(one);
    assert!(Bundle::decode(&bundle.encode_to_vec()).is_err(), "more than are followed");
}

/// What genesis says is not asked of by who forms networks in tests; what takes over is.
#[test]
fn the_vectors_network_can_be_handed_over() {
    let genesis = Genesis::decode(&bytes(&vectors("hand-overs"), "genesis")).unwrap();
    assert_eq!(genesis.network_id(), network());
    assert_eq!(genesis.committee.check(), Ok(()));
    assert_eq!(Committee::decode(&codec::encode(&genesis.committee)), Ok(genesis.committee));
}
