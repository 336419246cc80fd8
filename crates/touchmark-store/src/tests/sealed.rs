//! Leaves that are kept elsewhere: what is sealed, in which order, and what comes back.

use super::fixture::{Actor, CONTEXT, Node, ORIGIN, OWNER, genesis};
use crate::database::{Row, Table};
use crate::{Error, SealedLog, Snapshot, VerifiedBackup};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;
use std::{fs, thread};
use touchmark_core::admission::OneByOne;
use touchmark_ledger::{StateView as _, genesis_batch};
use touchmark_testkit::committee::Panel;
use touchmark_wire::ids::{Height, LeafIndex};
use touchmark_wire::registry::StatementKind;

/// Object storage that does what a test says.
#[derive(Default)]
struct Shelf {
    bundles: Mutex<BTreeMap<u64, Vec<u8>>>,
    reads: AtomicUsize,
    away: AtomicBool,
    slow: AtomicBool,
    /// Forgets what it acknowledged.
    forgetful: AtomicBool,
    /// Keeps the first half.
    torn: AtomicBool,
    /// Says nothing of the last that it was asked for.
    silent: AtomicBool,
}

impl Shelf {
    fn set(flag: &AtomicBool) {
        flag.store(true, Ordering::SeqCst);
    }

    fn clear(flag: &AtomicBool) {
        flag.store(false, Ordering::SeqCst);
    }

    fn change(&self, number: u64, change: impl FnOnce(&mut Vec<u8>)) {
        change(self.bundles.lock().unwrap().get_mut(&number).unwrap());
    }

    fn numbers(&self) -> Vec<u64> {
        self.bundles.lock().unwrap().keys().copied().collect()
    }
}

impl SealedLog for Shelf {
    fn read(&self, bundles: &[u64]) -> Vec<Result<Vec<u8>, String>> {
        if self.slow.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(200));
        }
        let read = |number: &u64| {
            self.reads.fetch_add(1, Ordering::SeqCst);
            if self.away.load(Ordering::SeqCst) {
                return Err("it is away".to_owned());
            }
            let found = self.bundles.lock().unwrap().get(number).cloned();
            found.ok_or_else(|| format!("{number} is not there"))
        };
        let silent = usize::from(self.silent.load(Ordering::SeqCst));
        bundles.iter().take(bundles.len() - silent).map(read).collect()
    }

    fn write(&self, bundles: Vec<(u64, Vec<u8>)>) -> Result<(), String> {
        if self.away.load(Ordering::SeqCst) {
            return Err("it is away".to_owned());
        }
        for (number, mut bundle) in bundles {
            if self.torn.load(Ordering::SeqCst) {
                bundle.truncate(bundle.len() / 2);
            }
            if !self.forgetful.load(Ordering::SeqCst) {
                self.bundles.lock().unwrap().insert(number, bundle);
            }
        }
        Ok(())
    }
}

/// More than two bundles of leaves in batches of several sizes; the last has few.
fn filled(folder: &Path) -> Node {
    let node = Node::open(folder);
    let (mut actors, inceptions): (Vec<_>, Vec<_>) = (0..300).map(Actor::device).unzip();
    node.batch(inceptions);
    for round in 0..3 {
        let some = actors.iter_mut().skip(round * 50).take(100);
        node.batch(some.map(|actor| actor.record(&[round as u8; 300])).collect());
    }
    node.batch(vec![actors[0].record(b"last")]);
    node
}

fn with_shelf(node: &Node, shelf: &Arc<Shelf>) {
    node.store.keep_sealed_in(shelf.clone());
}

/// Everything that readers can see of the log.
fn seen(snapshot: &Snapshot) -> Vec<Vec<u8>> {
    let size = snapshot.size().0;
    let mut seen: Vec<_> = (0..size).map(|leaf| snapshot.leaf(LeafIndex(leaf)).unwrap()).collect();
    let range = LeafIndex(3)..LeafIndex(size);
    seen.extend(snapshot.leaves(range).map(|leaf| leaf.unwrap().1));
    for (number, width) in [(0, 256), (0, 1), (1, 256), (1, 200), (2, 90)] {
        seen.push(snapshot.entry_bundle(number, width).unwrap());
    }
    for height in 0..=snapshot.height().0 {
        let batch = snapshot.batch(Height(height)).unwrap().unwrap();
        seen.push(snapshot.body(&batch).unwrap());
        seen.push(snapshot.whole_batch(Height(height)).unwrap().unwrap().body_bytes().to_vec());
    }
    seen
}

