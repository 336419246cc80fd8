//! The key-value engine behind the names of our tables.

use crate::error::{self, Error};
use crate::folder::Folder;
use fjall::config::FilterPolicy;
use fjall::{
    AbstractTree as _, Keyspace, KeyspaceCreateOptions, PersistMode, Readable as _, Slice,
};
use std::ops::Bound;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use touchmark_wire::ids::NetworkId;

/// A table, with its number in backups, which never changes: what a key means in it stands beside the code that writes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Table {
    /// The tip.
    Tip,
    /// Leaves by index.
    Leaf,
    /// Hashes of the log's tree.
    Tile,
    /// Batches by height.
    Batch,
    /// Heights by log size.
    Size,
    /// State entries.
    Entry,
    /// Pages of the state trie.
    Page,
    /// Places of chains.
    Place,
    /// Leaves by statement or evidence id.
    Submission,
    /// Leaves in which evidence is first.
    Evidence,
    /// What happened, by leaf.
    Event,
    /// Leaves by thing.
    History,
    /// Leaves of others by the thing that they mention.
    Mention,
    /// Things by kind and controller.
    Catalog,
    /// Things by attribute.
    Attribute,
    /// Channels, and writers by channel.
    Channel,
    /// Leaves by channel.
    ChannelLeaf,
    /// Certificates by height.
    Certificate,
    /// How far the log is sealed.
    Sealed,
}

/// How a table is read.
#[derive(Clone, Copy)]
enum Reads {
    /// Key by key: files have filters that say which keys they do not have.
    Keys,
    /// By what stands between two keys, where a filter is of no use.
    Ranges,
}

/// A table as the engine knows it.
pub(crate) struct Layout {
    pub(crate) table: Table,
    pub(crate) name: &'static str,
    /// How much it gathers in memory before it writes a file, MiB.
    memory: u64,
    reads: Reads,
}

const fn layout(table: Table, name: &'static str, memory: u64, reads: Reads) -> Layout {
    Layout { table, name, memory, reads }
}

impl Table {
    /// Every table, at the place of its number.
    pub(crate) const ALL: [Layout; 19] = [
        layout(Self::Tip, "tip", 1, Reads::Keys),
        layout(Self::Leaf, "leaf", 32, Reads::Ranges),
        layout(Self::Tile, "tile", 8, Reads::Keys),
        layout(Self::Batch, "batch", 4, Reads::Keys),
        layout(Self::Size, "size", 2, Reads::Keys),
        layout(Self::Entry, "entry", 32, Reads::Keys),
        layout(Self::Page, "page", 32, Reads::Keys),
        layout(Self::Place, "place", 8, Reads::Keys),
        layout(Self::Submission, "submission", 8, Reads::Keys),
        layout(Self::Evidence, "evidence", 8, Reads::Keys),
        layout(Self::Event, "event", 16, Reads::Ranges),
        layout(Self::History, "history", 8, Reads::Ranges),
        layout(Self::Mention, "mention", 4, Reads::Ranges),
        layout(Self::Catalog, "catalog", 4, Reads::Ranges),
        layout(Self::Attribute, "attribute", 8, Reads::Ranges),
        layout(Self::Channel, "channel", 2, Reads::Keys),
        layout(Self::ChannelLeaf, "channel-leaf", 4, Reads::Ranges),
        layout(Self::Certificate, "certificate", 1, Reads::Keys),
        layout(Self::Sealed, "sealed", 1, Reads::Keys),
    ];

    /// Whether it follows from the log.
    pub(crate) const fn is_derived(self) -> bool {
        !matches!(self, Self::Leaf | Self::Batch | Self::Certificate | Self::Sealed)
    }

    /// The name of its folder: the engine numbers tables in the order of their creation, from 1.
    pub(crate) fn engine_folder(self) -> String {
        (self as usize + 1).to_string()
    }
}

/// The open database.
pub(crate) struct Database {
    // Dropped in this order: the folder's lock ends last.
    tables: Vec<Keyspace>,
    engine: fjall::Database,
    halted: Mutex<Option<String>>,
    folder: Folder,
}

impl Database {
    /// Opens or creates the database in a locked folder; `cache` bounds the blocks that the engine
    /// holds in memory, bytes.
    pub(crate) fn open(folder: Folder, cache: u64) -> Result<Self, Error> {
        let engine = fjall::Database::builder(folder.engine_path())
            .cache_size(cache)
            .worker_threads(1)
            .max_journaling_size(256 << 20)
            .manual_journal_persist(true)
            .open()?;
        let mut tables = Vec::with_capacity(Table::ALL.len());
        for Layout { name, reads, .. } in Table::ALL {
            let options = || {
                let options = KeyspaceCreateOptions::default().max_memtable_size(u64::MAX);
                match reads {
                    Reads::Keys => options,
                    Reads::Ranges => options.filter_policy(FilterPolicy::disabled()),
                }
            };
            tables.push(engine.keyspace(name, options)?);
        }
        Ok(Self { tables, engine, halted: Mutex::new(None), folder })
    }

    fn table(&self, table: Table) -> &Keyspace {
        &self.tables[table as usize]
    }

    /// What is written now, whatever is written later.
    pub(crate) fn view(self: &Arc<Self>) -> DatabaseView {
        DatabaseView { snapshot: self.engine.snapshot(), database: self.clone() }
    }

