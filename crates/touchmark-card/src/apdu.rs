//! Commands and answers as bytes (ISO/IEC 7816-4 §5): short and extended lengths.

mod command;
mod status;

pub use command::{Command, Header, InvalidCommand};
pub use status::Status;

/// Most data bytes in one command or answer with extended lengths.
pub const EXTENDED: usize = 65_535;
/// Most data bytes in one command with short lengths.
pub const SHORT: usize = 255;

/// An answer: data and how the command ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// What was asked for; empty unless the status is a kind of success.
    pub data: Vec<u8>,
    /// How the command ended.
    pub status: Status,
}

impl Answer {
    /// Takes an answer apart; `None` when it has no status.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (data, status) = bytes.split_last_chunk::<2>()?;
        Some(Self { data: data.to_vec(), status: Status(u16::from_be_bytes(*status)) })
    }

    /// The bytes that a card sends.
    pub fn encode(mut self) -> Vec<u8> {
        self.data.extend_from_slice(&self.status.0.to_be_bytes());
        self.data
    }
}

impl From<Status> for Answer {
    fn from(status: Status) -> Self {
        Self { data: Vec::new(), status }
    }
}
