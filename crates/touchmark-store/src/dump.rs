//! All tables as one file, whatever the key-value engine: the content of a backup.
//!
//! A row is: number of the table (1), length of the key (2), length of the value (4), key, value;
//! numbers are big-endian. Tables stand in the order of their numbers, rows in that of their keys.

use crate::database::{DatabaseView, Layout, Row, Table};
use crate::error::Error;
use crate::{number, run, sealed, state};
use sha2::{Digest as _, Sha256};
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::ops::Bound;
use touchmark_wire::hash::Digest;
use touchmark_wire::merkle::{self, Frontier};
use touchmark_wire::state::StateKey;
use touchmark_wire::trie::{self, EMPTY};

/// Writes all tables.
pub(crate) fn write(view: &DatabaseView, out: &mut impl Write) -> Result<(), Failure> {
    for Layout { table, .. } in Table::ALL {
        for row in view.range(table, (Bound::Unbounded, Bound::Unbounded)) {
            let (key, value) = row?;
            out.write_all(&[table as u8])?;
            out.write_all(&(key.len() as u16).to_be_bytes())?;
            out.write_all(&(value.len() as u32).to_be_bytes())?;
            out.write_all(&key)?;
            out.write_all(&value)?;
        }
    }
    Ok(())
}

/// Why copying stopped: reading from the store, or the file.
#[derive(Debug)]
pub(crate) enum Failure {
    Store(Error),
    File(io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

/// The rows of a dump; an error is an unexpected end, an unknown table or a wrong order.
pub(crate) fn rows(mut input: impl Read) -> impl Iterator<Item = io::Result<Row>> {
    let mut last: Option<(u8, Vec<u8>)> = None;
    std::iter::from_fn(move || {
        let row = row(&mut input).transpose()?;
        Some(row.and_then(|row| {
            let place = (row.table as u8, row.key.clone());
            if last.as_ref().is_some_and(|last| *last >= place) {
                return Err(io::Error::from(io::ErrorKind::InvalidData));
            }
            last = Some(place);
            Ok(row)
        }))
    })
}

fn row(input: &mut impl Read) -> io::Result<Option<Row>> {
    /// No value of ours is longer: a leaf has 65,535 bytes, events of a leaf a few times that.
    const LONGEST: u32 = 16 << 20;
    let mut head = [0; 7];
    if input.read(&mut head[..1])? == 0 {
        return Ok(None);
    }
    input.read_exact(&mut head[1..])?;
    let invalid = || io::Error::from(io::ErrorKind::InvalidData);
    let [table, k0, k1, v0, v1, v2, v3] = head;
    let Layout { table, .. } = *Table::ALL.get(usize::from(table)).ok_or_else(invalid)?;
    let length = u32::from_be_bytes([v0, v1, v2, v3]);
    if length > LONGEST {
        return Err(invalid());
    }
    let mut key = vec![0; usize::from(u16::from_be_bytes([k0, k1]))];
    let mut value = vec![0; length as usize];
    input.read_exact(&mut key)?;
    input.read_exact(&mut value)?;
    Ok(Some(Row { table, key, value }))
}

/// The hashes of leaves that a row has, if it is one of the lowest level of the log's tree.
pub(crate) fn leaf_hashes(row: &Row) -> Option<impl Iterator<Item = Digest> + '_> {
    let is_lowest = row.table == Table::Tile && row.key.first() == Some(&0);
    let hashes = is_lowest.then(|| row.value.as_chunks::<32>().0)?;
    Some(hashes.iter().copied().map(Digest))
}

/// Recomputes the roots of log and state from the rows of a dump, in bounded memory beside 40 bytes
/// for each leaf that comes after a gap: where leaves are sealed, those before the gap are known by
/// their hashes in the tree, which the dump has behind the leaves.
#[derive(Default)]
pub(crate) struct Roots {
    log: Frontier,
    /// Leaves after a gap, in order.
    gapped: VecDeque<(u64, Digest)>,
    /// From where on, in the end, every leaf is there.
    complete: u64,
    sealed: u64,
    /// Subtrees that are complete to the left: hash, and the bit on which their branch decides.
    left: Vec<(Digest, u8)>,
    last: Option<(StateKey, Digest)>,
}

impl Roots {
    /// Takes the next row; `false` if it is not what a store writes.
    pub(crate) fn take(&mut self, row: &Row) -> bool {
        match row.table {
            Table::Leaf => {
                let Some(first) = number::read(&row.key) else { return false };
                run::parts(first, &row.value).all(|part| {
                    let taken = part.map(|(index, leaf)| {
                        self.take_leaf(index, merkle::leaf_hash(&row.value[leaf]))
                    });
                    taken.is_some_and(|taken| taken)
                })
            }
            Table::Tile => self.take_hashes(row).is_some(),
            Table::Sealed => {
                let sealed = sealed::decode(&row.value);
                self.sealed = sealed.unwrap_or_default();
                sealed.is_some()
            }
            Table::Entry => self.take_entry(row).is_some(),
            _ => true,
        }
    }

