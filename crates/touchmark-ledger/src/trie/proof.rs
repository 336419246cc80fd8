//! Proofs of several entries at once, present or absent.

use super::{Page, PagePath, Pages, split_children, subtree_of_children, subtree_of_leaves};
use touchmark_core::refusal::Unreadable;
use touchmark_wire::hash::Digest;
use touchmark_wire::state::StateKey;
use touchmark_wire::trie::ProofWriter;

/// Proves what stands at `keys` (in any order): the tree of [`touchmark_wire::trie`] with
/// everything cut off that no search for one of them passes. `value` gives the encoded value of an
/// entry that exists.
pub fn prove(
    pages: &dyn Pages,
    value: &dyn Fn(&StateKey) -> Result<Vec<u8>, Unreadable>,
    keys: &[StateKey],
) -> Result<Vec<u8>, Unreadable> {
    let mut prover = Prover { pages, value, writer: ProofWriter::default() };
    if pages.page(&PagePath::ROOT)?.is_some() {
        prover.page(PagePath::ROOT, keys)?;
    }
    Ok(prover.writer.finish())
}

struct Prover<'a> {
    pages: &'a dyn Pages,
    value: &'a dyn Fn(&StateKey) -> Result<Vec<u8>, Unreadable>,
    writer: ProofWriter,
}

impl Prover<'_> {
    fn page(&mut self, path: PagePath, wanted: &[StateKey]) -> Result<(), Unreadable> {
        match self.pages.page(&path)?.ok_or(Unreadable)?.as_ref() {
            Page::Leaves(leaves) => self.leaves(leaves, wanted),
            Page::Children(children) => self.children(path, children, wanted),
        }
    }

    fn leaves(
        &mut self,
        leaves: &[(StateKey, Digest)],
        wanted: &[StateKey],
    ) -> Result<(), Unreadable> {
        if wanted.is_empty() {
            self.writer.cut(&subtree_of_leaves(leaves));
            return Ok(());
        }
        let (first, last) = (leaves[0].0, leaves[leaves.len() - 1].0);
        let Some(depth) = first.first_difference(&last) else {
            self.writer.leaf(&first, &(self.value)(&first)?);
            return Ok(());
        };
        let middle = leaves.partition_point(|(key, _)| !key.bit(depth));
        let (ones, zeros): (Vec<_>, Vec<_>) = wanted.iter().partition(|key| key.bit(depth));
        self.writer.branch(depth);
        self.leaves(&leaves[..middle], &zeros)?;
        self.leaves(&leaves[middle..], &ones)
    }

    fn children(
        &mut self,
        path: PagePath,
        children: &[(u8, Digest)],
        wanted: &[StateKey],
    ) -> Result<(), Unreadable> {
        if wanted.is_empty() {
            self.writer.cut(&subtree_of_children(children, path.depth()));
            return Ok(());
        }
        let Some((bit, middle)) = split_children(children) else {
            return self.page(path.child(children[0].0), wanted);
        };
        let depth = path.depth() + bit;
        let (ones, zeros): (Vec<_>, Vec<_>) = wanted.iter().partition(|key| key.bit(depth));
        self.writer.branch(depth);
        self.children(path, &children[..middle], &zeros)?;
        self.children(path, &children[middle..], &ones)
    }
}
