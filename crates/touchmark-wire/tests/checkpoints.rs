//! C2SP checkpoints and cosignatures, against published notes.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use support::{bytes, cases, digest, number, text, vectors};
use touchmark_keys::software::SoftwareKey;
use touchmark_wire::algorithm::{
    Algorithm, CoseKey, PublicKey, PureVerifier, SignError, SignatureError, Signer,
};
use touchmark_wire::certificate::{
    CertificateError, Cosignature, CosignatureTime, Cosigner, verify_quorum,
};
use touchmark_wire::checkpoint::{
    Checkpoint, KeyId, NOTE_LIMIT, NoteError, ORIGIN_LIMIT, SIGNATURES_LIMIT, SignedCheckpoint,
};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::TreeSize;

#[test]
fn published_notes_are_read_and_written_again() {
    for case in cases("c2sp-checkpoints") {
        let note = SignedCheckpoint::parse(text(&case, "note").as_bytes()).unwrap();
        let checkpoint = note.checkpoint();
        assert_eq!(checkpoint.origin(), text(&case, "origin"));
        assert_eq!(checkpoint.size, TreeSize(number(&case, "size")));
        assert_eq!(checkpoint.root, digest(&case, "root"));
        assert_eq!(checkpoint.body().as_str(), note.body());
        let names: Vec<_> =
            note.signatures().map(|line| serde_json::json!([line.name, hex(line.key)])).collect();
        assert_eq!(serde_json::Value::Array(names), case["signatures"]);
    }
}

fn hex(id: KeyId) -> String {
    format!("{:08x}", u32::from_be_bytes(id.0))
}

#[test]
fn key_ids_are_as_published() {
    for known in vectors("c2sp-checkpoints")["key_ids"].as_array().unwrap() {
        let kind = u8::try_from(number(known, "type")).unwrap();
        let id = KeyId::of(text(known, "name"), kind, &bytes(known, "public"));
        assert_eq!(hex(id), text(known, "id"));
    }
}

/// The note whose cosigner's seed is published.
fn published() -> (String, SoftwareKey, String, CosignatureTime) {
    let case = cases("c2sp-checkpoints").remove(1);
    let cosignature = &case["cosignature"];
    let seed = bytes(cosignature, "seed").try_into().unwrap();
    let key = SoftwareKey::from_seed(Algorithm::Ed25519, &seed).unwrap();
    let time = CosignatureTime(number(cosignature, "time"));
    (text(&case, "note").to_owned(), key, text(cosignature, "name").to_owned(), time)
}

#[test]
fn a_published_cosignature_verifies_and_is_made_again() {
    let (text, key, name, time) = published();
    let note = SignedCheckpoint::parse(text.as_bytes()).unwrap();
    let cosigner = Cosigner::new(&name, key.public_key().clone()).unwrap();
    assert_eq!(cosigner.verify(&note, &PureVerifier), Ok(time));
    let made = Cosignature::sign(note.body(), time, &key).unwrap();
    let line = cosigner.line(made).to_string();
    assert!(text.ends_with(&line), "{line}");
}

#[test]
fn changed_cosigned_notes_are_refused() {
    let (text, key, name, _) = published();
    let cosigner = Cosigner::new(&name, key.public_key().clone()).unwrap();
    let verify = |text: &str| {
        cosigner.verify(&SignedCheckpoint::parse(text.as_bytes()).unwrap(), &PureVerifier)
    };
    let wrong = Err(CertificateError::Cosignature(SignatureError::Mismatch));
    assert_eq!(verify(&text.replace("\n1234\n", "\n1235\n")), wrong);
    assert_eq!(verify(&text.replace("vector-log\n1", "vector-lag\n1")), wrong);
    // The last byte of the time.
    assert_eq!(verify(&text.replace("AABqwLUb", "AABqwLUa")), wrong);
    let unknown = text.replace("witness.example.com/vector", "witness.example.com/other");
    assert_eq!(verify(&unknown), Err(CertificateError::NotCosigned));
    let other_key = text.replace("QW8QPQAAAABq", "QW8QPgAAAABq");
    assert_eq!(verify(&other_key), Err(CertificateError::NotCosigned));
    // A time of 2^63 or more.
    let late = verify(&text.replace("QW8QPQAAAABq", "QW8QPYAAAABq"));
    assert_eq!(late, Err(CertificateError::Malformed));
    // A second, wrong line of the same key after the right one.
    let line = text.lines().last().unwrap();
    let doubled = format!("{text}{}\n", line.replace("AABqwLUb", "AABqwLUa"));
    assert_eq!(verify(&doubled), wrong);
}

