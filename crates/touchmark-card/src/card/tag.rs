//! The Type 4 Tag: a URL that changes with every tap.

use super::Card;
use super::selection::File;
use crate::apdu::{Answer, Command, EXTENDED, SHORT, Status};
use crate::lifecycle::LifeCycle;
use crate::message;
use crate::ndef;
use crate::store::CardStore;

impl<S: CardStore> Card<S> {
    /// READ BINARY of the selected file.
    pub(super) fn read(&mut self, command: &Command<'_>) -> Result<Answer, Status> {
        let offset = command.header.parameters();
        if offset > 0x7fff {
            return Err(Status::PARAMETERS);
        }
        if !command.data.is_empty() || command.expected == 0 {
            return Err(Status::WRONG_LENGTH);
        }
        match self.session.selected.file.ok_or(Status::NO_FILE)? {
            File::Capabilities => slice(&ndef::capability_container(), offset, command.expected),
            File::Data => {
                self.require_reading()?;
                slice(&self.data, offset, command.expected)
            }
            File::Ndef => {
                let file = match self.session.ndef.take() {
                    Some(file) => file,
                    None => self.tap()?,
                };
                let answer = slice(&file, offset, command.expected);
                self.session.ndef = Some(file);
                answer
            }
        }
    }

    /// The NDEF file of a new tap. The counter is kept before the URL is made.
    fn tap(&mut self) -> Result<Vec<u8>, Status> {
        if self.memory.lifecycle == LifeCycle::Initialisation {
            return Ok(ndef::EMPTY.to_vec());
        }
        self.require(LifeCycle::Activated)?;
        let (card, base) = (self.id()?, self.url_base()?);
        let counter = self.count()?;
        let signed = base.signed(card, counter);
        let signature = self.sign(signed.as_bytes())?;
        Ok(ndef::encode(&message::url(&signed, &signature)))
    }
}

/// A part of a file. A reader that expects as much as an answer can have takes what there is.
fn slice(file: &[u8], offset: u16, expected: usize) -> Result<Answer, Status> {
    let rest = file.get(offset.into()..).filter(|rest| !rest.is_empty()).ok_or(Status::OFFSET)?;
    let data = rest[..rest.len().min(expected)].to_vec();
    let all = expected == SHORT + 1 || expected == EXTENDED + 1;
    let status = if data.len() == expected || all { Status::OK } else { Status::END_OF_FILE };
    Ok(Answer { data, status })
}
