//! A network whose keys the test has: it can sign any log, also one that its rules do not make.

use super::bundle::{self, ORIGIN, certificate, genesis};
use super::issuer::Issuer;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use touchmark_api::tile::{Row, Tile, WIDTH};
use touchmark_batch::{Application as _, Proposal};
use touchmark_core::admission::OneByOne;
use touchmark_core::directory::status::SetStatus;
use touchmark_engine::genesis_context;
use touchmark_ledger::{Ledger, LedgerLimits, StateView as _, genesis_batch};
use touchmark_store::{CacheLimits, Store};
use touchmark_wire::algorithm::{Algorithm, Signer as _};
use touchmark_wire::bundle::{Bundle, Bytes, Claim, Handovers, Hashes, ProvedLeaf};
use touchmark_wire::certificate::{Cosignature, CosignatureTime, Cosigner};
use touchmark_wire::checkpoint::Checkpoint;
use touchmark_wire::codec;
use touchmark_wire::hash::Digest;
use touchmark_wire::header::BatchHeader;
use touchmark_wire::ids::{LeafIndex, NetworkId, Timestamp, TreeSize};
use touchmark_wire::leaf::{BatchLeaf, Leaf};
use touchmark_wire::merkle::{leaf_hash, node_hash};
use touchmark_wire::registry::{StatementKind, Status, ThingKind};

/// The leaves of a log.
#[derive(Clone)]
pub(crate) struct Log(pub(crate) Vec<Vec<u8>>);

pub(crate) fn network() -> NetworkId {
    genesis().network_id()
}

impl Log {
    /// What the rules make of some statements: two things, records, a denied change, an empty batch
    /// that left no leaf, and more records.
    pub(crate) fn honest() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let first = Arc::new(genesis_batch(&genesis(), genesis_context()));
        let limits = CacheLimits::default();
        let store = Arc::new(Store::open(folder.path(), &genesis(), &first, limits).unwrap());
        let ledger = Ledger::new(
            store.clone(),
            Arc::new(OneByOne),
            first,
            LedgerLimits::default(),
            Box::new(|_, _| {}),
        )
        .unwrap();
        let [mut one, mut two] =
            [0, 1].map(|_| Issuer::new(network(), ThingKind::DEVICE, Algorithm::Ed25519));
        let other = SetStatus { thing: one.id, status: Status::STOLEN, reason: None, keys: None };
        let batches = [
            vec![one.inception(), two.inception()],
            vec![one.record(b"1"), two.act(StatementKind::STATUS, &other), one.record(b"2")],
            vec![],
            vec![two.record(b"3")],
        ];
        for statements in batches {
            ledger.submit(statements, |_| Box::new(|_| {}));
            let parent = store.snapshot().tip().batch.clone();
            let proposal = Proposal {
                context: &[],
                parent: &parent,
                ancestry: &[],
                now: Timestamp(parent.time().0 + 1_000),
                body_limit: 1 << 20,
            };
            ledger.deliver(Arc::new(ledger.propose(proposal).unwrap())).unwrap();
        }
        let all = LeafIndex(0)..LeafIndex(store.snapshot().size().0);
        Self(store.snapshot().leaves(all).map(|leaf| leaf.unwrap().1).collect())
    }

    /// Puts another leaf in the place of one.
    pub(crate) fn with(&self, at: usize, change: impl FnOnce(Leaf<'_>) -> Vec<u8>) -> Self {
        let mut leaves = self.0.clone();
        leaves[at] = change(Leaf::decode(&self.0[at]).unwrap());
        Self(leaves)
    }

    /// Writes the log as a mirror has it, certified and cosigned by the network's own keys.
    pub(crate) fn show(&self, folder: &Path) {
        let hashes: Vec<_> = self.0.iter().map(|leaf| leaf_hash(leaf)).collect();
        let width = hashes.len() as u64;
        assert!(width < WIDTH, "one partial tile is enough");
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        };
        let body = self.0.iter().flat_map(|leaf| {
            let length = u16::try_from(leaf.len()).unwrap().to_be_bytes();
            [&length[..], leaf].concat()
        });
        let tile = |row| Tile { row, index: 0, width }.to_string();
        write(&tile(Row::Entries), &body.collect::<Vec<_>>());
        write(&tile(Row::Hashes(0)), &hashes.iter().flat_map(|hash| hash.0).collect::<Vec<_>>());
        write("genesis.cbor", &genesis().encode_to_vec());
        write(&format!("proof/{width}.tmb"), &self.proof(&hashes));
        write("checkpoint", checkpoint(TreeSize(width), root(&hashes)).as_bytes());
    }

    fn proof(&self, hashes: &[Digest]) -> Vec<u8> {
        let last = self.0.last().unwrap();
        let Ok(Leaf::Batch(BatchLeaf { height, time, state_root })) = Leaf::decode(last) else {
            panic!("a log ends with a batch leaf");
        };
        let header = codec::encode(&BatchHeader {
            context: &[],
            parent: Digest([5; 32]),
            height,
            time,
            epoch: genesis().committee.epoch,
            data_root: Digest([6; 32]),
            size: TreeSize(hashes.len() as u64),
            root: root(hashes),
            next: genesis().committee.digest(),
        });
        let index = LeafIndex(hashes.len() as u64 - 1);
        let path: Vec<u8> = path(hashes.len() - 1, hashes).iter().flat_map(|hash| hash.0).collect();
        let batch = ProvedLeaf { index, leaf: last, path: Hashes::new(&path).unwrap() };
        let bundle = Bundle {
            version: Bundle::VERSION,
            genesis: &genesis().encode_to_vec(),
            headers: vec![Bytes(&header)],
            certificate: Some(&certificate(&header)),
            batch,
            state: &[&[0], &state_root.0[..]].concat(),
            leaves: vec![batch],
            claims: vec![Claim::Record(index)],
            freshness: None,
            note: None,
            handovers: Handovers::default(),
            anchor: None,
        };
        bundle.encode_to_vec()
    }
}

fn checkpoint(size: TreeSize, root: Digest) -> String {
    let checkpoint = Checkpoint::new(ORIGIN, size, root).unwrap();
    let (body, key) = (checkpoint.body(), bundle::cosigner_key());
    let cosignature = Cosignature::sign(body.as_str(), CosignatureTime(1), &key).unwrap();
    let cosigner = Cosigner::new("validator-1", key.public_key().clone()).unwrap();
    format!("{}\n{}", body.as_str(), cosigner.line(cosignature))
}

/// RFC 9162 §2.1.1.
fn root(hashes: &[Digest]) -> Digest {
    if let [one] = hashes {
        return *one;
    }
    let (left, right) = hashes.split_at(hashes.len().next_power_of_two() / 2);
    node_hash(&root(left), &root(right))
}

/// RFC 9162 §2.1.3.1.
fn path(at: usize, hashes: &[Digest]) -> Vec<Digest> {
    if hashes.len() == 1 {
        return Vec::new();
    }
    let (left, right) = hashes.split_at(hashes.len().next_power_of_two() / 2);
    let (mut below, beside) = match at.checked_sub(left.len()) {
        None => (path(at, left), root(right)),
        Some(at) => (path(at, right), root(left)),
    };
    below.push(beside);
    below
}
