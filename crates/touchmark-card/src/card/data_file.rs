//! The data file, which is longer than READ BINARY can count: offsets are data objects.

use super::Card;
use crate::apdu::{Answer, Command, Status};
use crate::lifecycle::LifeCycle;
use crate::profile::{file, limit, tag};
use crate::store::CardStore;
use crate::tlv;

/// Longest head of a data object with what fits into an answer: tag and length.
const HEAD: usize = 4;

impl<S: CardStore> Card<S> {
    /// READ BINARY with an offset.
    pub(super) fn read_far(&mut self, command: &Command<'_>) -> Result<Answer, Status> {
        check_file(command)?;
        self.require_reading()?;
        let (offset, rest) = offset(command.data)?;
        if !rest.is_empty() {
            return Err(Status::DATA);
        }
        let room = command.expected.checked_sub(HEAD).filter(|room| *room > 0);
        let room = room.ok_or(Status::WRONG_LENGTH)?;
        let rest = self.data.get(offset..).filter(|rest| !rest.is_empty()).ok_or(Status::OFFSET)?;
        let data = tlv::write(tag::DATA, &rest[..rest.len().min(room)]);
        let status = if rest.len() < room { Status::END_OF_FILE } else { Status::OK };
        Ok(Answer { data, status })
    }

    /// UPDATE BINARY with an offset: at 0 the file begins anew, at its end it goes on.
    pub(super) fn update_far(&mut self, command: &Command<'_>) -> Result<Answer, Status> {
        check_file(command)?;
        self.require(LifeCycle::Initialisation)?;
        let (offset, rest) = offset(command.data)?;
        let (data, rest) = tlv::read(tag::DATA, rest).ok_or(Status::DATA)?;
        if !rest.is_empty() {
            return Err(Status::DATA);
        }
        if offset != 0 && offset != self.data.len() {
            return Err(Status::OFFSET);
        }
        if offset + data.len() > limit::DATA {
            return Err(Status::NO_SPACE);
        }
        let whole = [&self.data[..offset], data].concat();
        self.store.keep_data(&whole).map_err(|_| Status::MEMORY)?;
        self.data = whole;
        Ok(Status::OK.into())
    }

    /// Where a code opens the data file, it must have been presented.
    pub(super) fn require_reading(&self) -> Result<(), Status> {
        if self.memory.reading_code.is_none() || self.session.presented.reading {
            Ok(())
        } else {
            Err(Status::SECURITY)
        }
    }
}

fn check_file(command: &Command<'_>) -> Result<(), Status> {
    if command.header.parameters() == file::DATA { Ok(()) } else { Err(Status::NOT_FOUND) }
}

/// The offset data object at the front, and what follows.
fn offset(data: &[u8]) -> Result<(usize, &[u8]), Status> {
    let (digits, rest) = tlv::read(tag::OFFSET, data).ok_or(Status::DATA)?;
    if !(1..=4).contains(&digits.len()) {
        return Err(Status::DATA);
    }
    Ok((digits.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest))
}
