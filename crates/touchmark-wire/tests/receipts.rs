//! COSE receipts, against the RFC's examples and receipts made by another encoder.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use serde_json::Value;
use support::{bytes, cases, digest, hex, number, text, vectors};
use touchmark_keys::software::SoftwareKey;
use touchmark_wire::algorithm::{
    Algorithm, CoseKey, PublicKey, PureVerifier, SignatureError, Signer,
};
use touchmark_wire::codec::{self, Malformed};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{LeafIndex, TreeSize};
use touchmark_wire::merkle::ProofError;
use touchmark_wire::receipt::{Included, Path, Proof, Receipt, ReceiptError, ReceiptHeader};

fn key(case: &Value) -> PublicKey {
    let key = &case["key"];
    let coordinate = |name| <[u8; 32]>::try_from(bytes(key, name)).unwrap();
    let cose = match text(key, "algorithm") {
        "ES256" => CoseKey::es256(coordinate("x"), coordinate("y")),
        "Ed25519" => CoseKey::ed25519(coordinate("x")),
        other => panic!("no vectors for {other}"),
    };
    cose.check().unwrap()
}

fn verify(case: &Value, receipt: &[u8]) -> Result<(), ReceiptError> {
    let receipt = Receipt::decode(receipt)?;
    let hash = |field| digest(case, field);
    let size = |field| TreeSize(number(case, field));
    if text(case, "kind") == "consistency" {
        let (old, new) = ((size("old"), &hash("old_root")), (size("new"), &hash("new_root")));
        return receipt.verify_consistency(old, new, &key(case), &PureVerifier);
    }
    let included = receipt.verify_inclusion(&hash("leaf_hash"), &key(case), &PureVerifier)?;
    let expected = Included {
        index: LeafIndex(number(case, "index")),
        size: size("size"),
        root: hash("root"),
    };
    assert_eq!(included, expected);
    Ok(())
}

#[test]
fn receipts_of_another_encoder_verify_and_are_encoded_the_same() {
    for case in cases("receipts") {
        let encoded = bytes(&case, "receipt");
        assert_eq!(verify(&case, &encoded), Ok(()), "{case}");
        let receipt = Receipt::decode(&encoded).unwrap();
        let header = receipt.header();
        assert_eq!(header.kid, case["kid"].as_str().map(hex).as_deref(), "{case}");
        assert_eq!(header.issuer, case["issuer"].as_str());
        assert_eq!(header.subject, case["subject"].as_str());
        assert_eq!(codec::encode(&receipt), encoded);
    }
}

/// The document shortens its hashes: the first and last four bytes are shown.
#[test]
fn paths_are_those_of_the_rfcs_examples() {
    for (kind, field) in
        [("inclusion", "rfc_inclusion_path"), ("consistency", "rfc_consistency_path")]
    {
        let case = cases("receipts").into_iter().find(|case| text(case, "kind") == kind).unwrap();
        let encoded = bytes(&case, "receipt");
        let (Proof::Inclusion { path, .. } | Proof::Consistency { path, .. }) =
            *Receipt::decode(&encoded).unwrap().proof()
        else {
            panic!("unknown kind of proof")
        };
        let shown: Vec<_> = path
            .into_iter()
            .map(|hash| hash.to_string())
            .map(|hash| format!("{}...{}", &hash[..8], &hash[56..]))
            .collect();
        assert_eq!(Value::from(shown), vectors("receipts")[field]);
    }
}

#[test]
fn any_changed_byte_is_refused() {
    for case in cases("receipts") {
        let encoded = bytes(&case, "receipt");
        for place in 0..encoded.len() {
            let mut changed = encoded.clone();
            changed[place] ^= 1;
            assert!(verify(&case, &changed).is_err(), "byte {place} of {case}");
            assert!(verify(&case, &encoded[..place]).is_err(), "first {place} of {case}");
        }
        let mut longer = encoded.clone();
        longer.push(0);
        assert!(verify(&case, &longer).is_err());
    }
}

/// Receipts whose headers are in another order are well-formed, but have a second encoding.
#[test]
fn only_the_deterministic_order_is_accepted() {
    for foreign in vectors("receipts")["foreign"].as_array().unwrap() {
        let encoded = bytes(foreign, "bytes");
        assert!(matches!(Receipt::decode(&encoded), Err(ReceiptError::Malformed(_))));
        // vds (395) behind the claims (15) instead of before them.
        let (vds, claims) = (hex("19018b01"), 30..75);
        let mut ordered = encoded.clone();
        let start = encoded.windows(4).position(|bytes| bytes == vds).unwrap();
        assert_eq!(encoded[start + 4], 0x0f);
        let end = 4 + usize::from(encoded[3]);
        assert!(claims.contains(&end), "{end}");
        ordered[start..end].rotate_left(4);
        let receipt = Receipt::decode(&ordered).unwrap();
        assert_eq!(receipt.header().kid, Some(&b"test-key-1"[..]));
        let issuer = "https://transparency-service.example.com";
        assert_eq!(receipt.header().issuer, Some(issuer));
    }
}

