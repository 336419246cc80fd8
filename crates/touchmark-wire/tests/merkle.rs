//! Inclusion and consistency proofs, against published vectors.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use support::{bytes, cases, digest, number, path, text};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{LeafIndex, TreeSize};
use touchmark_wire::merkle::{verify_consistency, verify_inclusion};

fn verdict(accepted: bool) -> &'static str {
    if accepted { "accept" } else { "reject" }
}

#[test]
fn inclusion_as_published() {
    for case in cases("merkle-inclusion") {
        if ["leaf_hash", "root"].iter().any(|field| bytes(&case, field).len() != Digest::LEN) {
            // No value of our types; a stand-in would make equal what is refused for its length.
            assert_eq!(text(&case, "expected"), "reject");
            continue;
        }
        let checked = verify_inclusion(
            &digest(&case, "leaf_hash"),
            LeafIndex(number(&case, "index")),
            TreeSize(number(&case, "size")),
            path(&case, "path"),
            &digest(&case, "root"),
        );
        assert_eq!(verdict(checked.is_ok()), text(&case, "expected"), "{case}");
    }
}

#[test]
fn consistency_as_published() {
    for case in cases("merkle-consistency") {
        let checked = verify_consistency(
            TreeSize(number(&case, "old")),
            &digest(&case, "old_root"),
            TreeSize(number(&case, "new")),
            &digest(&case, "new_root"),
            path(&case, "path"),
        );
        assert_eq!(verdict(checked.is_ok()), text(&case, "expected"), "{case}");
    }
}
