//! Devices that sign records beforehand.

use super::writer::Writer;
use std::ops::Range;
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::ids::NetworkId;
use touchmark_wire::registry::{ContentFormat, StatementKind, ThingKind};

/// Payload of a record, bytes.
pub(crate) const PAYLOAD: usize = 256;

pub(crate) struct Fleet(Vec<Writer>);

impl Fleet {
    pub(crate) fn new(network: NetworkId, algorithm: Algorithm, devices: usize) -> Self {
        Self::of(network, algorithm, 0..devices)
    }

    /// The devices of these numbers.
    pub(crate) fn of(network: NetworkId, algorithm: Algorithm, numbers: Range<usize>) -> Self {
        let device = |number| Writer::new(network, algorithm, ThingKind::DEVICE, number);
        Self(numbers.map(device).collect())
    }

    /// The first statement of every device.
    pub(crate) fn inceptions(&mut self) -> Vec<Vec<Vec<u8>>> {
        self.0.iter_mut().map(|device| vec![device.present()]).collect()
    }

    /// The next `count` records of every device.
    pub(crate) fn records(&mut self, count: usize) -> Vec<Vec<Vec<u8>>> {
        let record = |device: &mut Writer| {
            let payload = [device.sequence() as u8; PAYLOAD];
            device.state(StatementKind::RECORD, ContentFormat::OCTETS, &payload)
        };
        self.0.iter_mut().map(|device| (0..count).map(|_| record(device)).collect()).collect()
    }
}