fn signer() -> SoftwareKey {
    SoftwareKey::from_seed(Algorithm::Ed25519, &[9; 32]).unwrap()
}

const HEADER: ReceiptHeader<'_> =
    ReceiptHeader { algorithm: Algorithm::Ed25519, kid: None, issuer: None, subject: None };

#[test]
fn receipts_are_signed_as_the_other_encoder_does() {
    let case = &cases("receipts")[2];
    let (Proof::Inclusion { path, .. }, encoded) = ({
        let encoded = bytes(case, "receipt");
        (*Receipt::decode(Vec::leak(encoded.clone())).unwrap().proof(), encoded)
    }) else {
        panic!("not an inclusion receipt")
    };
    let hashes: Vec<_> = path.into_iter().collect();
    let proof = Proof::Inclusion {
        size: TreeSize(number(case, "size")),
        index: LeafIndex(number(case, "index")),
        path: Path::new(&hashes).unwrap(),
    };
    let kid = bytes(case, "kid");
    let header = ReceiptHeader {
        kid: Some(&kid),
        issuer: case["issuer"].as_str(),
        subject: case["subject"].as_str(),
        ..HEADER
    };
    let mut buffer = [0; ReceiptHeader::LIMIT];
    let root = digest(case, "root");
    let receipt = Receipt::sign(&header, &mut buffer, proof, &root, &signer()).unwrap();
    assert_eq!(codec::encode(&receipt), encoded);
}

#[test]
fn what_a_receipt_does_not_prove() {
    let case = &cases("receipts")[1];
    let encoded = bytes(case, "receipt");
    let receipt = Receipt::decode(&encoded).unwrap();
    let (leaf, key, other) = (digest(case, "leaf_hash"), key(case), Digest::default());
    let wrong = receipt.verify_inclusion(&other, &key, &PureVerifier);
    assert_eq!(wrong, Err(ReceiptError::Signature(SignatureError::Mismatch)));
    let sizes = ((TreeSize(0), &leaf), (TreeSize(1), &leaf));
    let wrong = receipt.verify_consistency(sizes.0, sizes.1, &key, &PureVerifier);
    assert_eq!(wrong, Err(ReceiptError::OtherProof));
    let es256 = SoftwareKey::from_seed(Algorithm::Es256, &[1; 32]).unwrap();
    let wrong = receipt.verify_inclusion(&leaf, es256.public_key(), &PureVerifier);
    assert_eq!(wrong, Err(ReceiptError::OtherAlgorithm));

    let sign =
        |proof, header: &ReceiptHeader<'_>, check: &dyn Fn(Result<Receipt<'_>, ReceiptError>)| {
            let mut buffer = [0; ReceiptHeader::LIMIT];
            check(Receipt::sign(header, &mut buffer, proof, &leaf, &signer()));
        };
    let none = Path::new(&[]).unwrap();
    let outside = Proof::Inclusion { size: TreeSize(1), index: LeafIndex(1), path: none };
    sign(outside, &HEADER, &|signed| {
        let wrong = signed.unwrap().verify_inclusion(&leaf, &key, &PureVerifier);
        assert_eq!(wrong, Err(ReceiptError::Proof(ProofError::OutOfRange)));
    });
    let header = ReceiptHeader { algorithm: Algorithm::Es256, ..HEADER };
    sign(outside, &header, &|signed| {
        assert_eq!(signed.err(), Some(ReceiptError::OtherAlgorithm));
    });
    let long = "i".repeat(ReceiptHeader::TEXT + 1);
    let header = ReceiptHeader { issuer: Some(&long), ..HEADER };
    sign(outside, &header, &|signed| {
        assert_eq!(signed.err(), Some(ReceiptError::Malformed(Malformed::Shape)));
    });
}

#[test]
fn the_longest_receipt_fits_its_limit_and_no_longer_one_is_read() {
    let text = "t".repeat(ReceiptHeader::TEXT);
    let header = ReceiptHeader {
        kid: Some(text.as_bytes()),
        issuer: Some(&text),
        subject: Some(&text),
        ..HEADER
    };
    let hashes = [Digest::default(); 66];
    assert!(Path::new(&hashes).is_none());
    let path = Path::new(&hashes[..65]).unwrap();
    let proof = Proof::Consistency { old: TreeSize(u64::MAX - 1), new: TreeSize(u64::MAX), path };
    let mut buffer = [0; ReceiptHeader::LIMIT];
    let receipt = Receipt::sign(&header, &mut buffer, proof, &hashes[0], &signer()).unwrap();
    let encoded = codec::encode(&receipt);
    assert!(encoded.len() <= Receipt::LIMIT, "{}", encoded.len());
    assert_eq!(Receipt::decode(&encoded).unwrap().proof(), &proof);
    let long = vec![0; Receipt::LIMIT + 1];
    let expected = Malformed::TooLong { limit: Receipt::LIMIT, actual: long.len() };
    assert_eq!(Receipt::decode(&long).err(), Some(ReceiptError::Malformed(expected)));
}
