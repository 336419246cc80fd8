//! What a reader asks of bundles beside their own network's word: that they continue the log that it
//! kept, and that another network has it.

use super::Root;
use super::verdict::{failed, undecided};
use crate::cli::failure::{Failure, Fault};
use crate::cli::input;
use crate::cli::session::Session;
use std::path::Path;
use touchmark_core::verdict::Check;
use touchmark_wire::bundle::Bundle;
use touchmark_wire::checkpoint::{Checkpoint, SignedCheckpoint};
use touchmark_wire::hash::Digest;
use touchmark_wire::header::BatchHeader;
use touchmark_wire::ids::TreeSize;

/// Size and root of the log in a file that the reader kept; nothing in it is checked again.
pub(super) fn log(
    session: &mut Session<'_, '_>,
    path: &Path,
) -> Result<(TreeSize, Digest), Failure> {
    let bytes = session.read(path)?;
    let found = input::decodings(&bytes).iter().find_map(|decoding| {
        note(&decoding.bytes).or_else(|| bundle(&Bundle::decode(&decoding.bytes).ok()?))
    });
    found.ok_or_else(|| {
        let what = format!("{} is neither a checkpoint nor a bundle", path.display());
        Failure::new(Fault::Malformed, what)
            .hint("keep what `touchmark proof checkpoint` or `proof fetch` wrote")
    })
}

fn note(bytes: &[u8]) -> Option<(TreeSize, Digest)> {
    let Checkpoint { size, root, .. } = *SignedCheckpoint::parse(bytes).ok()?.checkpoint();
    Some((size, root))
}

fn bundle(bundle: &Bundle<'_>) -> Option<(TreeSize, Digest)> {
    match bundle.headers.first() {
        Some(header) => BatchHeader::decode(header.0).ok().map(|it| (it.size, it.root)),
        None => note(bundle.note?.as_bytes()),
    }
}

/// The checks that a reader asks for and that only bundles can pass.
pub(super) fn not_shown(root: &Root<'_>) -> Vec<Check> {
    let seen = root.seen.map(|_| {
        let reason = "only a bundle can show that it continues a log (`proof fetch --continues`)";
        undecided("seen before", "TM-NOT-COVERED", reason)
    });
    let anchor = root.anchor.map(|_| {
        failed("anchor", "TM-NOT-ANCHORED", "only a bundle can show what another network has")
    });
    seen.into_iter().chain(anchor).collect()
}