fn sealed(node: &Node) -> u64 {
    node.store.sealed().leaves
}

#[test]
fn sealed_leaves_are_read_as_before_in_every_way_also_after_a_start() {
    let folder = tempfile::tempdir().unwrap();
    let node = filled(folder.path());
    let (before, old) = (seen(&node.snapshot()), node.snapshot());
    let shelf = Arc::new(Shelf::default());
    with_shelf(&node, &shelf);
    assert_eq!((node.store.seal(0).unwrap(), sealed(&node)), (2, 512));
    assert_eq!(node.store.seal(0).unwrap(), 0, "the third is not full");
    assert_eq!(shelf.numbers(), [0, 1]);
    for number in [0, 1] {
        let kept = shelf.read(&[number]).remove(0).unwrap();
        assert_eq!(kept, old.entry_bundle(number, 256).unwrap(), "as any server of tiles has it");
    }
    node.store.reclaim().unwrap();
    assert_eq!(seen(&node.snapshot()), before);
    assert_eq!(seen(&old), before, "an older snapshot has its own leaves");
    let first = node.snapshot().database().runs_from(Table::Leaf, 0).next();
    assert_eq!(first.unwrap().unwrap().0, 512, "the others are here no more");
    drop(old);
    drop(node);
    let node = Node::open(folder.path());
    assert_eq!(sealed(&node), 512);
    assert!(node.snapshot().leaf(LeafIndex(600)).is_ok(), "recent ones need nobody");
    let unnamed = node.snapshot().leaf(LeafIndex(5)).unwrap_err();
    assert!(unnamed.to_string().contains("no object storage is named"), "{unnamed}");
    with_shelf(&node, &shelf);
    assert_eq!(seen(&node.snapshot()), before);
    node.batch(vec![Actor::resume(7, &node.snapshot()).record(b"goes on")]);
}

#[test]
fn the_newest_leaves_and_the_last_batch_stay() {
    let folder = tempfile::tempdir().unwrap();
    let node = filled(folder.path());
    with_shelf(&node, &Arc::new(Shelf::default()));
    let size = node.snapshot().size().0;
    for (tail, leaves) in [(u64::MAX, 0), (size - 255, 0), (size - 256, 256), (0, 512)] {
        while node.store.seal(tail).unwrap() > 0 {}
        assert_eq!(sealed(&node), leaves, "{tail}");
    }
    // A last batch that reaches back over the end of a bundle.
    let many = (1_000..1_300).map(Actor::device).map(|(_, inception)| inception);
    node.batch(many.collect());
    node.store.seal(0).unwrap();
    assert_eq!(sealed(&node), 512);
    drop(node);
    Node::open(folder.path());
}

/// Bytes of the files that have the leaves.
fn room(folder: &Path) -> u64 {
    let tables = folder.join("kv/keyspaces").join(Table::Leaf.engine_folder()).join("tables");
    let files = fs::read_dir(tables).unwrap().map(Result::unwrap);
    files.map(|file| file.metadata().unwrap().len()).sum()
}

#[test]
fn the_room_of_sealed_leaves_is_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let node = filled(folder.path());
    with_shelf(&node, &Arc::new(Shelf::default()));
    node.store.reclaim().unwrap();
    let (before, size) = (room(folder.path()), node.snapshot().size().0);
    assert_eq!(node.store.seal(0).unwrap(), 2);
    node.store.reclaim().unwrap();
    let after = room(folder.path());
    println!("{size} leaves: {before} bytes, {after} when 512 are sealed");
    assert!(before > size * 200 && after < before * 2 / 3, "{before} {after}");
}

