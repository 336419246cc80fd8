//! How much room a file system has left.

use std::io;
use std::path::Path;

/// Bytes that can still be written below `folder`.
pub(crate) fn free(folder: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(folder)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}
