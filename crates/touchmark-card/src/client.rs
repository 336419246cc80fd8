//! What a program asks of a card, over any [`Transport`].

mod error;
mod personalisation;
mod signing;

pub use error::ClientError;
pub use personalisation::Personalisation;
pub use signing::SignedPayload;

use crate::apdu::{Answer, Command, Header, SHORT, Status};
use crate::lifecycle::LifeCycle;
use crate::ndef;
use crate::profile::{
    APPLICATION, NDEF_APPLICATION, VERSION, file, instruction, limit, object, parameter, tag,
};
use crate::tlv;
use crate::transport::Transport;
use touchmark_wire::algorithm::CoseKey;
use touchmark_wire::ids::ThingId;

/// A card, as seen by a program.
#[derive(Debug)]
pub struct CardClient<T> {
    transport: T,
    /// Whether the signing application is selected.
    signing: bool,
}

/// What everybody may know of a card.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CardInfo {
    /// Where in its life it is.
    pub lifecycle: LifeCycle,
    /// The chip's serial number.
    pub serial: Vec<u8>,
    /// Its thing id, once it has one.
    pub id: Option<ThingId>,
    /// What its URL begins with.
    pub url_base: Option<String>,
    /// The last value of its usage counter.
    pub counter: u32,
    /// Length of its data file, bytes.
    pub data_length: usize,
    /// Its public key, once it has made one.
    pub public_key: Option<CoseKey>,
}

/// Most bytes that a short answer has.
const MOST: usize = SHORT + 1;

const READ_OBJECT: &str = "read a data object";
const MALFORMED: ClientError = ClientError::Answer("a data object does not have its shape");
const NO_TAG: ClientError = ClientError::Answer("the card is no Type 4 Tag");

impl<T: Transport> CardClient<T> {
    /// A card at the end of `transport`.
    pub const fn new(transport: T) -> Self {
        Self { transport, signing: false }
    }

    /// The transport.
    pub fn into_transport(self) -> T {
        self.transport
    }

    /// Reads what everybody may know; changes nothing.
    pub fn info(&mut self) -> Result<CardInfo, ClientError> {
        self.select()?;
        let lifecycle = match self.object(object::LIFE_CYCLE)?.as_deref() {
            Some([byte]) => LifeCycle::from_byte(*byte),
            _ => None,
        };
        let id = self.object(object::ID)?.map(|id| id.try_into().map(ThingId));
        let url_base = self.object(object::URL_BASE)?.map(String::from_utf8);
        let public_key = match self.public_key() {
            Err(ClientError::Refused { status: Status::REFERENCE, .. }) => None,
            key => Some(key?),
        };
        Ok(CardInfo {
            lifecycle: lifecycle.ok_or(MALFORMED)?,
            serial: self.object(object::SERIAL)?.unwrap_or_default(),
            id: id.transpose().map_err(|_| MALFORMED)?,
            url_base: url_base.transpose().map_err(|_| MALFORMED)?,
            counter: self.number(object::COUNTER)?,
            data_length: self.number(object::DATA_LENGTH)? as usize,
            public_key,
        })
    }

    /// Reads the URL of a new tap, as a telephone does. Works with any Type 4 Tag.
    pub fn tap(&mut self) -> Result<String, ClientError> {
        self.signing = false;
        let select = Header::new(instruction::SELECT, 4, 0);
        let selected = Command::new(select, &NDEF_APPLICATION).expecting(MOST);
        self.run("select the tag application", selected)?;
        self.select_file(file::CAPABILITIES)?;
        let capabilities = self.read(0, 15)?;
        let (ndef_file, size) = ndef::ndef_file(&capabilities).ok_or(NO_TAG)?;
        self.select_file(ndef_file)?;
        let length = self.read(0, 2)?;
        let length = length.try_into().map_err(|_| NO_TAG)?;
        let length = usize::from(u16::from_be_bytes(length));
        if length == 0 {
            return Err(ClientError::Answer("the card presents nothing: it is not activated"));
        }
        if length + 2 > size.min(limit::NDEF) {
            return Err(ClientError::Answer("the card's message is too long"));
        }
        let mut message = Vec::with_capacity(length);
        while message.len() < length {
            let part = self.read(message.len() + 2, (length - message.len()).min(SHORT))?;
            if part.is_empty() {
                return Err(ClientError::Answer("the card's message ends early"));
            }
            message.extend(part);
        }
        ndef::decode(&message).ok_or(ClientError::Answer("the card's message is no URL"))
    }

    /// Reads the public key.
    pub fn public_key(&mut self) -> Result<CoseKey, ClientError> {
        self.key(parameter::PUBLIC_KEY, "read the public key")
    }

    /// Reads the data file; `code` is needed where the card asks for one.
    pub fn read_data(&mut self, code: Option<&[u8]>) -> Result<Vec<u8>, ClientError> {
        self.select()?;
        self.present_reading(code)?;
        let length = self.number(object::DATA_LENGTH)? as usize;
        if length > limit::DATA {
            return Err(ClientError::Answer("the data file is too long"));
        }
        let mut data = Vec::with_capacity(length);
        while data.len() < length {
            let offset = &(data.len() as u32).to_be_bytes()[1..];
            let offset = tlv::write(tag::OFFSET, offset);
            let header = header(instruction::READ_FAR, file::DATA);
            let command = Command::new(header, &offset).expecting(MOST);
            let part = self.run("read the data file", command)?;
            match tlv::read(tag::DATA, &part) {
                Some((part, [])) if !part.is_empty() => data.extend_from_slice(part),
                _ => return Err(ClientError::Answer("the data file cannot be read")),
            }
        }
        Ok(data)
    }

