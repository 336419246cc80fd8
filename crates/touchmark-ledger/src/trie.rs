//! The state trie in pages: updating it and proving from it.
//!
//! Hashing is that of [`touchmark_wire::trie`]. What is stored are *pages*: a page holds everything
//! below a prefix of the key, either as up to [`Page::LEAVES`] leaves or, when there are more, as
//! the hashes of its 16 children. The root depends on the entries alone, not on the paging.

mod page;
mod proof;
mod update;

pub use page::{InvalidPage, Page, PagePath};
pub use proof::prove;
pub use update::{Updated, update};

use std::sync::Arc;
use touchmark_core::refusal::Unreadable;
use touchmark_wire::hash::Digest;
use touchmark_wire::state::StateKey;
use touchmark_wire::trie::branch_hash;

/// Where pages come from.
pub trait Pages {
    /// The page at `path`, if there is one.
    fn page(&self, path: &PagePath) -> Result<Option<Arc<Page>>, Unreadable>;
}

/// Hash of the subtree over `leaves`, of which there is at least one, sorted by key.
fn subtree_of_leaves(leaves: &[(StateKey, Digest)]) -> Digest {
    let (first, last) = (leaves[0], leaves[leaves.len() - 1]);
    let Some(depth) = first.0.first_difference(&last.0) else {
        return first.1;
    };
    let middle = leaves.partition_point(|(key, _)| !key.bit(depth));
    let left = subtree_of_leaves(&leaves[..middle]);
    let right = subtree_of_leaves(&leaves[middle..]);
    branch_hash(depth, &left, &right)
}

/// Hash of the subtree over `children`, of which there is at least one, sorted by nibble; `depth`
/// is the first bit that the nibble decides.
fn subtree_of_children(children: &[(u8, Digest)], depth: u8) -> Digest {
    let (first, last) = (children[0], children[children.len() - 1]);
    let Some((bit, middle)) = split_children(children) else {
        return first.1;
    };
    debug_assert!(first.0 < last.0, "children are sorted");
    let left = subtree_of_children(&children[..middle], depth);
    let right = subtree_of_children(&children[middle..], depth);
    branch_hash(depth + bit, &left, &right)
}

/// The first bit (0 to 3) at which the nibbles differ, and where the ones start; `None` for one
/// child.
fn split_children(children: &[(u8, Digest)]) -> Option<(u8, usize)> {
    let (first, last) = (children[0].0, children[children.len() - 1].0);
    let difference = first ^ last;
    if difference == 0 {
        return None;
    }
    let bit = difference.leading_zeros() as u8 - 4;
    let middle = children.partition_point(|(nibble, _)| nibble >> (3 - bit) & 1 == 0);
    Some((bit, middle))
}

#[cfg(test)]
mod tests;
