//! What a disk holds: as processes see it, as it would be after a power cut, and the changes that
//! lie between the two.
//!
//! The model is that of a journaling file system with ordered data, at its least helpful:
//! * Written bytes are lost unless the file was synced. What a cut leaves of the others is a matter
//!   of luck: nothing, the first so many, or any pages of them.
//! * Names (create, remove, rename) are kept in their order. Syncing a folder keeps its names, and
//!   syncing a file the names that it has got, with all changes of names before.
//! * After a sync that failed, what it was about counts as clean and is never written.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

/// Number of a file or folder.
pub(super) type Ino = u64;

/// The folder at the top.
pub(super) const ROOT: Ino = 1;

/// Bytes that a disk writes at once or not.
const PAGE: usize = 4_096;

/// What a number stands for.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Folder(BTreeMap<OsString, Ino>),
    File(Vec<u8>),
    Socket,
}

/// A change of bytes that is not synced.
#[derive(Debug)]
enum Bytes {
    Write { offset: usize, data: Vec<u8> },
    Length(usize),
}

/// A change of names that is not synced.
#[derive(Debug)]
enum Name {
    Link { folder: Ino, name: OsString, ino: Ino, node: Node },
    Unlink { folder: Ino, name: OsString },
    Rename { from: (Ino, OsString), to: (Ino, OsString), ino: Ino },
}

impl Name {
    fn concerns(&self, about: Ino) -> bool {
        match self {
            Self::Link { folder, ino, .. } => [*folder, *ino].contains(&about),
            Self::Unlink { folder, .. } => *folder == about,
            Self::Rename { from, to, ino } => [from.0, to.0, *ino].contains(&about),
        }
    }
}

/// Why a call fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Refusal {
    Missing,
    Exists,
    NotEmpty,
    NotAFile,
    NotAFolder,
    Full,
    Broken,
}

/// How the disk behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mood {
    /// As it should.
    #[default]
    Well,
    /// Says that it has synced and has not: for controls.
    Lying,
    /// Every sync fails.
    FailingSync,
    /// Has no room for another byte.
    Full,
}

/// The contents of a disk.
#[derive(Debug)]
pub(super) struct Contents {
    now: BTreeMap<Ino, Node>,
    kept: BTreeMap<Ino, Node>,
    names: Vec<Name>,
    bytes: BTreeMap<Ino, Vec<Bytes>>,
    next: Ino,
    pub(super) mood: Mood,
    pub(super) syncs: u64,
}

impl Contents {
    pub(super) fn new() -> Self {
        let empty = BTreeMap::from([(ROOT, Node::Folder(BTreeMap::new()))]);
        Self {
            now: empty.clone(),
            kept: empty,
            names: Vec::new(),
            bytes: BTreeMap::new(),
            next: ROOT + 1,
            mood: Mood::Well,
            syncs: 0,
        }
    }

    pub(super) fn node(&self, ino: Ino) -> Result<&Node, Refusal> {
        self.now.get(&ino).ok_or(Refusal::Missing)
    }

    pub(super) fn folder(&self, ino: Ino) -> Result<&BTreeMap<OsString, Ino>, Refusal> {
        folder(&self.now, ino)
    }

    pub(super) fn lookup(&self, parent: Ino, name: &OsStr) -> Result<Ino, Refusal> {
        self.folder(parent)?.get(name).copied().ok_or(Refusal::Missing)
    }

    pub(super) fn create(&mut self, parent: Ino, name: &OsStr, node: Node) -> Result<Ino, Refusal> {
        if self.mood == Mood::Full {
            return Err(Refusal::Full);
        }
        if self.folder(parent)?.contains_key(name) {
            return Err(Refusal::Exists);
        }
        let ino = self.next;
        self.next += 1;
        self.change(Name::Link { folder: parent, name: name.to_owned(), ino, node });
        Ok(ino)
    }

    pub(super) fn remove(&mut self, parent: Ino, name: &OsStr) -> Result<(), Refusal> {
        let ino = self.lookup(parent, name)?;
        if let Ok(folder) = self.folder(ino)
            && !folder.is_empty()
        {
            return Err(Refusal::NotEmpty);
        }
        self.change(Name::Unlink { folder: parent, name: name.to_owned() });
        Ok(())
    }

    pub(super) fn rename(&mut self, from: (Ino, &OsStr), to: (Ino, &OsStr)) -> Result<(), Refusal> {
        let ino = self.lookup(from.0, from.1)?;
        if let Ok(there) = self.lookup(to.0, to.1)
            && self.folder(there).is_ok_and(|folder| !folder.is_empty())
        {
            return Err(Refusal::NotEmpty);
        }
        let owned = |(folder, name): (Ino, &OsStr)| (folder, name.to_owned());
        self.change(Name::Rename { from: owned(from), to: owned(to), ino });
        Ok(())
    }

    fn change(&mut self, name: Name) {
        apply_name(&mut self.now, &name);
        self.names.push(name);
    }

    pub(super) fn read(&self, ino: Ino, offset: usize, size: usize) -> Result<&[u8], Refusal> {
        let Node::File(content) = self.node(ino)? else {
            return Err(Refusal::NotAFile);
        };
        let start = offset.min(content.len());
        Ok(&content[start..content.len().min(start + size)])
    }

