//! The log itself, as C2SP tlog-tiles serve it.

use super::{Client, ClientError};
use crate::tile::{self, Row, Tile, WIDTH};
use crate::{EdgeCode, media};
use touchmark_wire::ids::{Height, LeafIndex, TreeSize};

impl Client {
    /// The leaves from `from` on that stand in one entry bundle with it, of a log of `size` leaves.
    /// Empty at the end. Nothing is checked here: hash them into the tree and compare its root.
    pub fn leaves(&self, from: LeafIndex, size: TreeSize) -> Result<Vec<Vec<u8>>, ClientError> {
        if from.0 >= size.0 {
            return Ok(Vec::new());
        }
        let (index, skip) = (from.0 / WIDTH, from.0 % WIDTH);
        let width = (size.0 - index * WIDTH).min(WIDTH);
        let tile = Tile { row: Row::Entries, index, width };
        let bytes = self.bytes(&format!("/{tile}"), media::OCTETS)?;
        let leaves = tile::entries(&bytes).filter(|leaves| leaves.len() as u64 == width);
        let leaves = leaves.ok_or_else(|| ClientError::Answer {
            url: format!("{}/{tile}", self.base()),
            reason: "it is no bundle of so many entries".into(),
        })?;
        Ok(leaves.into_iter().skip(skip as usize).map(<[u8]>::to_vec).collect())
    }

    /// Certified batches from a height on, as many as one answer holds. Waits a few seconds for one;
    /// `None` if none comes. Nothing is checked here: see
    /// [`touchmark_wire::batches::CertifiedBatches`].
    pub fn batches(&self, from: Height) -> Result<Option<Vec<u8>>, ClientError> {
        let path = format!("/v1/batches?from={from}");
        match self.bytes(&path, media::CBOR) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(ClientError::Refused(problem)) if problem.code == EdgeCode::Behind.name() => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// A file of a log that is served as files: `path` has no slash at its beginning. `None` where
    /// there is none. Nothing is checked here.
    pub fn file(&self, path: &str) -> Result<Option<Vec<u8>>, ClientError> {
        let url = format!("{}/{path}", self.base());
        let answer = self.agent.get(&url).call();
        if answer.as_ref().is_ok_and(|answer| answer.status().as_u16() == 404) {
            return Ok(None);
        }
        self.received(&url, answer).map(Some)
    }
}
