//! The file `words.json`: what validators ask each other and say, right and wrong.

use super::writer::hex;
use serde_json::{Value, json};
use touchmark_wire::bundle::Freshness;
use touchmark_wire::codec;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{LeafIndex, NetworkId, TreeSize};
use touchmark_wire::word::{Commitment, Question, Word};

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
            word("commitments to two nonces", 3, 64),
            word("a part of a signature", 3, 32),
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
        json!({
            "name": "commitment", "kind": 4, "size": SIZE.0, "root": hex(&ROOT.0),
            "bytes": hex(&Question::Commitment(SIZE, ROOT).encode_to_vec()),
        }),
        part("part of two", &[0, 1]),
        part(
            "part of as many as there can be",
            &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        ),
    ]
}

/// Commitments of the validators at these places; the points are none.
fn commitments(places: &[u16]) -> Vec<Commitment> {
    let point = |kind: u8, place: u16| Digest([kind + place as u8; 32]);
    let commitment = |place: &u16| Commitment {
        validator: *place,
        hiding: point(0x10, *place),
        binding: point(0x20, *place),
    };
    places.iter().map(commitment).collect()
}

fn part(name: &str, places: &[u16]) -> Value {
    let by = commitments(places);
    let shown = by.iter().map(|it| {
        json!({
            "validator": it.validator,
            "hiding": hex(&it.hiding.0),
            "binding": hex(&it.binding.0),
        })
    });
    let shown: Vec<_> = shown.collect();
    let question = Question::Part(SIZE, ROOT, by);
    json!({
        "name": name, "kind": 5, "size": SIZE.0, "root": hex(&ROOT.0), "commitments": shown,
        "bytes": hex(&question.encode_to_vec()),
    })
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
        case("an unknown kind", codec::encode(&(6u8, (4u64,)))),
        case("a byte too many", [&good[..], &[0]].concat()),
        case("cut off", good[..good.len() - 1].to_vec()),
        case("a longer integer than is needed", vec![0x82, 3, 0x81, 0x18, 4]),
        case("nothing", Vec::new()),
        case("a part of one", Question::Part(SIZE, ROOT, commitments(&[0])).encode_to_vec()),
        case(
            "a part of one twice",
            Question::Part(SIZE, ROOT, commitments(&[1, 1])).encode_to_vec(),
        ),
        case(
            "a part of two in another order",
            Question::Part(SIZE, ROOT, commitments(&[1, 0])).encode_to_vec(),
        ),
        case(
            "a part of seventeen",
            Question::Part(SIZE, ROOT, commitments(&(0..17).collect::<Vec<_>>())).encode_to_vec(),
        ),
    ]
}
