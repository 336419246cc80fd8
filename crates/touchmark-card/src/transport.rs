//! The way to a card and back.

use core::fmt;

/// Carries commands to a card and its answers back.
pub trait Transport {
    /// Sends a command APDU; gives the answer APDU.
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError>;
}

impl<T: Transport + ?Sized> Transport for &mut T {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        (**self).transmit(command)
    }
}

impl<T: Transport + ?Sized> Transport for Box<T> {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        (**self).transmit(command)
    }
}

/// Why a command or its answer did not arrive.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum TransportError {
    /// The machine's: no smart card service, or no library to reach it.
    NoService(String),
    /// The user's: no reader of this name.
    NoReader(String),
    /// The user's: no card in the reader, or it was taken away.
    NoCard(String),
    /// Another program uses the card.
    Busy(String),
    /// The reader's or the card's: the answer did not arrive as it should.
    Broken(String),
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoService(why) => write!(f, "no smart card service: {why}"),
            Self::NoReader(why) => write!(f, "no such reader: {why}"),
            Self::NoCard(why) => write!(f, "no card: {why}"),
            Self::Busy(why) => write!(f, "the card is in use: {why}"),
            Self::Broken(why) => write!(f, "the card did not answer: {why}"),
        }
    }
}

impl core::error::Error for TransportError {}
