//! The file `certified-batches.json`: what nodes that follow a log are given, right and wrong.

use super::writer::hex;
use super::{FIRST, SECOND};
use crate::committee::Panel;
use serde_json::{Value, json};
use touchmark_wire::batches::{CertifiedBatches, EncodedBatch};
use touchmark_wire::bundle::Bytes;
use touchmark_wire::codec;
use touchmark_wire::hash::Digest;
use touchmark_wire::header::BatchHeader;
use touchmark_wire::ids::{Epoch, Height, NetworkId, Timestamp, TreeSize};
use touchmark_wire::limits::TERM;
use touchmark_wire::merkle;

const NETWORK: NetworkId = NetworkId(Digest([0x4e; 32]));
/// Of the batch that the reader has.
const BEFORE: Digest = Digest([5; 32]);

/// The file.
pub fn batches() -> Value {
    json!({
        "generator": "crates/touchmark-testkit/src/vectors/batches.rs",
        "title": "Certified batches for a reader that has the batch of height `after`, whose header has the digest `digest`, and knows the committee's certificate key `key`",
        "network": hex(&NETWORK.0.0),
        "cases": cases(),
    })
}

/// Some batches that tests change; good as they are.
#[derive(Clone)]
struct Making {
    after: u64,
    /// Heights of whole batches, and of bare headers after them.
    heights: Vec<u64>,
    bare: Vec<u64>,
    /// The place whose parent is another one.
    torn: Option<usize>,
    signer: Panel<'static>,
    /// The place of the header that is certified; otherwise the last.
    certified: Option<usize>,
}

impl Making {
    fn good() -> Self {
        let (after, heights) = (7, vec![8, 9, 10]);
        Self { after, heights, bare: Vec::new(), torn: None, signer: FIRST, certified: None }
    }

    fn encoded(&self) -> Vec<u8> {
        let body = b"\0\x04leaf";
        let (mut headers, mut parent) = (Vec::new(), BEFORE);
        for (place, height) in self.heights.iter().chain(&self.bare).enumerate() {
            let parent_named = if self.torn == Some(place) { Digest([9; 32]) } else { parent };
            let header = header(Height(*height), parent_named);
            parent = BatchHeader::digest(&header);
            headers.push(header);
        }
        let signed = self.certified.unwrap_or(headers.len() - 1);
        let certificate = self.signer.certify(NETWORK, &headers[signed]);
        let (whole, bare) = headers.split_at(self.heights.len());
        let batches = whole.iter().map(|header| EncodedBatch { header, body });
        CertifiedBatches {
            batches: batches.collect(),
            headers: bare.iter().map(|header| Bytes(header)).collect(),
            certificate: &certificate,
        }
        .encode_to_vec()
    }

    fn case(&self, name: &str, result: &str) -> Value {
        json!({
            "name": name,
            "after": self.after,
            "digest": hex(&BEFORE.0),
            "key": hex(&FIRST.committee().certificate_key.0),
            "answer": hex(&self.encoded()),
            "result": result,
        })
    }
}

fn header(height: Height, parent: Digest) -> Vec<u8> {
    let leaf = merkle::leaf_hash(b"leaf");
    codec::encode(&BatchHeader {
        context: &[],
        parent,
        height,
        time: Timestamp(1_735_689_599_999),
        epoch: Epoch(0),
        data_root: BatchHeader::data_root(&[leaf]),
        size: TreeSize(height.0 + 1),
        root: leaf,
        next: Digest([3; 32]),
    })
}

fn cases() -> Vec<Value> {
    let good = Making::good;
    let (last, end) = (TERM - 2, TERM - 1);
    let of_last = |heights: &[u64], bare: &[u64]| Making {
        after: last - 1,
        heights: heights.to_vec(),
        bare: bare.to_vec(),
        ..good()
    };
    vec![
        good().case("three batches", "taken"),
        Making { heights: vec![8], ..good() }.case("one batch", "taken"),
        Making { bare: vec![11, 12], ..good() }.case("three batches, certified two later", "taken"),
        of_last(&[last, end], &[]).case("up to the end of a term", "taken"),
        of_last(&[last, end, end + 1], &[]).case("beyond the end of a term", "term"),
        of_last(&[last, end], &[end + 1]).case("certified beyond the end of a term", "term"),
        Making { heights: vec![9, 10], ..good() }.case("one is left out at the beginning", "gap"),
        Making { heights: vec![8, 10], ..good() }.case("one is left out", "gap"),
        Making { bare: vec![12], ..good() }.case("a header is left out", "gap"),
        Making { torn: Some(0), ..good() }.case("of another log", "gap"),
        Making { torn: Some(1), ..good() }.case("a batch of another log", "gap"),
        Making { bare: vec![11], torn: Some(3), ..good() }.case("a header of another log", "gap"),
        Making { signer: SECOND, ..good() }.case("certified by another committee", "certificate"),
        Making { certified: Some(1), ..good() }.case("more than what is certified", "certificate"),
    ]
}
