//! Object storage as the part of the log that is kept there: a file for each full entry bundle, under
//! its network and the path that C2SP tlog-tiles gives it. A server of that folder is a part of a
//! mirror.

use crate::foreign::excerpt;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Handle, RuntimeFlavor};
use touchmark_api::tile::{Row, Tile, WIDTH};
use touchmark_objects::{Error, Objects, Place};
use touchmark_store::SealedLog;
use touchmark_wire::ids::NetworkId;
use touchmark_wire::limits;

/// What of the log is kept in object storage, and where.
#[derive(Clone, Debug)]
pub struct ObjectsConfig {
    /// Where objects are.
    pub place: Place,
    /// How many of the newest leaves stay in the data folder as well.
    pub tail: u64,
    /// How often it is looked whether there is something to seal.
    pub interval: Duration,
}

/// The sealed part of a log in object storage.
#[derive(Debug)]
pub(crate) struct KeptLog {
    objects: Objects,
}

/// Longest entry bundle, bytes.
const LONGEST: u64 = WIDTH * (2 + limits::LEAF as u64);
/// Longest reason that is told, characters.
const REASON: usize = 300;

impl KeptLog {
    /// Of a network, at this place. Asks nobody yet.
    pub(crate) fn open(place: &Place, network: NetworkId) -> Result<Arc<Self>, Error> {
        let objects = Objects::open(place, &network.to_string(), LONGEST)?;
        Ok(Arc::new(Self { objects }))
    }

    /// Ends all waits: whoever waits is told that it failed.
    pub(crate) fn close(&self) {
        self.objects.close();
    }
}

/// Where a bundle is.
fn path(number: u64) -> String {
    Tile { row: Row::Entries, index: number, width: WIDTH }.to_string()
}

/// A failure as a sentence: services write what they like.
fn reason(error: &Error) -> String {
    excerpt(&error.to_string(), REASON)
}

impl SealedLog for KeptLog {
    fn read(&self, bundles: &[u64]) -> Vec<Result<Vec<u8>, String>> {
        let paths: Vec<_> = bundles.iter().copied().map(path).collect();
        let read = self.objects.read(&paths).into_iter();
        read.map(|bytes| bytes.map_err(|error| reason(&error))).collect()
    }

    fn write(&self, bundles: Vec<(u64, Vec<u8>)>) -> Result<(), String> {
        let objects = bundles.into_iter().map(|(number, bytes)| (path(number), bytes));
        self.objects.write(objects.collect()).map_err(|error| reason(&error))
    }

    fn aside(&self, work: &mut dyn FnMut()) {
        let flavor = Handle::try_current().map(|runtime| runtime.runtime_flavor());
        if matches!(flavor, Ok(RuntimeFlavor::MultiThread)) {
            // The worker's other tasks go on with another thread meanwhile.
            tokio::task::block_in_place(work);
        } else {
            work();
        }
    }
}
