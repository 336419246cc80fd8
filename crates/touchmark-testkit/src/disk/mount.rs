//! The disk as a file system of the kernel (FUSE).

use super::contents::{Contents, Ino, Node, Refusal};
use fuser::{
    BsdFileFlags, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation,
    INodeNo, LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory,
    ReplyEmpty, ReplyEntry, ReplyStatfs, ReplyWrite, Request, TimeOrNow, WriteFlags,
};
use std::ffi::OsStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// Only the kernel changes anything, so it may remember what it was told.
const TTL: Duration = Duration::from_secs(60);
const BLOCK: u32 = 4_096;
/// The part of a mode that says what kind of file it is, and that of a socket.
const KIND: u32 = 0o170_000;
const SOCKET: u32 = 0o140_000;

/// Answers the kernel.
pub(super) struct Mounted(pub(super) Arc<Mutex<Contents>>);

impl Mounted {
    fn disk(&self) -> MutexGuard<'_, Contents> {
        // A panic in between would show in the test that it made wrong.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn create_node(&self, parent: INodeNo, name: &OsStr, node: Node) -> Result<FileAttr, Refusal> {
        let mut disk = self.disk();
        let ino = disk.create(parent.0, name, node)?;
        Ok(attributes(ino, disk.node(ino)?))
    }
}

impl From<Refusal> for Errno {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Missing => Self::ENOENT,
            Refusal::Exists => Self::EEXIST,
            Refusal::NotEmpty => Self::ENOTEMPTY,
            Refusal::NotAFile => Self::EISDIR,
            Refusal::NotAFolder => Self::ENOTDIR,
            Refusal::Full => Self::ENOSPC,
            Refusal::Broken => Self::EIO,
        }
    }
}

fn attributes(ino: Ino, node: &Node) -> FileAttr {
    let (kind, size, perm) = match node {
        Node::Folder(_) => (FileType::Directory, 0, 0o700),
        Node::File(content) => (FileType::RegularFile, content.len() as u64, 0o600),
        Node::Socket => (FileType::Socket, 0, 0o600),
    };
    let then = SystemTime::UNIX_EPOCH;
    FileAttr {
        ino: INodeNo(ino),
        size,
        blocks: size.div_ceil(512),
        atime: then,
        mtime: then,
        ctime: then,
        crtime: then,
        kind,
        perm,
        nlink: 1,
        uid: 0,
        gid: 0,
        rdev: 0,
        blksize: BLOCK,
        flags: 0,
    }
}

fn empty(reply: ReplyEmpty, done: Result<(), Refusal>) {
    match done {
        Ok(()) => reply.ok(),
        Err(refusal) => reply.error(refusal.into()),
    }
}

fn entry(reply: ReplyEntry, made: Result<FileAttr, Refusal>) {
    match made {
        Ok(attributes) => reply.entry(&TTL, &attributes, Generation(0)),
        Err(refusal) => reply.error(refusal.into()),
    }
}

fn attribute(reply: ReplyAttr, found: Result<FileAttr, Refusal>) {
    match found {
        Ok(attributes) => reply.attr(&TTL, &attributes),
        Err(refusal) => reply.error(refusal.into()),
    }
}

impl Filesystem for Mounted {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let disk = self.disk();
        let found = disk.lookup(parent.0, name);
        let found = found.and_then(|ino| Ok(attributes(ino, disk.node(ino)?)));
        entry(reply, found);
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        attribute(reply, self.disk().node(ino.0).map(|node| attributes(ino.0, node)));
    }

    fn setattr(
        &self,
        _: &Request,
        ino: INodeNo,
        _mode: Option<u32>,
        _uid: Option<u32>,
        _gid: Option<u32>,
        size: Option<u64>,
        _atime: Option<TimeOrNow>,
        _mtime: Option<TimeOrNow>,
        _ctime: Option<SystemTime>,
        _handle: Option<FileHandle>,
        _crtime: Option<SystemTime>,
        _chgtime: Option<SystemTime>,
        _bkuptime: Option<SystemTime>,
        _flags: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let mut disk = self.disk();
        let set = size.map_or(Ok(()), |size| disk.set_length(ino.0, size as usize));
        let found = set.and_then(|()| Ok(attributes(ino.0, disk.node(ino.0)?)));
        attribute(reply, found);
    }

    fn mknod(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _umask: u32,
        _device: u32,
        reply: ReplyEntry,
    ) {
        let node = if mode & KIND == SOCKET { Node::Socket } else { Node::File(Vec::new()) };
        entry(reply, self.create_node(parent, name, node));
    }

    fn mkdir(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        _mode: u32,
        _umask: u32,
        reply: ReplyEntry,
    ) {
        entry(
            reply,
            self.create_node(parent, name, Node::Folder(std::collections::BTreeMap::new())),
        );
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        empty(reply, self.disk().remove(parent.0, name));
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        empty(reply, self.disk().remove(parent.0, name));
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        to_parent: INodeNo,
        to_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        if flags.bits() != 0 {
            // As a file system that knows no kind of rename but the plain one.
            return reply.error(Errno::EINVAL);
        }
        empty(reply, self.disk().rename((parent.0, name), (to_parent.0, to_name)));
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        match self.disk().read(ino.0, offset as usize, size as usize) {
            Ok(data) => reply.data(data),
            Err(refusal) => reply.error(refusal.into()),
        }
    }

    fn write(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        match self.disk().write(ino.0, offset as usize, data) {
            Ok(()) => reply.written(data.len() as u32),
            Err(refusal) => reply.error(refusal.into()),
        }
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, _: &Request, ino: INodeNo, _: FileHandle, _data: bool, reply: ReplyEmpty) {
        empty(reply, self.disk().sync(ino.0));
    }

    fn fsyncdir(&self, _: &Request, ino: INodeNo, _: FileHandle, _data: bool, reply: ReplyEmpty) {
        empty(reply, self.disk().sync(ino.0));
    }

    fn readdir(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let disk = self.disk();
        let names = match disk.folder(ino.0) {
            Ok(names) => names,
            Err(refusal) => return reply.error(refusal.into()),
        };
        // Numbers are never used twice, so they are cursors that removals do not disturb.
        let mut rest: Vec<_> = names.iter().filter(|(_, ino)| **ino > offset).collect();
        rest.sort_by_key(|(_, ino)| **ino);
        for (name, ino) in rest {
            let kind =
                disk.node(*ino).map_or(FileType::RegularFile, |node| attributes(*ino, node).kind);
            if reply.add(INodeNo(*ino), *ino, kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        let blocks = 1 << 20;
        reply.statfs(blocks, blocks, blocks, blocks, blocks, BLOCK, 255, BLOCK);
    }

    fn create(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        _mode: u32,
        _umask: u32,
        _flags: i32,
        reply: ReplyCreate,
    ) {
        match self.create_node(parent, name, Node::File(Vec::new())) {
            Ok(attributes) => {
                let (handle, flags) = (FileHandle(0), FopenFlags::empty());
                reply.created(&TTL, &attributes, Generation(0), handle, flags);
            }
            Err(refusal) => reply.error(refusal.into()),
        }
    }
}
