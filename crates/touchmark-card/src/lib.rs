//! Smart cards (spec/card.md).
//!
//! * [`apdu`]: commands and answers as bytes (ISO/IEC 7816-4 §5), within limits.
//! * [`profile`]: the numbers of the card profile: applications, files, data objects, lengths.
//! * [`message`]: the three texts that a card signs, which never are one another.
//! * [`ndef`]: the files of an NFC Forum Type 4 Tag.
//! * [`card`]: a card in software, over a [`store`] that keeps what it must not forget.
//! * [`client`]: what a program asks of a card, over any [`transport`].
//! * [`reader`]: cards in real readers, through PC/SC.
//! * [`vpcd`]: the card in software in a reader of the system.
#![warn(missing_docs)]

pub mod apdu;
pub mod card;
pub mod client;
pub mod lifecycle;
pub mod message;
pub mod ndef;
pub mod profile;
pub mod reader;
pub mod store;
mod tlv;
pub mod transport;
pub mod vpcd;
