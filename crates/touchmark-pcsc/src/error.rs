//! What the service says when it does not do what it was asked for.

use core::fmt;

/// Whose fault it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is no library or no service.
    NoService,
    /// There is no such reader.
    NoReader,
    /// There is no card in the reader, or it was taken away.
    NoCard,
    /// Another program uses the card.
    Busy,
    /// Anything else.
    Other,
}

/// Why the service did not do what it was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error {
    /// Whose fault it is.
    pub kind: ErrorKind,
    /// What was tried and what was said.
    pub text: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl core::error::Error for Error {}

#[cfg(target_os = "linux")]
impl Error {
    /// The error of a code that a function of the service returned.
    pub(crate) fn of(code: u32, during: &str) -> Self {
        let row = CODES.iter().find(|(known, ..)| *known == code);
        let (kind, name) =
            row.map_or((ErrorKind::Other, "unknown"), |(_, kind, name)| (*kind, name));
        Self { kind, text: format!("{during}: {code:08X} {name}") }
    }
}

/// Codes of PC/SC (part 5 and pcsclite.h) that tell more than that something failed.
#[cfg(target_os = "linux")]
const CODES: [(u32, ErrorKind, &str); 14] = [
    (0x8010_0009, ErrorKind::NoReader, "unknown reader"),
    (0x8010_000b, ErrorKind::Busy, "sharing violation"),
    (0x8010_000c, ErrorKind::NoCard, "no smart card"),
    (0x8010_0017, ErrorKind::NoReader, "reader unavailable"),
    (0x8010_001d, ErrorKind::NoService, "no service"),
    (0x8010_001e, ErrorKind::NoService, "service stopped"),
    (0x8010_002e, ErrorKind::NoReader, "no readers available"),
    (0x8010_0065, ErrorKind::NoCard, "unsupported card"),
    (0x8010_0066, ErrorKind::NoCard, "unresponsive card"),
    (0x8010_0067, ErrorKind::NoCard, "unpowered card"),
    (0x8010_0068, ErrorKind::NoCard, "card was reset"),
    (0x8010_0069, ErrorKind::NoCard, "card was removed"),
    (0x8010_006a, ErrorKind::Other, "security violation"),
    (0x8010_0008, ErrorKind::Other, "insufficient buffer"),
];
