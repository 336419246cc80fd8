//! Backup of a running store, its check, and the way back.

use super::fixture::{Actor, Node, genesis};
use crate::{Error, Manifest, Payload, Purpose, VerifiedBackup};
use std::fs;
use std::path::Path;
use touchmark_core::view::Read as _;
use touchmark_ledger::StateView as _;
use touchmark_wire::ids::{Height, LeafIndex, NetworkId};
use touchmark_wire::statement::Preimage;

const PERSONAL: Preimage<'_> = Preimage { salt: [6; 32], content: b"personal" };

fn verify_backup(folder: &Path) -> Result<Manifest, Error> {
    let checked = VerifiedBackup::check(folder, network("example.org/log"), drop)?;
    Ok(checked.manifest().clone())
}

fn restore(backup: &Path, to: &Path) -> Result<Manifest, Error> {
    let checked = VerifiedBackup::check(backup, network("example.org/log"), drop)?;
    checked.restore(to, drop)?;
    Ok(checked.manifest().clone())
}

fn network(origin: &str) -> NetworkId {
    genesis(origin).network_id()
}

/// A store of 300 things and its backup, of before its last batch.
fn backed_up(folder: &Path) -> (Node, Vec<Actor>) {
    let node = Node::open(&folder.join("store"));
    let (mut actors, inceptions): (Vec<_>, Vec<_>) = (0..300).map(Actor::device).unzip();
    node.batch(inceptions);
    node.batch(actors.iter_mut().map(|actor| actor.record(b"1")).collect());
    let payload = Payload { salt: PERSONAL.salt, content: PERSONAL.content.to_vec() };
    node.store.put_payload(PERSONAL.commitment(), &payload).unwrap();
    let snapshot = node.snapshot();
    node.batch(vec![actors[0].record(b"2")]);
    let manifest = node.store.backup(&snapshot, &folder.join("backup")).unwrap();
    assert_eq!(manifest.height, Height(2));
    (node, actors)
}

#[test]
fn a_restored_backup_is_the_store_of_its_moment_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (node, mut actors) = backed_up(folder.path());
    let manifest = verify_backup(&folder.path().join("backup")).unwrap();
    assert_eq!(
        restore(&folder.path().join("backup"), &folder.path().join("again")).unwrap(),
        manifest
    );
    let again = Node::open(&folder.path().join("again"));
    let (old, new) = (node.snapshot(), again.snapshot());
    assert_eq!((new.height(), new.counts().things), (Height(2), 300));
    assert_eq!(new.tip().batch.header().root, manifest.root);
    for leaf in (0..new.size().0).map(LeafIndex) {
        assert_eq!(new.leaf(leaf).unwrap(), old.leaf(leaf).unwrap());
        assert_eq!(new.happened(leaf).unwrap(), old.happened(leaf).unwrap());
    }
    assert_eq!(new.head(actors[0].id).unwrap().unwrap().chain.sequence.0, 2);
    let payload = again.store.payload(PERSONAL.commitment()).unwrap().unwrap();
    assert_eq!(payload.content, PERSONAL.content);
    // The batches after the backup come again from the order engine.
    let next = old.whole_batch(Height(3)).unwrap().unwrap();
    again.deliver(next);
    assert_eq!(again.snapshot().tip().state_root, old.tip().state_root);
    again.batch(vec![actors[1].record(b"2")]);
}

/// Whoever shows it has a bar that ends where it is full.
#[test]
fn a_check_and_a_restore_tell_how_much_they_read_and_read_as_much_as_they_said() {
    let folder = tempfile::tempdir().unwrap();
    drop(backed_up(folder.path()));
    let (backup, again) = (folder.path().join("backup"), folder.path().join("again"));
    let (mut check, mut restore) = (Vec::new(), Vec::new());
    let own = network("example.org/log");
    let checked = VerifiedBackup::check(&backup, own, |reading| check.push(reading)).unwrap();
    checked.restore(&again, |reading| restore.push(reading)).unwrap();
    let tables = fs::metadata(backup.join("tables")).unwrap().len();
    let bytes = checked.manifest().bytes();
    for (told, purpose, of) in
        [(check, Purpose::Check, bytes + tables), (restore, Purpose::Restore, bytes)]
    {
        assert!(told.len() > 3 && told.is_sorted_by_key(|reading| reading.done));
        assert!(told.iter().all(|reading| (reading.purpose, reading.of) == (purpose, of)));
        assert_eq!(told.last().unwrap().done, of);
    }
}