/// Whatever a service does, a leaf is removed here only when it was read there.
#[test]
fn nothing_is_sealed_that_did_not_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let node = filled(folder.path());
    let before = seen(&node.snapshot());
    let shelf = Arc::new(Shelf::default());
    with_shelf(&node, &shelf);
    for (fault, said) in [
        (&shelf.away, "it is away"),
        (&shelf.forgetful, "0 is not there"),
        (&shelf.torn, "other leaves than the log"),
        (&shelf.silent, "nobody answers"),
    ] {
        Shelf::set(fault);
        let refused = node.store.seal(0).unwrap_err();
        assert!(refused.to_string().contains(said), "{refused}");
        assert_eq!(node.store.sealed().fault.as_deref().map(|it| it.contains(said)), Some(true));
        assert_eq!(sealed(&node), 0);
        assert_eq!(seen(&node.snapshot()), before);
        assert!(shelf.reads.swap(0, Ordering::SeqCst) <= 2, "what is here is read here");
        Shelf::clear(fault);
    }
    assert_eq!(node.store.seal(0).unwrap(), 2);
    assert_eq!(node.store.sealed().fault, None);
}

#[test]
fn what_is_wrong_elsewhere_is_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let node = filled(folder.path());
    let before = seen(&node.snapshot());
    let shelf = Arc::new(Shelf::default());
    with_shelf(&node, &shelf);
    node.store.seal(0).unwrap();
    let whole = shelf.read(&[0]).remove(0).unwrap();
    let other = shelf.read(&[1]).remove(0).unwrap();
    let forged: [(&str, Vec<u8>); 6] = [
        ("another leaf", {
            let mut forged = whole.clone();
            *forged.last_mut().unwrap() ^= 1;
            forged
        }),
        ("another bundle", other),
        ("cut off", whole[..whole.len() - 1].to_vec()),
        ("longer", [&whole[..], &[0, 0]].concat()),
        ("half a head more", [&whole[..], &[0]].concat()),
        ("nothing", Vec::new()),
    ];
    for (name, forged) in forged {
        shelf.change(0, |bundle| *bundle = forged);
        let snapshot = node.snapshot();
        for refused in [
            snapshot.leaf(LeafIndex(3)).unwrap_err(),
            snapshot.entry_bundle(0, 4).unwrap_err(),
            snapshot.whole_batch(Height(1)).unwrap_err(),
            snapshot.leaves(LeafIndex(0)..LeafIndex(9)).find_map(Result::err).unwrap(),
        ] {
            let said = matches!(&refused, Error::Sealed { leaf: LeafIndex(0), reason }
                if reason.contains("other leaves"));
            assert!(said, "{name}: {refused}");
        }
        assert!(snapshot.leaf(LeafIndex(300)).is_ok(), "{name}: the next bundle is another");
    }
    assert!(node.store.sealed().wrong >= 6 * 4);
    shelf.change(0, |bundle| *bundle = whole);
    assert_eq!(seen(&node.snapshot()), before);
}

#[test]
fn readers_of_one_bundle_read_it_once_and_too_many_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let node = filled(folder.path());
    let shelf = Arc::new(Shelf::default());
    with_shelf(&node, &shelf);
    node.store.seal(0).unwrap();
    let read_by = |readers: usize| {
        let start = Barrier::new(readers);
        let snapshot = node.snapshot();
        thread::scope(|scope| {
            let read = || {
                start.wait();
                snapshot.leaf(LeafIndex(9)).map_err(|error| error.to_string())
            };
            let readers: Vec<_> = (0..readers).map(|_| scope.spawn(read)).collect();
            readers.into_iter().map(|reader| reader.join().unwrap()).collect::<Vec<_>>()
        })
    };
    shelf.reads.store(0, Ordering::SeqCst);
    Shelf::set(&shelf.slow);
    // All of them share its failure, too.
    Shelf::set(&shelf.away);
    assert!(read_by(20).iter().all(Result::is_err));
    assert_eq!(shelf.reads.swap(0, Ordering::SeqCst), 1);
    Shelf::clear(&shelf.away);
    let refused = read_by(80).into_iter().filter_map(Result::err).collect::<Vec<_>>();
    assert_eq!(refused.len(), 16, "{refused:?}");
    assert!(refused.iter().all(|it| it.contains("64 readers wait")), "{refused:?}");
    assert_eq!(shelf.reads.swap(0, Ordering::SeqCst), 1);
    assert!(read_by(80).iter().all(Result::is_ok), "it is in memory now");
    assert_eq!(shelf.reads.load(Ordering::SeqCst), 0);
}

