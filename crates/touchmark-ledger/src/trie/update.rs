//! Updating the trie: each touched page is read, changed and hashed once per batch.

use super::{Page, PagePath, Pages, subtree_of_children, subtree_of_leaves};
use std::collections::BTreeMap;
use std::sync::Arc;
use touchmark_core::refusal::Unreadable;
use touchmark_wire::hash::Digest;
use touchmark_wire::state::StateKey;
use touchmark_wire::trie::EMPTY;

/// The trie after a batch.
#[derive(Debug)]
pub struct Updated {
    /// Its root.
    pub root: Digest,
    /// The pages that changed.
    pub pages: BTreeMap<PagePath, Arc<Page>>,
}

/// Sets the leaf hashes of `changes`, sorted by key, each key once. Entries are never removed.
pub fn update(pages: &dyn Pages, changes: &[(StateKey, Digest)]) -> Result<Updated, Unreadable> {
    let mut written = BTreeMap::new();
    let root = if changes.is_empty() {
        match pages.page(&PagePath::ROOT)?.as_deref() {
            Some(page) => hash_of(page, PagePath::ROOT),
            None => EMPTY,
        }
    } else {
        update_page(pages, PagePath::ROOT, changes, &mut written)?
    };
    Ok(Updated { root, pages: written })
}

fn hash_of(page: &Page, path: PagePath) -> Digest {
    match page {
        Page::Leaves(leaves) => subtree_of_leaves(leaves),
        Page::Children(children) => subtree_of_children(children, path.depth()),
    }
}

fn update_page(
    pages: &dyn Pages,
    path: PagePath,
    changes: &[(StateKey, Digest)],
    written: &mut BTreeMap<PagePath, Arc<Page>>,
) -> Result<Digest, Unreadable> {
    let page = match pages.page(&path)?.as_deref() {
        Some(Page::Children(children)) => {
            let mut children = children.clone();
            for (nibble, below) in by_nibble(path, changes) {
                let hash = update_page(pages, path.child(nibble), below, written)?;
                match children.binary_search_by_key(&nibble, |(known, _)| *known) {
                    Ok(place) => children[place].1 = hash,
                    Err(place) => children.insert(place, (nibble, hash)),
                }
            }
            Page::Children(children)
        }
        Some(Page::Leaves(leaves)) => page_of(path, merge(leaves, changes), written),
        None => page_of(path, changes.to_vec(), written),
    };
    let hash = hash_of(&page, path);
    written.insert(path, Arc::new(page));
    Ok(hash)
}

/// A page of these leaves, split as often as needed; the pages below are written.
fn page_of(
    path: PagePath,
    leaves: Vec<(StateKey, Digest)>,
    written: &mut BTreeMap<PagePath, Arc<Page>>,
) -> Page {
    if leaves.len() <= Page::LEAVES {
        return Page::Leaves(leaves);
    }
    let children = by_nibble(path, &leaves)
        .map(|(nibble, below)| {
            let child = path.child(nibble);
            let page = page_of(child, below.to_vec(), written);
            let hash = hash_of(&page, child);
            written.insert(child, Arc::new(page));
            (nibble, hash)
        })
        .collect();
    Page::Children(children)
}

/// Runs of `sorted` whose keys choose the same child.
fn by_nibble(
    path: PagePath,
    sorted: &[(StateKey, Digest)],
) -> impl Iterator<Item = (u8, &[(StateKey, Digest)])> {
    sorted
        .chunk_by(move |(a, _), (b, _)| path.nibble_of(a) == path.nibble_of(b))
        .map(move |run| (path.nibble_of(&run[0].0), run))
}

/// Both sorted lists in one, `changes` winning.
fn merge(leaves: &[(StateKey, Digest)], changes: &[(StateKey, Digest)]) -> Vec<(StateKey, Digest)> {
    let mut merged = Vec::with_capacity(leaves.len() + changes.len());
    let (mut old, mut new) = (leaves.iter().peekable(), changes.iter().peekable());
    loop {
        let next = match (old.peek(), new.peek()) {
            (Some(a), Some(b)) if a.0 == b.0 => {
                old.next();
                new.next()
            }
            (Some(a), Some(b)) if a.0 < b.0 => old.next(),
            (_, Some(_)) => new.next(),
            (Some(_), None) => old.next(),
            (None, None) => return merged,
        };
        merged.extend(next.copied());
    }
}
