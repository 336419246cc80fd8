//! State entries and the pages of their trie.
//!
//! ```text
//! entry   state key (32)  ->  hash of the trie's leaf (32) ‖ encoded value
//! page    page path       ->  page with children
//! ```
//! Pages with leaves are not stored: what stands below a prefix of the key in the table of entries
//! is the page. That is a tenth of the bytes to write (ADR 3).

use crate::database::{Table, Write};
use crate::error::Error;
use crate::number;
use crate::snapshot::Snapshot;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use touchmark_core::entry::Entry;
use touchmark_ledger::Execution;
use touchmark_ledger::trie::{self, Page, PagePath};
use touchmark_wire::hash::Digest;
use touchmark_wire::state::StateKey;
use touchmark_wire::trie::leaf_hash;

pub(crate) fn write(write: &mut Write<'_>, execution: &Execution) {
    for (key, value) in &execution.values {
        let hash = leaf_hash(key, value);
        write.put(Table::Entry, key.0, number::join(&[&hash.0, value]));
    }
    for (path, page) in &execution.pages {
        if matches!(page.as_ref(), Page::Children(_)) {
            write.put(Table::Page, path.to_bytes(), page.encode_to_vec());
        }
    }
}

/// Takes a stored entry apart: hash of the trie's leaf, encoded value.
pub(crate) fn split(stored: &[u8]) -> Result<(Digest, &[u8]), Error> {
    let (hash, value) = stored.split_first_chunk().ok_or(Error::Corrupt("state entry"))?;
    Ok((Digest(*hash), value))
}

impl Snapshot {
    /// The encoded value of a state entry.
    pub fn value(&self, key: &StateKey) -> Result<Option<Vec<u8>>, Error> {
        let stored = self.database().get(Table::Entry, &key.0)?;
        stored.map(|stored| split(&stored).map(|(_, value)| value.to_vec())).transpose()
    }

    /// Proves what stands at `keys`, in any order, present or absent
    /// ([`touchmark_wire::trie::TrieProof`]), under the state root of the tip.
    pub fn prove(&self, keys: &[StateKey]) -> Result<Vec<u8>, Error> {
        let value = |key: &StateKey| self.value(key)?.ok_or(touchmark_core::refusal::Unreadable);
        trie::prove(self, &value, keys).map_err(|_| Error::Corrupt("state trie"))
    }

    /// The decoded entry at `key`.
    pub(crate) fn load_entry(&self, key: &StateKey) -> Result<Option<Arc<Entry>>, Error> {
        if let Some(entry) = self.caches().entry(self.height(), key) {
            return Ok(Some(entry));
        }
        let Some(stored) = self.database().get(Table::Entry, &key.0)? else {
            return Ok(None);
        };
        let (_, value) = split(&stored)?;
        let entry = Entry::decode(key, value).map_err(|_| Error::Corrupt("state entry"))?;
        let entry = Arc::new(entry);
        self.caches().fill_entry(self.height(), *key, &entry, value.len());
        Ok(Some(entry))
    }

    /// The page at `path`.
    pub(crate) fn load_page(&self, path: &PagePath) -> Result<Option<Arc<Page>>, Error> {
        if let Some(page) = self.caches().page(self.height(), path) {
            return Ok(Some(page));
        }
        let page = match self.database().get(Table::Page, &path.to_bytes())? {
            Some(stored) => Page::decode(&stored).map_err(|_| Error::Corrupt("state page"))?,
            None => match self.leaves_below(path)? {
                leaves if leaves.is_empty() => return Ok(None),
                leaves => Page::Leaves(leaves),
            },
        };
        let page = Arc::new(page);
        self.caches().fill_page(self.height(), *path, &page);
        Ok(Some(page))
    }

    /// The keys that begin as `path` does, with the hashes of their leaves.
    fn leaves_below(&self, path: &PagePath) -> Result<Vec<(StateKey, Digest)>, Error> {
        let path_bytes = path.to_bytes();
        let first = &path_bytes[1..];
        let mut last = [0xff; StateKey::LEN];
        last[..first.len()].copy_from_slice(first);
        if !path.nibbles().is_multiple_of(2) {
            last[first.len() - 1] |= 0x0f;
        }
        let bounds = (Bound::Included(first), Bound::Included(&last[..]));
        let mut leaves = Vec::new();
        for row in self.database().range(Table::Entry, bounds) {
            let (key, stored) = row?;
            let key = key.as_ref().try_into().map_err(|_| Error::Corrupt("state entry"))?;
            leaves.push((StateKey(key), split(&stored)?.0));
            if leaves.len() > Page::LEAVES {
                return Err(Error::Corrupt("state page"));
            }
        }
        Ok(leaves)
    }
}

/// Lengths of the values that a batch changes, by key.
pub(crate) fn changed(
    execution: &Execution,
) -> impl Iterator<Item = (StateKey, &Arc<Entry>, usize)> {
    let lengths: BTreeMap<_, _> =
        execution.values.iter().map(|(key, value)| (*key, value.len())).collect();
    execution
        .entries
        .iter()
        .map(move |(key, entry)| (*key, entry, lengths.get(key).copied().unwrap_or_default()))
}
