//! The fast verifier decides exactly as the pure one: published vectors, changed signatures, and
//! batches of both.

#![allow(clippy::unwrap_used, reason = "a test")]

use serde_json::Value;
use touchmark_keys::software::SoftwareKey;
use touchmark_node::verifier::FastVerifier;
use touchmark_wire::algorithm::{
    Algorithm, Claim, CoseKey, PublicKey, PureVerifier, SignatureVerifier, SignedBytes, Signer as _,
};

struct Case {
    key: PublicKey,
    message: Vec<u8>,
    signature: Vec<u8>,
    accepted: bool,
}

fn hex(text: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}

/// The cases of a file whose key is a key.
fn cases(name: &str) -> Vec<Case> {
    let path = format!("{}/../../spec/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let algorithm = Algorithm::from_name(file["algorithm"].as_str().unwrap()).unwrap();
    let read = |case: &Value| {
        let bytes = |field: &str| hex(case[field].as_str().unwrap());
        let coordinate = |field| bytes(field).try_into().unwrap();
        let key = match algorithm {
            Algorithm::Es256 => CoseKey::es256(coordinate("x"), coordinate("y")),
            Algorithm::Es256k => CoseKey::es256k(coordinate("x"), coordinate("y")),
            _ => CoseKey::ed25519(coordinate("x")),
        };
        Some(Case {
            key: key.check().ok()?,
            message: bytes("message"),
            signature: bytes("signature"),
            accepted: case["expected"] == "accept",
        })
    };
    file["cases"].as_array().unwrap().iter().filter_map(read).collect()
}

const FILES: [&str; 5] = [
    "wycheproof-es256",
    "wycheproof-es256k",
    "wycheproof-ed25519",
    "ed25519-edge-cases",
    "ed25519-acceptance",
];

fn all_cases() -> Vec<Case> {
    FILES.into_iter().flat_map(cases).collect()
}

#[test]
fn single_verdicts_are_those_of_the_vectors() {
    for name in FILES {
        for (place, case) in cases(name).iter().enumerate() {
            let message = SignedBytes::new([&case.message]);
            let actual = FastVerifier.verify(&case.key, &message, &case.signature);
            assert_eq!(actual.is_ok(), case.accepted, "{name}, case {place}: {actual:?}");
        }
    }
}

#[test]
fn batch_verdicts_are_those_of_single_checks() {
    let cases = all_cases();
    let messages: Vec<_> = cases.iter().map(|case| SignedBytes::new([&case.message])).collect();
    let claims: Vec<_> = cases
        .iter()
        .zip(&messages)
        .map(|(case, message)| Claim { key: &case.key, message, signature: &case.signature })
        .collect();
    let accepted = |claims: &[Claim<'_>]| -> Vec<bool> {
        FastVerifier.verify_batch(claims).iter().map(Result::is_ok).collect()
    };
    let expected: Vec<_> = cases.iter().map(|case| case.accepted).collect();
    assert_eq!(accepted(&claims), expected);
    // Only valid ones, so that the equation itself decides, torsion in R included.
    let valid: Vec<_> = claims
        .iter()
        .zip(&cases)
        .filter(|(_, case)| case.accepted)
        .map(|(claim, _)| *claim)
        .collect();
    assert_eq!(accepted(&valid), vec![true; valid.len()]);
    // Each wrong Ed25519 signature among valid ones.
    let ed25519 = |case: &Case| case.key.algorithm() == Algorithm::Ed25519;
    for (wrong, _) in claims.iter().zip(&cases).filter(|(_, case)| ed25519(case) && !case.accepted)
    {
        let mut mixed = valid.clone();
        mixed.insert(valid.len() / 2, *wrong);
        let expected: Vec<_> = (0..mixed.len()).map(|place| place != valid.len() / 2).collect();
        assert_eq!(accepted(&mixed), expected);
    }
}

/// Signatures of a few keys, more than one equation holds, as a gateway collects them.
struct Collected {
    keys: Vec<SoftwareKey>,
    messages: Vec<Vec<u8>>,
    signatures: Vec<[u8; 64]>,
}

impl Collected {
    fn new(keys: u8, count: usize) -> Self {
        let key = |seed| SoftwareKey::from_seed(Algorithm::Ed25519, &[seed; 32]).unwrap();
        let keys: Vec<_> = (1..=keys).map(key).collect();
        let messages: Vec<_> = (0..count).map(|turn| turn.to_be_bytes().to_vec()).collect();
        let sign = |(turn, message): (usize, &Vec<u8>)| {
            keys[turn % keys.len()].sign(&SignedBytes::new([&message[..]])).unwrap()
        };
        let signatures = messages.iter().enumerate().map(sign).collect();
        Self { keys, messages, signatures }
    }

    /// The places of those that do not verify.
    fn refused(&self) -> Vec<usize> {
        let messages: Vec<_> =
            self.messages.iter().map(|message| SignedBytes::new([&message[..]])).collect();
        let claim = |(turn, message): (usize, _)| Claim {
            key: self.keys[turn % self.keys.len()].public_key(),
            message,
            signature: &self.signatures[turn][..],
        };
        let claims: Vec<_> = messages.iter().enumerate().map(claim).collect();
        let verdicts = FastVerifier.verify_batch(&claims);
        (0..).zip(verdicts).filter(|(_, it)| it.is_err()).map(|(turn, _)| turn).collect()
    }
}

#[test]
fn wrong_signatures_are_found_among_many_of_few_keys() {
    let mut collected = Collected::new(3, 1_500);
    assert_eq!(collected.refused(), [0; 0]);
    for wrong in [0, 127, 128, 1_023, 1_024, 1_499] {
        collected.signatures[wrong][40] ^= 1;
    }
    assert_eq!(collected.refused(), [0, 127, 128, 1_023, 1_024, 1_499]);
}

/// Two errors of one key whose sum is zero: what is added for a key is weighted first.
#[test]
fn errors_of_one_key_do_not_cancel_out() {
    let mut collected = Collected::new(1, 8);
    let low = |signature: &[u8; 64]| u64::from_le_bytes(signature[32..40].try_into().unwrap());
    let signatures = &mut collected.signatures;
    let (up, down) = (low(&signatures[2]).wrapping_add(1), low(&signatures[5]).wrapping_sub(1));
    signatures[2][32..40].copy_from_slice(&up.to_le_bytes());
    signatures[5][32..40].copy_from_slice(&down.to_le_bytes());
    assert_eq!(collected.refused(), [2, 5]);
}

/// Each bit of a valid signature of each algorithm changed: both verifiers decide the same.
#[test]
fn changed_signatures_get_the_same_verdict() {
    for name in FILES {
        let Some(case) = cases(name).into_iter().find(|case| case.accepted) else {
            continue;
        };
        let message = SignedBytes::new([&case.message]);
        for bit in 0..512 {
            let mut signature = case.signature.clone();
            signature[bit / 8] ^= 1 << (bit % 8);
            let fast = FastVerifier.verify(&case.key, &message, &signature).is_ok();
            let pure = PureVerifier.verify(&case.key, &message, &signature).is_ok();
            assert_eq!((fast, pure), (false, false), "{name}, bit {bit}");
        }
        for length in [0, 63, 65, 72] {
            let mut signature = case.signature.clone();
            signature.resize(length, 0);
            assert_eq!(
                FastVerifier.verify(&case.key, &message, &signature),
                PureVerifier.verify(&case.key, &message, &signature),
                "{name}, {length} bytes"
            );
        }
    }
}
