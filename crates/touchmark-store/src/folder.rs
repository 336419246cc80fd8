//! The data folder: who may open it, and what it says about itself.
//!
//! ```text
//! LOCK       locked by the process that has the store open; its process id
//! FORMAT     "touchmark-store 5" (6: leaves are kept elsewhere, too), a newline, "network <64 hexadecimal digits>", a newline
//! kv/        the key-value engine's
//! kv.new/    tables that a rebuild is making
//! kv.old/    tables that a rebuild has replaced
//! kv.aside/  tables that a rebuild could not open and does not need
//! payloads/  erasable payloads
//! ```
//! A rebuild renames `kv` to `kv.old` when `kv.new` is complete and on the disk, then `kv.new` to
//! `kv`. Wherever that is cut off, the next opening knows from the names alone what is left to do.

use crate::error::Error;
use crate::lock::Lock;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use touchmark_wire::ids::NetworkId;

/// Version of everything that the store writes.
pub(crate) const FORMAT: u32 = 5;
/// The same, where leaves of the log may be kept elsewhere.
const SEALED: u32 = 6;

const MARK: &str = "FORMAT";
const NAME: &str = "touchmark-store";
const TABLES: &str = "kv";
const NEW_TABLES: &str = "kv.new";
const OLD_TABLES: &str = "kv.old";
const ASIDE: &str = "kv.aside";
/// Where the key-value engine keeps its tables.
const KEYSPACES: &str = "keyspaces";

/// A data folder that this process alone has open.
#[derive(Clone)]
pub(crate) struct Folder {
    path: PathBuf,
    tables: &'static str,
    /// Held until the last user is gone.
    _lock: Arc<Lock>,
}

impl Folder {
    /// Locks `path` for `network`, making and marking it if it is missing or empty.
    pub(crate) fn claim(path: &Path, network: NetworkId) -> Result<Self, Error> {
        let folder = Self::lock(path)?;
        if !folder.is_of(network)? {
            require_empty(path)?;
            write_mark(path, FORMAT, network)?;
        }
        folder.settle()?;
        Ok(folder)
    }

    /// Locks `path`, which must be a store of `network`.
    pub(crate) fn claim_existing(path: &Path, network: NetworkId) -> Result<Self, Error> {
        // Looked at before anything is made there.
        if read_mark(path)?.is_none() {
            return Err(Error::NotAStore { folder: path.into() });
        }
        let folder = Self::lock(path)?;
        if !folder.is_of(network)? {
            return Err(Error::NotAStore { folder: path.into() });
        }
        folder.settle()?;
        Ok(folder)
    }

    fn lock(path: &Path) -> Result<Self, Error> {
        Ok(Self { path: path.into(), tables: TABLES, _lock: Arc::new(Lock::take(path)?) })
    }

    /// Whether the folder is marked, which must be for `network` then.
    fn is_of(&self, network: NetworkId) -> Result<bool, Error> {
        match read_mark(&self.path)? {
            Some(found) if found == network => Ok(true),
            Some(found) => {
                let folder = self.path.clone();
                Err(Error::OtherNetwork { folder, found, wanted: network })
            }
            None => Ok(false),
        }
    }

    /// Locks `path`, which must be missing or empty, and does not mark it yet.
    pub(crate) fn claim_empty(path: &Path) -> Result<Self, Error> {
        let folder = Self::lock(path)?;
        if read_mark(path)?.is_some() {
            return Err(Error::NotEmpty { folder: path.into() });
        }
        require_empty(path)?;
        Ok(folder)
    }

    /// Says whose log the folder holds: from now on it is a store.
    pub(crate) fn mark(&self, network: NetworkId) -> Result<(), Error> {
        write_mark(&self.path, FORMAT, network)
    }

