//! The outbox: signed statements on the disk until the network has them.
//!
//! A statement's successor names it, so a chain can't skip one, and a place in a chain must never
//! be signed twice. Whoever states something therefore puts the bytes here first, sends the oldest
//! that waits, and says when it arrived. After a crash, or when the node is away, the same bytes
//! are sent again in the same order; a node answers what it knows already with its first position.
//!
//! ```text
//! FOLDER/log     frames, each on the disk before the next is written and before anything is sent
//! FOLDER/kept    how much of the log was reported as kept (8 bytes, big endian) | checksum (8)
//! FOLDER/lock    held while the outbox is open
//! frame = length of the body (4 bytes, big endian) | kind (1) | body | checksum (8)
//! kind  = 1, a statement | 2, the oldest that waited has arrived (no body)
//! ```

mod log;
mod promise;

use crate::disk::{self, Secrecy};
use log::{Frame, Kind};
use promise::Promise;
use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use touchmark_wire::limits;

/// Why an outbox does not take, give or keep a statement.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutboxError {
    /// The caller's: so many bytes wait already that no more are taken.
    #[error("{waiting} statements wait in {path}, more than it takes")]
    Full {
        /// Which outbox.
        path: PathBuf,
        /// How many wait.
        waiting: usize,
    },
    /// The caller's: longer than a statement can be.
    #[error("{length} bytes are no statement")]
    TooLong {
        /// How long.
        length: usize,
    },
    /// Another process has it open.
    #[error("{path} is in use by another process")]
    InUse {
        /// Which outbox.
        path: PathBuf,
    },
    /// The disk's.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that was changed from outside, or by a failing disk: what is spoilt or gone there had
    /// been reported as kept, so nothing was cut off.
    #[error("{path} is damaged at byte {at}: what had been kept there is spoilt or gone")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Where.
        at: usize,
    },
}

/// An outbox that this process alone uses.
#[derive(Debug)]
pub struct Outbox {
    path: PathBuf,
    file: File,
    /// Bytes of `file` that are frames on the disk.
    length: u64,
    waiting: VecDeque<Vec<u8>>,
    promise: Promise,
    /// Bytes of a frame that a crash cut off while it was written; nobody had been told of it.
    torn: u64,
    limit: usize,
    /// A write failed and could not be taken back: what the file ends with is not known.
    is_broken: bool,
    _lock: File,
}

/// A log that is shorter is not worth writing anew.
const COMPACT: u64 = 256 << 10;

impl Outbox {
    /// Bytes of statements that may wait, unless the caller says otherwise: weeks of a sensor.
    pub const LIMIT: usize = 16 << 20;

    /// Opens the outbox in `folder`, which is made if it is not there. At most `limit` bytes of
    /// statements wait in it.
    pub fn open(folder: &Path, limit: usize) -> Result<Self, OutboxError> {
        let at = |path: &Path| {
            let path = path.to_path_buf();
            move |source| OutboxError::File { path, source }
        };
        disk::make_folder(folder).map_err(at(folder))?;
        let lock = disk::lock(folder).map_err(at(&folder.join("lock")))?;
        let lock = lock.ok_or_else(|| OutboxError::InUse { path: folder.into() })?;
        let path = folder.join("log");
        let Replayed { waiting, length, torn } = replay(folder)?;
        if !path.exists() {
            disk::replace(&path, &[], Secrecy::Owner).map_err(at(&path))?;
        }
        let file = OpenOptions::new().read(true).write(true).open(&path).map_err(at(&path))?;
        // What a crash left of a frame is cut off before the next is written there.
        file.set_len(length).and_then(|()| file.sync_all()).map_err(at(&path))?;
        if torn > 0 {
            tracing::warn!(path = %path.display(), torn, "a write that a crash cut off is dropped");
        }
        let promise = Promise::of(folder);
        Ok(Self {
            path,
            file,
            length,
            waiting,
            promise,
            torn,
            limit,
            is_broken: false,
            _lock: lock,
        })
    }

    /// Puts a damaged outbox aside, whole, so that another can be opened in its place; says where.
    pub fn put_aside(folder: &Path) -> Result<PathBuf, OutboxError> {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let aside = (1..u32::MAX)
            .map(|number| folder.with_file_name(format!("{name}.damaged-{number}")))
            .find(|path| !path.exists())
            .expect("there are fewer of them than numbers");
        let moved = std::fs::rename(folder, &aside);
        moved.map_err(|source| OutboxError::File { path: folder.into(), source })?;
        Ok(aside)
    }

    /// What waits in the outbox in `folder`, the oldest first, without opening it.
    pub fn peek(folder: &Path) -> Result<Vec<Vec<u8>>, OutboxError> {
        // Another process may be writing the log anew: what is damaged stays so.
        let replayed = replay(folder).or_else(|_| replay(folder))?;
        Ok(replayed.waiting.into())
    }

    /// Bytes of a frame that a crash had cut off while it was written, and that opening dropped.
    pub fn torn(&self) -> u64 {
        self.torn
    }

