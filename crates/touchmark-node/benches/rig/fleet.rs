//! Devices that sign beforehand.

use touchmark_core::directory::NewKey;
use touchmark_core::directory::inception::Inception;
use touchmark_core::entry::Purposes;
use touchmark_keys::software::SoftwareKey;
use touchmark_wire::algorithm::{Algorithm, Signer as _};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{KeyNumber, NetworkId, Sequence, StatementId, ThingId};
use touchmark_wire::registry::{ContentFormat, StatementKind, ThingKind};
use touchmark_wire::statement::{Content, Draft, Link};

/// Payload of a record, bytes.
pub(crate) const PAYLOAD: usize = 256;

pub(crate) struct Fleet(Vec<Device>);

struct Device {
    id: ThingId,
    key: SoftwareKey,
    algorithm: Algorithm,
    inception: Vec<u8>,
    sequence: u32,
    last: Digest,
}

impl Fleet {
    pub(crate) fn new(network: NetworkId, algorithm: Algorithm, devices: usize) -> Self {
        Self((0..devices).map(|number| Device::new(network, algorithm, number)).collect())
    }

    /// The first statement of every device.
    pub(crate) fn inceptions(&mut self) -> Vec<Vec<Vec<u8>>> {
        let state = |device: &mut Device| {
            let inception = device.inception.clone();
            vec![device.state(StatementKind::INCEPTION, ContentFormat::CBOR, &inception)]
        };
        self.0.iter_mut().map(state).collect()
    }

    /// The next `count` records of every device.
    pub(crate) fn records(&mut self, count: usize) -> Vec<Vec<Vec<u8>>> {
        let record = |device: &mut Device| {
            let payload = [device.sequence as u8; PAYLOAD];
            device.state(StatementKind::RECORD, ContentFormat::OCTETS, &payload)
        };
        self.0.iter_mut().map(|device| (0..count).map(|_| record(device)).collect()).collect()
    }
}

impl Device {
    fn new(network: NetworkId, algorithm: Algorithm, number: usize) -> Self {
        let mut seed = Digest::of(&[b"touchmark ingest", &number.to_be_bytes()]).0;
        // Below the order of both curves.
        seed[0] &= 0x7f;
        let key = SoftwareKey::from_seed(algorithm, &seed).expect("the seed is a valid scalar");
        let inception = Inception {
            kind: ThingKind::DEVICE,
            keys: vec![NewKey::new(*key.public_key().cose(), Purposes::GENERAL)],
            threshold: 1,
            next: None,
            nonce: vec![0; 16],
            controller: None,
            owners: None,
            attributes: None,
        };
        let id = inception.id();
        let inception = inception.encode_to_vec();
        Self { id, key, algorithm, inception, sequence: 0, last: network.0 }
    }

    fn state(&mut self, kind: StatementKind, format: ContentFormat, payload: &[u8]) -> Vec<u8> {
        self.sequence += 1;
        let sequence = Sequence(self.sequence);
        let draft = Draft {
            issuer: self.id,
            link: Link { kind, sequence, previous: self.last, channel: None },
            content: Content::Inline(format),
            claims: None,
            payload,
        };
        let StatementId(id) = draft.id(KeyNumber(0), self.algorithm);
        self.last = id;
        draft.sign(KeyNumber(0), &self.key).expect("a software key signs")
    }
}
