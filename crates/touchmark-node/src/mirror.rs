//! A verified copy of a log, as files that any server can serve.
//!
//! ```text
//! checkpoint        the newest checkpoint (C2SP tlog-tiles); put in its place last
//! tile/…            hashes and leaves (C2SP tlog-tiles)
//! genesis.cbor      the network's genesis document
//! proof/SIZE.tmb    a bundle: the network certified the log of SIZE leaves, with its last leaf
//! evidence/…        two certified logs of which neither continues the other
//! lock              locked by the process that copies
//! ```
//!
//! Hashes are made here from the leaves, and leaves are written only when they lead to a certified
//! root: whatever is in the folder is the network's log, also while a copy is being made. Whoever
//! reads the checkpoint finds all that it speaks of. A copy that was cut off goes on with what is
//! there, which is hashed once more.

mod folder;

use crate::shown::{Entries, ShownError, Source, Tip, Tree, end, file, levels};
use folder::Folder;
use std::io;
use std::path::{Path, PathBuf};
use touchmark_api::tile::{Row, Tile, WIDTH};
use touchmark_wire::genesis::Genesis;
use touchmark_wire::ids::{LeafIndex, NetworkId, TreeSize};

/// Why a log is not copied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MirrorError {
    /// What the source shows, or what the folder has.
    #[error(transparent)]
    Shown(#[from] ShownError),
    /// The folder's own log is not as it was written.
    #[error("{folder} is damaged: {reason}")]
    Damaged {
        /// The folder.
        folder: PathBuf,
        /// What is wrong.
        reason: ShownError,
    },
    /// Another process copies into the folder.
    #[error("another process copies into {folder}")]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// A file cannot be written.
    #[error("cannot write {path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The source's log is the beginning of what the folder has.
    #[error("{name} shows a log of {shown} leaves, and {seen} are in the folder")]
    RolledBack {
        /// Who shows it.
        name: String,
        /// How many it has.
        shown: TreeSize,
        /// How many are copied.
        seen: TreeSize,
    },
    /// The network certified two logs of which neither continues the other.
    #[error(
        "{name} shows a certified log of {shown} leaves that differs from the certified one of \
         {seen} leaves in the folder"
    )]
    Split {
        /// Who shows it.
        name: String,
        /// How many leaves it has.
        shown: TreeSize,
        /// How many are in the folder.
        seen: TreeSize,
        /// Where both are kept.
        evidence: PathBuf,
    },
}

/// What a run copied.
#[derive(Clone, Debug)]
pub struct Copied {
    /// The first leaf that was not in the folder before.
    pub from: LeafIndex,
    /// What the folder shows now.
    pub tip: Tip,
}

/// A folder with a copy of a log, for this process alone.
pub struct Mirror {
    folder: Folder,
    genesis: Genesis,
}

impl Mirror {
    /// The network whose log is in the folder, if there is one.
    pub fn network(path: &Path) -> Result<Option<NetworkId>, MirrorError> {
        if !path.join(file::GENESIS).exists() {
            return Ok(None);
        }
        let genesis = Source::folder(path).genesis(None);
        let genesis = genesis.map_err(|reason| damaged(path, reason))?;
        Ok(Some(genesis.network_id()))
    }

    /// Takes a folder for the log of a network; makes it if it is missing.
    pub fn open(path: &Path, genesis: Genesis) -> Result<Self, MirrorError> {
        let trusted = genesis.network_id();
        let folder = Folder::take(path)?;
        match Self::network(path)? {
            Some(found) if found != trusted => {
                let name = path.display().to_string();
                Err(ShownError::OtherNetwork { name, found, trusted }.into())
            }
            _ => Ok(Self { folder, genesis }),
        }
    }

