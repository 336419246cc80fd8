//! Open card profile, payload signing: the reader collects readings and position, the card signs
//! their hash and may add data of its own. Any changed byte fails.

use super::Inner;
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use touchmark_wire::codec::{self, Malformed};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::ThingId;
use touchmark_wire::limits;
use touchmark_wire::registry::ContentFormat;

/// First element of the signed message.
const DOMAIN: &str = "touchmark/core/card-payload/v1";

/// A payload with the card's signature (deterministic CBOR map).
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(map)]
pub struct CardPayload<'a> {
    /// The card.
    #[n(1)]
    pub thing: ThingId,
    /// Its usage counter.
    #[n(2)]
    pub counter: u64,
    /// Format of the payload.
    #[n(3)]
    pub format: ContentFormat,
    /// What the reader collected.
    #[b(4)]
    #[cbor(with = "minicbor::bytes")]
    pub payload: &'a [u8],
    /// Data stored in the card that it added.
    #[b(5)]
    #[cbor(with = "minicbor::bytes")]
    pub card_data: Option<&'a [u8]>,
    /// The card's signature of [`CardPayload::message`].
    #[b(6)]
    #[cbor(with = "minicbor::bytes")]
    pub signature: &'a [u8],
}

impl<'a> CardPayload<'a> {
    /// Decodes the one accepted encoding.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        codec::decode(bytes, limits::EVIDENCE)
    }

    /// What the card signs: the deterministic CBOR array
    /// `[domain, card, counter, content format, SHA-256(payload), SHA-256(card data) or null]`.
    pub fn message(
        thing: ThingId,
        counter: u64,
        format: ContentFormat,
        payload: Digest,
        card_data: Option<Digest>,
    ) -> Vec<u8> {
        codec::encode(&(DOMAIN, thing, counter, format, payload, card_data))
    }
}

pub(super) fn parse(bytes: &[u8]) -> Result<Inner, Malformed> {
    let evidence = CardPayload::decode(bytes)?;
    let card_data = evidence.card_data.map(|data| Digest::of(&[data]));
    Ok(Inner {
        thing: evidence.thing,
        counter: evidence.counter,
        message: CardPayload::message(
            evidence.thing,
            evidence.counter,
            evidence.format,
            Digest::of(&[evidence.payload]),
            card_data,
        ),
        signature: evidence.signature.to_vec(),
    })
}
