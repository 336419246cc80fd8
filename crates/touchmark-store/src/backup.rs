//! Online backup, its check without a store, and the way back.
//!
//! A backup is a folder: [`MANIFEST`](crate::Manifest), `tables` (all tables of one snapshot, in a
//! form of our own) and `payloads/`. Leaves that are sealed are not in it: their hashes are, and what is
//! restored reads them where they are kept. The manifest is written last: without it, it is no backup.

use crate::bundle::{self, AT_ONCE};
use crate::database::{Database, Row, Table};
use crate::dump::{self, Failure, Hashing, Roots};
use crate::error::Error;
use crate::folder::{self, Folder};
use crate::manifest::{BackupFile, Manifest};
use crate::reading::{Meter, Purpose, Reading};
use crate::sealed::SealedLog;
use crate::snapshot::Snapshot;
use crate::store::Store;
use crate::tile::TILE_WIDTH;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read as _};
use std::path::{Path, PathBuf};
use touchmark_core::view::View as _;
use touchmark_ledger::StateView as _;
use touchmark_wire::ids::NetworkId;

const TABLES: &str = "tables";
const PAYLOADS: &str = "payloads";

impl Store {
    /// Copies the store as it was at one of its snapshots into a new or empty folder, while commits
    /// go on; of the payloads those that there are now.
    pub fn backup(&self, snapshot: &Snapshot, to: &Path) -> Result<Manifest, Error> {
        begin_backup(to)?;
        let mut manifest =
            Manifest::of(snapshot.network(), &snapshot.tip(), snapshot.sealed().leaves);
        let path = to.join(TABLES);
        let failed = |failure| match failure {
            Failure::Store(error) => error,
            Failure::File(error) => Error::file("write", &path)(error),
        };
        let file = File::create(&path).map_err(Error::file("create", &path))?;
        let mut out = Hashing::new(BufWriter::new(file));
        dump::write(snapshot.database(), &mut out).map_err(failed)?;
        let (digest, length, out) = out.finish();
        out.into_inner()
            .map_err(io::IntoInnerError::into_error)
            .and_then(|file| file.sync_all())
            .map_err(Error::file("write", &path))?;
        let (from, payloads) = (self.payload_folder(), to.join(PAYLOADS));
        manifest.files = copy_payloads(from, &payloads)?;
        manifest.files.push(BackupFile { path: TABLES.into(), length, digest });
        manifest.files.sort();
        folder::write_durably(to, Manifest::NAME, manifest.to_string().as_bytes())?;
        Ok(manifest)
    }
}

/// Makes the folder of a backup; one with something in it is refused.
pub fn begin_backup(to: &Path) -> Result<(), Error> {
    fs::create_dir_all(to).map_err(Error::file("create", to))?;
    if fs::read_dir(to).map_err(Error::file("list", to))?.next().is_some() {
        return Err(Error::NotEmpty { folder: to.into() });
    }
    Ok(())
}

/// Copies payloads that are not erased meanwhile; their files, below the backup.
fn copy_payloads(from: &Path, to: &Path) -> Result<Vec<BackupFile>, Error> {
    let mut files = Vec::new();
    fs::create_dir_all(to).map_err(Error::file("create", to))?;
    for shelf in fs::read_dir(from).map_err(Error::file("list", from))? {
        let shelf = shelf.map_err(Error::file("list", from))?;
        let target = to.join(shelf.file_name());
        fs::create_dir_all(&target).map_err(Error::file("create", &target))?;
        for payload in fs::read_dir(shelf.path()).map_err(Error::file("list", shelf.path()))? {
            let payload = payload.map_err(Error::file("list", shelf.path()))?;
            let (source, name) = (payload.path(), payload.file_name());
            // A draft of a write that a crash cut off.
            if source.extension().is_some() {
                continue;
            }
            let mut file = match File::open(&source) {
                Ok(file) => Hashing::new(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(Error::file("read", source)(error)),
            };
            let copied = target.join(&name);
            File::create(&copied)
                .and_then(|mut out| {
                    io::copy(&mut file, &mut out)?;
                    out.sync_all()
                })
                .map_err(Error::file("write", &copied))?;
            let (digest, length, _) = file.finish();
            let (shelf, name) = (shelf.file_name(), name.to_string_lossy().into_owned());
            let path = format!("{PAYLOADS}/{}/{name}", shelf.to_string_lossy());
            files.push(BackupFile { path, length, digest });
        }
        folder::sync_folder(&target).map_err(Error::file("sync", &target))?;
    }
    folder::sync_folder(to).map_err(Error::file("sync", to))?;
    Ok(files)
}

/// A backup that is what its manifest says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifiedBackup {
    folder: PathBuf,
    manifest: Manifest,
}

impl VerifiedBackup {
    /// Checks a backup of a network's log without a store: every file against the manifest, then
    /// the roots of log and state recomputed from the leaves and entries themselves, and from the
    /// hashes of leaves that are sealed.
    pub fn check(
        folder: &Path,
        network: NetworkId,
        mut progress: impl FnMut(Reading),
    ) -> Result<Self, Error> {
        let manifest = Manifest::read(folder)?;
        if manifest.network != network {
            let (folder, found) = (folder.into(), manifest.network);
            return Err(Error::OtherNetwork { folder, found, wanted: network });
        }
        let damaged = || damaged(folder, TABLES);
        let tables = manifest.files.iter().find(|file| file.path == TABLES).ok_or_else(damaged)?;
        // Every file for its digest, and the tables again for their roots.
        let bytes = manifest.bytes().saturating_add(tables.length);
        let mut meter = Meter::new(Purpose::Check, bytes, &mut progress);
        check_files(folder, &manifest, &mut meter)?;
        let mut roots = Roots::default();
        for row in open_tables(folder, &mut meter)? {
            let row = row.map_err(|_| damaged())?;
            if !roots.take(&row) {
                return Err(damaged());
            }
        }
        let (log, sealed, state_root) = roots.finish().ok_or_else(damaged)?;
        let found = (log.size(), log.root(), sealed, state_root);
        if found != (manifest.size, manifest.root, manifest.sealed, manifest.state_root) {
            return Err(damaged());
        }
        Ok(Self { folder: folder.into(), manifest })
    }

