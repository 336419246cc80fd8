//! The files of a mirror.

use super::MirrorError;
use crate::disk::{self, Secrecy};
use crate::shown::{Tip, end, file, levels};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use touchmark_api::tile::{Row, Tile, WIDTH, entries};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::TreeSize;

/// Where two logs that contradict each other are kept.
const EVIDENCE: &str = "evidence";

/// A folder that this process alone writes into.
pub(super) struct Folder {
    path: PathBuf,
    /// What was written and may not be on the disk.
    written: BTreeSet<PathBuf>,
    _lock: File,
}

impl Folder {
    /// Locks the folder, which is made if it is missing.
    pub(super) fn take(path: &Path) -> Result<Self, MirrorError> {
        let lock = fs::create_dir_all(path).and_then(|()| disk::lock(path));
        let lock = lock.map_err(failed(path))?;
        let lock = lock.ok_or_else(|| MirrorError::InUse { folder: path.into() })?;
        Ok(Self { path: path.into(), written: BTreeSet::new(), _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The leaves in a tile's file, whatever they are.
    pub(super) fn leaves(&self, tile: Tile) -> Option<Vec<Vec<u8>>> {
        let bytes = fs::read(self.path.join(tile.to_string())).ok()?;
        Some(entries(&bytes)?.into_iter().map(<[u8]>::to_vec).collect())
    }

    /// Writes an entry bundle.
    pub(super) fn put_leaves(&mut self, index: u64, leaves: &[Vec<u8>]) -> Result<(), MirrorError> {
        let tile = Tile { row: Row::Entries, index, width: leaves.len() as u64 };
        let mut bytes = Vec::new();
        for leaf in leaves {
            let length = u16::try_from(leaf.len()).expect("it was read with such a length");
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(leaf);
        }
        self.put(tile, &bytes)
    }

    /// Writes a tile of hashes.
    pub(super) fn put_hashes(
        &mut self,
        level: u8,
        index: u64,
        hashes: &[Digest],
    ) -> Result<(), MirrorError> {
        let tile = Tile { row: Row::Hashes(level), index, width: hashes.len() as u64 };
        let bytes: Vec<u8> = hashes.iter().flat_map(|hash| hash.0).collect();
        self.put(tile, &bytes)
    }

    /// Writes a tile whole, without waiting for the disk.
    fn put(&mut self, tile: Tile, bytes: &[u8]) -> Result<(), MirrorError> {
        let path = self.path.join(tile.to_string());
        let draft = beside(&path, ".new");
        let folder = path.parent().unwrap_or(&self.path);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&draft, bytes))
            .and_then(|()| fs::rename(&draft, &path))
            .map_err(failed(&path))?;
        self.written.insert(path);
        Ok(())
    }

    /// Waits until all tiles are on the disk, with the folders that they are in.
    pub(super) fn sync(&mut self) -> Result<(), MirrorError> {
        let written = std::mem::take(&mut self.written);
        let below = |path: &PathBuf| -> Vec<PathBuf> {
            let own = path.ancestors().take_while(|above| above.starts_with(&self.path));
            own.map(Path::to_owned).collect()
        };
        let all: BTreeSet<PathBuf> = written.iter().flat_map(below).collect();
        for path in all {
            File::open(&path).and_then(|file| file.sync_all()).map_err(failed(&path))?;
        }
        Ok(())
    }

    /// Puts a file in the place of another, at once and durably.
    pub(super) fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), MirrorError> {
        let path = self.path.join(name);
        let folder = path.parent().unwrap_or(&self.path);
        fs::create_dir_all(folder)
            .and_then(|()| disk::replace(&path, bytes, Secrecy::Public))
            .map_err(failed(&path))
    }

    /// Removes what neither a log of `size` leaves needs nor, for those who have read the
    /// checkpoint before, one of `had`.
    pub(super) fn clear(&self, had: TreeSize, size: TreeSize) -> Result<(), MirrorError> {
        for level in levels(had) {
            let (index, _) = end(had, level);
            let is_whole_now = index < end(size, level).0;
            let rows = [Some(Row::Hashes(level)), (level == 0).then_some(Row::Entries)];
            for row in rows.into_iter().flatten().filter(|_| is_whole_now) {
                let whole = self.path.join(Tile { row, index, width: WIDTH }.to_string());
                remove(&beside(&whole, ".p"), |path| fs::remove_dir_all(path))?;
            }
        }
        let proofs = self.path.join(file::PROOFS);
        let needed = [had, size].map(|size| self.path.join(file::proof(size)));
        for entry in fs::read_dir(&proofs).map_err(failed(&proofs))? {
            let path = entry.map_err(failed(&proofs))?.path();
            if !needed.contains(&path) {
                remove(&path, |path| fs::remove_file(path))?;
            }
        }
        Ok(())
    }

    /// Keeps two logs that contradict each other, for those to whom they must be shown.
    pub(super) fn keep_evidence(&self, seen: &Tip, shown: &Tip) -> Result<PathBuf, MirrorError> {
        for (name, tip) in [("seen", seen), ("shown", shown)] {
            self.replace(&format!("{EVIDENCE}/{name}.checkpoint"), tip.note.as_bytes())?;
            self.replace(&format!("{EVIDENCE}/{name}.tmb"), &tip.proof)?;
        }
        Ok(self.path.join(EVIDENCE))
    }
}

/// A path whose name goes on.
fn beside(path: &Path, more: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(more);
    name.into()
}

fn remove(path: &Path, how: impl Fn(&Path) -> io::Result<()>) -> Result<(), MirrorError> {
    match how(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done.map_err(failed(path)),
    }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> MirrorError {
    move |source| MirrorError::File { path: path.into(), source }
}
