//! What a card is given before it is activated, and what everybody may know of it.

use super::{Card, check_expected};
use crate::apdu::{Answer, Command, Status};
use crate::lifecycle::LifeCycle;
use crate::message::UrlBase;
use crate::profile::{self, limit, object, parameter, tag};
use crate::store::{CardStore, Locking};
use crate::tlv;
use touchmark_keys::software::SoftwareKey;
use touchmark_wire::algorithm::{Algorithm, Signer as _};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::ThingId;

impl<S: CardStore> Card<S> {
    /// GET DATA.
    pub(super) fn read_object(&mut self, command: &Command<'_>) -> Result<Answer, Status> {
        if !command.data.is_empty() {
            return Err(Status::WRONG_LENGTH);
        }
        let memory = &self.memory;
        let data = match command.header.parameters() {
            object::SERIAL => memory.serial.clone(),
            object::ID => memory.id.ok_or(Status::REFERENCE)?.0.to_vec(),
            object::URL_BASE => memory.url_base.clone().ok_or(Status::REFERENCE)?.into_bytes(),
            object::LIFE_CYCLE => vec![memory.lifecycle.byte()],
            object::COUNTER => memory.counter.to_be_bytes().to_vec(),
            object::DATA_LENGTH => (self.data.len() as u32).to_be_bytes().to_vec(),
            object::VERSION => vec![profile::VERSION],
            _ => return Err(Status::REFERENCE),
        };
        if command.expected < data.len() {
            return Err(u8::try_from(data.len()).map_or(Status::WRONG_LENGTH, Status::exactly));
        }
        Ok(Answer { data, status: Status::OK })
    }

    /// PUT DATA.
    pub(super) fn write_object(&mut self, command: &Command<'_>) -> Result<Answer, Status> {
        self.require(LifeCycle::Initialisation)?;
        let data = command.data;
        match command.header.parameters() {
            object::SERIAL if (1..=limit::SERIAL).contains(&data.len()) => {
                self.change(|memory| memory.serial = data.to_vec())?;
            }
            object::ID => {
                let id = ThingId(data.try_into().map_err(|_| Status::WRONG_LENGTH)?);
                self.change(|memory| memory.id = Some(id))?;
            }
            object::URL_BASE => {
                let text = std::str::from_utf8(data).map_err(|_| Status::DATA)?;
                let base: UrlBase = text.parse().map_err(|_| Status::DATA)?;
                self.change(|memory| memory.url_base = Some(base.to_string()))?;
            }
            object::READING_CODE => {
                let code = code(data)?;
                self.change(|memory| memory.reading_code = Some(code))?;
            }
            object::LOCKING => {
                let locking = match data {
                    [0] => Locking::Nobody,
                    [1] => Locking::Anyone,
                    [2, rest @ ..] => Locking::Code(code(rest)?),
                    _ => return Err(Status::DATA),
                };
                self.change(|memory| memory.locking = locking)?;
            }
            object::SERIAL => return Err(Status::WRONG_LENGTH),
            _ => return Err(Status::REFERENCE),
        }
        Ok(Status::OK.into())
    }

    /// VERIFY. Codes are too long to be guessed, so a wrong one costs nothing but the time.
    pub(super) fn verify(&mut self, command: &Command<'_>) -> Result<Answer, Status> {
        let reference = command.header.parameters();
        let expected = match reference {
            parameter::READING_CODE => self.memory.reading_code,
            parameter::LOCKING_CODE => self.memory.locking.code().copied(),
            _ => return Err(Status::PARAMETERS),
        };
        let expected = expected.ok_or(Status::REFERENCE)?;
        // Comparing digests tells a guesser nothing of the code.
        let right = code(command.data)? == expected;
        let presented = &mut self.session.presented;
        match reference {
            parameter::READING_CODE => presented.reading = right,
            _ => presented.locking = right,
        }
        if right { Ok(Status::OK.into()) } else { Err(Status::WRONG_CODE) }
    }

    /// GENERATE ASYMMETRIC KEY PAIR: makes the key, once, or shows its public half.
    pub(super) fn generate(&mut self, command: &Command<'_>) -> Result<Answer, Status> {
        if command.data != tlv::write(tag::SIGNATURE, &[]) {
            return Err(Status::DATA);
        }
        check_expected(command, KEY_LENGTH)?;
        match command.header.parameters() {
            parameter::GENERATE => {
                self.require(LifeCycle::Initialisation)?;
                if self.key.is_some() {
                    return Err(Status::CONDITIONS);
                }
                let key = SoftwareKey::generate(Algorithm::Es256).map_err(|_| Status::FAULT)?;
                self.store.keep_key(&key).map_err(|_| Status::MEMORY)?;
                self.key = Some(key);
            }
            parameter::PUBLIC_KEY => {}
            _ => return Err(Status::PARAMETERS),
        }
        let key = self.key.as_ref().ok_or(Status::REFERENCE)?;
        let point = key.public_key().cose().to_sec1().ok_or(Status::FAULT)?;
        let data = tlv::write(tag::PUBLIC_KEY, &tlv::write(tag::POINT, &point));
        Ok(Answer { data, status: Status::OK })
    }

    /// The card's thing id.
    pub(super) fn id(&self) -> Result<ThingId, Status> {
        self.memory.id.ok_or(Status::CONDITIONS)
    }

    /// What its URL begins with.
    pub(super) fn url_base(&self) -> Result<UrlBase, Status> {
        let text = self.memory.url_base.as_ref().ok_or(Status::CONDITIONS)?;
        text.parse().map_err(|_| Status::FAULT)
    }
}

/// Length of the data objects with a public key.
const KEY_LENGTH: u8 = 3 + 2 + 65;

/// A code as it is kept.
fn code(data: &[u8]) -> Result<Digest, Status> {
    if limit::CODE.contains(&data.len()) {
        Ok(Digest::of(&[data]))
    } else {
        Err(Status::WRONG_LENGTH)
    }
}
