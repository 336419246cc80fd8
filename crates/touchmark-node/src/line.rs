//! Bytes as one line of text that a person passes on: a prefix that says what it is, and base64url
//! without padding.

use base64ct::{Base64UrlUnpadded, Encoding as _};

/// The line.
pub(crate) fn to_text(prefix: &str, bytes: &[u8]) -> String {
    format!("{prefix}{}", Base64UrlUnpadded::encode_string(bytes))
}

/// The bytes of such a line, with or without space around it; `None` of any other.
pub(crate) fn from_text(prefix: &str, text: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(text.trim().strip_prefix(prefix)?).ok()
}
