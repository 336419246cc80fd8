//! The file `hand-overs.json`: single hand-overs, and bundles that lead over some.

mod proofs;

use super::writer::hex;
use super::{FIRST, SECOND, THIRD};
use crate::committee::Panel;
use crate::one_leaf;
use serde_json::{Value, json};
use touchmark_wire::codec;
use touchmark_wire::genesis::{CertificateKey, Committee, Genesis};
use touchmark_wire::handover::Handover;
use touchmark_wire::hash::Digest;
use touchmark_wire::header::BatchHeader;
use touchmark_wire::ids::{Epoch, Height, NetworkId, Timestamp, TreeSize};
use touchmark_wire::limits::TERM;

const TIME: Timestamp = Timestamp(1_735_689_599_999);

/// Last heights of the first and the second committee.
const LAST: [Height; 2] = [Height(TERM - 1), Height(2 * TERM - 1)];

/// The file.
pub fn handovers() -> Value {
    let genesis = genesis();
    json!({
        "generator": "crates/touchmark-testkit/src/vectors/handovers.rs",
        "title": "Hand-overs from one committee to the next, and bundles that lead over them",
        "network": hex(&genesis.network_id().0.0),
        "genesis": hex(&genesis.encode_to_vec()),
        "cases": single(),
        "bundles": proofs::all(),
    })
}

fn genesis() -> Genesis {
    let origin = "log.example/1".into();
    Genesis { rules: 1, origin, committee: FIRST.committee(), time: TIME }
}

fn network() -> NetworkId {
    genesis().network_id()
}

/// A hand-over that tests change; good as it is.
#[derive(Clone)]
struct Making {
    height: Height,
    epoch: Epoch,
    next: Option<Digest>,
    from: Panel<'static>,
    signer: Panel<'static>,
    committee: Committee,
    places: Vec<usize>,
}

impl Making {
    fn first() -> Self {
        let (from, committee) = (FIRST, SECOND.committee());
        let (height, epoch) = (LAST[0], Epoch(0));
        Self { height, epoch, next: None, from, signer: from, committee, places: vec![0] }
    }

    fn second() -> Self {
        let (from, committee) = (SECOND, THIRD.committee());
        let (height, epoch) = (LAST[1], Epoch(1));
        Self { height, epoch, next: None, from, signer: from, committee, places: vec![0, 1, 3] }
    }

