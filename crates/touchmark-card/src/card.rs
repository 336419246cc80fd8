//! A card in software: takes command APDUs, keeps what it must not forget in a [`CardStore`].
//!
//! Everything that a command may do depends on four things: the state of the card's life, the
//! selected application and file, the codes presented since the last reset, and whether a key is
//! there. The usage counter is on the disk before a signature that contains it leaves the card.

mod chain;
mod data_file;
mod lock;
mod objects;
mod selection;
mod signing;
mod tag;

use crate::apdu::{Answer, Command, Header, InvalidCommand, Status};
use crate::lifecycle::LifeCycle;
use crate::message::Addition;
use crate::profile::instruction;
use crate::store::{CardStore, Memory, StoreError};
use crate::transport::{Transport, TransportError};
use chain::Chain;
use selection::{Application, Selected};
use std::borrow::Cow;
use touchmark_keys::software::SoftwareKey;

/// A card that is switched on.
#[derive(Debug)]
pub struct Card<S> {
    store: S,
    memory: Memory,
    key: Option<SoftwareKey>,
    data: Vec<u8>,
    session: Session,
}

/// What a card forgets when it is reset.
#[derive(Debug, Default)]
struct Session {
    selected: Selected,
    /// The chain of commands that was begun.
    chain: Option<Chain>,
    presented: Presented,
    /// The NDEF file of this tap.
    ndef: Option<Vec<u8>>,
}

/// Codes that were presented.
#[derive(Clone, Copy, Debug, Default)]
struct Presented {
    reading: bool,
    locking: bool,
}

impl<S: CardStore> Card<S> {
    /// Switches a card on.
    pub fn switch_on(mut store: S) -> Result<Self, StoreError> {
        let kept = store.load()?;
        let (memory, data) = (kept.memory, kept.data);
        // What was decided last holds, also when the key's file outlived the decision.
        let key = kept.key.filter(|_| memory.lifecycle != LifeCycle::Terminated);
        Ok(Self { store, memory, key, data, session: Session::default() })
    }

    /// What the card knows of itself.
    pub const fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Forgets the selection, the presented codes and the tap.
    pub fn reset(&mut self) {
        self.session = Session::default();
    }

    /// Carries out a command APDU.
    pub fn execute(&mut self, command: &[u8]) -> Answer {
        let command = match Command::parse(command) {
            Ok(command) => command,
            Err(InvalidCommand::Class) => return Status::CLASS.into(),
            Err(_) => return Status::WRONG_LENGTH.into(),
        };
        let whole = check_class(command.header).and_then(|()| self.assemble(&command));
        match whole {
            Ok(Some(data)) => {
                let whole = Command { header: command.header, data: &data, ..command };
                self.dispatch(&whole).unwrap_or_else(Answer::from)
            }
            Ok(None) => Status::OK.into(),
            Err(status) => status.into(),
        }
    }

    /// The data of a command and of the chain that it ends; `None` while more follow.
    fn assemble<'c>(&mut self, command: &Command<'c>) -> Result<Option<Cow<'c, [u8]>>, Status> {
        let Some(chain) = self.session.chain.take() else {
            if !command.header.is_chained() {
                return Ok(Some(Cow::Borrowed(command.data)));
            }
            self.session.chain = Some(Chain::begin(command)?);
            return Ok(None);
        };
        let chain = chain.extend(command)?;
        if command.header.is_chained() {
            self.session.chain = Some(chain);
            return Ok(None);
        }
        Ok(Some(Cow::Owned(chain.into_data())))
    }

    fn dispatch(&mut self, command: &Command<'_>) -> Result<Answer, Status> {
        let of_card = match command.header.instruction {
            instruction::SELECT => return self.select(command),
            instruction::READ => return self.read(command),
            instruction::READ_FAR => Self::read_far,
            instruction::UPDATE_FAR => Self::update_far,
            instruction::GET_DATA => Self::read_object,
            instruction::PUT_DATA => Self::write_object,
            instruction::VERIFY => Self::verify,
            instruction::GENERATE => Self::generate,
            instruction::SECURITY_OPERATION => Self::sign_payload,
            instruction::AUTHENTICATE => Self::authenticate,
            instruction::ACTIVATE => Self::activate,
            instruction::DEACTIVATE => Self::deactivate,
            instruction::TERMINATE => Self::terminate,
            _ => return Err(Status::INSTRUCTION),
        };
        match self.session.selected.application {
            Some(Application::Signing) => of_card(self, command),
            Some(Application::Ndef) => Err(Status::INSTRUCTION),
            None => Err(Status::CONDITIONS),
        }
    }

    /// Allowed in one state of life only.
    fn require(&self, lifecycle: LifeCycle) -> Result<(), Status> {
        match self.memory.lifecycle {
            present if present == lifecycle => Ok(()),
            LifeCycle::Deactivated => Err(Status::LOCKED),
            _ => Err(Status::CONDITIONS),
        }
    }

    /// Changes the memory and keeps it; a change that was not kept is undone.
    fn change(&mut self, change: impl FnOnce(&mut Memory)) -> Result<(), Status> {
        let mut memory = self.memory.clone();
        change(&mut memory);
        self.store.keep(&memory).map_err(|_| Status::MEMORY)?;
        self.memory = memory;
        Ok(())
    }

    /// What goes along with a signed payload.
    fn addition(&self, addition: Addition) -> Result<Option<Vec<u8>>, Status> {
        if addition != Addition::Nothing {
            self.require_reading()?;
        }
        Ok(addition.of(&self.data))
    }
}

impl<S: CardStore> Transport for Card<S> {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        Ok(self.execute(command).encode())
    }
}

/// The interindustry class on the basic channel, with or without the mark of a chain.
fn check_class(header: Header) -> Result<(), Status> {
    match header.unchained().class {
        0 => Ok(()),
        class @ 0x01..=0x0f if class & 0x0c != 0 => Err(Status::SECURE_MESSAGING),
        0x01..=0x03 | 0x40..=0x7f => Err(Status::LOGICAL_CHANNEL),
        _ => Err(Status::CLASS),
    }
}

/// An answer of a fixed length, which the command must expect; asked before anything is done.
fn check_expected(command: &Command<'_>, length: u8) -> Result<(), Status> {
    if command.expected >= length.into() { Ok(()) } else { Err(Status::exactly(length)) }
}

/// A command that has neither data nor parameters.
fn check_bare(command: &Command<'_>) -> Result<(), Status> {
    if command.header.parameters() != 0 {
        return Err(Status::PARAMETERS);
    }
    if command.data.is_empty() { Ok(()) } else { Err(Status::WRONG_LENGTH) }
}