#[test]
fn many_leaves_are_fetched_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let node = filled(folder.path());
    let shelf = Arc::new(Shelf::default());
    with_shelf(&node, &shelf);
    node.store.seal(0).unwrap();
    shelf.reads.store(0, Ordering::SeqCst);
    let wanted = [700, 3, 300, 4, 511].map(LeafIndex);
    node.snapshot().fetch(&wanted);
    assert_eq!(shelf.reads.load(Ordering::SeqCst), 2);
    Shelf::set(&shelf.away);
    assert!(wanted[1..].iter().all(|leaf| node.snapshot().leaf(*leaf).is_ok()));
}

/// Every proof after a change of the committee begins with the statement that made it.
#[test]
fn what_appoints_a_committee_stays_here() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open(folder.path());
    let (mut carrier, inception) = Actor::device(1);
    let (mut before, inceptions): (Vec<_>, Vec<_>) = (10..13).map(Actor::device).unzip();
    node.batch([vec![inception], inceptions].concat());
    let four = Panel { number: 1, validators: &[1, 2, 3, 4] }.committee();
    let payload = OWNER.appoint(genesis(ORIGIN).network_id(), &four, &[0]);
    let mut batch: Vec<_> = before.iter_mut().map(|actor| actor.record(b"beside it")).collect();
    batch.insert(1, carrier.state(StatementKind::APPOINT, &payload));
    node.batch(batch);
    let appointment = (0..node.snapshot().size().0)
        .map(LeafIndex)
        .find(|leaf| crate::sealed::stays(&node.snapshot().leaf(*leaf).unwrap()));
    let appointment = appointment.unwrap();
    node.batch((100..700).map(Actor::device).map(|(_, inception)| inception).collect());
    node.batch(Vec::new());
    let whole = node.snapshot().leaf(appointment).unwrap();
    let shelf = Arc::new(Shelf::default());
    with_shelf(&node, &shelf);
    while node.store.seal(0).unwrap() > 0 {}
    assert!(sealed(&node) > appointment.0);
    Shelf::set(&shelf.away);
    assert_eq!(node.snapshot().leaf(appointment).unwrap(), whole);
    assert!(node.snapshot().leaf(LeafIndex(appointment.0 + 1)).is_err());
    Shelf::clear(&shelf.away);
    // Also after it was made anew, and put back from a copy.
    let snapshot = node.snapshot();
    node.store.backup(&snapshot, &folder.path().join("backup")).unwrap();
    let dumped = dump(&snapshot);
    drop((snapshot, node));
    rebuild(folder.path(), Some(shelf.clone())).unwrap();
    let node = Node::open(folder.path());
    assert!(dump(&node.snapshot()) == dumped);
    assert_eq!(node.snapshot().leaf(appointment).unwrap(), whole);
}

fn dump(snapshot: &Snapshot) -> Vec<u8> {
    let mut bytes = Vec::new();
    crate::dump::write(snapshot.database(), &mut bytes).unwrap();
    bytes
}

fn rebuild(folder: &Path, kept: Option<Arc<Shelf>>) -> Result<crate::Rebuilt, Error> {
    let genesis = genesis(ORIGIN);
    let first = Arc::new(genesis_batch(&genesis, CONTEXT));
    let kept = kept.map(|kept| kept as Arc<dyn SealedLog>);
    crate::rebuild(folder, &genesis, &first, Arc::new(OneByOne), kept, |_| {})
}

