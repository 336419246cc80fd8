//! Making a blank chip the card of a thing.

use super::{CardClient, ClientError, header};
use crate::apdu::{Command, Status};
use crate::message::UrlBase;
use crate::profile::{file, instruction, object, parameter, tag};
use crate::store::Locking;
use crate::tlv;
use crate::transport::Transport;
use touchmark_wire::algorithm::CoseKey;
use touchmark_wire::ids::ThingId;

/// What a card is given before it is activated.
#[derive(Clone, Debug)]
pub struct Personalisation<'a> {
    /// Its thing id, which depends on its public key.
    pub id: ThingId,
    /// What its URL begins with.
    pub url_base: &'a UrlBase,
    /// Another serial number than the chip has.
    pub serial: Option<&'a [u8]>,
    /// The data file.
    pub data: &'a [u8],
    /// Code that opens the data file to readers; without one everybody reads it.
    pub reading_code: Option<&'a [u8]>,
    /// Who may lock it.
    pub locking: Locking<&'a [u8]>,
}

impl<T: Transport> CardClient<T> {
    /// The key pair that the card makes in itself, or the one that it has: whoever was interrupted
    /// goes on.
    pub fn generate_key(&mut self) -> Result<CoseKey, ClientError> {
        match self.public_key() {
            Err(ClientError::Refused { status: Status::REFERENCE, .. }) => {
                self.key(parameter::GENERATE, "make a key pair")
            }
            key => key,
        }
    }

    /// Writes everything, then activates the card: from then on nothing of it can be changed.
    pub fn personalise(&mut self, given: &Personalisation<'_>) -> Result<(), ClientError> {
        self.select()?;
        if let Some(serial) = given.serial {
            self.put(object::SERIAL, serial)?;
        }
        self.put(object::ID, &given.id.0)?;
        self.put(object::URL_BASE, given.url_base.as_str().as_bytes())?;
        if let Some(code) = given.reading_code {
            self.put(object::READING_CODE, code)?;
        }
        match given.locking {
            Locking::Nobody => self.put(object::LOCKING, &[0])?,
            Locking::Anyone => self.put(object::LOCKING, &[1])?,
            Locking::Code(code) => self.put(object::LOCKING, &[&[2], code].concat())?,
        }
        self.write_data(given.data)?;
        self.run("activate the card", Command::new(header(instruction::ACTIVATE, 0), &[]))?;
        Ok(())
    }

    fn put(&mut self, object: u16, value: &[u8]) -> Result<(), ClientError> {
        let header = header(instruction::PUT_DATA, object);
        self.run("write a data object", Command::new(header, value))?;
        Ok(())
    }

    fn write_data(&mut self, data: &[u8]) -> Result<(), ClientError> {
        let update = [tlv::write(tag::OFFSET, &[0]), tlv::write(tag::DATA, data)].concat();
        let header = header(instruction::UPDATE_FAR, file::DATA);
        self.run_long("write the data file", Command::new(header, &update))?;
        Ok(())
    }
}
