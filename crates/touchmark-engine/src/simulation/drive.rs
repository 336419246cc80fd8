//! A member's storage, which fails when a scenario says so.

use commonware_runtime::deterministic::Context;
use commonware_runtime::{
    Blob, BlobVersion, Buf as _, Error, Handle, IoBufs, IoBufsMut, ReadOptions, Storage,
    WriteOptions,
};
use std::io::{self, ErrorKind};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How storage fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Nothing can be written.
    Write,
    /// Half of what is to be written is there, and the write fails.
    ShortWrite,
    /// What was written cannot be made durable, and is not.
    Sync,
    /// Nothing can be read.
    Read,
    /// What is there can be written over, and nothing fits that is new.
    Full,
    /// As [`Self::Sync`], and nobody hears of it: what a program makes of its storage that does not
    /// look at the error. For controls.
    UnheardSync,
}

impl Fault {
    /// Those that whoever uses the storage is told of.
    pub const TOLD: [Self; 5] = [Self::Write, Self::ShortWrite, Self::Sync, Self::Read, Self::Full];
}

/// The storage of one member, as a scenario sees it.
#[derive(Debug, Default)]
pub struct Drive(Mutex<Condition>);

#[derive(Debug, Default)]
struct Condition {
    fault: Option<Fault>,
    /// Whether anybody was told of it.
    told: bool,
    /// What a part of the member said when it fell over it.
    fallen: Option<String>,
}

impl Drive {
    /// From now on it fails like this.
    pub fn fail(&self, fault: Fault) {
        self.lock().fault = Some(fault);
    }

    /// Nothing is wrong with it any more.
    pub fn repair(&self) {
        *self.lock() = Condition::default();
    }

    /// Whether the member was told of a failure since the last repair.
    pub fn has_told(&self) -> bool {
        self.lock().told
    }

    /// A part of the member panicked after it was told.
    pub(super) fn fell(&self, reason: String) {
        self.lock().fallen.get_or_insert(reason);
    }

    /// What the first part of it said that did.
    pub(super) fn fallen(&self) -> Option<String> {
        self.lock().fallen.clone()
    }

    fn is(&self, fault: Fault) -> bool {
        self.lock().fault == Some(fault)
    }

    /// Fails if its fault is one of these.
    fn check(&self, faults: &[Fault]) -> Result<(), Error> {
        let mut condition = self.lock();
        let Some(fault) = condition.fault.filter(|fault| faults.contains(fault)) else {
            return Ok(());
        };
        condition.told = true;
        let (kind, said) = match fault {
            Fault::Full => (ErrorKind::StorageFull, "no space left on the simulated device"),
            Fault::ShortWrite => (ErrorKind::WriteZero, "a simulated write was cut short"),
            _ => (ErrorKind::Other, "a simulated device failed"),
        };
        Err(io::Error::new(kind, said).into())
    }

    fn lock(&self) -> MutexGuard<'_, Condition> {
        // No call leaves it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A file on such storage.
pub(super) struct File {
    inner: <Context as Storage>::Blob,
    size: AtomicU64,
    drive: Arc<Drive>,
}

/// Opens a file of `context`'s storage.
pub(super) async fn open(
    context: &Context,
    drive: &Arc<Drive>,
    (partition, name): (&str, &[u8]),
    versions: RangeInclusive<BlobVersion>,
) -> Result<(File, u64, BlobVersion), Error> {
    drive.check(&[Fault::Read])?;
    if !exists(context, partition, name).await? {
        drive.check(&[Fault::Write, Fault::ShortWrite, Fault::Full])?;
    }
    let (inner, length, version) = context.open_versioned(partition, name, versions).await?;
    let (size, drive) = (AtomicU64::new(length), Arc::clone(drive));
    Ok((File { inner, size, drive }, length, version))
}

async fn exists(context: &Context, partition: &str, name: &[u8]) -> Result<bool, Error> {
    match context.scan(partition).await {
        Ok(names) => Ok(names.iter().any(|known| known == name)),
        Err(Error::PartitionMissing(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Deletes files.
pub(super) async fn remove(
    context: &Context,
    drive: &Drive,
    partition: &str,
    name: Option<&[u8]>,
) -> Result<(), Error> {
    drive.check(&[Fault::Write, Fault::ShortWrite])?;
    context.remove(partition, name).await
}

/// Lists files.
pub(super) async fn scan(
    context: &Context,
    drive: &Drive,
    partition: &str,
) -> Result<Vec<Vec<u8>>, Error> {
    drive.check(&[Fault::Read])?;
    context.scan(partition).await
}

impl File {
    fn grows_to(&self, end: u64) -> Result<(), Error> {
        if end > self.size.load(Ordering::Relaxed) {
            self.drive.check(&[Fault::Full])?;
        }
        Ok(())
    }
}

impl Blob for File {
    async fn read_at_buf(
        &self,
        offset: u64,
        length: usize,
        buffers: impl Into<IoBufsMut> + Send,
        options: ReadOptions,
    ) -> Result<IoBufsMut, Error> {
        self.drive.check(&[Fault::Read])?;
        self.inner.read_at_buf(offset, length, buffers.into(), options).await
    }

    async fn read_at(
        &self,
        offset: u64,
        length: usize,
        options: ReadOptions,
    ) -> Result<IoBufsMut, Error> {
        self.drive.check(&[Fault::Read])?;
        self.inner.read_at(offset, length, options).await
    }

    async fn write_at(
        &self,
        offset: u64,
        bytes: impl Into<IoBufs> + Send,
        options: WriteOptions,
    ) -> Result<(), Error> {
        let bytes = bytes.into();
        let end = offset.saturating_add(bytes.remaining() as u64);
        self.drive.check(&[Fault::Write])?;
        self.grows_to(end)?;
        if let Err(error) = self.drive.check(&[Fault::ShortWrite]) {
            let bytes = bytes.coalesce();
            let half = bytes.slice(..bytes.len() / 2);
            self.inner.write_at(offset, half, options).await?;
            return Err(error);
        }
        let durable = options.contains(WriteOptions::SYNC);
        let lost = durable && (self.drive.is(Fault::Sync) || self.drive.is(Fault::UnheardSync));
        let options = if lost { options.without(WriteOptions::SYNC) } else { options };
        self.inner.write_at(offset, bytes, options).await?;
        self.size.fetch_max(end, Ordering::Relaxed);
        if lost { self.drive.check(&[Fault::Sync]) } else { Ok(()) }
    }

    async fn resize(&self, length: u64) -> Result<(), Error> {
        self.drive.check(&[Fault::Write, Fault::ShortWrite])?;
        self.grows_to(length)?;
        self.inner.resize(length).await?;
        self.size.store(length, Ordering::Relaxed);
        Ok(())
    }

    async fn sync(&self) -> Result<(), Error> {
        self.drive.check(&[Fault::Sync])?;
        if self.drive.is(Fault::UnheardSync) {
            return Ok(());
        }
        self.inner.sync().await
    }

    async fn start_sync(&self) -> Handle<()> {
        if let Err(error) = self.drive.check(&[Fault::Sync]) {
            return Handle::ready(Err(error));
        }
        if self.drive.is(Fault::UnheardSync) {
            return Handle::ready(Ok(()));
        }
        self.inner.start_sync().await
    }
}
