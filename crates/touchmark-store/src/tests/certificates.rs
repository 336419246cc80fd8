//! Certificates that came with batches: found from below, thinned out, and there after a start.

use super::fixture::Node;
use touchmark_wire::ids::Height;
use touchmark_wire::limits::TERM;

fn keep(node: &Node, height: u64) {
    node.store.keep_certificate(Height(height), &height.to_be_bytes()).unwrap();
}

/// What covers a height, as a snapshot after the next batch shows it.
fn covering(node: &Node, height: u64) -> Option<u64> {
    let (of, bytes) = node.snapshot().certificate(Height(height)).unwrap()?;
    assert_eq!(bytes, of.0.to_be_bytes());
    Some(of.0)
}

#[test]
fn the_nearest_at_or_above_counts_also_after_a_start() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open(folder.path());
    assert_eq!(covering(&node, 1), None);
    keep(&node, 1);
    node.batch(Vec::new());
    keep(&node, 3);
    node.batch(Vec::new());
    let check = |node: &Node| {
        for (height, found) in [(0, Some(1)), (1, Some(1)), (2, Some(3)), (3, Some(3)), (4, None)] {
            assert_eq!(covering(node, height), found, "{height}");
        }
    };
    check(&node);
    drop(node);
    check(&Node::open(folder.path()));
}

#[test]
fn of_a_term_that_is_long_over_only_the_last_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open(folder.path());
    let ends = [TERM - 1, 2 * TERM - 1, 3 * TERM - 1];
    for height in [5, 6, ends[0], TERM, ends[1], 2 * TERM, ends[2]] {
        keep(&node, height);
        node.batch(Vec::new());
    }
    for (height, found) in [
        (1, ends[0]),
        (TERM, ends[1]),
        // The last term's are all there.
        (2 * TERM, 2 * TERM),
        (2 * TERM + 1, ends[2]),
    ] {
        assert_eq!(covering(&node, height), Some(found), "{height}");
    }
}
