//! Where a log is read.

use super::{ShownError, file};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use touchmark_api::client::{Client, ProofQuery};
use touchmark_api::tile::{Row, Tile, entries};
use touchmark_wire::bundle::Claim;
use touchmark_wire::genesis::Genesis;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{LeafIndex, NetworkId, TreeSize};

/// Somebody who shows a log. Nothing is checked here.
#[derive(Clone, Debug)]
pub struct Source {
    name: String,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    /// A node: checkpoint and tiles as C2SP asks, the rest as its interface has it.
    Node(Client),
    /// Files, served by anything.
    Site(Client),
    /// The same files, here.
    Folder(PathBuf),
}

impl Source {
    /// A node or a server of files by its URL, or a folder, relative to `base`.
    pub fn open(name: &str, base: &Path) -> Result<Self, ShownError> {
        let place = if name.starts_with("http://") || name.starts_with("https://") {
            let client = Client::new(name)?;
            match client.file(file::GENESIS)? {
                Some(_) => Place::Site(client),
                None => Place::Node(client),
            }
        } else {
            let folder = base.join(name);
            if !folder.join(file::CHECKPOINT).is_file() {
                return Err(ShownError::Nowhere { name: name.to_owned() });
            }
            Place::Folder(folder)
        };
        Ok(Self { name: name.to_owned(), place })
    }

    /// A node by its URL.
    pub(crate) fn node(url: &str) -> Result<Self, ShownError> {
        Ok(Self { name: url.to_owned(), place: Place::Node(Client::new(url)?) })
    }

    /// A folder that has a log.
    pub(crate) fn folder(path: &Path) -> Self {
        Self { name: path.display().to_string(), place: Place::Folder(path.into()) }
    }

    /// As it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether checkpoint and proof come from something that goes on meanwhile.
    pub(super) const fn is_node(&self) -> bool {
        matches!(self.place, Place::Node(_))
    }

    /// The genesis document of the `trusted` network, or where none is trusted the one that is
    /// shown.
    pub fn genesis(&self, trusted: Option<NetworkId>) -> Result<Genesis, ShownError> {
        let bytes = match &self.place {
            Place::Node(client) => client.genesis()?,
            _ => self.require(file::GENESIS)?,
        };
        let genesis =
            Genesis::decode(&bytes).map_err(|_| self.is_false("its genesis document is none"))?;
        let found = genesis.network_id();
        match trusted {
            Some(trusted) if trusted != found => {
                Err(ShownError::OtherNetwork { name: self.name.clone(), found, trusted })
            }
            _ => Ok(genesis),
        }
    }

    /// The newest checkpoint.
    pub(super) fn checkpoint(&self) -> Result<Vec<u8>, ShownError> {
        self.require(file::CHECKPOINT)
    }

    /// A bundle that proves what the network certified, for a log of `size` leaves or, from a node,
    /// of more.
    pub(super) fn proof(&self, size: TreeSize) -> Result<Vec<u8>, ShownError> {
        match &self.place {
            Place::Node(client) => {
                let last = LeafIndex(size.0.saturating_sub(1));
                let claims = vec![Claim::Record(last)];
                Ok(client.proof(&ProofQuery { claims, ..ProofQuery::default() })?)
            }
            _ => self.require(&file::proof(size)),
        }
    }

    /// A validator's word that a leaf is in its log, where validators can be asked.
    pub(super) fn receipt(&self, leaf: LeafIndex) -> Option<Vec<u8>> {
        match &self.place {
            Place::Node(client) => client.receipt(leaf).ok(),
            _ => None,
        }
    }

    /// The first hashes of a tile.
    pub(super) fn hashes(&self, tile: Tile) -> Result<Vec<Digest>, ShownError> {
        let bytes = self.tile(tile)?;
        let (hashes, rest) = bytes.as_chunks();
        let hashes = hashes.get(..tile.width as usize).filter(|_| rest.is_empty());
        let hashes = hashes.ok_or_else(|| self.is_false(format!("{tile} is cut off")))?;
        Ok(hashes.iter().copied().map(Digest).collect())
    }

    /// The first leaves of an entry bundle.
    pub(super) fn leaves(&self, index: u64, width: u64) -> Result<Vec<Vec<u8>>, ShownError> {
        let tile = Tile { row: Row::Entries, index, width };
        let bytes = self.tile(tile)?;
        let leaves = entries(&bytes).filter(|leaves| leaves.len() as u64 >= width);
        let leaves = leaves.ok_or_else(|| self.is_false(format!("{tile} is cut off")))?;
        Ok(leaves.into_iter().take(width as usize).map(<[u8]>::to_vec).collect())
    }

    /// A tile, or the whole one, which takes the place of those with fewer items.
    fn tile(&self, tile: Tile) -> Result<Vec<u8>, ShownError> {
        match self.file(&tile.to_string())? {
            Some(bytes) => Ok(bytes),
            None => self.require(&tile.whole().to_string()),
        }
    }

    fn require(&self, path: &str) -> Result<Vec<u8>, ShownError> {
        let missing = || ShownError::Missing { name: self.name.clone(), path: path.to_owned() };
        self.file(path)?.ok_or_else(missing)
    }

    fn file(&self, path: &str) -> Result<Option<Vec<u8>>, ShownError> {
        match &self.place {
            Place::Node(client) | Place::Site(client) => Ok(client.file(path)?),
            Place::Folder(folder) => {
                let path = folder.join(path);
                match fs::read(&path) {
                    Ok(bytes) => Ok(Some(bytes)),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                    Err(source) => Err(ShownError::File { path, source }),
                }
            }
        }
    }

    /// The source shows what is not so.
    pub(super) fn is_false(&self, reason: impl Into<String>) -> ShownError {
        ShownError::False { name: self.name.clone(), reason: reason.into() }
    }
}