#[test]
fn quorums_count_keys() {
    let checkpoint = Checkpoint::new("example.com/log", TreeSize(5), Digest::of(&[b"r"])).unwrap();
    let body = checkpoint.body();
    let key = |n| SoftwareKey::from_seed(Algorithm::Ed25519, &[n; 32]).unwrap();
    let keys: Vec<_> = (1..=4).map(key).collect();
    let names = ["a.example", "b.example", "c.example", "d.example"];
    let cosigner = |n: usize, name| Cosigner::new(name, keys[n].public_key().clone()).unwrap();
    let mut cosigners: Vec<_> = (0..4).map(|n| cosigner(n, names[n])).collect();
    let sign = |n: usize, time| {
        let made = Cosignature::sign(body.as_str(), CosignatureTime(time), &keys[n]).unwrap();
        cosigner(n, names[n]).line(made).to_string()
    };
    let text = format!("{}\n{}{}{}", body.as_str(), sign(0, 7), sign(2, 8), sign(0, 9));
    let note = SignedCheckpoint::parse(text.as_bytes()).unwrap();
    let quorum =
        |cosigners: &[_], threshold| verify_quorum(&note, cosigners, threshold, &PureVerifier);
    assert_eq!(quorum(&cosigners, 2), Ok(()));
    let missed = Err(CertificateError::Quorum { valid: 2, threshold: 3 });
    assert_eq!(quorum(&cosigners, 3), missed);
    assert_eq!(quorum(&cosigners, 0), Err(CertificateError::Quorum { valid: 2, threshold: 0 }));
    // The same key under a second name.
    cosigners.push(cosigner(0, "a.example"));
    assert_eq!(quorum(&cosigners, 3), missed);
}

#[test]
fn a_key_listed_under_two_names_counts_under_either() {
    let checkpoint = Checkpoint::new("example.com/log", TreeSize(5), Digest::of(&[b"r"])).unwrap();
    let body = checkpoint.body();
    let key = SoftwareKey::from_seed(Algorithm::Ed25519, &[1; 32]).unwrap();
    let cosigner = |name| Cosigner::new(name, key.public_key().clone()).unwrap();
    let made = Cosignature::sign(body.as_str(), CosignatureTime(1), &key).unwrap();
    let text = format!("{}\n{}", body.as_str(), cosigner("new.example").line(made));
    let note = SignedCheckpoint::parse(text.as_bytes()).unwrap();
    let listed = [cosigner("old.example"), cosigner("new.example")];
    assert_eq!(verify_quorum(&note, &listed, 1, &PureVerifier), Ok(()));
    let missed = Err(CertificateError::Quorum { valid: 1, threshold: 2 });
    assert_eq!(verify_quorum(&note, &listed, 2, &PureVerifier), missed);
}

#[test]
fn only_ed25519_keys_cosign() {
    let key = SoftwareKey::from_seed(Algorithm::Es256, &[1; 32]).unwrap();
    let refused = Cosigner::new("a.example", key.public_key().clone()).err();
    assert_eq!(refused, Some(CertificateError::CosignerAlgorithm));
    let refused = Cosignature::sign("body\n", CosignatureTime(1), &key).err();
    assert_eq!(refused, Some(SignError::Refused));
    let named = |name| {
        let key: PublicKey = CoseKey::ed25519(*ed25519().cose().x()).check().unwrap();
        Cosigner::new(name, key).err()
    };
    for name in ["", "a b", "a+b", "a\u{2003}b", "a\nb", &"a".repeat(ORIGIN_LIMIT + 1)] {
        assert_eq!(named(name), Some(CertificateError::Note(NoteError::KeyName)), "{name}");
    }
}

