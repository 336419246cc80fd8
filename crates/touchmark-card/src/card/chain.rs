//! Commands whose data come in several pieces (ISO/IEC 7816-4 §5.3.3).

use crate::apdu::{Command, Header, Status};
use crate::profile::{instruction, limit};

/// Instructions whose data may come in pieces.
const CHAINABLE: [u8; 2] = [instruction::SECURITY_OPERATION, instruction::UPDATE_FAR];

/// The pieces that have arrived.
#[derive(Debug)]
pub(super) struct Chain {
    header: Header,
    data: Vec<u8>,
}

impl Chain {
    pub(super) fn begin(command: &Command<'_>) -> Result<Self, Status> {
        let header = command.header.unchained();
        if !CHAINABLE.contains(&header.instruction) {
            return Err(Status::NO_CHAINING);
        }
        Ok(Self { header, data: command.data.to_vec() })
    }

    /// Takes the next piece; the chain ends with any other command.
    pub(super) fn extend(mut self, command: &Command<'_>) -> Result<Self, Status> {
        if command.header.unchained() != self.header {
            return Err(Status::CHAIN);
        }
        if self.data.len() + command.data.len() > limit::CHAIN {
            return Err(Status::WRONG_LENGTH);
        }
        self.data.extend_from_slice(command.data);
        Ok(self)
    }

    pub(super) fn into_data(self) -> Vec<u8> {
        self.data
    }
}