#[test]
fn a_sealed_log_is_rebuilt_from_where_it_is_kept_and_stays_there() {
    let folder = tempfile::tempdir().unwrap();
    let node = filled(folder.path());
    let shelf = Arc::new(Shelf::default());
    with_shelf(&node, &shelf);
    node.store.seal(0).unwrap();
    let (before, tip) = (dump(&node.snapshot()), node.snapshot().tip());
    drop(node);
    let refused = rebuild(folder.path(), None).unwrap_err();
    assert!(matches!(refused, Error::Sealed { .. }), "{refused}");
    Shelf::set(&shelf.away);
    let refused = rebuild(folder.path(), Some(shelf.clone())).unwrap_err();
    assert!(refused.to_string().contains("it is away"), "{refused}");
    Shelf::clear(&shelf.away);
    shelf.change(1, |bundle| *bundle.last_mut().unwrap() ^= 1);
    let refused = rebuild(folder.path(), Some(shelf.clone())).unwrap_err();
    assert!(matches!(refused, Error::Diverged { height: Height(4), .. }), "{refused}");
    shelf.change(1, |bundle| *bundle.last_mut().unwrap() ^= 1);
    let rebuilt = rebuild(folder.path(), Some(shelf.clone())).unwrap();
    assert_eq!(rebuilt.state_root, tip.state_root);
    let node = Node::open(folder.path());
    assert!(dump(&node.snapshot()) == before);
}

#[test]
fn a_backup_has_the_hashes_of_sealed_leaves_and_says_which() {
    let folder = tempfile::tempdir().unwrap();
    let (store, backup) = (folder.path().join("store"), folder.path().join("backup"));
    let node = filled(&store);
    let before = seen(&node.snapshot());
    let unsealed = folder.path().join("unsealed");
    node.store.backup(&node.snapshot(), &unsealed).unwrap();
    let manifest = fs::read_to_string(unsealed.join("MANIFEST")).unwrap();
    assert!(manifest.starts_with("touchmark-backup 2\n") && !manifest.contains("sealed"));
    let shelf = Arc::new(Shelf::default());
    with_shelf(&node, &shelf);
    node.store.seal(0).unwrap();
    node.store.backup(&node.snapshot(), &backup).unwrap();
    let manifest = fs::read_to_string(backup.join("MANIFEST")).unwrap();
    assert!(manifest.starts_with("touchmark-backup 3\n"), "{manifest}");
    assert!(manifest.contains("\nsealed 512\n"), "{manifest}");
    drop(node);

    let network = genesis(ORIGIN).network_id();
    let checked = VerifiedBackup::check(&backup, network, drop).unwrap();
    assert_eq!(checked.manifest().sealed, 512);
    let mut told = Vec::new();
    checked.check_sealed(shelf.as_ref(), |reading| told.push((reading.done, reading.of))).unwrap();
    assert_eq!(told, [(2, 2)]);
    shelf.change(1, |bundle| *bundle.last_mut().unwrap() ^= 1);
    let refused = checked.check_sealed(shelf.as_ref(), drop).unwrap_err();
    assert!(matches!(refused, Error::Sealed { leaf: LeafIndex(256), .. }), "{refused}");
    shelf.change(1, |bundle| *bundle.last_mut().unwrap() ^= 1);

    let again = folder.path().join("again");
    checked.restore(&again, drop).unwrap();
    assert!(fs::read_to_string(again.join("FORMAT")).unwrap().starts_with("touchmark-store 6\n"));
    let node = Node::open(&again);
    with_shelf(&node, &shelf);
    assert_eq!((sealed(&node), seen(&node.snapshot())), (512, before));
    node.batch(vec![Actor::resume(7, &node.snapshot()).record(b"goes on")]);
}

