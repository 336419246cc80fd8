//! Cards in real readers, through the system's PC/SC service.

use crate::transport::{Transport, TransportError};
use touchmark_pcsc::{Connection, Error, ErrorKind, Service};

pub use touchmark_pcsc::ReaderState;

/// The card in a reader, for this program alone.
#[derive(Debug)]
pub struct Reader {
    name: String,
    connection: Connection,
}

impl Reader {
    /// The readers that are there.
    pub fn list() -> Result<Vec<ReaderState>, TransportError> {
        Ok(Service::connect()?.readers()?)
    }

    /// Takes the card in the first reader whose name begins with `name` and that has one.
    pub fn connect(name: &str) -> Result<Self, TransportError> {
        let service = Service::connect()?;
        let readers = service.readers()?;
        let mut named = readers.iter().filter(|reader| reader.name.starts_with(name)).peekable();
        if named.peek().is_none() {
            let names: Vec<_> = readers.iter().map(|reader| reader.name.as_str()).collect();
            let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            return Err(TransportError::NoReader(format!("`{name}`; there is {there}")));
        }
        let full = named.find(|reader| reader.has_card);
        let full = full.ok_or_else(|| TransportError::NoCard("the reader is empty".into()))?;
        Ok(Self { name: full.name.clone(), connection: service.card(&full.name)? })
    }

    /// The reader's whole name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Transport for Reader {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        Ok(self.connection.transmit(command)?)
    }
}

impl From<Error> for TransportError {
    fn from(error: Error) -> Self {
        match error.kind {
            ErrorKind::NoService => Self::NoService(error.text),
            ErrorKind::NoReader => Self::NoReader(error.text),
            ErrorKind::NoCard => Self::NoCard(error.text),
            ErrorKind::Busy => Self::Busy(error.text),
            _ => Self::Broken(error.text),
        }
    }
}
