//! Input as people have it: bytes, hexadecimal or base64.

use base64ct::{Base64, Base64Unpadded, Base64Url, Base64UrlUnpadded, Encoding as _};

/// One way to read an input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Decoding {
    /// What was decoded from.
    pub(crate) form: &'static str,
    /// The bytes.
    pub(crate) bytes: Vec<u8>,
}

/// Every way to read `input`, the plainest first.
pub(crate) fn decodings(input: &[u8]) -> Vec<Decoding> {
    let mut found = vec![Decoding { form: "bytes", bytes: input.to_vec() }];
    let Ok(text) = std::str::from_utf8(input) else {
        return found;
    };
    let packed: String = text.split_ascii_whitespace().collect();
    if packed.is_empty() {
        return found;
    }
    if let Some(bytes) = hexadecimal(packed.strip_prefix("0x").unwrap_or(&packed)) {
        found.push(Decoding { form: "hexadecimal", bytes });
    }
    let base64 = [
        (
            "base64url",
            Base64UrlUnpadded::decode_vec(&packed).or_else(|_| Base64Url::decode_vec(&packed)),
        ),
        ("base64", Base64Unpadded::decode_vec(&packed).or_else(|_| Base64::decode_vec(&packed))),
    ];
    for (form, bytes) in base64 {
        if let Ok(bytes) = bytes
            && found.iter().all(|known| known.bytes != bytes)
        {
            found.push(Decoding { form, bytes });
        }
    }
    found
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

/// Lowercase hexadecimal digits.
pub(crate) fn to_hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(digit).collect()
}

fn digit(value: u8) -> char {
    char::from_digit(value.into(), 16).expect("four bits are one digit")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_in_every_form_that_it_fits() {
        let forms = |input: &[u8]| -> Vec<_> {
            decodings(input).into_iter().map(|decoding| (decoding.form, decoding.bytes)).collect()
        };
        assert_eq!(forms(&[0xff, 0]), [("bytes", vec![0xff, 0])]);
        assert_eq!(
            forms(b"d2 84\n")[1..],
            [("hexadecimal", vec![0xd2, 0x84]), ("base64url", vec![0x77, 0x6f, 0x38])]
        );
        assert_eq!(forms(b"-_8")[1..], [("base64url", vec![0xfb, 0xff])]);
        assert_eq!(forms(b"+/8=")[1..], [("base64", vec![0xfb, 0xff])]);
        assert_eq!(forms(b"no!").len(), 1);
    }
}