    /// The root of trust of the network whose log it is.
    pub const fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// Copies what `source` has and the folder has not. `progress` is told how many leaves are
    /// there, and of how many.
    pub fn update(
        &mut self,
        source: &Source,
        mut progress: impl FnMut(TreeSize, TreeSize),
    ) -> Result<Copied, MirrorError> {
        let shown = Tip::read(source, &self.genesis)?;
        let seen = self.seen()?;
        let size = shown.as_of.size;
        let had = seen.as_ref().map_or(TreeSize(0), |seen| seen.as_of.size);
        let mut tree = Tree::open(source, &shown.as_of)?;
        if let Some(seen) = &seen {
            self.compare(source, &mut tree, seen, &shown)?;
        }
        self.copy(&mut tree, had, |done| progress(done, size))?;
        self.publish(&shown, had)?;
        Ok(Copied { from: LeafIndex(had.0), tip: shown })
    }

    /// What the folder has shown last.
    fn seen(&self) -> Result<Option<Tip>, MirrorError> {
        let path = self.folder.path();
        if !path.join(file::CHECKPOINT).exists() {
            return Ok(None);
        }
        let seen = Tip::read(&Source::folder(path), &self.genesis);
        seen.map(Some).map_err(|reason| damaged(path, reason))
    }

    /// Refuses what does not continue what was seen.
    fn compare(
        &self,
        source: &Source,
        tree: &mut Tree<'_>,
        seen: &Tip,
        shown: &Tip,
    ) -> Result<(), MirrorError> {
        let name = source.name().to_owned();
        let (old, new) = (seen.as_of, shown.as_of);
        let path = self.folder.path();
        let begins_alike = if new.size >= old.size {
            tree.root_at(old.size)? == old.root
        } else {
            let own = Source::folder(path);
            let root = Tree::open(&own, &old).and_then(|mut own| own.root_at(new.size));
            root.map_err(|reason| damaged(path, reason))? == new.root
        };
        if !begins_alike {
            let evidence = self.folder.keep_evidence(seen, shown)?;
            return Err(MirrorError::Split { name, shown: new.size, seen: old.size, evidence });
        }
        if new.size < old.size {
            return Err(MirrorError::RolledBack { name, shown: new.size, seen: old.size });
        }
        Ok(())
    }

    /// Writes the tiles that a log of `had` leaves did not have.
    fn copy(
        &mut self,
        tree: &mut Tree<'_>,
        had: TreeSize,
        mut progress: impl FnMut(TreeSize),
    ) -> Result<(), MirrorError> {
        let size = tree.size();
        if size == had {
            return Ok(());
        }
        for level in levels(size).filter(|level| *level > 0) {
            let (last, width) = end(size, level);
            for index in end(had, level).0..last {
                self.folder.put_hashes(level, index, &tree.hashes(level, index)?)?;
            }
            if width > 0 {
                self.folder.put_hashes(level, last, &tree.hashes(level, last)?)?;
            }
        }
        let (last, width) = end(size, 0);
        for index in end(had, 0).0..last + u64::from(width > 0) {
            let entries = if let Some(there) = self.there(tree, index)? {
                there
            } else {
                let entries = tree.entries(index)?;
                self.folder.put_leaves(index, &entries.leaves)?;
                entries
            };
            self.folder.put_hashes(0, index, &entries.hashes)?;
            progress(TreeSize(entries.first.0 + entries.leaves.len() as u64));
        }
        Ok(())
    }

    /// The leaves of a bundle, where an earlier run left them whole.
    fn there(&self, tree: &mut Tree<'_>, index: u64) -> Result<Option<Entries>, MirrorError> {
        let tile = Tile { row: Row::Entries, index, width: WIDTH };
        let Some(leaves) = self.folder.leaves(tile) else { return Ok(None) };
        let entries = Entries::of(index, leaves);
        Ok(tree.holds(index, &entries)?.then_some(entries))
    }

    /// Puts everything on the disk, then the checkpoint in its place.
    fn publish(&mut self, shown: &Tip, had: TreeSize) -> Result<(), MirrorError> {
        let size = shown.as_of.size;
        self.folder.sync()?;
        self.folder.replace(file::GENESIS, &self.genesis.encode_to_vec())?;
        self.folder.replace(&file::proof(size), &shown.proof)?;
        self.folder.replace(file::CHECKPOINT, shown.note.as_bytes())?;
        self.folder.clear(had, size)
    }
}

fn damaged(folder: &Path, reason: ShownError) -> MirrorError {
    MirrorError::Damaged { folder: folder.into(), reason }
}