    /// Encoded; `change` makes what a committee cannot.
    fn encoded_with(&self, change: impl FnOnce(&mut Handover<'_>)) -> Vec<u8> {
        let next = self.next.unwrap_or_else(|| self.committee.digest());
        let header = header(self.height, self.epoch, next);
        let certificate = self.signer.certify(network(), &header);
        let mut handover = Handover {
            header: &header,
            certificate: &certificate,
            approvals: self.from.approve(network(), &self.committee, &self.places),
            committee: self.committee.clone(),
        };
        change(&mut handover);
        handover.encode_to_vec()
    }

    fn encoded(&self) -> Vec<u8> {
        self.encoded_with(|_| {})
    }
}

fn header(height: Height, epoch: Epoch, next: Digest) -> Vec<u8> {
    codec::encode(&BatchHeader {
        context: &[],
        parent: Digest([5; 32]),
        height,
        time: TIME,
        epoch,
        data_root: BatchHeader::data_root(&[]),
        size: TreeSize(1),
        root: one_leaf::root(TIME),
        next,
    })
}

/// Each from the committee in `present`, which is in office since `since`.
fn single() -> Vec<Value> {
    [held(), uncertified(), refused()].concat()
}

fn case(name: &str, since: u64, from: Panel<'_>, encoded: &[u8], result: &str) -> Value {
    json!({
        "name": name,
        "present": hex(&from.committee().encode_to_vec()),
        "since": since,
        "handover": hex(encoded),
        "result": result,
    })
}

/// From the second committee to the third.
fn of_second(name: &str, making: &Making, result: &str) -> Value {
    case(name, TERM, SECOND, &making.encoded(), result)
}

fn held() -> Vec<Value> {
    let (owner, second) = (Making::first().encoded(), Making::second());
    let all = Making { places: vec![0, 1, 2, 3], ..second.clone() };
    let later = Making { height: Height(9 * TERM - 1), ..second.clone() };
    // The base point (RFC 8032 §5.1): nobody's key.
    let mut note_key = Digest([0x66; 32]);
    note_key.0[0] = 0x58;
    let committee = Committee { note_key: Some(note_key), ..THIRD.committee() };
    let keyed = Making { committee, ..second.clone() };
    vec![
        case("one owner hands over to four", 0, FIRST, &owner, "followed"),
        of_second("three of four approve", &second, "followed"),
        of_second("all approve", &all, "followed"),
        of_second("a later term", &later, "followed"),
        of_second("to a committee with a note key", &keyed, "followed"),
    ]
}

/// What a reader that cannot do pairings follows.
fn uncertified() -> Vec<Value> {
    let second = Making::second();
    let new_key = Making { signer: THIRD, ..second.clone() };
    let foreign = second.encoded_with(|it| it.certificate = &[1; 83]);
    vec![
        of_second("certified under the new key", &new_key, "certificate"),
        case("a certificate of another header", TERM, SECOND, &foreign, "certificate"),
    ]
}

fn refused() -> Vec<Value> {
    let second = Making::second();
    let mut cases = Vec::new();
    let mut refused = |name: &str, making: Making, result: &str| {
        cases.push(of_second(name, &making, result));
    };
    let good = || second.clone();
    refused("two of four approve", Making { places: vec![0, 1], ..good() }, "quorum");
    refused("nobody approves", Making { places: vec![], ..good() }, "quorum");
    refused("one approves twice", Making { places: vec![0, 1, 1], ..good() }, "order");
    refused("approvals out of order", Making { places: vec![1, 0, 3], ..good() }, "order");
    refused("the new committee approves", Making { from: THIRD, ..good() }, "signature");
    refused("not the last height of a term", Making { height: Height(600), ..good() }, "height");
    let before = Height(TERM - 1);
    refused("before the committee was in office", Making { height: before, ..good() }, "header");
    refused("a header of another committee", Making { epoch: Epoch(2), ..good() }, "header");
    let next = Some(SECOND.committee().digest());
    refused("a header that names another committee", Making { next, ..good() }, "next");
    let skipped = Committee { epoch: Epoch(3), ..THIRD.committee() };
    refused("a number is left out", Making { committee: skipped, ..good() }, "number");
    refused(
        "the same committee again",
        Making { committee: SECOND.committee(), ..good() },
        "number",
    );
    let low = Committee { threshold: 2, ..THIRD.committee() };
    refused("a threshold of two of four", Making { committee: low, ..good() }, "committee");
    let certificate_key = CertificateKey([0xc0; 96]);
    let keyless = Committee { certificate_key, ..THIRD.committee() };
    refused(
        "a certificate key that is no point",
        Making { committee: keyless, ..good() },
        "committee",
    );
    let pointless = Committee { note_key: Some(Digest([0xff; 32])), ..THIRD.committee() };
    refused("a note key that is no point", Making { committee: pointless, ..good() }, "committee");
    let of_validator = THIRD.committee().validators[0].peer;
    let shared = Committee { note_key: Some(of_validator), ..THIRD.committee() };
    refused(
        "a note key that is a validator's",
        Making { committee: shared, ..good() },
        "committee",
    );
    let mut twice = THIRD.committee();
    twice.validators[3] = twice.validators[0].clone();
    refused("one validator twice", Making { committee: twice, ..good() }, "committee");
    let stranger = second.encoded_with(|it| it.approvals[2].validator = 4);
    cases.push(case("a validator that there is not", TERM, SECOND, &stranger, "stranger"));
    let forged = second.encoded_with(|it| it.approvals[0].signature[40] ^= 1);
    cases.push(case("an approval that is changed", TERM, SECOND, &forged, "signature"));
    let cut = second.encoded_with(|it| it.header = &[]);
    cases.push(case("without a header", TERM, SECOND, &cut, "header"));
    cases
}