    /// Says the same of a store whose leaves are not all here: a program that does not know that
    /// refuses it.
    pub(crate) fn mark_sealed(&self, network: NetworkId) -> Result<(), Error> {
        write_mark(&self.path, SEALED, network)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the key-value engine writes.
    pub(crate) fn engine_path(&self) -> PathBuf {
        self.path.join(self.tables)
    }

    /// The same folder with empty tables beside those in use.
    pub(crate) fn beside(&self) -> Result<Self, Error> {
        remove_folder(&self.path.join(NEW_TABLES))?;
        Ok(Self { tables: NEW_TABLES, ..self.clone() })
    }

    /// Puts the tables of [`Self::beside`], which are complete, on the disk and closed, in the
    /// place of those in use.
    pub(crate) fn adopt(&self) -> Result<(), Error> {
        let at = |name| self.path.join(name);
        sync_folder(&self.path)
            .and_then(|()| fs::rename(at(TABLES), at(OLD_TABLES)))
            .and_then(|()| sync_folder(&self.path))
            .map_err(Error::file("rename", at(TABLES)))?;
        self.settle()?;
        remove_folder(&at(ASIDE))
    }

    /// Finishes what a rebuild that was cut off has begun.
    fn settle(&self) -> Result<(), Error> {
        let at = |name| self.path.join(name);
        if !at(TABLES).exists() {
            for name in [NEW_TABLES, OLD_TABLES] {
                if at(name).exists() && at(OLD_TABLES).exists() {
                    fs::rename(at(name), at(TABLES))
                        .and_then(|()| sync_folder(&self.path))
                        .map_err(Error::file("rename", at(name)))?;
                    break;
                }
            }
        }
        [NEW_TABLES, OLD_TABLES].iter().try_for_each(|name| remove_folder(&at(name)))
    }

    /// Moves folders below that of the engine, which is not open, out of its sight.
    pub(crate) fn set_aside(&self, names: &[String]) -> Result<(), Error> {
        let aside = self.path.join(ASIDE);
        fs::create_dir_all(&aside).map_err(Error::file("create", &aside))?;
        let moves = names
            .iter()
            .map(|name| (self.engine_path().join(KEYSPACES).join(name), aside.join(name)));
        move_folders(moves)
    }

    /// Moves them back.
    pub(crate) fn put_back(&self, names: &[String]) -> Result<(), Error> {
        let aside = self.path.join(ASIDE);
        let moves = names
            .iter()
            .map(|name| (aside.join(name), self.engine_path().join(KEYSPACES).join(name)));
        move_folders(moves)?;
        remove_folder(&aside)
    }

    /// Where erasable payloads are.
    pub(crate) fn payload_path(&self) -> PathBuf {
        self.path.join("payloads")
    }
}

/// The network whose log is in the folder; `None` if the folder is not marked.
pub(crate) fn read_mark(path: &Path) -> Result<Option<NetworkId>, Error> {
    let file = path.join(MARK);
    let text = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::file("read", file)(error)),
    };
    let unknown = || Error::UnknownFormat {
        folder: path.into(),
        found: text.lines().next().unwrap_or_default().chars().take(80).collect(),
        known: FORMAT,
    };
    let mut lines = text.lines();
    let (name, version) = lines.next().and_then(|line| line.split_once(' ')).ok_or_else(unknown)?;
    if name != NAME || ![Ok(FORMAT), Ok(SEALED)].contains(&version.parse()) {
        return Err(unknown());
    }
    let network = lines.next().and_then(|line| line.strip_prefix("network "));
    network.and_then(|id| id.parse().ok()).map(Some).ok_or(Error::Corrupt("folder mark"))
}

fn write_mark(path: &Path, format: u32, network: NetworkId) -> Result<(), Error> {
    let text = format!("{NAME} {format}\nnetwork {network}\n");
    write_durably(path, MARK, text.as_bytes())
}

/// Writes a whole file so that after a crash it is there complete or not at all.
pub(crate) fn write_durably(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), Error> {
    let (path, draft) = (folder.join(name), folder.join(format!("{name}.new")));
    File::create(&draft)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&draft, &path))
        .and_then(|()| sync_folder(folder))
        .map_err(Error::file("write", path))
}

/// Makes what was created, renamed or removed in a folder durable.
pub(crate) fn sync_folder(path: &Path) -> std::io::Result<()> {
    // Only Unix lets a folder be synced; elsewhere the file system orders this itself.
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

fn move_folders(moves: impl Iterator<Item = (PathBuf, PathBuf)>) -> Result<(), Error> {
    for (from, to) in moves {
        match fs::rename(&from, &to) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            moved => moved.map_err(Error::file("move", from))?,
        }
    }
    Ok(())
}

fn remove_folder(path: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(Error::file("remove", path)),
    }
}

fn require_empty(path: &Path) -> Result<(), Error> {
    let ours = [Lock::NAME.to_owned(), format!("{MARK}.new")];
    for file in fs::read_dir(path).map_err(Error::file("list", path))? {
        let name = file.map_err(Error::file("list", path))?.file_name();
        if !ours.iter().any(|known| name == known.as_str()) {
            return Err(Error::NotAStore { folder: path.into() });
        }
    }
    Ok(())
}