    /// What it holds.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Reads all leaves that are sealed, and so not in the backup, where they are kept, and compares
    /// them with their hashes. Tells how many bundles it has read.
    pub fn check_sealed(
        &self,
        kept: &dyn SealedLog,
        mut progress: impl FnMut(Reading),
    ) -> Result<(), Error> {
        let of = self.manifest.sealed / TILE_WIDTH;
        let mut ignore = |_| {};
        let mut meter = Meter::new(Purpose::Check, 0, &mut ignore);
        let mut hashes = Vec::new();
        let mut bundles = Vec::new();
        let mut done = 0;
        for row in open_tables(&self.folder, &mut meter)? {
            let row = row.map_err(|_| damaged(&self.folder, TABLES))?;
            hashes.extend(dump::leaf_hashes(&row).into_iter().flatten());
            if done + (bundles.len() as u64) < of && hashes.len() as u64 == TILE_WIDTH {
                bundles.push(std::mem::take(&mut hashes));
            }
            if bundles.len() == AT_ONCE || done + (bundles.len() as u64) == of {
                bundle::check(kept, done, &bundles)?;
                done += bundles.len() as u64;
                bundles.clear();
                progress(Reading { purpose: Purpose::Sealed, done, of });
            }
            if done == of {
                return Ok(());
            }
        }
        Err(damaged(&self.folder, TABLES))
    }

    /// Makes a store of it in a new or empty folder; [`Store::open`] opens it.
    pub fn restore(&self, to: &Path, mut progress: impl FnMut(Reading)) -> Result<(), Error> {
        let Self { folder: backup, manifest } = self;
        let mut meter = Meter::new(Purpose::Restore, manifest.bytes(), &mut progress);
        let folder = Folder::claim_empty(to)?;
        restore_payloads(manifest, backup, &folder, &mut meter)?;
        let database = Database::open(folder, 16 << 20)?;
        let mut rows = open_tables(backup, &mut meter)?
            .map(|row| row.map_err(Error::file("read", backup)))
            .peekable();
        let mut tip = None;
        while let Some(row) = rows.next() {
            let row = row?;
            if row.table == Table::Tip {
                tip = Some(row);
                continue;
            }
            let table = row.table;
            let same = |next: &Result<Row, Error>| !matches!(next, Ok(row) if row.table != table);
            let rest = std::iter::from_fn(|| rows.next_if(same));
            database.fill(table, std::iter::once(Ok(row)).chain(rest))?;
        }
        let mut write = database.write();
        let tip = tip.ok_or(Error::Corrupt("tip"))?;
        write.put(Table::Tip, tip.key, tip.value);
        write.commit()?;
        // Only now is it a store.
        if manifest.sealed > 0 {
            database.mark_sealed(manifest.network)
        } else {
            database.mark(manifest.network)
        }
    }
}

fn damaged(folder: &Path, what: &str) -> Error {
    Error::DamagedBackup { folder: folder.into(), what: what.into() }
}

/// Compares every file with the manifest.
fn check_files(folder: &Path, manifest: &Manifest, meter: &mut Meter<'_>) -> Result<(), Error> {
    for file in &manifest.files {
        let path = folder.join(&file.path);
        let mut input = match File::open(&path) {
            Ok(input) => Hashing::new(meter.on(input)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(damaged(folder, &file.path));
            }
            Err(error) => return Err(Error::file("read", path)(error)),
        };
        io::copy(&mut input, &mut io::sink()).map_err(Error::file("read", &path))?;
        let (digest, length, _) = input.finish();
        if (digest, length) != (file.digest, file.length) {
            return Err(damaged(folder, &file.path));
        }
    }
    Ok(())
}

fn open_tables(
    folder: &Path,
    meter: &mut Meter<'_>,
) -> Result<impl Iterator<Item = io::Result<Row>>, Error> {
    let path = folder.join(TABLES);
    let file = File::open(&path).map_err(Error::file("read", path))?;
    Ok(dump::rows(BufReader::with_capacity(1 << 20, meter.on(file))))
}

fn restore_payloads(
    manifest: &Manifest,
    backup: &Path,
    folder: &Folder,
    meter: &mut Meter<'_>,
) -> Result<(), Error> {
    let target = folder.payload_path();
    fs::create_dir_all(&target).map_err(Error::file("create", &target))?;
    for file in &manifest.files {
        let Some((shelf, name)) =
            file.path.strip_prefix("payloads/").and_then(|path| path.split_once('/'))
        else {
            continue;
        };
        let source = backup.join(&file.path);
        let mut bytes = Vec::new();
        File::open(&source)
            .and_then(|input| meter.on(input).read_to_end(&mut bytes))
            .map_err(Error::file("read", &source))?;
        let shelf = target.join(shelf);
        fs::create_dir_all(&shelf).map_err(Error::file("create", &shelf))?;
        folder::write_durably(&shelf, name, &bytes)?;
    }
    folder::sync_folder(&target).map_err(Error::file("sync", &target))
}