    fn take_leaf(&mut self, index: u64, hash: Digest) -> bool {
        if self.gapped.is_empty() && index == self.log.size().0 {
            self.log.append(hash);
            return true;
        }
        let next = self.gapped.back().map_or(self.log.size().0, |(last, _)| last + 1);
        if index != next {
            self.complete = index;
        }
        self.gapped.push_back((index, hash));
        index >= next
    }

    /// Hashes of leaves: those in a gap count, the others must be those of the leaves.
    fn take_hashes(&mut self, row: &Row) -> Option<()> {
        let hashes = leaf_hashes(row).filter(|_| !self.gapped.is_empty());
        let Some(hashes) = hashes else { return Some(()) };
        let first = number::read(row.key.get(1..)?)?;
        for (index, hash) in (first..).zip(hashes) {
            if index < self.log.size().0 {
                continue;
            }
            (index == self.log.size().0).then_some(())?;
            if let Some((_, own)) = self.gapped.front().filter(|(leaf, _)| *leaf == index) {
                (*own == hash).then_some(())?;
                self.gapped.pop_front();
            }
            self.log.append(hash);
        }
        Some(())
    }

    fn take_entry(&mut self, row: &Row) -> Option<()> {
        let key = StateKey(row.key.as_slice().try_into().ok()?);
        let (hash, value) = state::split(&row.value).ok()?;
        (trie::leaf_hash(&key, value) == hash).then_some(())?;
        if let Some((last, subtree)) = self.last {
            let depth = last.first_difference(&key)?;
            let complete = self.close(subtree, |open| open > depth);
            self.left.push((complete, depth));
        }
        self.last = Some((key, hash));
        Some(())
    }

    /// Joins the newest subtree with those to its left whose branches satisfy `deeper`.
    fn close(&mut self, mut subtree: Digest, deeper: impl Fn(u8) -> bool) -> Digest {
        while let Some((left, depth)) = self.left.pop_if(|(_, depth)| deeper(*depth)) {
            subtree = trie::branch_hash(depth, &left, &subtree);
        }
        subtree
    }

    /// The log, of which so many leaves are sealed, and the state's root; `None` where a leaf is
    /// missing that is not sealed.
    pub(crate) fn finish(mut self) -> Option<(Frontier, u64, Digest)> {
        let is_whole = self.gapped.is_empty() && self.complete <= self.sealed;
        (is_whole && self.sealed <= self.log.size().0).then_some(())?;
        let root = match self.last {
            Some((_, subtree)) => self.close(subtree, |_| true),
            None => EMPTY,
        };
        Some((self.log, self.sealed, root))
    }
}

/// Hashes and counts what passes through.
pub(crate) struct Hashing<T> {
    inner: T,
    hasher: Sha256,
    length: u64,
}

impl<T> Hashing<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self { inner, hasher: Sha256::new(), length: 0 }
    }

    /// SHA-256 and length of all that passed, and what it passed to or from.
    pub(crate) fn finish(self) -> (Digest, u64, T) {
        (Digest(self.hasher.finalize().into()), self.length, self.inner)
    }
}

impl<T: Read> Read for Hashing<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        self.length += count as u64;
        Ok(count)
    }
}

impl<T: Write> Write for Hashing<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        self.length += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
