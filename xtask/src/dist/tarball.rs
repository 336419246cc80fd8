//! The tarball: everything in one folder that carries version and target in its name.

use super::Release;
use super::contents::File;
use anyhow::{Context as _, Result};
use flate2::{Compression, GzBuilder};
use std::fs;
use std::io::Write as _;
use std::path::Path;

/// Writes the tarball into a folder; its name.
pub(super) fn write(release: &Release, contents: &[File], folder: &Path) -> Result<String> {
    let name = format!("{}.tar.gz", release.name());
    let bytes = compressed(&archive(&release.name(), release.time, contents)?)?;
    fs::write(folder.join(&name), bytes).context(name.clone())?;
    Ok(name)
}

fn archive(root: &str, time: u64, contents: &[File]) -> Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for file in contents {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_mode(file.mode);
        header.set_mtime(time);
        header.set_size(file.bytes.len() as u64);
        header.set_uid(0);
        header.set_gid(0);
        header.set_username("root")?;
        header.set_groupname("root")?;
        let path = format!("{root}/{}", file.bundled);
        archive.append_data(&mut header, &path, &*file.bytes).context(path)?;
    }
    Ok(archive.into_inner()?)
}

/// Bytes in gzip's form, which names neither file, time nor system.
pub(super) fn compressed(bytes: &[u8]) -> Result<Vec<u8>> {
    const UNKNOWN_SYSTEM: u8 = 255;
    let mut encoder = GzBuilder::new()
        .mtime(0)
        .operating_system(UNKNOWN_SYSTEM)
        .write(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}
