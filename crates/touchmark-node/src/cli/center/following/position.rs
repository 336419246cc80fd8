//! Where following a log got to, on disk.
//!
//! For each network and organisation one folder has the file `position`: the newest checkpoint that
//! was believed, the frontier of the log at its size, and the leaves that made the roster. The next
//! reading goes on from there, so a log that is not the same one shows. A position is replaced by a
//! later one of the same log, or by whoever asks to start again, and by nothing else.
//!
//! ```text
//! file    body, SHA-256 of it
//! body    [version, network, organisation, signed checkpoint, [peak …], batch / null, [leaf …]]
//! leaf    [index, bytes]
//! ```

use crate::cli::failure::{Failure, Fault};
use crate::disk::{self, Secrecy};
use minicbor::{Decode, Encode};
use std::cmp::Ordering;
use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use touchmark_wire::checkpoint::{Checkpoint, SignedCheckpoint};
use touchmark_wire::codec;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{LeafIndex, NetworkId, ThingId};
use touchmark_wire::leaf::BatchLeaf;
use touchmark_wire::merkle::{self, Frontier};

/// How far a log was read, and what of it is needed to go on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Position {
    pub(super) frontier: Frontier,
    /// The last batch that was read.
    pub(super) batch: Option<BatchLeaf>,
    /// The leaves that made the roster, in log order.
    pub(super) leaves: Vec<Kept>,
}

/// A leaf that is kept.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub(super) struct Kept {
    #[n(0)]
    pub(super) at: LeafIndex,
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub(super) bytes: Vec<u8>,
}

/// A position with the checkpoint that was believed there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Seen {
    /// The signed checkpoint as the node showed it: with another one it proves a split view.
    pub(super) note: String,
    pub(super) position: Position,
}

/// Where the position of one organisation in one network is kept, for this command alone.
pub(super) struct Place {
    folder: PathBuf,
    network: NetworkId,
    organisation: ThingId,
    _lock: File,
}

impl Place {
    /// Opens and locks the folder, which is made if it is not there.
    pub(super) fn open(
        home: &Path,
        network: NetworkId,
        organisation: ThingId,
    ) -> Result<Self, Failure> {
        let folder = home.join("followed").join(network.to_string()).join(organisation.to_string());
        let lock = disk::make_folder(&folder).and_then(|()| disk::lock(&folder));
        let lock = lock.map_err(|error| Failure::storage(&folder, &error))?;
        let lock = lock.ok_or_else(|| {
            Failure::new(Fault::Busy, "the log is being followed for this organisation")
                .because("another command holds its position, which never goes back")
                .hint("wait until the other command has ended")
        })?;
        Ok(Self { folder, network, organisation, _lock: lock })
    }

