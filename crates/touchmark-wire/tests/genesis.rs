//! The genesis document: what is refused where it is decoded.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

use touchmark_wire::algorithm::CoseKey;
use touchmark_wire::codec::Malformed;
use touchmark_wire::genesis::{CertificateKey, Committee, Genesis, Validator};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Epoch, Timestamp};

fn genesis(validators: u8, threshold: u16) -> Genesis {
    let validator = |n: u8| Validator {
        name: format!("validator-{n}"),
        peer: Digest([n; 32]),
        log_key: CoseKey::es256([n; 32], [1; 32]),
        cosigner_key: CoseKey::es256([n; 32], [2; 32]),
    };
    let committee = Committee {
        epoch: Epoch(0),
        certificate_key: CertificateKey([7; 96]),
        validators: (1..=validators).map(validator).collect(),
        threshold,
    };
    Genesis { rules: 1, origin: "log.example/1".into(), committee, time: Timestamp(5) }
}

/// With 0 everything is the committee's word, above the number of validators nothing is.
#[test]
fn a_threshold_that_no_committee_can_have_is_refused() {
    for (validators, threshold, sound) in [
        (1, 1, true),
        (4, 1, true),
        (4, 4, true),
        (1, 0, false),
        (4, 0, false),
        (1, 2, false),
        (4, 5, false),
        (4, u16::MAX, false),
        (0, 0, false),
        (0, 1, false),
    ] {
        let genesis = genesis(validators, threshold);
        let decoded = Genesis::decode(&genesis.encode_to_vec());
        let expected = if sound { Ok(genesis) } else { Err(Malformed::Shape) };
        assert_eq!(decoded, expected, "{threshold} of {validators}");
    }
}