    /// Locks the card at once and for ever; `code` is needed where the card asks for one.
    pub fn lock(&mut self, code: Option<&[u8]>) -> Result<(), ClientError> {
        self.select()?;
        self.present(parameter::LOCKING_CODE, code)?;
        self.run("lock the card", Command::new(header(instruction::DEACTIVATE, 0), &[]))?;
        Ok(())
    }

    /// Ends the card's life: its private key is destroyed. Needs what [`Self::lock`] needs.
    pub fn terminate(&mut self, code: Option<&[u8]>) -> Result<(), ClientError> {
        self.select()?;
        self.present(parameter::LOCKING_CODE, code)?;
        self.run("terminate the card", Command::new(header(instruction::TERMINATE, 0), &[]))?;
        Ok(())
    }

    /// Selects the signing application, unless it is; codes count until then.
    fn select(&mut self) -> Result<(), ClientError> {
        if self.signing {
            return Ok(());
        }
        let select = header(instruction::SELECT, parameter::SELECT_NAME);
        let answer = self.exchange(Command::new(select, &APPLICATION).expecting(MOST))?;
        match answer.status {
            Status::OK | Status::SELECTED_LOCKED | Status::SELECTED_TERMINATED => {}
            status => return Err(ClientError::refused("select the signing application", status)),
        }
        self.signing = true;
        if self.object(object::VERSION)?.as_deref() != Some(&[VERSION]) {
            self.signing = false;
            return Err(ClientError::Answer("the card has another version of the profile"));
        }
        Ok(())
    }

    fn present_reading(&mut self, code: Option<&[u8]>) -> Result<(), ClientError> {
        self.present(parameter::READING_CODE, code)
    }

    fn present(&mut self, reference: u16, code: Option<&[u8]>) -> Result<(), ClientError> {
        if let Some(code) = code {
            let command = Command::new(header(instruction::VERIFY, reference), code);
            self.run("present the code", command)?;
        }
        Ok(())
    }

    fn key(&mut self, parameters: u16, during: &'static str) -> Result<CoseKey, ClientError> {
        self.select()?;
        let template = tlv::write(tag::SIGNATURE, &[]);
        let command = Command::new(header(instruction::GENERATE, parameters), &template);
        let answer = self.run(during, command.expecting(MOST))?;
        let point = tlv::read(tag::PUBLIC_KEY, &answer)
            .and_then(|(inner, _)| tlv::read(tag::POINT, inner))
            .map(|(point, _)| point);
        let coordinates = match point {
            Some([4, rest @ ..]) => rest.split_first_chunk::<32>(),
            _ => None,
        };
        let (x, y) = coordinates.ok_or(MALFORMED)?;
        let key = CoseKey::es256(*x, y.try_into().map_err(|_| MALFORMED)?);
        key.check().map_err(|_| MALFORMED)?;
        Ok(key)
    }

    /// A data object; `None` when the card does not have it.
    fn object(&mut self, object: u16) -> Result<Option<Vec<u8>>, ClientError> {
        let command = Command::new(header(instruction::GET_DATA, object), &[]);
        let read = match self.run(READ_OBJECT, command.expecting(MOST)) {
            // Longer than a short answer; not every reader takes a long one.
            Err(ClientError::Refused { status: Status::WRONG_LENGTH, .. }) => {
                self.run(READ_OBJECT, command.expecting(limit::URL))
            }
            read => read,
        };
        match read {
            Err(ClientError::Refused { status: Status::REFERENCE, .. }) => Ok(None),
            read => read.map(Some),
        }
    }

    fn number(&mut self, object: u16) -> Result<u32, ClientError> {
        let bytes = self.object(object)?.and_then(|bytes| bytes.try_into().ok());
        Ok(u32::from_be_bytes(bytes.ok_or(MALFORMED)?))
    }

    fn select_file(&mut self, id: u16) -> Result<(), ClientError> {
        let select = header(instruction::SELECT, parameter::SELECT_FILE);
        self.run("select a file", Command::new(select, &id.to_be_bytes()))?;
        Ok(())
    }

    fn read(&mut self, offset: usize, length: usize) -> Result<Vec<u8>, ClientError> {
        let command = Command::new(header(instruction::READ, offset as u16), &[]);
        self.run("read a file", command.expecting(length))
    }

    /// Sends data of any length, in pieces where one short command does not hold it.
    fn run_long(
        &mut self,
        during: &'static str,
        command: Command<'_>,
    ) -> Result<Vec<u8>, ClientError> {
        let mut rest = command.data;
        while let Some((piece, more)) = rest.split_at_checked(SHORT)
            && !more.is_empty()
        {
            let header = Header { class: Header::MORE, ..command.header };
            self.run(during, Command::new(header, piece))?;
            rest = more;
        }
        self.run(during, Command { data: rest, ..command })
    }

    fn run(&mut self, during: &'static str, command: Command<'_>) -> Result<Vec<u8>, ClientError> {
        let answer = self.exchange(command)?;
        match answer.status {
            Status::OK | Status::END_OF_FILE => Ok(answer.data),
            status => Err(ClientError::refused(during, status)),
        }
    }

    fn exchange(&mut self, command: Command<'_>) -> Result<Answer, ClientError> {
        let bytes = command.encode().ok_or(ClientError::TooLong)?;
        let answer = self.transport.transmit(&bytes).map_err(ClientError::Transport)?;
        Answer::parse(&answer).ok_or(ClientError::Answer("an answer without a status"))
    }
}

const fn header(instruction: u8, parameters: u16) -> Header {
    let [p1, p2] = parameters.to_be_bytes();
    Header::new(instruction, p1, p2)
}
