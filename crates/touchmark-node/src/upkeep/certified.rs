//! What a network certified of its log and state, as a bundle proves it.

use touchmark_core::verdict::{Accepted, CertificateKind, Trust, judge};
use touchmark_store::Manifest;
use touchmark_wire::bundle::Bundle;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::NetworkId;
use touchmark_wire::leaf::{BatchLeaf, Leaf};
use touchmark_wire::ratchet::Position;

/// A certified batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Certified {
    pub(crate) header: Position,
    pub(crate) state_root: Digest,
}

impl Certified {
    /// Judges a bundle under a network's root of trust; an error says which check it fails.
    pub(crate) fn judged(bundle: &[u8], network: NetworkId) -> Result<Self, String> {
        let certificates = Accepted::Only(CertificateKind::Engine);
        let trust = Trust { network: Some(network), certificates, ..Trust::default() };
        let verdict = judge(bundle, &trust);
        if !verdict.valid {
            let failed = verdict.failure();
            return Err(failed.map_or_else(
                || "its proof claims nothing".to_owned(),
                |check| {
                    let code = check.code.unwrap_or("TM-MALFORMED");
                    format!("{} ({code})", check.reason)
                },
            ));
        }
        let header = verdict.position.expect("a valid verdict rests on the engine's certificate");
        let leaf = batch_leaf(bundle).expect("a valid verdict found the last leaf of that log");
        Ok(Self { header, state_root: leaf.state_root })
    }

    /// Whether a copy of log and state is what was certified; an error says what differs.
    pub(super) fn covers(&self, copy: &Manifest) -> Result<(), String> {
        let Position { height, size, root, .. } = self.header;
        let compared = [
            ("height", height == copy.height),
            ("size", size == copy.size),
            ("root", root == copy.root),
            ("state root", self.state_root == copy.state_root),
        ];
        let differs: Vec<_> =
            compared.iter().filter(|(_, same)| !same).map(|(name, _)| *name).collect();
        if differs.is_empty() {
            return Ok(());
        }
        Err(format!(
            "it proves batch {height}, of {size} leaves, and the copy's {} differ",
            differs.join(", ")
        ))
    }
}

/// The leaf that fixes a bundle's state.
fn batch_leaf(bundle: &[u8]) -> Option<BatchLeaf> {
    match Leaf::decode(Bundle::decode(bundle).ok()?.batch.leaf) {
        Ok(Leaf::Batch(leaf)) => Some(leaf),
        _ => None,
    }
}
