//! Bundles of a log with one leaf, certified by one committee or another.

use super::super::writer::hex;
use super::super::{FIRST, SECOND, THIRD};
use super::{Making, TIME, genesis, header, network};
use crate::committee::Panel;
use crate::one_leaf;
use serde_json::{Value, json};
use touchmark_wire::algorithm::{SignedBytes, Signer as _};
use touchmark_wire::bundle::{Bundle, Bytes, Claim, Freshness, Handovers, Hashes, ProvedLeaf};
use touchmark_wire::handover::Handover;
use touchmark_wire::ids::{Epoch, Height, LeafIndex, TreeSize};
use touchmark_wire::limits::TERM;

const NONCE: &[u8] = b"sixteen bytes or more";

/// Each with what a verdict says of it.
pub(super) fn all() -> Vec<Value> {
    let (first, second) = (Making::first().encoded(), Making::second().encoded());
    let both: [&[u8]; 2] = [&first, &second];
    let one = &both[..1];
    let (genesis, four, replaced) =
        (Proof::by(FIRST, 40, &[]), Proof::by(SECOND, TERM, one), Proof::by(THIRD, 1_100, &both));
    let mut cases = Vec::new();
    let mut valid = |name: &str, proof: &Proof<'_>| cases.push(proof.case(name, None));
    valid("before any change", &genesis);
    valid("the last height before a change", &Proof { height: TERM - 1, next: SECOND, ..genesis });
    valid("the first height after a change", &four);
    valid(
        "the last height before the second change",
        &Proof { height: 2 * TERM - 1, next: THIRD, ..four },
    );
    valid("after two changes", &replaced);
    valid("after two changes, fresh", &Proof { fresh: Some(THIRD), ..replaced });
    let swapped: [&[u8]; 2] = [&second, &first];
    let forged = Making { places: vec![0, 1], ..Making::second() }.encoded();
    let forged: [&[u8]; 2] = [&first, &forged];
    let other_key = Making { signer: THIRD, ..Making::second() }.encoded();
    let other_key: [&[u8]; 2] = [&first, &other_key];
    let early = Making { height: Height(1_000), ..Making::second() }.encoded();
    let early: [&[u8]; 2] = [&first, &early];
    let again: [&[u8]; 2] = [&first, &first];
    let handover = ("certificate", "TM-HANDOVER");
    for (name, proof, end) in [
        ("no hand-over", Proof { handovers: &[], ..replaced }, handover),
        ("the first is missing", Proof { handovers: &both[1..], ..replaced }, handover),
        ("the second is missing", Proof { handovers: one, ..replaced }, handover),
        ("out of order", Proof { handovers: &swapped, ..replaced }, handover),
        ("one twice", Proof { handovers: &again, ..replaced }, handover),
        ("not approved by enough", Proof { handovers: &forged, ..replaced }, handover),
        ("certified under another key", Proof { handovers: &other_key, ..replaced }, handover),
        ("at a height that ends no term", Proof { handovers: &early, ..replaced }, handover),
        ("one too many for the header", Proof { handovers: &both, ..four }, handover),
        ("a header before the committee was in office", Proof { height: 40, ..four }, handover),
        ("another next committee within a term", Proof { next: THIRD, ..four }, handover),
        (
            "a header under the key of the committee before",
            Proof { signer: FIRST, ..four },
            ("certificate", "TM-CERTIFICATE"),
        ),
        (
            "a fresh answer by the committee before",
            Proof { fresh: Some(SECOND), ..replaced },
            ("freshness", "TM-NOT-FRESH"),
        ),
    ] {
        cases.push(proof.case(name, Some(end)));
    }
    cases
}

/// A bundle in the making.
#[derive(Clone, Copy)]
struct Proof<'a> {
    height: u64,
    panel: Panel<'static>,
    signer: Panel<'static>,
    next: Panel<'static>,
    handovers: &'a [&'a [u8]],
    fresh: Option<Panel<'static>>,
}

impl<'a> Proof<'a> {
    /// As it should be, in the middle of a term.
    const fn by(panel: Panel<'static>, height: u64, handovers: &'a [&'a [u8]]) -> Self {
        Self { height, panel, signer: panel, next: panel, handovers, fresh: None }
    }

    /// With the check that fails and its code.
    fn case(&self, name: &str, fails: Option<(&str, &str)>) -> Value {
        let mut case =
            json!({ "name": name, "bytes": hex(&self.encoded()), "valid": fails.is_none() });
        if let Some((check, code)) = fails {
            case["check"] = check.into();
            case["code"] = code.into();
        }
        if self.fresh.is_some() {
            case["nonce"] = hex(NONCE).into();
        }
        case
    }

    fn encoded(&self) -> Vec<u8> {
        let (genesis, state, batch) =
            (genesis().encode_to_vec(), one_leaf::state(), one_leaf::batch_leaf(TIME));
        let next = self.next.committee().digest();
        let header = header(Height(self.height), Epoch(self.panel.number), next);
        let certificate = self.signer.certify(network(), &header);
        let message = Freshness::message(network(), NONCE, TreeSize(1), one_leaf::root(TIME));
        let answer = |panel: Panel<'_>, place: usize| {
            let key = panel.answer(place);
            key.sign(&SignedBytes::new([&message[..]])).expect("a key in memory signs")
        };
        let signed: Vec<_> =
            self.fresh.iter().flat_map(|panel| [1, 2, 3].map(|at| answer(*panel, at))).collect();
        let signatures = signed.iter().zip(1..).map(|(it, at)| (at, Bytes(it))).collect();
        let handovers = self.handovers.iter();
        let handovers =
            handovers.map(|it| Handover::decode(it).expect("what is encoded is decoded"));
        let bundle = Bundle {
            version: Bundle::VERSION,
            genesis: &genesis,
            headers: vec![Bytes(&header)],
            certificate: Some(&certificate),
            batch: ProvedLeaf { index: LeafIndex(0), leaf: &batch, path: Hashes::NONE },
            state: &state,
            leaves: Vec::new(),
            claims: vec![Claim::Status(one_leaf::THING)],
            freshness: self.fresh.map(|_| Freshness { nonce: NONCE, signatures }),
            note: None,
            handovers: Handovers(handovers.collect()),
            anchor: None,
        };
        bundle.encode_to_vec()
    }
}
