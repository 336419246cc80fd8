//! What a card signs for a program.

use super::{CardClient, ClientError, MOST, header};
use crate::apdu::Command;
use crate::message::Addition;
use crate::profile::{instruction, parameter};
use crate::transport::Transport;
use touchmark_wire::algorithm::SIGNATURE_LENGTH;
use touchmark_wire::ids::NetworkId;
use touchmark_wire::registry::ContentFormat;

/// A card's signature of a payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignedPayload {
    /// The value of its usage counter that is in it.
    pub counter: u32,
    /// The signature of [`crate::message::payload`].
    pub signature: [u8; SIGNATURE_LENGTH],
}

impl<T: Transport> CardClient<T> {
    /// Has the card sign a payload, which it hashes itself; `code` is needed where the card adds
    /// data that it protects.
    pub fn sign(
        &mut self,
        format: ContentFormat,
        payload: &[u8],
        addition: Addition,
        code: Option<&[u8]>,
    ) -> Result<SignedPayload, ClientError> {
        self.select()?;
        self.present_reading(code)?;
        let input = [&format.0.to_be_bytes()[..], &[addition as u8], payload].concat();
        let header = header(instruction::SECURITY_OPERATION, parameter::SIGN);
        let command = Command::new(header, &input).expecting(MOST);
        let answer = self.run_long("sign a payload", command)?;
        let (counter, signature) = answer.split_first_chunk().ok_or(MALFORMED)?;
        let signature = signature.try_into().map_err(|_| MALFORMED)?;
        Ok(SignedPayload { counter: u32::from_be_bytes(*counter), signature })
    }

    /// Has the card sign [`crate::message::challenge`].
    pub fn challenge(
        &mut self,
        network: NetworkId,
        challenge: &[u8],
    ) -> Result<[u8; SIGNATURE_LENGTH], ClientError> {
        self.select()?;
        let input = [network.0.as_bytes(), challenge].concat();
        let command = Command::new(header(instruction::AUTHENTICATE, 0), &input).expecting(MOST);
        let answer = self.run("answer a challenge", command)?;
        answer.try_into().map_err(|_| MALFORMED)
    }
}

const MALFORMED: ClientError = ClientError::Answer("the signature does not have its shape");
