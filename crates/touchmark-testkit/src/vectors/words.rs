//! The file `words.json`: what validators ask each other and say, right and wrong.

use super::writer::hex;
use serde_json::{Value, json};
use touchmark_wire::bundle::Freshness;
use touchmark_wire::codec;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{LeafIndex, NetworkId, TreeSize};
use touchmark_wire::word::{Question, Word};

const NETWORK: NetworkId = NetworkId(Digest([0x4e; 32]));
const ROOT: Digest = Digest([7; 32]);
const SIZE: TreeSize = TreeSize(1_000);
const NONCE: &[u8] = b"a nonce of a reader";

/// The file.
pub fn words() -> Value {
    json!({
        "generator": "crates/touchmark-testkit/src/vectors/words.rs",
        "title": "Questions among validators and their words; `signed` of a fresh one is what the log key signs",
        "network": hex(&NETWORK.0.0),
        "questions": questions(),
        "words": [
            word("of the first validator", 0, 64),
            word("of the last that there can be", u16::MAX, 72),
            word("of a receipt's length", 3, 600),
        ],
        "malformed_questions": malformed(),
    })
}

fn questions() -> Vec<Value> {
    let fresh = Question::Fresh(NONCE, SIZE, ROOT);
    let cosigned = Question::Cosigned(SIZE, ROOT);
    let receipt = Question::Receipt(LeafIndex(999));
    vec![
        json!({
            "name": "fresh", "kind": 1, "nonce": hex(NONCE), "size": SIZE.0, "root": hex(&ROOT.0),
            "bytes": hex(&fresh.encode_to_vec()),
            "signed": hex(&Freshness::message(NETWORK, NONCE, SIZE, ROOT)),
        }),
        json!({
            "name": "cosigned", "kind": 2, "size": SIZE.0, "root": hex(&ROOT.0),
            "bytes": hex(&cosigned.encode_to_vec()),
        }),
        json!({
            "name": "receipt", "kind": 3, "leaf": 999, "bytes": hex(&receipt.encode_to_vec()),
        }),
    ]
}

fn word(name: &str, validator: u16, length: usize) -> Value {
    let signed = vec![0x5a; length];
    let bytes = Word { validator, signed: &signed }.encode_to_vec();
    json!({ "name": name, "validator": validator, "signed": hex(&signed), "bytes": hex(&bytes) })
}

fn malformed() -> Vec<Value> {
    let case = |name: &str, bytes: Vec<u8>| json!({ "name": name, "bytes": hex(&bytes) });
    let good = Question::Receipt(LeafIndex(4)).encode_to_vec();
    let short = Question::Fresh(&NONCE[..15], SIZE, ROOT).encode_to_vec();
    let long = Question::Fresh(&[9; 65], SIZE, ROOT).encode_to_vec();
    vec![
        case("a nonce of 15 bytes", short),
        case("a nonce of 65 bytes", long),
        case("an unknown kind", codec::encode(&(4u8, (4u64,)))),
        case("a byte too many", [&good[..], &[0]].concat()),
        case("cut off", good[..good.len() - 1].to_vec()),
        case("a longer integer than is needed", vec![0x82, 3, 0x81, 0x18, 4]),
        case("nothing", Vec::new()),
    ]
}
