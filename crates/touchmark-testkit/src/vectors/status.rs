//! The file `status-proof.json`: a proof of status as a device gets it, out of a log and a state of
//! some size, over one hand-over, certified in both ways.

use super::writer::hex;
use super::{FIRST, SECOND};
use crate::one_leaf::{self, THING};
use serde_json::{Value, json};
use touchmark_wire::bundle::{Bundle, Bytes, Claim, Handovers, Hashes, ProvedLeaf};
use touchmark_wire::certificate::{Cosignature, CosignatureTime, Cosigner};
use touchmark_wire::checkpoint::Checkpoint;
use touchmark_wire::codec;
use touchmark_wire::genesis::Genesis;
use touchmark_wire::handover::Handover;
use touchmark_wire::hash::Digest;
use touchmark_wire::header::BatchHeader;
use touchmark_wire::ids::{Epoch, Height, LeafIndex, ThingId, Timestamp, TreeSize};
use touchmark_wire::leaf::{BatchLeaf, Leaf};
use touchmark_wire::limits::TERM;
use touchmark_wire::merkle;
use touchmark_wire::registry::EntryKind;
use touchmark_wire::state::StateKey;
use touchmark_wire::trie::{self, ProofWriter, TrieProof};

const ORIGIN: &str = "log.example/1";
const TIME: Timestamp = Timestamp(1_735_689_599_999);
/// In the middle of the second committee's first term.
const HEIGHT: Height = Height(TERM + 88);
/// Leaves before the last batch leaf, and things of the state.
const LEAVES: u64 = 1_000_000;
const THINGS: u32 = 100_000;

/// The file.
pub fn status_proof() -> Value {
    let genesis = genesis();
    let (bundle, regions) = bundle(&genesis);
    json!({
        "generator": "crates/touchmark-testkit/src/vectors/status.rs",
        "title": "Proof of the status of one of 100,000 things after 1,000,001 leaves, by a committee of four that one owner handed over to; `regions` are its parts, and which reading rests on each: of the engine's certificates, or of approvals and cosignatures",
        "network": hex(&genesis.network_id().0.0),
        "thing": hex(&THING.0),
        "bundle": hex(&bundle),
        "regions": regions,
    })
}

fn genesis() -> Genesis {
    Genesis { rules: 1, origin: ORIGIN.into(), committee: FIRST.committee(), time: TIME }
}

fn bundle(genesis: &Genesis) -> (Vec<u8>, Value) {
    let network = genesis.network_id();
    let (state, state_root) = state();
    let batch = BatchLeaf { height: HEIGHT, time: TIME, state_root };
    let batch = Leaf::Batch(batch).encode_to_vec();
    let (path, root) = log(&merkle::leaf_hash(&batch));
    let size = TreeSize(LEAVES + 1);
    let second = SECOND.committee();
    let header = |height, epoch, next| {
        codec::encode(&BatchHeader {
            context: &[],
            parent: Digest([5; 32]),
            height,
            time: TIME,
            epoch,
            data_root: BatchHeader::data_root(&[]),
            size,
            root,
            next,
        })
    };
    let last = header(Height(TERM - 1), Epoch(0), second.digest());
    let own = header(HEIGHT, Epoch(1), second.digest());
    let (old, certificate) = (FIRST.certify(network, &last), SECOND.certify(network, &own));
    let handover = Handover {
        header: &last,
        certificate: &old,
        approvals: FIRST.approve(network, &second, &[0]),
        committee: second,
    };
    let (genesis, note) = (genesis.encode_to_vec(), cosigned_checkpoint(size, root));
    let bundle = Bundle {
        version: Bundle::VERSION,
        genesis: &genesis,
        headers: vec![Bytes(&own)],
        certificate: Some(&certificate),
        batch: ProvedLeaf {
            index: LeafIndex(LEAVES),
            leaf: &batch,
            path: Hashes::new(&path).expect("whole hashes"),
        },
        state: &state,
        leaves: Vec::new(),
        claims: vec![Claim::Status(THING)],
        freshness: None,
        note: Some(&note),
        handovers: Handovers(vec![handover.clone()]),
        anchor: None,
    };
    let encoded = bundle.encode_to_vec();
    let approval = codec::encode(&handover.approvals);
    let (body, lines) = note.split_once("\n\n").expect("a note has a body and lines");
    let parts: [(&str, &[u8], &str); 11] = [
        ("genesis", &genesis, BOTH),
        ("header", &own, CERTIFIED),
        ("certificate", &certificate, CERTIFIED),
        ("batch leaf", &batch, BOTH),
        ("log path", &path, BOTH),
        ("state proof", &state, BOTH),
        ("hand-over header", &last, CERTIFIED),
        ("hand-over certificate", &old, CERTIFIED),
        ("hand-over approval", &approval, BOTH),
        ("checkpoint", body.as_bytes(), COSIGNED),
        ("cosignatures", lines.as_bytes(), COSIGNED),
    ];
    let regions = parts.map(|part| region(&encoded, part));
    (encoded, regions.into())
}

