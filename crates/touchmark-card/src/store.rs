//! What a card must not forget, and where it is kept.

mod folder;

pub use folder::VirtualCard;

use crate::lifecycle::LifeCycle;
use core::fmt;
use minicbor::{Decode, Encode};
use std::io;
use touchmark_keys::file::KeyFileError;
use touchmark_keys::software::SoftwareKey;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::ThingId;

/// What a card knows of itself, but for its key and its data file.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(map)]
pub struct Memory {
    /// Where in its life it is.
    #[n(1)]
    pub lifecycle: LifeCycle,
    /// The last value of its usage counter.
    #[n(2)]
    pub counter: u32,
    /// The chip's serial number.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub serial: Vec<u8>,
    /// Its thing id.
    #[n(4)]
    pub id: Option<ThingId>,
    /// What its URL begins with.
    #[n(5)]
    pub url_base: Option<String>,
    /// SHA-256 of the code that opens the data file to readers.
    #[n(6)]
    pub reading_code: Option<Digest>,
    /// Who may lock it.
    #[n(7)]
    pub locking: Locking<Digest>,
}

impl Memory {
    /// Of a chip as it leaves the factory.
    pub const fn blank(serial: Vec<u8>) -> Self {
        Self {
            lifecycle: LifeCycle::Initialisation,
            counter: 0,
            serial,
            id: None,
            url_base: None,
            reading_code: None,
            locking: Locking::Nobody,
        }
    }
}

/// Who may lock a card at once, and terminate it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
#[cbor(flat)]
pub enum Locking<C> {
    /// Nobody who only holds it.
    #[default]
    #[n(0)]
    Nobody,
    /// Whoever reaches it: for cards that stay inside of their reader.
    #[n(1)]
    Anyone,
    /// Whoever knows the code.
    #[n(2)]
    Code(#[n(0)] C),
}

impl<C> Locking<C> {
    /// The code, where there is one.
    pub const fn code(&self) -> Option<&C> {
        match self {
            Self::Code(code) => Some(code),
            _ => None,
        }
    }
}

/// All that is kept of a card.
#[derive(Debug)]
pub struct Kept {
    /// What it knows of itself.
    pub memory: Memory,
    /// Its private key.
    pub key: Option<SoftwareKey>,
    /// Its data file.
    pub data: Vec<u8>,
}

/// Keeps a card's memory, key and data file. Whatever a method was given is durable when it
/// returns, or it fails.
pub trait CardStore {
    /// Everything, as it was kept last.
    fn load(&mut self) -> Result<Kept, StoreError>;

    /// Keeps the memory.
    fn keep(&mut self, memory: &Memory) -> Result<(), StoreError>;

    /// Keeps the data file.
    fn keep_data(&mut self, data: &[u8]) -> Result<(), StoreError>;

    /// Keeps the private key, once.
    fn keep_key(&mut self, key: &SoftwareKey) -> Result<(), StoreError>;

    /// Destroys the private key.
    fn destroy_key(&mut self) -> Result<(), StoreError>;
}

/// Why a card's memory cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// The caller's: there is no card at this place.
    Absent,
    /// The caller's: there is a card at this place already.
    Exists,
    /// The caller's: another program uses the card.
    Busy,
    /// The key file: it needs a passphrase, or another one.
    Key(KeyFileError),
    /// The files do not have their shape.
    Damaged,
    /// The operating system's.
    Io(io::Error),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("there is no card"),
            Self::Exists => f.write_str("there is a card already"),
            Self::Busy => f.write_str("another program uses the card"),
            Self::Key(error) => error.fmt(f),
            Self::Damaged => f.write_str("the card's files do not have their shape"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for StoreError {}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
