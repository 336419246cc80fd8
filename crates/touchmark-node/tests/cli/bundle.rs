//! A network with one validator and a log of one batch, certified as a committee would.

use touchmark_keys::software::SoftwareKey;
use touchmark_testkit::committee::Secret;
use touchmark_testkit::one_leaf;
pub(crate) use touchmark_testkit::one_leaf::THING;
use touchmark_wire::algorithm::{Algorithm, SignedBytes, Signer as _};
use touchmark_wire::bundle::{Bundle, Bytes, Claim, Freshness, Handovers, Hashes, ProvedLeaf};
use touchmark_wire::certificate::{Cosignature, CosignatureTime, Cosigner};
use touchmark_wire::checkpoint::Checkpoint;
use touchmark_wire::codec;
use touchmark_wire::genesis::{Committee, Genesis, Validator};
use touchmark_wire::hash::Digest;
use touchmark_wire::header::BatchHeader;
use touchmark_wire::ids::{Epoch, Height, LeafIndex, Timestamp, TreeSize};
use touchmark_wire::receipt::{Path, Proof, Receipt, ReceiptHeader};

pub(crate) const ORIGIN: &str = "log.example/1";
pub(crate) const NONCE: &str = "sixteen bytes or more";
const TIME: Timestamp = Timestamp(1_735_689_599_999);

const COMMITTEE: Secret = Secret(7_001);

/// The validator's log key.
pub(crate) fn log_key() -> SoftwareKey {
    SoftwareKey::from_seed(Algorithm::Es256, &[3; 32]).unwrap()
}

/// The validator's cosigner key.
pub(crate) fn cosigner_key() -> SoftwareKey {
    SoftwareKey::from_seed(Algorithm::Ed25519, &[4; 32]).unwrap()
}

pub(crate) fn genesis() -> Genesis {
    let validator = Validator {
        name: "validator-1".into(),
        peer: Digest([1; 32]),
        log_key: *log_key().public_key().cose(),
        cosigner_key: *cosigner_key().public_key().cose(),
    };
    let committee = Committee {
        epoch: Epoch(0),
        certificate_key: COMMITTEE.certificate_key(),
        validators: vec![validator],
        threshold: 1,
        note_key: None,
    };
    Genesis { rules: 1, origin: ORIGIN.into(), committee, time: TIME }
}

/// The log's only leaf.
pub(crate) fn batch_leaf() -> Vec<u8> {
    one_leaf::batch_leaf(TIME)
}

pub(crate) fn root() -> Digest {
    one_leaf::root(TIME)
}

pub(crate) fn header() -> Vec<u8> {
    header_at(Height(1), TIME)
}

/// The header of the log's batch, or of an empty one after it.
fn header_at(height: Height, time: Timestamp) -> Vec<u8> {
    codec::encode(&BatchHeader {
        context: &[],
        parent: Digest([5; 32]),
        height,
        time,
        epoch: Epoch(0),
        data_root: BatchHeader::data_root(&[root()]),
        size: TreeSize(1),
        root: root(),
        next: genesis().committee.digest(),
    })
}

/// The committee's certificate of `header` (spec/ledger.md, Certificates).
pub(crate) fn certificate(header: &[u8]) -> Vec<u8> {
    COMMITTEE.certify(genesis().network_id(), [0, 1, 0], header)
}

/// A bundle that shows the thing's status and another's absence, and answers [`NONCE`] on request.
pub(crate) fn bundle(fresh: bool) -> Vec<u8> {
    certified(&header(), fresh)
}

/// The same as of a batch at this height, so many milliseconds after the first.
pub(crate) fn bundle_at(height: u64, later: u64) -> Vec<u8> {
    certified(&header_at(Height(height), Timestamp(TIME.0 + later)), false)
}

fn certified(header: &[u8], fresh: bool) -> Vec<u8> {
    let (genesis, batch) = (genesis().encode_to_vec(), batch_leaf());
    let (certificate, state) = (certificate(header), one_leaf::state());
    let nonce = NONCE.as_bytes();
    let message =
        Freshness::message(super::bundle::genesis().network_id(), nonce, TreeSize(1), root());
    let signature = log_key().sign(&SignedBytes::new([&message[..]])).unwrap();
    let bundle = Bundle {
        version: Bundle::VERSION,
        genesis: &genesis,
        headers: vec![Bytes(header)],
        certificate: Some(&certificate),
        batch: ProvedLeaf { index: LeafIndex(0), leaf: &batch, path: Hashes::NONE },
        state: &state,
        leaves: Vec::new(),
        claims: vec![Claim::Status(THING)],
        freshness: fresh.then(|| Freshness { nonce, signatures: vec![(0, Bytes(&signature))] }),
        note: None,
        handovers: Handovers::default(),
        anchor: None,
    };
    bundle.encode_to_vec()
}

/// The receipt of the log's only leaf.
pub(crate) fn receipt() -> Vec<u8> {
    receipt_by(&log_key(), ORIGIN)
}

/// The same, by whoever has `key` for a log of this origin.
pub(crate) fn receipt_by(key: &SoftwareKey, origin: &str) -> Vec<u8> {
    let header = ReceiptHeader {
        algorithm: Algorithm::Es256,
        kid: None,
        issuer: Some(origin),
        subject: None,
    };
    let proof =
        Proof::Inclusion { size: TreeSize(1), index: LeafIndex(0), path: Path::new(&[]).unwrap() };
    let mut buffer = [0; ReceiptHeader::LIMIT];
    codec::encode(&Receipt::sign(&header, &mut buffer, proof, &root(), key).unwrap())
}

/// The log's checkpoint, cosigned by the validator.
pub(crate) fn checkpoint() -> String {
    let checkpoint = Checkpoint::new(ORIGIN, TreeSize(1), root()).unwrap();
    let body = checkpoint.body();
    let key = cosigner_key();
    let cosignature =
        Cosignature::sign(body.as_str(), CosignatureTime(1_735_689_600), &key).unwrap();
    let cosigner = Cosigner::new("validator-1", key.public_key().clone()).unwrap();
    format!("{}\n{}", body.as_str(), cosigner.line(cosignature))
}
