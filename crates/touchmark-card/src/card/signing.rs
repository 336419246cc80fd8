//! Signatures, each of one of the texts in [`crate::message`].

use super::{Card, check_expected};
use crate::apdu::{Answer, Command, Status};
use crate::lifecycle::LifeCycle;
use crate::message::{self, Addition};
use crate::profile::{limit, parameter};
use crate::store::CardStore;
use touchmark_wire::algorithm::{SIGNATURE_LENGTH, SignedBytes, Signer as _};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::NetworkId;
use touchmark_wire::registry::ContentFormat;

/// Length of the counter in front of a payload's signature, bytes.
const COUNTER: usize = 4;

impl<S: CardStore> Card<S> {
    /// PSO: COMPUTE DIGITAL SIGNATURE over what the reader collected:
    /// content format (2), addition (1), payload. Answers with counter (4) and signature (64).
    pub(super) fn sign_payload(&mut self, command: &Command<'_>) -> Result<Answer, Status> {
        if command.header.parameters() != parameter::SIGN {
            return Err(Status::PARAMETERS);
        }
        self.require(LifeCycle::Activated)?;
        check_expected(command, (COUNTER + SIGNATURE_LENGTH) as u8)?;
        let Some((&[high, low, addition], payload)) = command.data.split_first_chunk() else {
            return Err(Status::WRONG_LENGTH);
        };
        let format = ContentFormat(u16::from_be_bytes([high, low]));
        let addition = Addition::from_byte(addition).ok_or(Status::DATA)?;
        let card_data = self.addition(addition)?;
        let card = self.id()?;
        let counter = self.count()?;
        let message = message::payload(card, counter, format, payload, card_data.as_deref());
        let signature = self.sign(&message)?;
        Ok(Answer { data: [&counter.to_be_bytes()[..], &signature].concat(), status: Status::OK })
    }

    /// INTERNAL AUTHENTICATE: network id (32), challenge (16 to 64). Answers with the signature.
    pub(super) fn authenticate(&mut self, command: &Command<'_>) -> Result<Answer, Status> {
        if command.header.parameters() != 0 {
            return Err(Status::PARAMETERS);
        }
        self.require(LifeCycle::Activated)?;
        check_expected(command, SIGNATURE_LENGTH as u8)?;
        let Some((network, challenge)) = command.data.split_first_chunk() else {
            return Err(Status::WRONG_LENGTH);
        };
        if !limit::CHALLENGE.contains(&challenge.len()) {
            return Err(Status::WRONG_LENGTH);
        }
        let message = message::challenge(NetworkId(Digest(*network)), self.id()?, challenge);
        Ok(Answer { data: self.sign(&message)?.to_vec(), status: Status::OK })
    }

    /// The next value of the counter, which is kept before it is used. When it cannot be kept it
    /// may yet have reached the disk, so it is never used either.
    pub(super) fn count(&mut self) -> Result<u32, Status> {
        let next = self.memory.counter.checked_add(1).ok_or(Status::KEY_NOT_USABLE)?;
        self.memory.counter = next;
        self.store.keep(&self.memory).map_err(|_| Status::MEMORY)?;
        Ok(next)
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<[u8; SIGNATURE_LENGTH], Status> {
        let key = self.key.as_ref().ok_or(Status::FAULT)?;
        key.sign(&SignedBytes::new([message])).map_err(|_| Status::FAULT)
    }
}