    /// Puts a signed statement at the end; when this returns it is on the disk and may be sent.
    pub fn push(&mut self, statement: &[u8]) -> Result<(), OutboxError> {
        if statement.is_empty() || statement.len() > limits::STATEMENT {
            return Err(OutboxError::TooLong { length: statement.len() });
        }
        if self.bytes() + statement.len() > self.limit {
            let (path, waiting) = (self.path.clone(), self.waiting.len());
            return Err(OutboxError::Full { path, waiting });
        }
        self.append(Frame { kind: Kind::Statement, body: statement })?;
        self.waiting.push_back(statement.to_vec());
        Ok(())
    }

    /// The oldest statement that waits: the one to send.
    pub fn first(&self) -> Option<&[u8]> {
        self.waiting.front().map(Vec::as_slice)
    }

    /// The newest: the one that the next statement must name.
    pub fn last(&self) -> Option<&[u8]> {
        self.waiting.back().map(Vec::as_slice)
    }

    /// All that wait, the oldest first.
    pub fn waiting(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.waiting.iter().map(Vec::as_slice)
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The oldest has arrived: a node answered that it stands in the log.
    pub fn acknowledge(&mut self) -> Result<(), OutboxError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.append(Frame { kind: Kind::Arrived, body: &[] })?;
        self.waiting.pop_front();
        if self.length > COMPACT && self.length > 2 * self.bytes() as u64 {
            self.compact()?;
        }
        Ok(())
    }

    /// Forgets what waits. The chain's head must be asked for before anything else is signed.
    pub fn discard(&mut self) -> Result<(), OutboxError> {
        self.retain(|_| false)
    }

    /// Forgets what waits and is not meant; the rest goes on waiting in its order.
    pub fn retain(&mut self, is_meant: impl Fn(&[u8]) -> bool) -> Result<(), OutboxError> {
        self.waiting.retain(|statement| is_meant(statement));
        self.compact()
    }

    fn bytes(&self) -> usize {
        self.waiting.iter().map(Vec::len).sum()
    }

    fn append(&mut self, frame: Frame<'_>) -> Result<(), OutboxError> {
        let bytes = frame.encode();
        let written = if self.is_broken {
            Err(io::Error::other("an earlier write failed; open the outbox again"))
        } else {
            self.write(&bytes)
        };
        written.map_err(|source| {
            // A frame that was not sent must not come back either.
            let taken_back = self.file.set_len(self.length).and_then(|()| self.file.sync_all());
            self.is_broken |= taken_back.is_err();
            OutboxError::File { path: self.path.clone(), source }
        })?;
        self.length += bytes.len() as u64;
        self.mark();
        Ok(())
    }

    /// Marks what is kept; it is kept, whether the mark is or not.
    fn mark(&mut self) {
        if let Err(error) = self.promise.give(self.length) {
            tracing::warn!(path = %self.path.display(), %error, "what is kept cannot be marked");
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.length))?;
        self.file.write_all(bytes)?;
        self.file.sync_data()
    }

    /// Writes the log anew with what still waits.
    fn compact(&mut self) -> Result<(), OutboxError> {
        let frames = self.waiting.iter().map(|it| Frame { kind: Kind::Statement, body: it });
        let bytes: Vec<u8> = frames.flat_map(|frame| frame.encode()).collect();
        let shortened = self.promise.take_back();
        let renewed = shortened
            .and_then(|()| disk::replace(&self.path, &bytes, Secrecy::Owner))
            .and_then(|()| OpenOptions::new().read(true).write(true).open(&self.path));
        self.file = renewed.map_err(|source| {
            self.is_broken = true;
            OutboxError::File { path: self.path.clone(), source }
        })?;
        self.length = bytes.len() as u64;
        self.mark();
        Ok(())
    }
}

/// What a log says.
struct Replayed {
    waiting: VecDeque<Vec<u8>>,
    /// How much of the log counts.
    length: u64,
    /// What stands behind that.
    torn: u64,
}

/// Reads the log in `folder`; none is an empty one.
fn replay(folder: &Path) -> Result<Replayed, OutboxError> {
    let path = &folder.join("log");
    let failed = |source| OutboxError::File { path: path.into(), source };
    // The mark first: the log only grows meanwhile.
    let promised = Promise::of(folder).length().map_err(failed)?;
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        read => read.map_err(failed)?,
    };
    let damaged = |at| OutboxError::Damaged { path: path.into(), at };
    let log::Frames { frames, length } = log::frames(&bytes).map_err(damaged)?;
    let mut waiting = VecDeque::new();
    for (at, frame) in frames {
        match frame.kind {
            Kind::Statement => waiting.push_back(frame.body.to_vec()),
            Kind::Arrived => {
                waiting.pop_front().ok_or_else(|| damaged(at))?;
            }
        }
    }
    if (length as u64) < promised {
        return Err(damaged(length));
    }
    let torn = (bytes.len() - length) as u64;
    Ok(Replayed { waiting, length: length as u64, torn })
}

#[cfg(test)]
mod tests;
