//! Open card profile, URL signing: the card presents a URL that changes at every read.
//!
//! ```text
//! https://host/path?…&i=<thing id>&c=<counter>&s=<signature>
//! ```
//!
//! * `i`: the card's thing id, 32 characters of base32 in either case;
//! * `c`: its usage counter, 6 or 8 hexadecimal digits (24 or 32 bits, most significant first);
//! * `s`: the last parameter, 128 hexadecimal digits in capitals, r ‖ s (or R ‖ S), over all of the
//!   text before its first digit, `s=` included.
//!
//! Any other parameter and path may stand before, a GS1 Digital Link for example. Each of the
//! three stands once.

use super::Inner;
use alloc::vec::Vec;
use touchmark_wire::algorithm::SIGNATURE_LENGTH;
use touchmark_wire::codec::Malformed;
use touchmark_wire::ids::ThingId;

/// Longest URL, bytes: what an NDEF file of a common tag holds.
const LIMIT: usize = 1_024;

/// A card's URL taken apart; the signature is not checked.
#[derive(Clone, Debug)]
pub struct CardUrl<'a> {
    /// The card.
    pub thing: ThingId,
    /// Its usage counter.
    pub counter: u64,
    /// What the signature covers.
    pub signed: &'a str,
    /// The signature, 64 bytes.
    pub signature: Vec<u8>,
}

impl<'a> CardUrl<'a> {
    /// Takes a URL apart.
    pub fn parse(url: &'a str) -> Result<Self, Malformed> {
        if url.len() > LIMIT {
            return Err(Malformed::TooLong { limit: LIMIT, actual: url.len() });
        }
        if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Malformed::Shape);
        }
        let (_, query) = url.split_once('?').ok_or(Malformed::Shape)?;
        let signature = parameter(query, "s")?;
        let signed = url.strip_suffix(signature).ok_or(Malformed::Shape)?;
        let counter = parameter(query, "c")?;
        if !matches!(counter.len(), 6 | 8)
            || signature.len() != 2 * SIGNATURE_LENGTH
            || !signed.ends_with("&s=")
            // Nothing signs the spelling of the signature, so there is one.
            || signature.bytes().any(|digit| digit.is_ascii_lowercase())
        {
            return Err(Malformed::Shape);
        }
        Ok(Self {
            thing: parameter(query, "i")?.parse().map_err(|_| Malformed::Shape)?,
            counter: hexadecimal(counter)?.iter().fold(0, |acc, byte| acc << 8 | u64::from(*byte)),
            signed,
            signature: hexadecimal(signature)?,
        })
    }
}

/// The value of the only parameter `name`.
fn parameter<'a>(query: &'a str, name: &str) -> Result<&'a str, Malformed> {
    let mut values = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter_map(|(key, value)| (key == name).then_some(value));
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(value),
        _ => Err(Malformed::Shape),
    }
}

fn hexadecimal(text: &str) -> Result<Vec<u8>, Malformed> {
    let digit = |symbol: u8| char::from(symbol).to_digit(16).ok_or(Malformed::Shape);
    if !text.len().is_multiple_of(2) {
        return Err(Malformed::Shape);
    }
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| Ok((digit(pair[0])? << 4 | digit(pair[1])?) as u8))
        .collect()
}

pub(super) fn parse(bytes: &[u8]) -> Result<Inner, Malformed> {
    let url = core::str::from_utf8(bytes).map_err(|_| Malformed::Shape)?;
    let url = CardUrl::parse(url)?;
    Ok(Inner {
        thing: url.thing,
        counter: url.counter,
        message: url.signed.as_bytes().to_vec(),
        signature: url.signature,
    })
}
