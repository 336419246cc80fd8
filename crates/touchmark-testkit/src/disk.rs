//! A disk that loses what was not synced, for tests of what a power cut, a failing sync and a full
//! disk do. It is a file system of its own (FUSE) in the memory of the test; Linux only, and only
//! for whoever may mount.

mod contents;
mod mount;

pub use contents::Mood;

use contents::{Contents, Dice};
use fuser::{BackgroundSession, Config};
use mount::Mounted;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// A mounted disk; it is gone with everything on it when this is dropped.
pub struct Disk {
    contents: Arc<Mutex<Contents>>,
    path: PathBuf,
    session: Option<BackgroundSession>,
}

impl Disk {
    /// An empty disk at `path`, an existing folder.
    pub fn mount(path: &Path) -> io::Result<Self> {
        let contents = Arc::new(Mutex::new(Contents::new()));
        let mut disk = Self { contents, path: path.into(), session: None };
        disk.attach()?;
        Ok(disk)
    }

    /// How it behaves from now on.
    pub fn set(&self, mood: Mood) {
        self.contents().mood = mood;
    }

    /// How often something was synced.
    pub fn syncs(&self) -> u64 {
        self.contents().syncs
    }

    /// Cuts the power: what was not synced is gone, but for what the seed leaves of it. Whoever
    /// used the disk must be dead already.
    pub fn cut_power(&mut self, seed: u64) -> io::Result<()> {
        // The kernel forgets what it holds in memory.
        self.detach()?;
        self.contents().cut(&mut Dice::new(seed));
        self.attach()
    }

    fn attach(&mut self) -> io::Result<()> {
        let mounted = Mounted(self.contents.clone());
        self.session = Some(fuser::spawn_mount(mounted, &self.path, &Config::default())?);
        Ok(())
    }

    fn detach(&mut self) -> io::Result<()> {
        /// A process that was killed may still be closing its files.
        const PATIENCE: u32 = 50;
        let Some(session) = self.session.take() else {
            return Ok(());
        };
        for _ in 0..PATIENCE {
            let unmount = Command::new("umount").arg(&self.path).output()?;
            if unmount.status.success() {
                return session.join();
            }
            thread::sleep(Duration::from_millis(100));
        }
        Err(io::ErrorKind::ResourceBusy.into())
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // A folder that stays mounted is seen by whoever removes it.
        let _ = self.detach();
    }
}
