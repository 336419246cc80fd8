//! Systems whose service this crate does not know: there is none.

use crate::{Error, ErrorKind};

/// A connection to the service; never made here.
#[derive(Debug)]
pub enum Service {}

/// A card in a reader; never made here.
#[derive(Debug)]
pub enum Connection {}

/// A reader.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReaderState {
    /// Its name.
    pub name: String,
    /// Whether a card is in it.
    pub has_card: bool,
}

impl Service {
    /// Fails.
    pub fn connect() -> Result<Self, Error> {
        let text = "smart card readers are known on Linux only".into();
        Err(Error { kind: ErrorKind::NoService, text })
    }

    /// Never called.
    pub fn readers(&self) -> Result<Vec<ReaderState>, Error> {
        match *self {}
    }

    /// Never called.
    pub fn card(&self, _: &str) -> Result<Connection, Error> {
        match *self {}
    }
}

impl Connection {
    /// Never called.
    pub fn transmit(&mut self, _: &[u8]) -> Result<Vec<u8>, Error> {
        match *self {}
    }
}
