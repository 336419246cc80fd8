//! Cards of any state of life, in folders that go away.

use std::io;
use std::path::PathBuf;
use tempfile::TempDir;
use touchmark_card::card::Card;
use touchmark_card::client::{CardClient, ClientError, Personalisation};
use touchmark_card::message::UrlBase;
use touchmark_card::store::{CardStore, Kept, Locking, Memory, StoreError, VirtualCard};
use touchmark_keys::software::SoftwareKey;
use touchmark_wire::algorithm::{PublicKey, PureVerifier, SignatureVerifier as _, SignedBytes};
use touchmark_wire::ids::ThingId;

pub(crate) const ID: ThingId = ThingId([7; 20]);
pub(crate) const READING: [u8; 16] = [0x11; 16];
pub(crate) const LOCKING: [u8; 16] = [0x22; 16];

/// A card's folder.
pub(crate) struct Chip {
    folder: TempDir,
}

impl Chip {
    /// As it leaves the factory.
    pub(crate) fn blank() -> Self {
        let chip = Self { folder: tempfile::tempdir().unwrap() };
        VirtualCard::create(&chip.path()).unwrap();
        chip
    }

    /// Activated, with whatever `change` makes of the usual personalisation.
    pub(crate) fn issued(change: impl FnOnce(&mut Personalisation<'_>)) -> Self {
        let chip = Self::blank();
        let mut client = CardClient::new(chip.on());
        client.generate_key().unwrap();
        let base = base();
        let mut given = personalisation(&base);
        change(&mut given);
        client.personalise(&given).unwrap();
        chip
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("card")
    }

    pub(crate) fn on(&self) -> Card<VirtualCard> {
        Card::switch_on(VirtualCard::open(&self.path(), None).unwrap()).unwrap()
    }

    pub(crate) fn client(&self) -> CardClient<Card<VirtualCard>> {
        CardClient::new(self.on())
    }

    pub(crate) fn key(&self) -> PublicKey {
        self.client().public_key().unwrap().check().unwrap()
    }
}

pub(crate) fn base() -> UrlBase {
    "https://tap.example/p?lot=5".parse().unwrap()
}

pub(crate) const fn personalisation(base: &UrlBase) -> Personalisation<'_> {
    Personalisation {
        id: ID,
        url_base: base,
        serial: None,
        data: &[],
        reading_code: None,
        locking: Locking::Code(&LOCKING),
    }
}

pub(crate) fn is_signed(key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    PureVerifier.verify(key, &SignedBytes::new([message]), signature).is_ok()
}

/// The status word that a card refused with.
pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T, ClientError>) -> u16 {
    result.unwrap_err().status().unwrap().0
}

/// A store whose disk fails from some write on.
pub(crate) struct Failing {
    pub(crate) store: VirtualCard,
    pub(crate) writes_left: usize,
}

impl Failing {
    fn write(&mut self) -> Result<&mut VirtualCard, StoreError> {
        self.writes_left = self
            .writes_left
            .checked_sub(1)
            .ok_or(StoreError::Io(io::Error::other("the disk fails")))?;
        Ok(&mut self.store)
    }
}

impl CardStore for Failing {
    fn load(&mut self) -> Result<Kept, StoreError> {
        self.store.load()
    }

    fn keep(&mut self, memory: &Memory) -> Result<(), StoreError> {
        self.write()?.keep(memory)
    }

    fn keep_data(&mut self, data: &[u8]) -> Result<(), StoreError> {
        self.write()?.keep_data(data)
    }

    fn keep_key(&mut self, key: &SoftwareKey) -> Result<(), StoreError> {
        self.write()?.keep_key(key)
    }

    fn destroy_key(&mut self) -> Result<(), StoreError> {
        self.write()?.destroy_key()
    }
}
