//! SELECT: applications by name, files by identifier.

use super::Card;
use crate::apdu::{Answer, Command, Status};
use crate::lifecycle::LifeCycle;
use crate::profile::{APPLICATION, NDEF_APPLICATION, file, parameter, tag};
use crate::store::CardStore;
use crate::tlv;

/// What commands are about.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Selected {
    pub(super) application: Option<Application>,
    pub(super) file: Option<File>,
}

/// An application of the card.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Application {
    /// Makes signatures.
    Signing,
    /// An NFC Forum Type 4 Tag.
    Ndef,
}

/// An elementary file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum File {
    Capabilities,
    Ndef,
    Data,
}

impl<S: CardStore> Card<S> {
    pub(super) fn select(&mut self, command: &Command<'_>) -> Result<Answer, Status> {
        match command.header.parameters() {
            parameter::SELECT_NAME | parameter::SELECT_NAME_SILENTLY => self.select_name(command),
            parameter::SELECT_FILE | parameter::SELECT_CHILD => self.select_file(command.data),
            _ => Err(Status::PARAMETERS),
        }
    }

    /// Selecting an application ends the tap and forgets the codes.
    fn select_name(&mut self, command: &Command<'_>) -> Result<Answer, Status> {
        let application = match command.data {
            name if name == APPLICATION => Application::Signing,
            name if name == NDEF_APPLICATION => Application::Ndef,
            _ => return Err(Status::NOT_FOUND),
        };
        self.reset();
        self.session.selected = Selected { application: Some(application), file: None };
        let silent = command.header.parameters() == parameter::SELECT_NAME_SILENTLY;
        let data = if silent { Vec::new() } else { self.control_information(command.data) };
        let status = match (application, self.memory.lifecycle) {
            // Telephones take a warning for a failure.
            (Application::Ndef, _) => Status::OK,
            (_, LifeCycle::Deactivated) => Status::SELECTED_LOCKED,
            (_, LifeCycle::Terminated) => Status::SELECTED_TERMINATED,
            _ => Status::OK,
        };
        Ok(Answer { data, status })
    }

    fn control_information(&self, name: &[u8]) -> Vec<u8> {
        let lifecycle = [self.memory.lifecycle.byte()];
        let inner = [tlv::write(tag::NAME, name), tlv::write(tag::LIFE_CYCLE, &lifecycle)];
        tlv::write(tag::CONTROL, &inner.concat())
    }

    fn select_file(&mut self, id: &[u8]) -> Result<Answer, Status> {
        let id = <[u8; 2]>::try_from(id).map_err(|_| Status::WRONG_LENGTH)?;
        let application = self.session.selected.application;
        let file = match (application, u16::from_be_bytes(id)) {
            (Some(Application::Ndef), file::CAPABILITIES) => File::Capabilities,
            (Some(Application::Ndef), file::NDEF) => File::Ndef,
            (Some(Application::Signing), file::DATA) => File::Data,
            _ => return Err(Status::NOT_FOUND),
        };
        self.session.selected.file = Some(file);
        Ok(Status::OK.into())
    }
}
