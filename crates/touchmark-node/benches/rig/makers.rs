//! Organisations that register what they make.

use super::writer::{self, Writer};
use std::collections::BTreeMap;
use touchmark_core::directory::NewKey;
use touchmark_core::directory::inception::Inception;
use touchmark_core::entry::Purposes;
use touchmark_core::roster::{NUMBER, SERIAL};
use touchmark_wire::algorithm::{Algorithm, Signer as _};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{NetworkId, ThingId};
use touchmark_wire::registry::{ContentFormat, StatementKind, ThingKind};

/// How many organisations there are.
pub(crate) const MAKERS: usize = 100;

pub(crate) struct Makers(Vec<Writer>);

impl Makers {
    pub(crate) fn new(network: NetworkId) -> Self {
        let maker = |number| {
            // Numbers of their own, beside those of a fleet.
            Writer::new(network, Algorithm::Ed25519, ThingKind::ORGANISATION, (1 << 32) + number)
        };
        Self((0..MAKERS).map(maker).collect())
    }

    /// The first statement of every organisation.
    pub(crate) fn inceptions(&mut self) -> Vec<Vec<Vec<u8>>> {
        self.0.iter_mut().map(|maker| vec![maker.present()]).collect()
    }

    /// Registrations of the next `count` things of every organisation.
    pub(crate) fn registrations(&mut self, count: usize) -> Vec<Vec<Vec<u8>>> {
        let register = |maker: &mut Writer| {
            let thing = inception(maker.id(), maker.sequence());
            let payload = thing.encode_to_vec();
            maker.state(StatementKind::REGISTER, ContentFormat::CBOR, &payload)
        };
        self.0.iter_mut().map(|maker| (0..count).map(|_| register(maker)).collect()).collect()
    }

    /// An organisation, and the thing that it registered as its `number`th, from 1.
    pub(crate) fn thing(&self, maker: usize, number: u32) -> Made {
        let controller = self.0[maker].id();
        Made {
            controller,
            id: inception(controller, number).id(),
            serial: serial(controller, number),
        }
    }
}

/// A thing that an organisation registered.
pub(crate) struct Made {
    pub(crate) controller: ThingId,
    pub(crate) id: ThingId,
    pub(crate) serial: String,
}

/// What an organisation registers: a device with a key, a number and the serial number of a chip.
fn inception(controller: ThingId, number: u32) -> Inception {
    let name = [&controller.0[..], &number.to_be_bytes()];
    let key = writer::key(Algorithm::Ed25519, &name);
    let attributes = BTreeMap::from([
        (NUMBER.to_owned(), number.to_string()),
        (SERIAL.to_owned(), serial(controller, number)),
    ]);
    Inception {
        kind: ThingKind::DEVICE,
        keys: vec![NewKey::new(*key.public_key().cose(), Purposes::GENERAL)],
        threshold: 1,
        next: None,
        nonce: Digest::of(&name).0[..16].to_vec(),
        controller: Some(controller),
        owners: None,
        attributes: Some(attributes),
    }
}

/// Seven bytes in hexadecimal, as chips have them.
fn serial(controller: ThingId, number: u32) -> String {
    let digest = Digest::of(&[b"serial", &controller.0, &number.to_be_bytes()]);
    digest.to_string()[..14].to_uppercase()
}