/// What rests on a part: what the engine certified, what validators cosigned, or both.
const CERTIFIED: &str = "certified";
const COSIGNED: &str = "cosigned";
const BOTH: &str = "certified cosigned";

fn region(encoded: &[u8], (name, part, rests): (&str, &[u8], &str)) -> Value {
    let start = encoded.windows(part.len()).position(|window| window == part);
    let start = start.expect("every part stands in the bundle");
    json!({
        "name": name,
        "start": start,
        "end": start + part.len(),
        "certified": rests.contains(CERTIFIED),
        "cosigned": rests.contains(COSIGNED),
    })
}

/// A checkpoint with the lines of three of four validators.
pub fn cosigned_checkpoint(size: TreeSize, root: Digest) -> String {
    let checkpoint = Checkpoint::new(ORIGIN, size, root).expect("an origin can stand there");
    let body = checkpoint.body();
    let line = |place: usize| {
        let key = crate::committee::cosigner_key(SECOND.validators[place]);
        let name = &SECOND.committee().validators[place].name;
        let time = CosignatureTime(TIME.0 / 1_000);
        let cosignature = Cosignature::sign(body.as_str(), time, &key).expect("a key in memory");
        let cosigner =
            Cosigner::new(name, touchmark_wire::algorithm::Signer::public_key(&key).clone());
        cosigner.expect("an Ed25519 key and a name for notes").line(cosignature).to_string()
    };
    format!("{}\n{}", body.as_str(), [0, 1, 3].map(line).concat())
}

/// Inclusion path of the last leaf, and the root, of a log whose other leaves are all the same one.
fn log(last: &Digest) -> (Vec<u8>, Digest) {
    let mut subtree = merkle::leaf_hash(b"leaf");
    let (mut path, mut root) = (Vec::new(), *last);
    // The complete subtrees left of the last leaf are the bits of its index, the smallest first.
    for level in 0..u64::BITS {
        if LEAVES >> level & 1 == 1 {
            path.extend_from_slice(&subtree.0);
            root = merkle::node_hash(&subtree, &root);
        }
        subtree = merkle::node_hash(&subtree, &subtree);
    }
    (path, root)
}

/// Trie proof that shows the thing among the others, and its root.
fn state() -> (Vec<u8>, Digest) {
    let other = |n: u32| {
        let mut id = [0; 20];
        id[..4].copy_from_slice(&n.to_be_bytes());
        StateKey::thing(ThingId(id), EntryKind::THING)
    };
    let key = StateKey::thing(THING, EntryKind::THING);
    let mut keys: Vec<_> = (1..THINGS).map(other).chain([key]).collect();
    keys.sort_unstable();
    let mut proof = ProofWriter::default();
    show(&keys, key, &one_leaf::entry(), &mut proof);
    let proof = proof.finish();
    let root = TrieProof::root(&proof).expect("a proof has a root");
    (proof, root)
}

/// Writes the subtree of these keys: what leads to `shown` as it is, the rest cut off.
fn show(keys: &[StateKey], shown: StateKey, value: &[u8], proof: &mut ProofWriter) {
    if !keys.contains(&shown) {
        return proof.cut(&hash(keys));
    }
    match split(keys) {
        None => proof.leaf(&shown, value),
        Some((depth, left, right)) => {
            proof.branch(depth);
            show(left, shown, value, proof);
            show(right, shown, value, proof);
        }
    }
}

/// Hash of the subtree of these keys, each with an empty array as its value.
fn hash(keys: &[StateKey]) -> Digest {
    match split(keys) {
        None => trie::leaf_hash(&keys[0], &[0x80]),
        Some((depth, left, right)) => trie::branch_hash(depth, &hash(left), &hash(right)),
    }
}

/// The first bit at which sorted keys differ, and those on both sides; none for one key.
fn split(keys: &[StateKey]) -> Option<(u8, &[StateKey], &[StateKey])> {
    let (first, last) = (keys.first()?, keys.last()?);
    let depth = first.first_difference(last)?;
    let (left, right) = keys.split_at(keys.partition_point(|key| !key.bit(depth)));
    Some((depth, left, right))
}
