//! Command APDUs (ISO/IEC 7816-4 §5.1, §5.2).

use super::{EXTENDED, SHORT};
use core::fmt;

/// The first four bytes of a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Class.
    pub class: u8,
    /// Instruction.
    pub instruction: u8,
    /// First parameter.
    pub p1: u8,
    /// Second parameter.
    pub p2: u8,
}

impl Header {
    /// The bit of the class that says that more commands of a chain follow (§5.3.3).
    pub const MORE: u8 = 0x10;

    /// A command of the interindustry class.
    pub const fn new(instruction: u8, p1: u8, p2: u8) -> Self {
        Self { class: 0, instruction, p1, p2 }
    }

    /// Both parameters as one number.
    pub const fn parameters(&self) -> u16 {
        u16::from_be_bytes([self.p1, self.p2])
    }

    /// Whether more commands of a chain follow.
    pub const fn is_chained(&self) -> bool {
        self.class & Self::MORE != 0
    }

    /// The header without the mark of a chain.
    #[must_use]
    pub const fn unchained(self) -> Self {
        Self { class: self.class & !Self::MORE, ..self }
    }
}

/// A command, borrowed from its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Command<'a> {
    /// What to do.
    pub header: Header,
    /// Command data.
    pub data: &'a [u8],
    /// Most bytes that the answer may have; 0 when none are expected.
    pub expected: usize,
}

impl<'a> Command<'a> {
    /// A command with data that expects none.
    pub const fn new(header: Header, data: &'a [u8]) -> Self {
        Self { header, data, expected: 0 }
    }

    /// The same command, expecting up to `expected` bytes.
    #[must_use]
    pub const fn expecting(self, expected: usize) -> Self {
        Self { expected, ..self }
    }

    /// Takes a command apart. Needs no allocator, and accepts nothing but the four cases of §5.1
    /// with short or extended lengths.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, InvalidCommand> {
        let Some((&[class, instruction, p1, p2], body)) = bytes.split_first_chunk() else {
            return Err(InvalidCommand::Header);
        };
        if class == 0xff {
            return Err(InvalidCommand::Class);
        }
        let header = Header { class, instruction, p1, p2 };
        let (data, expected) = match *body {
            [] => (&body[..0], 0),
            [le] => (&body[..0], short(le)),
            [0, _] => return Err(InvalidCommand::Length),
            [0, high, low] => (&body[..0], extended(high, low)),
            [0, high, low, ref rest @ ..] => {
                let length = usize::from(u16::from_be_bytes([high, low]));
                match rest.split_at_checked(length) {
                    Some((data, [])) if length > 0 => (data, 0),
                    Some((data, &[high, low])) if length > 0 => (data, extended(high, low)),
                    _ => return Err(InvalidCommand::Length),
                }
            }
            [lc, ref rest @ ..] => match rest.split_at_checked(lc.into()) {
                Some((data, [])) => (data, 0),
                Some((data, &[le])) => (data, short(le)),
                _ => return Err(InvalidCommand::Length),
            },
        };
        Ok(Self { header, data, expected })
    }

    /// The bytes that a reader sends: with short lengths where they are enough.
    ///
    /// `None` with more data than a command can have, or a larger answer.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let Header { class, instruction, p1, p2 } = self.header;
        let mut bytes = vec![class, instruction, p1, p2];
        if self.data.len() <= SHORT && self.expected <= SHORT + 1 {
            if !self.data.is_empty() {
                bytes.push(self.data.len() as u8);
                bytes.extend_from_slice(self.data);
            }
            if self.expected > 0 {
                // 256 is written as 0.
                bytes.push(self.expected as u8);
            }
            return Some(bytes);
        }
        if self.data.len() > EXTENDED || self.expected > EXTENDED + 1 {
            return None;
        }
        bytes.push(0);
        if !self.data.is_empty() {
            bytes.extend_from_slice(&(self.data.len() as u16).to_be_bytes());
            bytes.extend_from_slice(self.data);
        }
        if self.expected > 0 {
            // 65,536 is written as 0.
            bytes.extend_from_slice(&(self.expected as u16).to_be_bytes());
        }
        Some(bytes)
    }
}

fn short(le: u8) -> usize {
    if le == 0 { SHORT + 1 } else { le.into() }
}

fn extended(high: u8, low: u8) -> usize {
    match u16::from_be_bytes([high, low]) {
        0 => EXTENDED + 1,
        le => le.into(),
    }
}

/// Why bytes are no command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InvalidCommand {
    /// Fewer than the four bytes of a header.
    Header,
    /// The class 0xFF, which no command has.
    Class,
    /// A length that does not fit the bytes.
    Length,
}

impl fmt::Display for InvalidCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "a command has at least four bytes",
            Self::Class => "no command has the class FF",
            Self::Length => "a length does not fit the command's bytes",
        })
    }
}

impl core::error::Error for InvalidCommand {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cases_of_the_standard_are_read() {
        let header = Header { class: 0, instruction: 0xa4, p1: 4, p2: 0 };
        let data = [7; 300];
        let long = [&[0, 0xa4, 4, 0, 0, 1, 44][..], &data].concat();
        for (bytes, data, expected) in [
            (&[0, 0xa4, 4, 0][..], &[][..], 0),
            (&[0, 0xa4, 4, 0, 16], &[], 16),
            (&[0, 0xa4, 4, 0, 0], &[], 256),
            (&[0, 0xa4, 4, 0, 2, 7, 7], &[7, 7], 0),
            (&[0, 0xa4, 4, 0, 2, 7, 7, 0], &[7, 7], 256),
            (&[0, 0xa4, 4, 0, 0, 1, 0], &[], 256),
            (&[0, 0xa4, 4, 0, 0, 0, 0], &[], 65_536),
            (&[0, 0xa4, 4, 0, 0, 0, 1, 9], &[9], 0),
            (&[0, 0xa4, 4, 0, 0, 0, 1, 9, 0, 0], &[9], 65_536),
            (&long, &data, 0),
        ] {
            assert_eq!(Command::parse(bytes), Ok(Command { header, data, expected }), "{bytes:?}");
        }
    }

    #[test]
    fn lengths_that_do_not_fit_are_refused() {
        for bytes in [
            &[0, 0xa4, 4][..],
            &[],
            &[0xff, 0xa4, 4, 0],
            &[0, 0xa4, 4, 0, 0, 1],
            &[0, 0xa4, 4, 0, 3, 7, 7],
            &[0, 0xa4, 4, 0, 1, 7, 7, 7],
            &[0, 0xa4, 4, 0, 0, 0, 0, 7],
            &[0, 0xa4, 4, 0, 0, 0, 1, 9, 0],
            &[0, 0xa4, 4, 0, 0, 0, 2, 9],
        ] {
            assert!(Command::parse(bytes).is_err(), "{bytes:?}");
        }
    }
}