    pub(super) fn write(&mut self, ino: Ino, offset: usize, data: &[u8]) -> Result<(), Refusal> {
        if self.mood == Mood::Full {
            return Err(Refusal::Full);
        }
        self.alter(ino, Bytes::Write { offset, data: data.to_vec() })
    }

    pub(super) fn set_length(&mut self, ino: Ino, length: usize) -> Result<(), Refusal> {
        self.alter(ino, Bytes::Length(length))
    }

    fn alter(&mut self, ino: Ino, bytes: Bytes) -> Result<(), Refusal> {
        let Some(Node::File(content)) = self.now.get_mut(&ino) else {
            return Err(Refusal::NotAFile);
        };
        apply_bytes(content, &bytes);
        self.bytes.entry(ino).or_default().push(bytes);
        Ok(())
    }

    /// Keeps a file's bytes and name, or a folder's names.
    pub(super) fn sync(&mut self, ino: Ino) -> Result<(), Refusal> {
        self.syncs += 1;
        match self.mood {
            Mood::Lying => return Ok(()),
            Mood::FailingSync => {
                self.bytes.remove(&ino);
                return Err(Refusal::Broken);
            }
            Mood::Well | Mood::Full => {}
        }
        if let Some(last) = self.names.iter().rposition(|name| name.concerns(ino)) {
            for name in self.names.drain(..=last) {
                apply_name(&mut self.kept, &name);
            }
        }
        let changes = self.bytes.remove(&ino).unwrap_or_default();
        if let Some(Node::File(content)) = self.kept.get_mut(&ino) {
            for change in &changes {
                apply_bytes(content, change);
            }
        }
        Ok(())
    }

    /// The power fails: what was not synced is lost, but for what luck leaves.
    pub(super) fn cut(&mut self, dice: &mut Dice) {
        let names = dice.below(self.names.len() + 1);
        for name in self.names.drain(..).take(names) {
            apply_name(&mut self.kept, &name);
        }
        for (ino, changes) in std::mem::take(&mut self.bytes) {
            if let Some(Node::File(content)) = self.kept.get_mut(&ino) {
                survive(content, &changes, dice);
            }
        }
        self.drop_unnamed();
        self.now = self.kept.clone();
        self.mood = Mood::Well;
    }

    /// What no folder names is gone after a cut.
    fn drop_unnamed(&mut self) {
        let mut named = vec![ROOT];
        let mut next = 0;
        while let Some(ino) = named.get(next) {
            if let Some(Node::Folder(folder)) = self.kept.get(ino) {
                named.extend(folder.values());
            }
            next += 1;
        }
        self.kept.retain(|ino, _| named.contains(ino));
    }
}

fn folder(nodes: &BTreeMap<Ino, Node>, ino: Ino) -> Result<&BTreeMap<OsString, Ino>, Refusal> {
    match nodes.get(&ino) {
        Some(Node::Folder(folder)) => Ok(folder),
        Some(_) => Err(Refusal::NotAFolder),
        None => Err(Refusal::Missing),
    }
}

fn apply_name(nodes: &mut BTreeMap<Ino, Node>, name: &Name) {
    let mut entry = |folder: &Ino, name: &OsString, ino: Option<Ino>| {
        if let Some(Node::Folder(folder)) = nodes.get_mut(folder) {
            match ino {
                Some(ino) => folder.insert(name.clone(), ino),
                None => folder.remove(name),
            };
        }
    };
    match name {
        Name::Link { folder, name, ino, node } => {
            entry(folder, name, Some(*ino));
            nodes.insert(*ino, node.clone());
        }
        Name::Unlink { folder, name } => entry(folder, name, None),
        Name::Rename { from, to, ino } => {
            entry(&from.0, &from.1, None);
            entry(&to.0, &to.1, Some(*ino));
        }
    }
}

fn apply_bytes(content: &mut Vec<u8>, change: &Bytes) {
    match change {
        Bytes::Write { offset, data } => put(content, *offset, data),
        Bytes::Length(length) => content.resize(*length, 0),
    }
}

fn put(content: &mut Vec<u8>, offset: usize, data: &[u8]) {
    let end = offset + data.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(data);
}

/// Of the changes that were not synced, none, the first so many, or any pages reach the disk.
fn survive(content: &mut Vec<u8>, changes: &[Bytes], dice: &mut Dice) {
    match dice.below(3) {
        0 => {}
        1 => {
            let whole = dice.below(changes.len() + 1);
            for change in &changes[..whole] {
                apply_bytes(content, change);
            }
            if let Some(Bytes::Write { offset, data }) = changes.get(whole) {
                put(content, *offset, &data[..dice.below(data.len() + 1)]);
            }
        }
        _ => {
            for change in changes {
                match change {
                    Bytes::Length(length) if dice.below(2) == 0 => content.resize(*length, 0),
                    Bytes::Length(_) => {}
                    Bytes::Write { offset, data } => write_some_pages(content, *offset, data, dice),
                }
            }
        }
    }
}

fn write_some_pages(content: &mut Vec<u8>, mut offset: usize, mut data: &[u8], dice: &mut Dice) {
    while !data.is_empty() {
        let (page, rest) = data.split_at(data.len().min(PAGE - offset % PAGE));
        if dice.below(2) == 0 {
            put(content, offset, page);
        }
        offset += page.len();
        data = rest;
    }
}

/// Numbers that a seed decides (xorshift).
#[derive(Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }
}

#[cfg(test)]
mod tests;
