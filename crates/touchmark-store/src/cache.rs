//! Decoded entries and pages, and subtrees of the log, in bounded memory.
//!
//! # Snapshots
//! An entry or page is cached with a height since which it has been what it is, up to the newest
//! snapshot. A snapshot of height `h` uses it if that height is at most `h`; otherwise it reads
//! below the cache. So that this stays true:
//! * a commit replaces what it changes *before* its snapshot can be taken;
//! * only the newest snapshot fills the cache, and not during a commit's replacement.

use crate::tile::{Tile, TilePlace};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use std::hash::Hash;
use std::sync::{Arc, RwLock};
use touchmark_core::entry::Entry;
use touchmark_ledger::trie::{Page, PagePath};
use touchmark_wire::ids::Height;
use touchmark_wire::state::StateKey;

/// Bounds of the store's memory, bytes.
#[derive(Clone, Copy, Debug)]
pub struct CacheLimits {
    /// Decoded state entries.
    pub entries: u64,
    /// Pages of the state trie.
    pub pages: u64,
    /// Subtrees of the log.
    pub tiles: u64,
    /// Sealed bundles of the log.
    pub bundles: u64,
    /// Blocks of the key-value engine.
    pub blocks: u64,
}

impl Default for CacheLimits {
    fn default() -> Self {
        let (tiles, bundles) = (8 << 20, 32 << 20);
        Self { entries: 64 << 20, pages: 96 << 20, tiles, bundles, blocks: 64 << 20 }
    }
}

/// All caches of a store.
pub(crate) struct Caches {
    entries: Cache<StateKey, Known<Entry>, Weights>,
    pages: Cache<PagePath, Known<Page>, Weights>,
    tiles: Cache<TilePlace, Arc<Tile>, Weights>,
    /// Height of the newest commit that replaced what it changes.
    newest: RwLock<Height>,
}

impl Caches {
    pub(crate) fn new(limits: CacheLimits, newest: Height) -> Self {
        /// What is usual, bytes; only sizes the caches' own tables.
        const USUAL: u64 = 1_024;
        fn cache<K: Eq + Hash, V: Clone>(bytes: u64) -> Cache<K, V, Weights>
        where
            Weights: Weighter<K, V>,
        {
            Cache::with_weighter((bytes / USUAL) as usize, bytes, Weights)
        }
        Self {
            entries: cache(limits.entries),
            pages: cache(limits.pages),
            tiles: cache(limits.tiles),
            newest: RwLock::new(newest),
        }
    }

    /// The entry at `key` as of `height`, if it is known.
    pub(crate) fn entry(&self, height: Height, key: &StateKey) -> Option<Arc<Entry>> {
        self.entries.get(key).and_then(|known| known.valid_at(height))
    }

    /// The page at `path` as of `height`, if it is known.
    pub(crate) fn page(&self, height: Height, path: &PagePath) -> Option<Arc<Page>> {
        self.pages.get(path).and_then(|known| known.valid_at(height))
    }

    /// Takes what was read in the snapshot of `height`, if that is the newest.
    pub(crate) fn fill_entry(
        &self,
        height: Height,
        key: StateKey,
        entry: &Arc<Entry>,
        length: usize,
    ) {
        let newest = self.newest.read().expect(NO_PANIC);
        if *newest == height {
            self.entries.insert(key, Known::entry(height, entry.clone(), length));
        }
    }

    /// As [`Self::fill_entry`].
    pub(crate) fn fill_page(&self, height: Height, path: PagePath, page: &Arc<Page>) {
        let newest = self.newest.read().expect(NO_PANIC);
        if *newest == height {
            self.pages.insert(path, Known::page(height, page.clone()));
        }
    }

    /// Replaces what the commit of `height` changed. After this, and not before, its snapshot may
    /// be taken.
    pub(crate) fn advance<'a>(
        &self,
        height: Height,
        entries: impl Iterator<Item = (StateKey, &'a Arc<Entry>, usize)>,
        pages: impl Iterator<Item = (&'a PagePath, &'a Arc<Page>)>,
    ) {
        let mut newest = self.newest.write().expect(NO_PANIC);
        *newest = height;
        for (key, entry, length) in entries {
            self.entries.insert(key, Known::entry(height, entry.clone(), length));
        }
        for (path, page) in pages {
            self.pages.insert(*path, Known::page(height, page.clone()));
        }
    }

    /// A tile of at least `width` hashes. Tiles only grow, so every snapshot may use it.
    pub(crate) fn tile(&self, place: TilePlace, width: usize) -> Option<Arc<Tile>> {
        self.tiles.get(&place).filter(|tile| tile.width() >= width)
    }

    /// Takes a tile that was read.
    pub(crate) fn fill_tile(&self, place: TilePlace, tile: Arc<Tile>) {
        self.tiles.insert(place, tile);
    }
}

const NO_PANIC: &str = "no holder of the lock on the newest height panics";

/// A value since a height.
#[derive(Clone)]
struct Known<T> {
    value: Arc<T>,
    since: Height,
    weight: u32,
}

impl<T> Known<T> {
    fn valid_at(self, height: Height) -> Option<Arc<T>> {
        (self.since <= height).then_some(self.value)
    }
}

/// What a value costs beside its content: key, counters, pointers, slack.
const OVERHEAD: usize = 160;

impl Known<Entry> {
    /// Decoded, an entry takes about twice its encoded length.
    fn entry(since: Height, value: Arc<Entry>, length: usize) -> Self {
        Self { value, since, weight: (OVERHEAD + 2 * length) as u32 }
    }
}

impl Known<Page> {
    fn page(since: Height, value: Arc<Page>) -> Self {
        let content = match value.as_ref() {
            Page::Leaves(leaves) => leaves.len() * 64,
            Page::Children(children) => children.len() * 33,
        };
        Self { value, since, weight: (OVERHEAD + content) as u32 }
    }
}

#[derive(Clone)]
struct Weights;

impl<K, T> Weighter<K, Known<T>> for Weights {
    fn weight(&self, _: &K, known: &Known<T>) -> u64 {
        known.weight.into()
    }
}

impl Weighter<TilePlace, Arc<Tile>> for Weights {
    fn weight(&self, _: &TilePlace, tile: &Arc<Tile>) -> u64 {
        (OVERHEAD + 2 * 32 * tile.width()) as u64
    }
}
