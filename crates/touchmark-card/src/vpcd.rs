//! The card in software in a virtual reader of the system: a client of `vpcd` (package
//! vsmartcard-vpcd), a reader driver of pcscd that asks a program for the card's answers.
//!
//! On the wire each message has its length in two bytes, most significant first. A message of one
//! byte controls the card's power; every other is a command APDU.

use crate::card::Card;
use crate::profile::ANSWER_TO_RESET;
use crate::store::CardStore;
use std::io::{self, Read, Write as _};
use std::net::{SocketAddr, TcpStream};

/// Where vpcd listens for the card of its first reader.
pub const ADDRESS: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 35_963);

/// Messages of one byte.
const OFF: u8 = 0;
const ON: u8 = 1;
const RESET: u8 = 2;
const ANSWER: u8 = 4;

/// Puts a card into the reader until the reader closes the connection.
pub fn serve<S: CardStore>(card: &mut Card<S>, reader: &TcpStream) -> io::Result<()> {
    reader.set_nodelay(true)?;
    while let Some(message) = receive(reader)? {
        match message[..] {
            [OFF | ON | RESET] => card.reset(),
            [ANSWER] => send(reader, &ANSWER_TO_RESET)?,
            ref command => send(reader, &card.execute(command).encode())?,
        }
    }
    card.reset();
    Ok(())
}

/// The next message; `None` at the end.
fn receive(mut reader: &TcpStream) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 2];
    acknowledge(reader)?;
    match reader.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    // The driver sends length and content apart, and waits for the acknowledgement of the first.
    acknowledge(reader)?;
    let mut message = vec![0; u16::from_be_bytes(length).into()];
    reader.read_exact(&mut message)?;
    Ok(Some(message))
}

fn send(mut reader: &TcpStream, message: &[u8]) -> io::Result<()> {
    let length = u16::try_from(message.len())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "the answer is too long"))?;
    reader.write_all(&[&length.to_be_bytes()[..], message].concat())
}

/// Lets the system acknowledge at once what comes next: it would wait for 40 ms.
#[cfg(target_os = "linux")]
fn acknowledge(reader: &TcpStream) -> io::Result<()> {
    std::os::linux::net::TcpStreamExt::set_quickack(reader, true)
}

#[cfg(not(target_os = "linux"))]
fn acknowledge(_: &TcpStream) -> io::Result<()> {
    Ok(())
}
