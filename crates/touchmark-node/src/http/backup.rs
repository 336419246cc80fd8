//! Copies of the ledger, made on request beside the node's work.

use crate::node::{Node, now};
use crate::upkeep::UpkeepError;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use touchmark_api::{BackupContents, BackupState, BackupView};
use touchmark_store::Manifest;

/// The backups of a node: one is made at a time, each in a folder of its own.
pub(super) struct Backups {
    folder: PathBuf,
    last: Arc<Mutex<Option<BackupView>>>,
}

impl Backups {
    /// Below this data folder.
    pub(super) fn in_folder(data: &Path) -> Self {
        Self { folder: data.join("backups"), last: Arc::default() }
    }

    /// The last one that was asked for since the start of the node.
    pub(super) fn last(&self) -> Option<BackupView> {
        guarded(&self.last).clone()
    }

    /// Begins one, unless one is being made; that one then.
    pub(super) fn begin(&self, node: Arc<Node>) -> BackupView {
        let mut last = guarded(&self.last);
        if let Some(running) = last.as_ref().filter(|it| it.state == BackupState::Running) {
            return running.clone();
        }
        let name = format!("height-{}-{}", node.store.snapshot().height(), now());
        let (state, detail, contents) = (BackupState::Running, None, None);
        let running = BackupView { name, state, detail, contents };
        *last = Some(running.clone());
        drop(last);
        let (last, to) = (self.last.clone(), self.folder.join(&running.name));
        let begun = running.clone();
        tokio::task::spawn_blocking(move || {
            let ended = ended(begun, make(&node, &to));
            *guarded(&last) = Some(ended);
        });
        running
    }
}

/// Nothing is left of what fails: its room may be what the node lacks.
fn make(node: &Node, to: &Path) -> Result<Manifest, UpkeepError> {
    let made = node.backup(to);
    if let Err(error) = &made {
        tracing::error!(%error, folder = %to.display(), "no backup could be made");
        // What cannot be removed is no backup either: it has no manifest.
        let _ = fs::remove_dir_all(to);
    }
    made
}

fn ended(begun: BackupView, made: Result<Manifest, UpkeepError>) -> BackupView {
    match made {
        Ok(manifest) => {
            let contents = BackupContents {
                height: manifest.height.0,
                size: manifest.size.0,
                root: manifest.root.to_string(),
                state_root: manifest.state_root.to_string(),
                bytes: manifest.bytes(),
            };
            BackupView { state: BackupState::Done, contents: Some(contents), ..begun }
        }
        Err(error) => {
            BackupView { state: BackupState::Failed, detail: Some(error.to_string()), ..begun }
        }
    }
}

/// A view is replaced as a whole, so also one whose writer panicked is whole.
fn guarded<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
