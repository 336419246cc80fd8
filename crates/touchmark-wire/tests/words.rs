//! `words.json`: what validators ask each other and say.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use serde_json::Value;
use touchmark_wire::bundle::Freshness;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{LeafIndex, NetworkId, TreeSize};
use touchmark_wire::word::{Commitment, Question, Word};

fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn digest(value: &Value) -> Digest {
    Digest(bytes(value).try_into().unwrap())
}

fn commitment(value: &Value) -> Commitment {
    let validator = u16::try_from(value["validator"].as_u64().unwrap()).unwrap();
    Commitment { validator, hiding: digest(&value["hiding"]), binding: digest(&value["binding"]) }
}

#[test]
fn questions_and_words_are_those_of_the_vectors() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/vectors/words.json");
    let vectors: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let network = NetworkId(digest(&vectors["network"]));
    let questions = vectors["questions"].as_array().unwrap();
    assert_eq!(questions.len(), 6);
    for case in questions {
        let size = || TreeSize(case["size"].as_u64().unwrap());
        let nonce = || bytes(&case["nonce"]);
        let encoded = bytes(&case["bytes"]);
        let question = Question::decode(&encoded).unwrap();
        match case["kind"].as_u64().unwrap() {
            1 => {
                let (nonce, root) = (nonce(), digest(&case["root"]));
                assert_eq!(question, Question::Fresh(&nonce, size(), root));
                let signed = Freshness::message(network, &nonce, size(), root);
                assert_eq!(signed, bytes(&case["signed"]));
            }
            2 => assert_eq!(question, Question::Cosigned(size(), digest(&case["root"]))),
            4 => assert_eq!(question, Question::Commitment(size(), digest(&case["root"]))),
            5 => {
                let by = case["commitments"].as_array().unwrap().iter().map(commitment);
                let part = Question::Part(size(), digest(&case["root"]), by.collect());
                assert_eq!(question, part);
            }
            _ => {
                let leaf = LeafIndex(case["leaf"].as_u64().unwrap());
                assert_eq!(question, Question::Receipt(leaf));
            }
        }
        assert_eq!(question.encode_to_vec(), encoded, "{}", case["name"]);
    }
    for case in vectors["words"].as_array().unwrap() {
        let (signed, encoded) = (bytes(&case["signed"]), bytes(&case["bytes"]));
        let validator = u16::try_from(case["validator"].as_u64().unwrap()).unwrap();
        assert_eq!(Word::decode(&encoded).unwrap(), Word { validator, signed: &signed });
    }
    let malformed = vectors["malformed_questions"].as_array().unwrap();
    assert!(malformed.len() > 8);
    for case in malformed {
        assert!(Question::decode(&bytes(&case["bytes"])).is_err(), "{}", case["name"]);
    }
}
