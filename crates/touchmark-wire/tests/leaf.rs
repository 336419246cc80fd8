//! Leaves of the log have one encoding, and taking them apart ends.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

#[path = "support/cbor.rs"]
mod cbor;

use cbor::{array, bytes, head, neighbours, tag, uint, wide_head};
use touchmark_wire::codec::Malformed;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Height, LeafIndex, Timestamp};
use touchmark_wire::leaf::{BareEvidence, BatchLeaf, Leaf, Mark};
use touchmark_wire::limits;
use touchmark_wire::registry::{EvidenceFormat, LeafTag};

const STATEMENT: &[u8] = &[0xd2, 0x84, 0x40, 0xa0, 0x40, 0x40];

fn leaves() -> Vec<(Leaf<'static>, Vec<u8>)> {
    let evidence =
        BareEvidence { format: EvidenceFormat::CARD_URL, bytes: b"https://", mark: None };
    let marked = BareEvidence { mark: Some(Mark([9; 16])), ..evidence };
    let batch =
        BatchLeaf { height: Height(9), time: Timestamp(1 << 40), state_root: Digest([7; 32]) };
    vec![
        (Leaf::Accepted(STATEMENT), STATEMENT.to_vec()),
        (
            Leaf::Denied { code: 205, statement: STATEMENT },
            tag(0x544d_0001, &array(&[uint(205), bytes(STATEMENT)])),
        ),
        (
            Leaf::Fork { first: LeafIndex(300), second: STATEMENT },
            tag(0x544d_0002, &array(&[uint(300), bytes(STATEMENT)])),
        ),
        (Leaf::Evidence(evidence), tag(0x544d_0003, &array(&[uint(1), bytes(b"https://")]))),
        (
            Leaf::Evidence(marked),
            tag(0x544d_0003, &array(&[uint(1), bytes(b"https://"), bytes(&[9; 16])])),
        ),
        (
            Leaf::Sighting { code: 201, leaf: STATEMENT },
            tag(0x544d_0004, &array(&[uint(201), bytes(STATEMENT)])),
        ),
        (Leaf::Batch(batch), tag(0x544d_0005, &array(&[uint(9), uint(1 << 40), bytes(&[7; 32])]))),
    ]
}

#[test]
fn every_leaf_is_encoded_as_the_table_says() {
    for (leaf, encoded) in leaves() {
        assert_eq!(leaf.encode_to_vec(), encoded);
        assert_eq!(Leaf::decode(&encoded), Ok(leaf));
    }
}

#[test]
fn a_changed_byte_is_another_leaf_or_none() {
    for (leaf, encoded) in leaves() {
        for bytes in neighbours(&encoded) {
            if let Ok(other) = Leaf::decode(&bytes) {
                assert_ne!(other, leaf);
                assert_eq!(other.encode_to_vec(), bytes);
            }
        }
    }
}

#[test]
fn other_encodings_are_refused() {
    use Malformed::{NotDeterministic, Shape};
    let content = array(&[uint(205), bytes(STATEMENT)]);
    let wide_tag = [wide_head(6, 0x544d_0001, 8), content.clone()].concat();
    let wide_code = array(&[vec![0x19, 0, 205], bytes(STATEMENT)]);
    let chunks = [vec![0x5f], bytes(STATEMENT), vec![0xff]].concat();
    let cases = [
        ("nothing", Vec::new(), Shape),
        ("a longer tag", wide_tag, NotDeterministic),
        ("an unknown tag", tag(0x544d_0006, &content), Shape),
        ("no tag", content.clone(), Shape),
        ("a longer code", tag(0x544d_0001, &wide_code), NotDeterministic),
        (
            "a code above 16 bits",
            tag(0x544d_0001, &array(&[uint(65_536), bytes(STATEMENT)])),
            Shape,
        ),
        ("a third element", tag(0x544d_0001, &array(&[uint(1), bytes(b""), uint(1)])), Shape),
        (
            "an indefinite array",
            tag(0x544d_0001, &[vec![0x9f], content[1..].to_vec(), vec![0xff]].concat()),
            Shape,
        ),
        ("chunks", tag(0x544d_0001, &array(&[uint(1), chunks])), Shape),
        ("bytes at the end", [tag(0x544d_0001, &content), vec![0]].concat(), NotDeterministic),
        ("COSE_Mac0", tag(17, &content), Shape),
        (
            "a fourth element of a batch",
            tag(0x544d_0005, &array(&[uint(1), uint(1), bytes(&[0; 32]), uint(0)])),
            NotDeterministic,
        ),
        ("a short root", tag(0x544d_0005, &array(&[uint(1), uint(1), bytes(&[0; 31])])), Shape),
        ("a cut off head", head(6, 0x544d_0001)[..3].to_vec(), Shape),
    ];
    for (name, encoded, expected) in cases {
        assert_eq!(Leaf::decode(&encoded), Err(expected), "{name}");
    }
}

#[test]
fn the_longest_leaf_is_a_bundle_entry() {
    let mut statement = vec![0; limits::LEAF];
    statement[..2].copy_from_slice(&STATEMENT[..2]);
    assert_eq!(Leaf::decode(&statement), Ok(Leaf::Accepted(&statement)));
    statement.push(0);
    let refused = Malformed::TooLong { limit: limits::LEAF, actual: limits::LEAF + 1 };
    assert_eq!(Leaf::decode(&statement), Err(refused));
}

/// Whatever wraps the longest statement is still an entry of a bundle.
#[test]
fn every_wrapping_of_the_longest_statement_fits() {
    let statement = vec![0; limits::STATEMENT];
    let (first, leaf) = (LeafIndex(u64::MAX), &statement[..]);
    for leaf in [
        Leaf::Denied { code: u16::MAX, statement: leaf },
        Leaf::Fork { first, second: leaf },
        Leaf::Sighting { code: u16::MAX, leaf },
    ] {
        assert!(leaf.encode_to_vec().len() <= limits::LEAF);
    }
}

#[test]
fn every_leaf_gives_its_statement() {
    for (leaf, _) in leaves() {
        let expected = match leaf {
            Leaf::Evidence(_) | Leaf::Batch(_) => None,
            _ => Some(STATEMENT),
        };
        assert_eq!(leaf.statement(), expected);
    }
}

/// A sighting holds a statement or bare evidence, nothing deeper: a leaf of nothing but sightings
/// within each other would otherwise take the reader's whole stack.
#[test]
fn sightings_within_sightings_have_no_statement() {
    let mut leaf = STATEMENT.to_vec();
    while leaf.len() < limits::LEAF - 16 {
        leaf = tag(LeafTag::SIGHTING.0, &array(&[uint(1), bytes(&leaf)]));
    }
    let search = move || Leaf::decode(&leaf).map(|leaf| leaf.statement().is_some());
    let small = std::thread::Builder::new().stack_size(64 << 10);
    assert_eq!(small.spawn(search).unwrap().join().unwrap(), Ok(false));
}
