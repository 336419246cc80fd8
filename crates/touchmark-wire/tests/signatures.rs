//! The acceptance set of each algorithm, against published vectors.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use serde_json::Value;
use support::{bytes, cases, text, vectors};
use touchmark_wire::algorithm::{
    Algorithm, CoseKey, KeyError, PublicKey, PureVerifier, SignatureError, SignatureVerifier,
    SignedBytes,
};

fn key(file: &Value, case: &Value) -> CoseKey {
    let coordinate = |name| <[u8; 32]>::try_from(bytes(case, name)).unwrap();
    match Algorithm::from_name(text(file, "algorithm")).unwrap() {
        Algorithm::Es256 => CoseKey::es256(coordinate("x"), coordinate("y")),
        Algorithm::Ed25519 => CoseKey::ed25519(coordinate("x")),
        Algorithm::Es256k => CoseKey::es256k(coordinate("x"), coordinate("y")),
        other => panic!("no vectors for {other}"),
    }
}

fn verdict(key: &CoseKey, message: &[u8], signature: &[u8]) -> &'static str {
    let Ok(key) = key.check() else {
        return "reject-key";
    };
    // The split into parts must not matter.
    let (head, tail) = message.split_at(message.len() / 3);
    match PureVerifier.verify(&key, &SignedBytes::new([head, &[], tail]), signature) {
        Ok(()) => "accept",
        Err(_) => "reject",
    }
}

fn check(name: &str, at_least: usize) {
    let file = vectors(name);
    let cases = file["cases"].as_array().unwrap();
    assert!(cases.len() >= at_least, "{name} has {} cases", cases.len());
    let wrong: Vec<_> = cases
        .iter()
        .filter(|case| {
            let key = key(&file, case);
            let actual = verdict(&key, &bytes(case, "message"), &bytes(case, "signature"));
            actual != text(case, "expected")
        })
        .map(ToString::to_string)
        .collect();
    assert!(wrong.is_empty(), "{name}: another verdict on\n{}", wrong.join("\n"));
}

#[test]
fn es256_decides_as_wycheproof() {
    check("wycheproof-es256", 100);
}

#[test]
fn es256k_decides_as_wycheproof_without_a_low_s_rule() {
    check("wycheproof-es256k", 100);
}

#[test]
fn ed25519_decides_as_wycheproof() {
    check("wycheproof-ed25519", 80);
}

#[test]
fn ed25519_decides_the_published_edge_cases_by_our_rules() {
    check("ed25519-edge-cases", 12);
}

#[test]
fn ed25519_accepts_exactly_the_border_of_its_set() {
    check("ed25519-acceptance", 26);
}

/// (r, s) and (r, n − s) are both signatures; nothing else of ours depends on which one.
#[test]
fn ecdsa_has_no_low_s_rule() {
    let orders = [
        ("wycheproof-es256", "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"),
        ("wycheproof-es256k", "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"),
    ];
    for (name, order) in orders {
        let file = vectors(name);
        for case in cases(name).iter().filter(|case| text(case, "expected") == "accept") {
            let mut signature = bytes(case, "signature");
            let negated = subtract(&support::hex(order), &signature[32..]);
            signature[32..].copy_from_slice(&negated);
            let actual = verdict(&key(&file, case), &bytes(case, "message"), &signature);
            assert_eq!(actual, "accept", "{name}: {case}");
        }
    }
}

/// a − b, big-endian, of the same length.
fn subtract(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut borrow = 0i16;
    let mut difference: Vec<u8> = a
        .iter()
        .zip(b)
        .rev()
        .map(|(a, b)| {
            let digit = i16::from(*a) - i16::from(*b) - borrow;
            borrow = i16::from(digit < 0);
            u8::try_from(digit.rem_euclid(256)).unwrap()
        })
        .collect();
    difference.reverse();
    difference
}

#[test]
fn signatures_have_exactly_64_bytes() {
    for name in ["wycheproof-es256", "wycheproof-es256k", "wycheproof-ed25519"] {
        let file = vectors(name);
        let case = cases(name).into_iter().find(|case| text(case, "expected") == "accept").unwrap();
        let key = key(&file, &case).check().unwrap();
        let (message, mut signature) = (bytes(&case, "message"), bytes(&case, "signature"));
        let verify = |bytes: &[u8]| PureVerifier.verify(&key, &SignedBytes::new([&message]), bytes);
        assert_eq!(verify(&signature[..63]), Err(SignatureError::Length { actual: 63 }));
        signature.push(0);
        assert_eq!(verify(&signature), Err(SignatureError::Length { actual: 65 }));
    }
}

#[test]
fn a_key_has_one_encoding_and_a_point_on_its_curve() {
    for name in ["wycheproof-es256", "wycheproof-es256k", "wycheproof-ed25519"] {
        let file = vectors(name);
        let cose = key(&file, &cases(name)[0]);
        let encoded = minicbor::to_vec(cose).unwrap();
        assert_eq!(PublicKey::decode(&encoded).map(|key| *key.cose()), Ok(cose));
        assert_eq!(cose.digest(), touchmark_wire::hash::Digest::of(&[&encoded]));
        let mut longer = encoded.clone();
        longer.push(0);
        assert!(PublicKey::decode(&longer).is_err());
        // kty as a longer number: the same map in another encoding.
        let mut other = vec![encoded[0], 0x01, 0x18, encoded[2]];
        other.extend(&encoded[3..]);
        assert!(matches!(PublicKey::decode(&other), Err(KeyError::Malformed(_))));
    }
    let off = |x, y| CoseKey::es256([x; 32], [y; 32]).check().err();
    assert_eq!(off(1, 1), Some(KeyError::NotOnCurve));
    assert_eq!(off(0, 0), Some(KeyError::NotOnCurve));
    assert_eq!(off(0xff, 1), Some(KeyError::NotOnCurve));
    assert_eq!(CoseKey::es256k([0; 32], [0; 32]).check().err(), Some(KeyError::NotOnCurve));
}
