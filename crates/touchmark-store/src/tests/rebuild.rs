//! State and indexes made anew from the log, whatever became of them.

use super::fixture::{Actor, CONTEXT, Node, ORIGIN, OWNER, genesis, try_open};
use crate::database::{Database, DatabaseView, Table};
use crate::folder::Folder;
use crate::{CacheLimits, Error, Payload, Progress, Rebuilt};
use std::fs;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use touchmark_batch::Application as _;
use touchmark_core::admission::OneByOne;
use touchmark_core::entry::Rights;
use touchmark_ledger::genesis_batch;
use touchmark_testkit::committee::Panel;
use touchmark_wire::codec;
use touchmark_wire::header::BatchHeader;
use touchmark_wire::ids::{Epoch, Height};
use touchmark_wire::limits::TERM;
use touchmark_wire::merkle::{self, Frontier};
use touchmark_wire::registry::{StatementKind, ThingKind};
use touchmark_wire::statement::Preimage;

/// Every table in a form of our own.
fn dump(view: &DatabaseView) -> Vec<u8> {
    let mut bytes = Vec::new();
    crate::dump::write(view, &mut bytes).unwrap();
    bytes
}

/// The last batch of [`filled`].
const LAST: Height = Height(13);

const PERSONAL: Preimage<'_> = Preimage { salt: [6; 32], content: b"personal" };

/// A store with all that tables can hold; its dump.
fn filled(folder: &Path) -> Vec<u8> {
    let node = Node::open(folder);
    let (mut actors, inceptions): (Vec<_>, Vec<_>) = (0..60).map(Actor::device).unzip();
    node.batch(inceptions);
    let (card, inception) = Actor::new(1_000, ThingKind::CARD, None, &[("serial", "47")]);
    node.batch(vec![inception]);
    node.batch(vec![card.tap(1)]);
    node.batch(Vec::new());
    for round in 0..5 {
        node.batch(actors.iter_mut().map(|actor| actor.record(&[round; 300])).collect());
    }
    node.batch(vec![actors[0].update(&[("model", "T1")], &["serial"])]);
    let (channel, opening) = actors[0].open(1);
    let (writer, former) = (actors[1].id, actors[2].id);
    let grants = [writer, former].map(|of| actors[0].access(channel, of, Rights::WRITE));
    node.batch([vec![opening], grants.to_vec(), vec![actors[1].enter(channel, b"x")]].concat());
    node.store.keep_certificate(LAST, b"certificate").unwrap();
    node.batch(vec![actors[0].access(channel, former, Rights::NONE)]);
    node.try_batch(vec![actors[2].enter(channel, b"late")]).unwrap();
    let payload = Payload { salt: PERSONAL.salt, content: PERSONAL.content.to_vec() };
    node.store.put_payload(PERSONAL.commitment(), &payload).unwrap();
    dump(node.snapshot().database())
}

fn rebuild(folder: &Path) -> Result<Rebuilt, Error> {
    rebuild_watched(folder, |_| {})
}

fn rebuild_watched(folder: &Path, progress: impl FnMut(Progress)) -> Result<Rebuilt, Error> {
    let genesis = genesis(ORIGIN);
    let first = Arc::new(genesis_batch(&genesis, CONTEXT));
    crate::rebuild(folder, &genesis, &first, Arc::new(OneByOne), None, progress)
}

/// The tables of a store that is not open.
fn tables(folder: &Path) -> Arc<Database> {
    let folder = Folder::claim(folder, genesis(ORIGIN).network_id()).unwrap();
    Arc::new(Database::open(folder, 1 << 20).unwrap())
}

fn rows(database: &Arc<Database>, table: Table) -> Vec<(Vec<u8>, Vec<u8>)> {
    let rows = database.view().range(table, (Bound::Unbounded, Bound::Unbounded));
    rows.map(Result::unwrap).map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
}

/// Changes every third value of a table and removes the others.
fn damage(database: &Arc<Database>, table: Table) {
    let mut write = database.write();
    for (place, (key, mut value)) in rows(database, table).into_iter().enumerate() {
        if place % 3 == 0 {
            value.push(1);
            write.put(table, key, value);
        } else {
            write.remove(table, key);
        }
    }
    write.commit().unwrap();
}