    /// Where the last reading ended; nothing before the first.
    pub(super) fn seen(&self) -> Result<Option<Seen>, Failure> {
        let path = self.path();
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::storage(&path, &error)),
        };
        let seen = Stored::decode(&bytes).and_then(|stored| self.check(stored));
        seen.map(Some).map_err(|flaw| self.damaged(flaw))
    }

    /// Puts a position, at which `note` was believed, in the place of the last one.
    pub(super) fn keep(&self, note: &str, position: Position) -> Result<(), Failure> {
        let stored = Stored {
            version: VERSION,
            network: self.network,
            organisation: self.organisation,
            note: note.to_owned(),
            peaks: position.frontier.peaks().copied().collect(),
            batch: position.batch,
            leaves: position.leaves,
        };
        write(&self.path(), &stored.encode())
    }

    /// Refuses a certified checkpoint that cannot continue what was seen, whatever the leaves are.
    /// `note` is the text that it stands in.
    pub(super) fn compare(
        &self,
        seen: &Seen,
        note: &str,
        shown: &Checkpoint<'_>,
    ) -> Result<(), Failure> {
        let frontier = &seen.position.frontier;
        let (size, root) = (frontier.size(), frontier.root());
        let order = merkle::order((size, &root), (shown.size, &shown.root));
        if order == Some(Ordering::Greater) {
            let what = "the node shows a smaller log than was seen before";
            return Err(Failure::new(Fault::LogRolledBack, what)
                .because(format!(
                    "it has {} leaves, and {size} were certified: it is behind, or was set back",
                    shown.size
                ))
                .hint(format!("wait, or use another node; {} this log instead", self.restart())));
        }
        if order.is_none() {
            let what = "the node shows another log than was seen before";
            let failure = Failure::new(Fault::LogSplit, what).because(format!(
                "two roots of {size} leaves are certified: {root} was seen, {} is shown",
                shown.root
            ));
            return Err(self.contradicted([&seen.note, note], failure));
        }
        Ok(())
    }

    /// The leaves that were seen, those before `from`, and those after them do not have the root
    /// that is shown. `notes` are the texts of the two checkpoints.
    pub(super) fn not_extended(
        &self,
        from: LeafIndex,
        notes: [&str; 2],
        shown: &Checkpoint<'_>,
    ) -> Failure {
        let what = "the node shows a log that does not continue what was seen before";
        let failure = Failure::new(Fault::LogNotExtended, what).because(format!(
            "the {from} leaves that were seen, with those that it shows behind them, do not have \
             the root that is certified for {}: they are false, or another log was certified",
            shown.size
        ));
        self.contradicted(notes, failure)
    }

    /// The position cannot be used.
    pub(super) fn damaged(&self, why: impl fmt::Display) -> Failure {
        let what = format!("{} is not the position that was kept", self.path().display());
        Failure::new(Fault::Damaged, what)
            .because(why)
            .hint(format!("restore it from a backup; {} what the node shows", self.restart()))
    }

    /// Keeps both checkpoints beside the position, for those to whom they must be shown.
    fn contradicted(&self, notes: [&str; 2], failure: Failure) -> Failure {
        for (name, note) in ["seen.checkpoint", "shown.checkpoint"].into_iter().zip(notes) {
            if let Err(failure) = write(&self.folder.join(name), note.as_bytes()) {
                return failure;
            }
        }
        failure.hint(format!(
            "ask the network's operators: both checkpoints are in {}; {} this log instead",
            self.folder.display(),
            self.restart()
        ))
    }

    fn restart(&self) -> String {
        format!("`touchmark center follow --of {} --restart` believes", self.organisation)
    }

    fn check(&self, stored: Stored) -> Result<Seen, Flaw> {
        if (stored.network, stored.organisation) != (self.network, self.organisation) {
            return Err(Flaw::Other);
        }
        let note = SignedCheckpoint::parse(stored.note.as_bytes()).map_err(|_| Flaw::Checkpoint)?;
        let checkpoint = note.checkpoint();
        let frontier = Frontier::from_peaks(checkpoint.size, stored.peaks)
            .filter(|frontier| frontier.root() == checkpoint.root)
            .ok_or(Flaw::Checkpoint)?;
        let is_below = stored.leaves.last().is_none_or(|last| last.at.0 < checkpoint.size.0);
        if !is_below || !stored.leaves.is_sorted_by(|one, next| one.at < next.at) {
            return Err(Flaw::Leaves);
        }
        let position = Position { frontier, batch: stored.batch, leaves: stored.leaves };
        Ok(Seen { note: stored.note, position })
    }

    fn path(&self) -> PathBuf {
        self.folder.join("position")
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    disk::replace(path, bytes, Secrecy::Owner).map_err(|error| Failure::storage(path, &error))
}

const VERSION: u8 = 1;

/// The file's body.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
struct Stored {
    #[n(0)]
    version: u8,
    #[n(1)]
    network: NetworkId,
    #[n(2)]
    organisation: ThingId,
    #[n(3)]
    note: String,
    #[n(4)]
    peaks: Vec<Digest>,
    #[n(5)]
    batch: Option<BatchLeaf>,
    #[n(6)]
    leaves: Vec<Kept>,
}

impl Stored {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = codec::encode(self);
        let checksum = Digest::of(&[&bytes]);
        bytes.extend_from_slice(&checksum.0);
        bytes
    }

    fn decode(bytes: &[u8]) -> Result<Self, Flaw> {
        let (body, checksum) = bytes.split_last_chunk().ok_or(Flaw::Bytes)?;
        if Digest::of(&[body]) != Digest(*checksum) {
            return Err(Flaw::Bytes);
        }
        // It was written here, so it is as long as the roster is.
        let stored: Self = codec::decode(body, body.len()).map_err(|_| Flaw::Version)?;
        if stored.version == VERSION { Ok(stored) } else { Err(Flaw::Version) }
    }
}

/// Why a file is no position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Flaw {
    /// Not the bytes that were written.
    Bytes,
    /// Another program wrote it.
    Version,
    /// It belongs elsewhere.
    Other,
    /// Its checkpoint is none, or not that of its frontier.
    Checkpoint,
    /// Its leaves are not in log order, or beyond its size.
    Leaves,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bytes => "its bytes are not those that were written",
            Self::Version => "another version of this program wrote it",
            Self::Other => "it is of another network or organisation",
            Self::Checkpoint => "its checkpoint is not that of its leaves",
            Self::Leaves => "its leaves are not in the order of the log",
        })
    }
}

#[cfg(test)]
mod tests;