fn ed25519() -> PublicKey {
    SoftwareKey::from_seed(Algorithm::Ed25519, &[1; 32]).unwrap().public_key().clone()
}

#[test]
fn texts_that_are_not_checkpoints() {
    let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    let parse = |body: &str| Checkpoint::parse(body).map(|_| ());
    assert_eq!(parse(&format!("o\n5\n{root}\n")), Ok(()));
    assert_eq!(parse(&format!("o\n0\n{root}\n")), Ok(()));
    assert_eq!(parse(&format!("o\n5\n{root}")), Err(NoteError::Shape));
    assert_eq!(parse(&format!("o\n5\n{root}\nextension\n")), Err(NoteError::Shape));
    assert_eq!(parse("o\n5\n"), Err(NoteError::Shape));
    assert_eq!(parse(&format!("\n5\n{root}\n")), Err(NoteError::Origin));
    let long = "o".repeat(ORIGIN_LIMIT + 1);
    assert_eq!(parse(&format!("{long}\n5\n{root}\n")), Err(NoteError::Origin));
    for size in ["", "05", "+5", "-5", "5 ", "18446744073709551616", "\u{0665}"] {
        assert_eq!(parse(&format!("o\n{size}\n{root}\n")), Err(NoteError::Size), "{size}");
    }
    assert_eq!(parse(&format!("o\n18446744073709551615\n{root}\n")), Ok(()));
    // Not base64, another length, unused bits set, padding missing.
    for root in ["", "AAAA", &root.replace("2I=", "2J="), &root[..43], &root.replace('C', "-")] {
        assert_eq!(parse(&format!("o\n5\n{root}\n")), Err(NoteError::Root), "{root}");
    }
}

#[test]
fn texts_that_are_not_signed_notes() {
    let body = "o\n5\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    let parse = |text: &str| SignedCheckpoint::parse(text.as_bytes()).map(|_| ());
    let line = "\u{2014} name AAAAAAA=\n";
    assert_eq!(parse(&format!("{body}\n{line}")), Ok(()));
    assert_eq!(parse(body), Err(NoteError::Shape));
    assert_eq!(parse(&format!("{body}\n")), Err(NoteError::Shape));
    assert_eq!(parse(&format!("{body}\n{}", line.trim_end())), Err(NoteError::Shape));
    assert_eq!(parse(&format!("{body}{line}")), Err(NoteError::Shape));
    assert_eq!(parse(&format!("{body}\n{line}\t\n")), Err(NoteError::Shape));
    assert_eq!(SignedCheckpoint::parse(b"\xff\n\n"), Err(NoteError::Shape));
    for line in ["- name AAAAAAA=", "\u{2014} name", "\u{2014} name AAAA", "\u{2014} name A$AAAAA="]
    {
        assert_eq!(parse(&format!("{body}\n{line}\n")), Err(NoteError::Signature), "{line}");
    }
    assert_eq!(parse(&format!("{body}\n\u{2014} a+b AAAAAAA=\n")), Err(NoteError::KeyName));
    assert_eq!(parse(&format!("{body}\n{}", line.repeat(SIGNATURES_LIMIT))), Ok(()));
    let many = format!("{body}\n{}", line.repeat(SIGNATURES_LIMIT + 1));
    assert_eq!(parse(&many), Err(NoteError::TooManySignatures));
    let long = format!("{body}\n\u{2014} name {}=\n", "A".repeat(NOTE_LIMIT));
    assert_eq!(parse(&long), Err(NoteError::TooLong { actual: long.len() }));
}
