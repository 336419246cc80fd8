//! What a card signs. Three texts, none of which can be another: a URL begins with `http`, a signed
//! payload and a signed challenge are CBOR arrays that begin with their own domain strings.

use crate::profile::limit;
use core::fmt;
use core::str::FromStr;
use touchmark_wire::codec;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{NetworkId, ThingId};
use touchmark_wire::registry::ContentFormat;

/// First element of a signed payload; the ledger has it in its own words (spec/evidence.md).
const PAYLOAD: &str = "touchmark/core/card-payload/v1";
/// First element of a signed challenge.
const CHALLENGE: &str = "touchmark/card/challenge/v1";
/// First element of the stand-in for a data file that is too long to go along.
const DATA_DIGEST: &str = "touchmark/card/data-digest/v1";

/// What a card adds to a payload that it signs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Addition {
    /// Nothing.
    Nothing = 0,
    /// Its data file.
    Data = 1,
    /// Length and digest of its data file: see [`data_digest`].
    DataDigest = 2,
}

impl Addition {
    /// What a byte of the instruction asks for.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0 => Self::Nothing,
            1 => Self::Data,
            2 => Self::DataDigest,
            _ => return None,
        })
    }

    /// The bytes that stand for the data file in the evidence.
    pub fn of(self, data: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Nothing => None,
            Self::Data => Some(data.to_vec()),
            Self::DataDigest => Some(data_digest(data)),
        }
    }
}

/// What goes along instead of a data file: `["touchmark/card/data-digest/v1", length, H(data)]`.
pub fn data_digest(data: &[u8]) -> Vec<u8> {
    codec::encode(&(DATA_DIGEST, data.len() as u64, Digest::of(&[data])))
}

/// What is signed of a payload (spec/evidence.md, format 2).
pub fn payload(
    card: ThingId,
    counter: u32,
    format: ContentFormat,
    payload: &[u8],
    card_data: Option<&[u8]>,
) -> Vec<u8> {
    let card_data = card_data.map(|data| Digest::of(&[data]));
    codec::encode(&(PAYLOAD, card, counter, format, Digest::of(&[payload]), card_data))
}

/// What is signed of a challenge: it is answered without a chain, so the network is in it.
pub fn challenge(network: NetworkId, card: ThingId, challenge: &[u8]) -> Vec<u8> {
    codec::encode(&(CHALLENGE, network, card, <&minicbor::bytes::ByteSlice>::from(challenge)))
}

/// What the URL of a card begins with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UrlBase(String);

impl UrlBase {
    /// What the three parameters add: `?i=`, `&c=` and `&s=` with their values.
    const ADDED: usize = 3 + 32 + 3 + 8 + 3 + 128;

    /// The base.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is signed of a URL: all of it up to the signature's digits (spec/evidence.md, format 1).
    pub fn signed(&self, card: ThingId, counter: u32) -> String {
        let sign = if self.0.contains('?') { '&' } else { '?' };
        format!("{}{sign}i={card}&c={counter:08X}&s=", self.0)
    }
}

/// The URL that a card presents.
pub fn url(signed: &str, signature: &[u8]) -> String {
    use fmt::Write as _;
    signature.iter().fold(signed.to_owned(), |mut url, byte| {
        write!(url, "{byte:02X}").expect("writing to a text cannot fail");
        url
    })
}

impl FromStr for UrlBase {
    type Err = InvalidUrlBase;

    /// Accepts a web address without fragment, to which the three parameters can be added.
    fn from_str(text: &str) -> Result<Self, InvalidUrlBase> {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let host = host.ok_or(InvalidUrlBase::Scheme)?;
        if host.is_empty() || host.starts_with(['/', '?']) {
            return Err(InvalidUrlBase::Host);
        }
        if text.len() + Self::ADDED > limit::URL {
            return Err(InvalidUrlBase::TooLong);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
            return Err(InvalidUrlBase::Sign);
        }
        let query = text.split_once('?').map_or("", |(_, query)| query);
        let mut names = query.split('&').filter_map(|pair| pair.split_once('=')).map(|it| it.0);
        if query.ends_with('&') || names.any(|name| matches!(name, "i" | "c" | "s")) {
            return Err(InvalidUrlBase::Parameter);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for UrlBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text cannot be the beginning of a card's URL.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InvalidUrlBase {
    /// Neither https nor http.
    Scheme,
    /// It names no host.
    Host,
    /// The URL would be longer than the format allows.
    TooLong,
    /// A sign that is not printable ASCII, or a fragment.
    Sign,
    /// It has a parameter that the card adds, or ends in the middle.
    Parameter,
}

impl fmt::Display for InvalidUrlBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheme => f.write_str("the URL begins with https:// or http://"),
            Self::Host => f.write_str("the URL names a host"),
            Self::TooLong => {
                let most = limit::URL - UrlBase::ADDED;
                write!(f, "the URL has at most {most} bytes, as the card adds to it")
            }
            Self::Sign => f.write_str("the URL has printable ASCII only, and no fragment"),
            Self::Parameter => f.write_str("the parameters i, c and s are the card's"),
        }
    }
}

impl core::error::Error for InvalidUrlBase {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_signed_text_can_be_another() {
        let (card, network) = (ThingId([7; 20]), NetworkId(Digest([8; 32])));
        let base: UrlBase = "https://tap.example/p".parse().unwrap();
        let beginnings = [
            base.signed(card, 1).into_bytes(),
            payload(card, 1, ContentFormat::JSON, b"{}", None),
            challenge(network, card, &[9; 16]),
            data_digest(b"x"),
        ]
        .map(|text| text[..32].to_vec());
        for (at, one) in beginnings.iter().enumerate() {
            assert!(beginnings[at + 1..].iter().all(|other| other != one));
        }
    }

    #[test]
    fn a_url_base_leaves_room_for_the_cards_parameters() {
        for text in [
            "https://a.b/p",
            "http://a",
            "https://a/01/0950600013?x=i=1",
            "https://a?",
            "https://a?ii=1",
        ] {
            let base: UrlBase = text.parse().unwrap();
            let url = url(&base.signed(ThingId([1; 20]), 5), &[0xab; 64]);
            assert!(url.starts_with(text) && url.ends_with("ABAB"), "{url}");
        }
        let long = format!("https://{}", "a".repeat(limit::URL - UrlBase::ADDED - 8));
        let longest: UrlBase = long.parse().unwrap();
        let whole = url(&longest.signed(ThingId([1; 20]), 5), &[0xab; 64]);
        assert_eq!(whole.len(), limit::URL);
        for (text, why) in [
            (&*(long + "a"), InvalidUrlBase::TooLong),
            ("ftp://a", InvalidUrlBase::Scheme),
            ("https:///p", InvalidUrlBase::Host),
            ("https://", InvalidUrlBase::Host),
            ("https://a/p#x", InvalidUrlBase::Sign),
            ("https://a/ä", InvalidUrlBase::Sign),
            ("https://a/p?s=1", InvalidUrlBase::Parameter),
            ("https://a/p?x=1&c=2", InvalidUrlBase::Parameter),
            ("https://a/p?x=1&", InvalidUrlBase::Parameter),
        ] {
            assert_eq!(text.parse::<UrlBase>(), Err(why), "{text}");
        }
    }
}
