//! The contract: spec/vectors/statements.json.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

#[allow(dead_code, unused_imports, reason = "the other tests use all of it")]
#[path = "rules/ledger/mod.rs"]
mod ledger;

use ledger::{Ledger, Seen};
use serde_json::Value;
use touchmark_core::admission::{self, OneByOne, Submission};
use touchmark_core::channel::opening::Opening;
use touchmark_wire::algorithm::{CoseKey, PureVerifier, SignatureVerifier};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::NetworkId;
use touchmark_wire::leaf::Leaf;
use touchmark_wire::merkle;
use touchmark_wire::registry::{RefusalCode, StatementKind};
use touchmark_wire::statement::{Signatures, Statement};

fn vectors() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/vectors/statements.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap_or_else(|| panic!("no {field} in {case}"))
}

fn bytes(case: &Value, field: &str) -> Vec<u8> {
    let text = text(case, field);
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn digest(case: &Value, field: &str) -> Digest {
    Digest(bytes(case, field).try_into().unwrap())
}

/// The ledger after all accepted ones.
fn accepted(vectors: &Value) -> Ledger {
    let mut ledger = Ledger::of(NetworkId(digest(vectors, "network")));
    for case in vectors["accepted"].as_array().unwrap() {
        assert_eq!(ledger.see(&bytes(case, "bytes")), Seen::Accepted, "{}", case["name"]);
    }
    ledger
}

#[test]
fn accepted_ones_are_accepted_in_their_order() {
    let vectors = vectors();
    let ledger = accepted(&vectors);
    let cases = vectors["accepted"].as_array().unwrap();
    assert_eq!(ledger.leaves.len(), cases.len());
    for (case, leaf) in cases.iter().zip(&ledger.leaves) {
        assert_eq!(leaf, &bytes(case, "bytes"));
        assert_eq!(merkle::leaf_hash(leaf), digest(case, "leaf_hash"));
        let admitted = admission::admit(vec![leaf.clone()], &ledger, &OneByOne).remove(0).unwrap();
        assert_eq!(admitted.id(), digest(case, "id"));
        if let Submission::Statement(statement) = admitted {
            assert_eq!(statement.issuer().to_string(), text(case, "issuer"));
            assert_eq!(statement.link().kind.to_string(), text(case, "kind"));
            assert_eq!(u64::from(statement.link().sequence.0), case["sequence"].as_u64().unwrap());
            assert_eq!(statement.payload(), bytes(case, "payload"));
            let opened = (statement.link().kind == StatementKind::CHANNEL)
                .then(|| Opening::id_of(statement.issuer(), statement.payload()));
            let channel = statement.link().channel.or(opened).map(|channel| channel.to_string());
            assert_eq!(channel.as_deref(), case["channel"].as_str());
        }
    }
}

#[test]
fn signatures_verify_under_the_keys_beside_them() {
    for case in vectors()["accepted"].as_array().unwrap() {
        let encoded = bytes(case, "bytes");
        let Ok(Leaf::Accepted(encoded)) = Leaf::decode(&encoded) else { continue };
        let statement = Statement::parse(encoded).unwrap();
        let signers = case["signers"].as_array().unwrap();
        let key =
            |at: usize| CoseKey::decode(&bytes(&signers[at], "cose_key")).unwrap().check().unwrap();
        match statement.signatures() {
            Signatures::One(signature) => {
                let structure = statement.sig_structure();
                let message = structure.signed_bytes();
                assert_eq!(PureVerifier.verify(&key(0), &message, signature), Ok(()));
            }
            Signatures::Many(many) => {
                assert_eq!(many.len(), signers.len());
                for (at, signer) in many.iter().enumerate() {
                    let structure = statement.sig_structure_of(&signer);
                    let message = structure.signed_bytes();
                    assert_eq!(PureVerifier.verify(&key(at), &message, signer.signature()), Ok(()));
                    assert_eq!(signer.kid().thing.to_string(), text(&signers[at], "thing"));
                }
            }
        }
    }
}

#[test]
fn refused_ones_end_as_they_say() {
    let vectors = vectors();
    let ledger = accepted(&vectors);
    for case in vectors["refused"].as_array().unwrap() {
        let code = RefusalCode::from_name(text(case, "code")).unwrap();
        let expected = match text(case, "outcome") {
            "refused" => Seen::Refused(code),
            "denied" => Seen::Denied(code),
            "sighted" => Seen::Sighted(code),
            "forked" => Seen::Forked,
            other => panic!("outcome {other}"),
        };
        let mut ledger = ledger.clone();
        assert_eq!(ledger.see(&bytes(case, "bytes")), expected, "{}", case["name"]);
    }
}

/// Every code that admission and rules give is in the file.
#[test]
fn every_code_is_covered() {
    let vectors = vectors();
    let covered: Vec<_> =
        vectors["refused"].as_array().unwrap().iter().map(|case| text(case, "code")).collect();
    for row in RefusalCode::ROWS {
        let edges = [RefusalCode::QUOTA, RefusalCode::FORBIDDEN, RefusalCode::NOT_FOUND];
        let ours = row.number < 500 && !edges.iter().any(|code| u64::from(code.0) == row.number);
        assert_eq!(covered.contains(&row.name), ours, "{}", row.name);
    }
}
