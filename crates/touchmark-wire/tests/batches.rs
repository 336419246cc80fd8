//! Certified batches: what follows the last one and is certified is taken, and nothing else.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

mod support;

use serde_json::Value;
use support::{bytes, cases, digest, number, text, vectors};
use touchmark_wire::batches::{BatchesError, CertifiedBatches, EncodedBatch};
use touchmark_wire::bundle::Bytes;
use touchmark_wire::certificate::{CommitteeKey, Namespace};
use touchmark_wire::ids::{Height, NetworkId};

fn verify(case: &Value, answer: &CertifiedBatches<'_>) -> Result<(), BatchesError> {
    let network = NetworkId(digest(&vectors("certified-batches"), "network"));
    let key = CommitteeKey::parse(&bytes(case, "key").try_into().unwrap()).unwrap();
    let (after, parent) = (Height(number(case, "after")), digest(case, "digest"));
    answer.verify(after, parent, &Namespace::of(&network), &key)
}

#[test]
fn each_ends_as_it_says() {
    for case in cases("certified-batches") {
        let encoded = bytes(&case, "answer");
        let answer = CertifiedBatches::decode(&encoded).unwrap();
        assert_eq!(answer.encode_to_vec(), encoded);
        let result = match verify(&case, &answer) {
            Ok(()) => "taken",
            Err(BatchesError::Gap { .. }) => "gap",
            Err(BatchesError::Term { .. }) => "term",
            Err(BatchesError::Certificate(_)) => "certificate",
            Err(_) => "other",
        };
        assert_eq!(result, text(&case, "result"), "{}", text(&case, "name"));
    }
}

#[test]
fn no_byte_of_a_header_or_certificate_can_be_changed() {
    let case = cases("certified-batches").remove(2);
    let encoded = bytes(&case, "answer");
    // The header has the root of its leaves, which is compared when the batch is taken apart.
    let windows = encoded.windows(6).enumerate();
    let bodies: Vec<_> = windows.filter(|(_, it)| *it == b"\0\x04leaf").map(|(at, _)| at).collect();
    assert_eq!(bodies.len(), 3);
    let in_body = |at: usize| bodies.iter().any(|begin| (*begin..begin + 6).contains(&at));
    for (at, bit) in (0..encoded.len()).zip((0..8).cycle()).filter(|(at, _)| !in_body(*at)) {
        let mut changed = encoded.clone();
        changed[at] ^= 1 << bit;
        let answer = CertifiedBatches::decode(&changed);
        assert!(!answer.is_ok_and(|it| verify(&case, &it).is_ok()), "byte {at}");
    }
}

#[test]
fn an_answer_has_a_batch_and_no_more_than_a_term() {
    let (header, certificate) = ([7; 200], [1; 83]);
    let of = |batches: usize, headers: usize| {
        CertifiedBatches {
            batches: vec![EncodedBatch { header: &header, body: b"" }; batches],
            headers: vec![Bytes(&header); headers],
            certificate: &certificate,
        }
        .encode_to_vec()
    };
    for (batches, headers, decodes) in
        [(1, 0, true), (1, 511, true), (512, 0, true), (0, 1, false), (1, 512, false)]
    {
        let encoded = of(batches, headers);
        assert_eq!(CertifiedBatches::decode(&encoded).is_ok(), decodes, "{batches}, {headers}");
    }
    assert!(CertifiedBatches::decode(&vec![0x80; CertifiedBatches::LIMIT + 1]).is_err());
}
