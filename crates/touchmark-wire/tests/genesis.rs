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
        note_key: None,
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

/// What has none is encoded as before there were any.
#[test]
fn a_committee_has_one_encoding_with_and_without_a_note_key() {
    // The base point (RFC 8032 §5.1).
    let mut key = Digest([0x66; 32]);
    key.0[0] = 0x58;
    let genesis = genesis(4, 3);
    let encoded = |note_key| {
        let committee = Committee { note_key, ..genesis.committee.clone() };
        (committee.encode_to_vec(), committee)
    };
    let (without, _) = encoded(None);
    let (with, committee) = encoded(Some(key));
    assert_eq!((without[0], with[0]), (0x84, 0x85));
    assert_eq!(Committee::decode(&with), Ok(committee.clone()));
    assert_ne!(committee.digest(), genesis.committee.digest());
    let origin = "log.example/1";
    assert!(committee.log_key(origin).unwrap().to_string().starts_with("log.example/1+"));
    assert!(genesis.committee.log_key(origin).is_none());
    // `null` is another way to say that there is none.
    let null = [&[0x85][..], &without[1..], &[0xf6]].concat();
    assert_eq!(Committee::decode(&null), Err(Malformed::NotDeterministic));
}