#[test]
fn a_damaged_backup_is_told_from_a_whole_one() {
    let folder = tempfile::tempdir().unwrap();
    drop(backed_up(folder.path()));
    let backup = folder.path().join("backup");
    let tables = backup.join("tables");
    let whole = fs::read(&tables).unwrap();
    for place in (0..whole.len()).step_by(whole.len() / 20) {
        let mut damaged = whole.clone();
        damaged[place] ^= 1;
        fs::write(&tables, damaged).unwrap();
        let found = verify_backup(&backup);
        assert!(
            matches!(&found, Err(Error::DamagedBackup { what, .. }) if what == "tables"),
            "{place}"
        );
    }
    fs::write(&tables, &whole).unwrap();
    let payload = PERSONAL.commitment().to_string();
    fs::remove_file(backup.join("payloads").join(&payload[..2]).join(&payload)).unwrap();
    assert!(matches!(verify_backup(&backup), Err(Error::DamagedBackup { .. })));
    assert!(matches!(
        restore(&backup, &folder.path().join("again")),
        Err(Error::DamagedBackup { .. })
    ));
    fs::remove_file(backup.join("MANIFEST")).unwrap();
    assert!(matches!(verify_backup(&backup), Err(Error::NotABackup { .. })));
}

#[test]
fn a_backup_that_only_claims_another_root_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(backed_up(folder.path()));
    let backup = folder.path().join("backup");
    let manifest = fs::read_to_string(backup.join("MANIFEST")).unwrap();
    for name in ["root ", "state "] {
        let (start, _) = manifest.match_indices(name).next().unwrap();
        let mut forged = manifest.clone().into_bytes();
        let digit = &mut forged[start + name.len()];
        *digit = if *digit == b'0' { b'1' } else { b'0' };
        fs::write(backup.join("MANIFEST"), forged).unwrap();
        assert!(matches!(verify_backup(&backup), Err(Error::DamagedBackup { .. })), "{name}");
    }
}

#[test]
fn a_backup_that_claims_impossible_lengths_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(backed_up(folder.path()));
    let backup = folder.path().join("backup");
    let length = format!(" {} tables", fs::metadata(backup.join("tables")).unwrap().len());
    let manifest = fs::read_to_string(backup.join("MANIFEST")).unwrap();
    assert!(manifest.contains(&length));
    let forged = manifest.replace(&length, &format!(" {} tables", u64::MAX));
    fs::write(backup.join("MANIFEST"), forged).unwrap();
    assert!(matches!(verify_backup(&backup), Err(Error::DamagedBackup { .. })));
}

#[test]
fn a_backup_of_another_network_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(backed_up(folder.path()));
    let folder = folder.path().join("backup");
    let refused = VerifiedBackup::check(&folder, network("example.com/other"), drop);
    assert!(matches!(refused, Err(Error::OtherNetwork { .. })));
}

#[test]
fn neither_backup_nor_restore_touches_a_folder_with_something_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let (node, _) = backed_up(folder.path());
    let backup = folder.path().join("backup");
    assert!(matches!(node.store.backup(&node.snapshot(), &backup), Err(Error::NotEmpty { .. })));
    let full = folder.path().join("full");
    fs::create_dir(&full).unwrap();
    fs::write(full.join("letter.txt"), "dear").unwrap();
    assert!(matches!(restore(&backup, &full), Err(Error::NotAStore { .. })));
    // A restore that was cut off is no store.
    let half = folder.path().join("half");
    fs::create_dir_all(half.join("kv")).unwrap();
    assert!(matches!(
        super::fixture::try_open(&half, "example.org/log", crate::CacheLimits::default()),
        Err(Error::NotAStore { .. })
    ));
}