const DERIVED: [Table; 15] = [
    Table::Tip,
    Table::Tile,
    Table::Size,
    Table::Entry,
    Table::Page,
    Table::Place,
    Table::Submission,
    Table::Evidence,
    Table::Event,
    Table::History,
    Table::Mention,
    Table::Catalog,
    Table::Attribute,
    Table::Channel,
    Table::ChannelLeaf,
];

#[test]
fn whatever_is_damaged_beside_the_log_comes_back_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let whole = filled(folder.path());
    for table in DERIVED {
        damage(&tables(folder.path()), table);
        let rebuilt = rebuild(folder.path()).unwrap();
        assert_eq!(rebuilt.height, LAST);
        assert!(dump(&tables(folder.path()).view()) == whole, "{table:?}");
    }
    let node = Node::open(folder.path());
    let payload = node.store.payload(PERSONAL.commitment()).unwrap().unwrap();
    assert_eq!(payload.content, PERSONAL.content);
    let (_, inception) = Actor::device(2_000);
    node.batch(vec![inception]);
}

#[test]
fn tables_that_cannot_be_opened_are_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let whole = filled(folder.path());
    // The engine's own files of a table are gone, or not what they were.
    let keyspace = |table: Table| folder.path().join("kv/keyspaces").join(table.engine_folder());
    fs::remove_dir_all(keyspace(Table::Page)).unwrap();
    for file in fs::read_dir(keyspace(Table::Entry)).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            fs::write(path, b"damaged").unwrap();
        }
    }
    assert!(try_open(folder.path(), ORIGIN, CacheLimits::default()).is_err());
    rebuild(folder.path()).unwrap();
    assert!(dump(&tables(folder.path()).view()) == whole);
}

#[test]
fn a_store_whose_state_or_tip_is_gone_does_not_start() {
    for table in [Table::Tip, Table::Entry, Table::Page, Table::Tile] {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path());
        let database = tables(folder.path());
        let mut write = database.write();
        for (key, _) in rows(&database, table) {
            write.remove(table, key);
        }
        write.commit().unwrap();
        drop(database);
        let opened = try_open(folder.path(), ORIGIN, CacheLimits::default()).err();
        assert!(matches!(opened, Some(Error::Corrupt(_))), "{table:?}: {opened:?}");
        rebuild(folder.path()).unwrap();
        Node::open(folder.path());
    }
}

/// What a changed log is refused with; nothing may change.
fn refused(folder: &Path, change: impl FnOnce(&Arc<Database>)) -> (Height, String) {
    let database = tables(folder);
    change(&database);
    let before = dump(&database.view());
    drop(database);
    let refused = rebuild(folder).unwrap_err();
    assert!(dump(&tables(folder).view()) == before, "it changed something");
    match refused {
        Error::Diverged { height, reason } => (height, reason),
        other => panic!("{other}"),
    }
}

fn replace(database: &Arc<Database>, rows: &[(Table, Vec<u8>, Vec<u8>)]) {
    let mut write = database.write();
    for (table, key, value) in rows {
        write.put(*table, key.clone(), value.clone());
    }
    write.commit().unwrap();
}

#[test]
fn a_changed_leaf_is_refused_at_its_height() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    let (height, reason) = refused(folder.path(), |database| {
        let hundredth = 100u64.to_be_bytes();
        let runs = rows(database, Table::Leaf);
        let of_it = runs.into_iter().rfind(|(first, _)| first[..] <= hundredth[..]);
        let (key, mut run) = of_it.unwrap();
        *run.last_mut().unwrap() ^= 1;
        replace(database, &[(Table::Leaf, key, run)]);
    });
    assert_eq!((height, reason.as_str()), (Height(5), "its batch is damaged"));
}

#[test]
fn a_missing_batch_is_refused_at_its_height() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    let (height, _) = refused(folder.path(), |database| {
        let mut write = database.write();
        write.remove(Table::Batch, 7u64.to_be_bytes());
        write.commit().unwrap();
    });
    assert_eq!(height, Height(7));
}

