//! The files of an NFC Forum Type 4 Tag (T4T 1.2 §4.3 to §4.5) with one URI record (RTD URI 1.0).

use crate::profile::{file, limit};

/// Abbreviations of the URI record that occur with web addresses, longest first.
const PREFIXES: [(u8, &str); 5] =
    [(2, "https://www."), (1, "http://www."), (4, "https://"), (3, "http://"), (0, "")];

/// A single record, beginning and end of the message, of a well-known type.
const WELL_KNOWN: u8 = 0xc1;
/// The record has a payload length of one byte.
const SHORT_RECORD: u8 = 0x10;
/// The well-known type of a URI.
const URI: u8 = b'U';

/// Capability container: mapping version 2.0, one NDEF file, free to read, never written.
pub fn capability_container() -> [u8; 15] {
    let [id_high, id_low] = file::NDEF.to_be_bytes();
    let [size_high, size_low] = (limit::NDEF as u16).to_be_bytes();
    [0, 15, 0x20, 0, 0xff, 0, 0xff, 4, 6, id_high, id_low, size_high, size_low, 0, 0xff]
}

/// The NDEF file of a capability container, and how long it may be.
pub fn ndef_file(capabilities: &[u8]) -> Option<(u16, usize)> {
    match *capabilities {
        [_, _, version, _, _, _, _, 4, 6, id_high, id_low, size_high, size_low, 0, _, ..]
            if version >> 4 >= 2 =>
        {
            let size = u16::from_be_bytes([size_high, size_low]);
            Some((u16::from_be_bytes([id_high, id_low]), size.into()))
        }
        _ => None,
    }
}

/// An NDEF file without a message.
pub const EMPTY: [u8; 2] = [0, 0];

/// An NDEF file with a URL, which has at most [`limit::URL`] bytes: length, then the message.
pub fn encode(url: &str) -> Vec<u8> {
    let (code, rest) = PREFIXES
        .iter()
        .find_map(|(code, prefix)| Some((*code, url.strip_prefix(prefix)?)))
        .unwrap_or((0, url));
    let length = rest.len() + 1;
    let mut message = if let Ok(length) = u8::try_from(length) {
        vec![WELL_KNOWN | SHORT_RECORD, 1, length, URI]
    } else {
        let [a, b, c, d] = (length as u32).to_be_bytes();
        vec![WELL_KNOWN, 1, a, b, c, d, URI]
    };
    message.push(code);
    message.extend_from_slice(rest.as_bytes());
    let mut file = (message.len() as u16).to_be_bytes().to_vec();
    file.append(&mut message);
    file
}

/// The URL of an NDEF message that is one URI record.
pub fn decode(message: &[u8]) -> Option<String> {
    let payload = match *message {
        [first, 1, length, URI, ref payload @ ..] if first == WELL_KNOWN | SHORT_RECORD => {
            (payload.len() == usize::from(length)).then_some(payload)
        }
        [WELL_KNOWN, 1, a, b, c, d, URI, ref payload @ ..] => {
            let length = u32::from_be_bytes([a, b, c, d]);
            (u32::try_from(payload.len()) == Ok(length)).then_some(payload)
        }
        _ => None,
    }?;
    let (code, rest) = payload.split_first()?;
    let (_, prefix) = PREFIXES.iter().find(|(known, _)| known == code)?;
    let rest = std::str::from_utf8(rest).ok()?;
    Some(format!("{prefix}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_of_any_length_comes_back() {
        for length in [0, 1, 253, 254, 255, 256, 1_000] {
            for start in ["https://", "http://www.", "https://www.", "http://", "urn:"] {
                let url = format!("{start}{}", "x".repeat(length));
                let file = encode(&url);
                assert_eq!(usize::from(file[0]) << 8 | usize::from(file[1]), file.len() - 2);
                assert!(file.len() <= limit::NDEF);
                assert_eq!(decode(&file[2..]).as_deref(), Some(&*url));
                assert_eq!(decode(&file[2..file.len() - 1]), None, "cut off");
            }
        }
        assert_eq!(decode(&[]), None);
    }

    #[test]
    fn the_capability_container_names_the_ndef_file() {
        let container = capability_container();
        assert_eq!(usize::from(container[1]), container.len());
        assert_eq!(ndef_file(&container), Some((file::NDEF, limit::NDEF)));
        assert_eq!(ndef_file(&container[..13]), None);
    }
}