    /// Collects writes.
    pub(crate) fn write(&self) -> Write<'_> {
        Write { database: self, batch: self.engine.batch() }
    }

    /// Why writing was given up, if it was.
    pub(crate) fn halted(&self) -> Option<String> {
        self.lock_halted().clone()
    }

    fn halt(&self, error: &fjall::Error) -> Error {
        let reason = error::reason(error);
        Error::Halted(self.lock_halted().get_or_insert(reason).clone())
    }

    fn lock_halted(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.halted.lock().expect("no holder of this lock panics")
    }

    /// Fills an empty table with rows in the order of their keys; durable at the next commit.
    pub(crate) fn fill(
        &self,
        table: Table,
        rows: impl Iterator<Item = Result<Row, Error>>,
    ) -> Result<(), Error> {
        let mut ingestion = self.table(table).start_ingestion()?;
        for row in rows {
            let row = row?;
            ingestion.write(row.key, row.value)?;
        }
        Ok(ingestion.finish()?)
    }

    /// Waits until everything that was written is on the disk.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        self.engine.persist(PersistMode::SyncAll).map_err(|error| self.halt(&error))
    }

    /// Marks the folder as a store of `network`.
    pub(crate) fn mark(&self, network: NetworkId) -> Result<(), Error> {
        self.folder.mark(network)
    }

    /// Says, before the first leaf goes elsewhere, that not all leaves have to be here.
    pub(crate) fn mark_sealed(&self, network: NetworkId) -> Result<(), Error> {
        self.folder.mark_sealed(network)
    }

    /// Rewrites a table's files without what was removed from it.
    pub(crate) fn reclaim(&self, table: Table) -> Result<(), Error> {
        let table = self.table(table);
        // What was removed is in memory, and stands in files only then.
        table.rotate_memtable()?;
        while table.sealed_memtable_count() > 0 {
            // Fails as soon as the background threads have.
            self.engine.persist(PersistMode::Buffer)?;
            thread::sleep(Duration::from_millis(5));
        }
        Ok(table.major_compact()?)
    }

    /// Begins a file of each table that has gathered enough. The engine would ask its background
    /// thread for it, which is late while that merges files, and once for every commit until then.
    fn begin_files(&self) -> Result<(), fjall::Error> {
        for (table, layout) in self.tables.iter().zip(Table::ALL) {
            if table.tree.active_memtable().size() > layout.memory << 20 {
                table.rotate_memtable()?;
            }
        }
        Ok(())
    }

    /// Waits until the engine's background threads have caught up. The engine itself would wait,
    /// too, but inside of the write and without an end if those threads have died meanwhile.
    fn await_room(&self) -> Result<(), fjall::Error> {
        /// The engine waits at 4.
        const FULL_MEMTABLES: usize = 3;
        /// The engine waits at 30.
        const FRESH_FILES: usize = 28;
        let behind = |table: &Keyspace| {
            table.sealed_memtable_count() >= FULL_MEMTABLES || table.l0_table_count() >= FRESH_FILES
        };
        while self.tables.iter().any(behind) {
            // Fails as soon as the background threads have.
            self.engine.persist(PersistMode::Buffer)?;
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

/// A row of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Row {
    pub(crate) table: Table,
    pub(crate) key: Vec<u8>,
    pub(crate) value: Vec<u8>,
}

/// Writes that happen together or not at all.
pub(crate) struct Write<'a> {
    database: &'a Database,
    batch: fjall::OwnedWriteBatch,
}

impl Write<'_> {
    /// Sets a value.
    pub(crate) fn put(&mut self, table: Table, key: impl Into<Slice>, value: impl Into<Slice>) {
        self.batch.insert(self.database.table(table), key, value);
    }

    /// Removes a value, if it is there.
    pub(crate) fn remove(&mut self, table: Table, key: impl Into<Slice>) {
        self.batch.remove(self.database.table(table), key);
    }

    /// Writes and returns after the sync. After a failure nothing is ever written again.
    pub(crate) fn commit(self) -> Result<(), Error> {
        self.finish(PersistMode::SyncData)
    }

    /// Writes without waiting for the disk: a crash of the machine may lose it.
    pub(crate) fn commit_lazily(self) -> Result<(), Error> {
        self.finish(PersistMode::Buffer)
    }

    fn finish(self, mode: PersistMode) -> Result<(), Error> {
        let Self { database, batch } = self;
        if let Some(reason) = database.halted() {
            return Err(Error::Halted(reason));
        }
        database
            .await_room()
            .and_then(|()| batch.durability(Some(mode)).commit())
            .and_then(|()| database.begin_files())
            .map_err(|error| database.halt(&error))
    }
}

/// What was written at one moment.
pub(crate) struct DatabaseView {
    snapshot: fjall::Snapshot,
    database: Arc<Database>,
}

impl DatabaseView {
    /// The value at `key`.
    pub(crate) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Slice>, Error> {
        Ok(self.snapshot.get(self.database.table(table), key)?)
    }

    /// Keys and values between two bounds, in key order, from both ends.
    pub(crate) fn range(
        &self,
        table: Table,
        bounds: (Bound<&[u8]>, Bound<&[u8]>),
    ) -> impl DoubleEndedIterator<Item = Result<(Slice, Slice), Error>> + use<> {
        let rows = self.snapshot.range::<&[u8], _>(self.database.table(table), bounds);
        rows.map(|row| Ok(row.into_inner()?))
    }
}
