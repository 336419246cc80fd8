//! The service, its readers and the cards in them.

use crate::library::{Context, Handle};
use crate::{Error, ErrorKind};
use std::ffi::{CStr, CString};
use std::rc::Rc;

/// A connection to the system's smart card service.
#[derive(Clone, Debug)]
pub struct Service(Rc<Context>);

/// A reader.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReaderState {
    /// Its name.
    pub name: String,
    /// Whether a card is in it.
    pub has_card: bool,
}

/// A card in a reader, for this program alone until it is dropped; then it is reset.
#[derive(Debug)]
pub struct Connection {
    context: Rc<Context>,
    handle: Handle,
}

impl Service {
    /// Reaches the service.
    pub fn connect() -> Result<Self, Error> {
        Context::open().map(|context| Self(Rc::new(context)))
    }

    /// The readers that are there.
    pub fn readers(&self) -> Result<Vec<ReaderState>, Error> {
        let list = self.0.list_readers()?;
        let names = list.split_inclusive(|byte| *byte == 0);
        let names = names.filter_map(|name| CStr::from_bytes_with_nul(name).ok());
        let state = |name: &CStr| {
            let has_card = self.0.has_card(name)?;
            Ok(ReaderState { name: name.to_string_lossy().into_owned(), has_card })
        };
        names.filter(|name| !name.is_empty()).map(state).collect()
    }

    /// Takes the card in the reader of this name.
    pub fn card(&self, reader: &str) -> Result<Connection, Error> {
        let name = CString::new(reader).map_err(|_| Error {
            kind: ErrorKind::NoReader,
            text: "a reader's name has no zero byte".into(),
        })?;
        let handle = self.0.connect(&name)?;
        Ok(Connection { context: Rc::clone(&self.0), handle })
    }
}

impl Connection {
    /// Sends a command; gives the answer.
    pub fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, Error> {
        self.context.transmit(self.handle, command)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.context.disconnect(self.handle);
    }
}
