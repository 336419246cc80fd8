//! Threshold certificates, against those that the order engine's own library makes.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use serde_json::Value;
use support::{bytes, cases, number, vectors};
use touchmark_wire::certificate::{
    CertificateError, CommitteeKey, Namespace, ThresholdCertificate,
};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Epoch, NetworkId};

fn key(field: &str) -> CommitteeKey {
    let encoded = bytes(&vectors("threshold-certificates"), field).try_into().unwrap();
    CommitteeKey::parse(&encoded).unwrap()
}

fn namespace() -> Namespace {
    let network = bytes(&vectors("threshold-certificates"), "network").try_into().unwrap();
    Namespace::of(&NetworkId(Digest(network)))
}

fn verify(case: &Value, certificate: &[u8]) -> Result<(), CertificateError> {
    let certificate = ThresholdCertificate::parse(certificate)?;
    certificate.verify(&bytes(case, "header"), &namespace(), &key("key"))
}

#[test]
fn certificates_of_the_engines_library_verify() {
    for case in cases("threshold-certificates") {
        let encoded = bytes(&case, "certificate");
        assert_eq!(verify(&case, &encoded), Ok(()), "{case}");
        let certificate = ThresholdCertificate::parse(&encoded).unwrap();
        assert_eq!(certificate.epoch(), Epoch(number(&case, "epoch")));
        assert_eq!(certificate.view(), number(&case, "view"));
        assert_eq!(certificate.digest(), &Digest::of(&[&bytes(&case, "header")]));
    }
}

#[test]
fn certificates_of_another_header_committee_or_network_are_refused() {
    let case = cases("threshold-certificates").remove(1);
    let encoded = bytes(&case, "certificate");
    let certificate = ThresholdCertificate::parse(&encoded).unwrap();
    let header = bytes(&case, "header");
    let other = certificate.verify(b"another header", &namespace(), &key("key"));
    assert_eq!(other, Err(CertificateError::OtherHeader));
    let other = certificate.verify(&header, &namespace(), &key("other_key"));
    assert_eq!(other, Err(CertificateError::Mismatch));
    let network = Namespace::of(&NetworkId(Digest::of(&[b"another network"])));
    let other = certificate.verify(&header, &network, &key("key"));
    assert_eq!(other, Err(CertificateError::Mismatch));
}

#[test]
fn a_changed_certificate_is_refused() {
    let case = cases("threshold-certificates").remove(0);
    let encoded = bytes(&case, "certificate");
    let mut changed = encoded.clone();
    // Epoch, view, parent view: still well-formed, but not what was signed.
    for place in 0..3 {
        changed[place] ^= 2;
        assert_eq!(verify(&case, &changed), Err(CertificateError::Mismatch), "byte {place}");
        changed[place] ^= 2;
    }
    changed[3] ^= 1;
    assert_eq!(verify(&case, &changed), Err(CertificateError::OtherHeader));
    changed[3] ^= 1;
    // A sign bit: the negated signature is a valid point.
    changed[35] ^= 0x20;
    assert_eq!(verify(&case, &changed), Err(CertificateError::Mismatch));
}

#[test]
fn only_the_shortest_encoding_is_read() {
    let case = cases("threshold-certificates").remove(0);
    let encoded = bytes(&case, "certificate");
    let refused = |bytes: &[u8]| {
        assert_eq!(verify(&case, bytes), Err(CertificateError::Malformed), "{bytes:02x?}");
    };
    for length in 0..encoded.len() {
        refused(&encoded[..length]);
    }
    refused(&[&encoded[..], &[0]].concat());
    // Epoch 0 in two bytes, view 1 in two bytes, numbers above 2^64 − 1.
    refused(&[&[0x80], &encoded[..]].concat());
    refused(&[&encoded[..1], &[0x81, 0x00], &encoded[2..]].concat());
    refused(&[&[0xff; 9][..], &[0x02], &encoded[1..]].concat());
    refused(&[&[0xff; 10][..], &[0x00], &encoded[1..]].concat());
    refused(&[0; ThresholdCertificate::LIMIT + 1]);
    // Points: not compressed, x not below the prime, the identity, not in the subgroup.
    let with = |point: &[u8; 48]| [&encoded[..35], point].concat();
    refused(&with(&[0; 48]));
    refused(&with(&[0xff; 48]));
    let mut identity = [0; 48];
    identity[0] = 0xc0;
    refused(&with(&identity));
    let mut outside = [0; 48];
    outside[0] = 0x80;
    refused(&with(&outside));
}

#[test]
fn keys_are_checked() {
    let good: [u8; 96] = bytes(&vectors("threshold-certificates"), "key").try_into().unwrap();
    assert!(CommitteeKey::parse(&good).is_ok());
    let mut identity = [0; 96];
    identity[0] = 0xc0;
    let mut changed = good;
    changed[95] ^= 1;
    for bad in [identity, changed, [0; 96], [0xff; 96]] {
        assert_eq!(CommitteeKey::parse(&bad), Err(CertificateError::Key), "{bad:02x?}");
    }
}
