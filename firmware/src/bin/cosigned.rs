//! The same proof without pairings: who is in office by the validators' approvals, the log by their
//! cosignatures, all of them Ed25519. For a device in which the other program finds no room; what it
//! believes less is in docs/light-clients.md.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::string::{String, ToString};
use cortex_m_rt::entry;
use touchmark_core::entry::Entry;
use touchmark_firmware::board;
use touchmark_wire::algorithm::PureVerifier;
use touchmark_wire::bundle::{Bundle, Claim};
use touchmark_wire::certificate::verify_quorum;
use touchmark_wire::checkpoint::SignedCheckpoint;
use touchmark_wire::genesis::Genesis;
use touchmark_wire::handover::Tenure;
use touchmark_wire::ids::NetworkId;
use touchmark_wire::leaf::Leaf;
use touchmark_wire::merkle;
use touchmark_wire::registry::{EntryKind, Status};
use touchmark_wire::state::StateKey;
use touchmark_wire::trie::TrieProof;

#[entry]
fn main() -> ! {
    board::start();
    let network = touchmark_firmware::network();
    for path in board::arguments() {
        let Some(bundle) = board::read(&path) else { panic!("the host has no {path}") };
        board::tell("bundle", bundle.len());
        let (status, instructions) = board::counted(|| status(&bundle, network));
        match status {
            Ok(status) if status == Status::ACTIVE => board::tell("verdict", "valid"),
            Ok(status) => board::tell("verdict", status),
            Err(refusal) => board::tell("verdict", refusal),
        }
        board::tell("instructions", instructions);
    }
    board::end_with_peaks()
}

/// The status that the first claim is about, as of the cosigned log.
fn status(bundle: &[u8], network: NetworkId) -> Result<Status, String> {
    let bundle = Bundle::decode(bundle).map_err(|error| error.to_string())?;
    let genesis = Genesis::decode(bundle.genesis).map_err(|error| error.to_string())?;
    if genesis.network_id() != network {
        return Err("it is of another network".into());
    }
    let mut tenure = Tenure::first(genesis.committee);
    for handover in &bundle.handovers.0 {
        tenure = tenure.follow_approvals(network, handover).map_err(|error| error.to_string())?;
    }
    let note = SignedCheckpoint::parse(bundle.note.unwrap_or_default().as_bytes())
        .map_err(|error| error.to_string())?;
    let log = note.checkpoint();
    if log.origin() != genesis.origin {
        return Err("it is of another log".into());
    }
    let threshold = usize::from(tenure.committee.threshold);
    verify_quorum(&note, &tenure.committee.cosigners(), threshold, &PureVerifier)
        .map_err(|error| error.to_string())?;
    let last = &bundle.batch;
    let hash = merkle::leaf_hash(last.leaf);
    merkle::verify_inclusion(&hash, last.index, log.size, last.path.iter(), &log.root)
        .map_err(|error| error.to_string())?;
    let Ok(Leaf::Batch(batch)) = Leaf::decode(last.leaf) else {
        return Err("its leaf closes no batch".into());
    };
    if last.index.size() != log.size {
        return Err("its leaf is not the last one".into());
    }
    let state = TrieProof::verify(bundle.state, &batch.state_root);
    let state = state.map_err(|error| error.to_string())?;
    let Some(Claim::Status(thing)) = bundle.claims.first() else {
        return Err("it claims no status".into());
    };
    let key = StateKey::thing(*thing, EntryKind::THING);
    let value = state.get(&key).map_err(|error| error.to_string())?;
    match value.map(|value| Entry::decode(&key, value)) {
        Some(Ok(Entry::Thing(thing))) => Ok(thing.status()),
        Some(_) => Err("the entry is malformed".into()),
        None => Err("there is no such thing".into()),
    }
}