/// What says that less is sealed than what is missing, or has other hashes, is damaged.
#[test]
fn a_backup_that_hides_missing_leaves_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let node = filled(&folder.path().join("store"));
    let snapshot = node.snapshot();
    let rows = || crate::dump::rows(std::io::Cursor::new(dump(&snapshot))).map(Result::unwrap);
    let roots = |mut rows: Box<dyn Iterator<Item = Row>>| {
        let mut roots = crate::dump::Roots::default();
        rows.by_ref().all(|row| roots.take(&row)).then(|| roots.finish()).flatten()
    };
    let first_here = |row: &Row| crate::number::read(&row.key).unwrap();
    let whole = roots(Box::new(rows())).unwrap();
    assert_eq!((whole.0.size(), whole.1), (snapshot.size(), 0));
    let without = |gone: std::ops::Range<u64>, sealed: u64| {
        let kept =
            rows().filter(move |row| row.table != Table::Leaf || !gone.contains(&first_here(row)));
        let says = Row {
            table: Table::Sealed,
            key: b"leaves".to_vec(),
            value: sealed.to_be_bytes().into(),
        };
        roots(Box::new(kept.chain([says]).collect::<Vec<_>>().into_iter()))
    };
    let found = without(0..512, 512).unwrap();
    assert_eq!((found.0, found.1, found.2), (whole.0, 512, whole.2));
    assert!(without(0..512, 256).is_none(), "more is missing than it says");
    assert!(without(0..513, 512).is_none(), "the first that has to be there is not");
    assert!(without(512..544, 512).is_none());
    assert!(without(0..512, 1 << 20).is_none(), "more than there are");
    let mut swapped: Vec<_> =
        rows().filter(|row| row.table != Table::Leaf || first_here(row) >= 512).collect();
    let leaf = swapped.iter_mut().find(|row| row.table == Table::Leaf).unwrap();
    *leaf.value.last_mut().unwrap() ^= 1;
    let says =
        Row { table: Table::Sealed, key: b"leaves".to_vec(), value: 512u64.to_be_bytes().into() };
    assert!(
        roots(Box::new(swapped.into_iter().chain([says]))).is_none(),
        "a leaf that its hash is not of"
    );
}

const FOLDER: &str = "TOUCHMARK_SEALING_FOLDER";

/// A shelf on the disk, which outlives the process.
struct Disk(std::path::PathBuf);

impl SealedLog for Disk {
    fn read(&self, bundles: &[u64]) -> Vec<Result<Vec<u8>, String>> {
        let read = |number| fs::read(self.0.join(format!("{number}"))).map_err(|it| it.to_string());
        bundles.iter().map(read).collect()
    }

    fn write(&self, bundles: Vec<(u64, Vec<u8>)>) -> Result<(), String> {
        for (number, bundle) in bundles {
            fs::write(self.0.join(format!("{number}")), bundle).map_err(|it| it.to_string())?;
        }
        Ok(())
    }
}

#[test]
fn child_that_seals_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER).map(std::path::PathBuf::from) else { return };
    let node = Node::open(&folder.join("store"));
    node.store.keep_sealed_in(Arc::new(Disk(folder.join("shelf"))));
    println!("begun");
    let mut next = 10_000 + node.snapshot().size().0;
    loop {
        node.batch((next..next + 50).map(Actor::device).map(|(_, inception)| inception).collect());
        next += 50;
        node.store.seal(90).unwrap();
        node.store.reclaim().unwrap();
    }
}

/// Killed at any step: nothing is lost, and it goes on.
#[test]
fn a_process_that_is_killed_while_it_seals_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("shelf")).unwrap();
    let node = filled(&folder.path().join("store"));
    let first = seen(&node.snapshot());
    let size = node.snapshot().size().0 as usize;
    drop(node);
    for trial in 0..12u64 {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tests::sealed::child_that_seals_until_it_is_killed", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("begun")));
        thread::sleep(Duration::from_millis(trial * 17));
        child.kill().unwrap();
        child.wait().unwrap();
        let node = Node::open(&folder.path().join("store"));
        node.store.keep_sealed_in(Arc::new(Disk(folder.path().join("shelf"))));
        let snapshot = node.snapshot();
        for (leaf, expected) in first[..size].iter().enumerate() {
            assert!(snapshot.leaf(LeafIndex(leaf as u64)).unwrap() == *expected, "{trial}: {leaf}");
        }
        let mut log = touchmark_wire::merkle::Frontier::new();
        for leaf in snapshot.leaves(LeafIndex(0)..LeafIndex(u64::MAX)) {
            log.append(touchmark_wire::merkle::leaf_hash(&leaf.unwrap().1));
        }
        assert_eq!(log, snapshot.tip().frontier, "{trial}");
    }
    let node = Node::open(&folder.path().join("store"));
    node.store.keep_sealed_in(Arc::new(Disk(folder.path().join("shelf"))));
    while node.store.seal(90).unwrap() > 0 {}
    assert!(sealed(&node) >= 512);
    assert!(node.snapshot().leaf(LeafIndex(0)).unwrap() == first[0]);
}