/// Leaves, data root and log root agree with each other; only the state that they claim is not
/// the one that the rules lead to.
#[test]
fn another_state_root_in_the_last_batch_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    let (height, reason) = refused(folder.path(), |database| {
        let batch = database.view().batch(LAST).unwrap().unwrap();
        let (place, mut run) = rows(database, Table::Leaf).pop().unwrap();
        *run.last_mut().unwrap() ^= 1;
        replace(database, &[(Table::Leaf, place, run)]);
        let leaves = database.view().runs_from(Table::Leaf, 0);
        let hashes: Vec<_> = leaves.map(|leaf| merkle::leaf_hash(&leaf.unwrap().1)).collect();
        let mut log = Frontier::new();
        for hash in &hashes {
            log.append(*hash);
        }
        let first = batch.first_leaf().0;
        let data_root = BatchHeader::data_root(&hashes[first as usize..]);
        let header = BatchHeader { data_root, root: log.root(), ..batch.header() };
        let stored = [&first.to_be_bytes()[..], &codec::encode(&header)].concat();
        let height = LAST.0.to_be_bytes().to_vec();
        replace(database, &[(Table::Batch, height, stored)]);
    });
    assert_eq!(height, LAST);
    assert!(reason.contains("its header is not what its leaves lead to"), "{reason}");
}

#[test]
fn a_rebuild_that_is_cut_off_changes_nothing_and_one_that_is_done_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let whole = filled(folder.path());
    let at = |name: &str| folder.path().join(name);
    // While it is made: as if the process had been killed.
    let mut copied = false;
    rebuild_watched(folder.path(), |progress| {
        if progress.height == Height(6) && !copied {
            let cut = tempfile::tempdir().unwrap();
            copy(folder.path(), cut.path());
            assert!(cut.path().join("kv.new").exists());
            assert!(dump(&tables(cut.path()).view()) == whole);
            assert!(!cut.path().join("kv.new").exists(), "what was half made is in the way");
            copied = true;
        }
    })
    .unwrap();
    assert!(copied);
    // Between the two names: the new tables are complete.
    fs::rename(at("kv"), at("kv.new")).unwrap();
    fs::create_dir(at("kv.old")).unwrap();
    assert!(dump(&tables(folder.path()).view()) == whole);
    assert!(!at("kv.old").exists() && !at("kv.new").exists());
}

#[test]
fn only_a_store_of_this_network_that_nobody_uses_is_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = folder.path().join("nothing");
    assert!(matches!(rebuild(&nothing), Err(Error::NotAStore { .. })));
    assert!(!nothing.exists(), "it made something");
    let store = folder.path().join("store");
    let node = Node::open(&store);
    assert!(matches!(rebuild(&store), Err(Error::InUse { .. })));
    drop(node);
    let other = folder.path().join("other");
    drop(try_open(&other, "example.org/other", CacheLimits::default()).unwrap());
    assert!(matches!(rebuild(&other), Err(Error::OtherNetwork { .. })));
    assert_eq!(rebuild(&store).unwrap().height, Height(0));
}

/// Who certifies is part of the state: it is found again after a start, and made anew.
#[test]
fn a_log_over_a_change_of_the_committee_is_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    let four = Panel { number: 1, validators: &[1, 2, 3, 4] }.committee();
    let before = {
        let node = Node::open(folder.path());
        let (mut carrier, inception) = Actor::device(1);
        node.batch(vec![inception]);
        let payload = OWNER.appoint(genesis(ORIGIN).network_id(), &four, &[0]);
        node.batch(vec![carrier.state(StatementKind::APPOINT, &payload)]);
        while node.snapshot().height().0 < TERM {
            node.batch(Vec::new());
        }
        node.batch(vec![carrier.record(b"certified by four")]);
        dump(node.snapshot().database())
    };
    let last = Height(TERM + 1);
    assert_eq!(rebuild(folder.path()).unwrap().height, last);
    let node = Node::open(folder.path());
    assert!(dump(node.snapshot().database()) == before, "the tables are the same");
    assert_eq!(*node.ledger.committee(Height(TERM + 2)).unwrap(), four);
    assert_eq!(*node.ledger.committee(Height(TERM - 1)).unwrap(), genesis(ORIGIN).committee);
    assert_eq!(node.ledger.appointed(), None);
    let epoch = |height| node.snapshot().database().batch(Height(height)).unwrap().unwrap().epoch();
    assert_eq!((epoch(TERM - 1), epoch(TERM)), (Epoch(0), Epoch(1)));
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, target) = {
            let entry = entry.unwrap();
            (entry.path(), to.join(entry.file_name()))
        };
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}
