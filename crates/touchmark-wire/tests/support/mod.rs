//! Reads the published vectors in `spec/vectors`.

#![allow(dead_code, reason = "each test file uses some of these")]

use serde_json::Value;
use touchmark_wire::hash::Digest;

/// A file of vectors.
pub(crate) fn vectors(name: &str) -> Value {
    let path = format!("{}/../../spec/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The cases of a file.
pub(crate) fn cases(name: &str) -> Vec<Value> {
    vectors(name)["cases"].as_array().unwrap().clone()
}

/// A text field.
pub(crate) fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap_or_else(|| panic!("no text {field} in {case}"))
}

/// A number field.
pub(crate) fn number(case: &Value, field: &str) -> u64 {
    case[field].as_u64().unwrap_or_else(|| panic!("no number {field} in {case}"))
}

/// A field of hexadecimal bytes.
pub(crate) fn bytes(case: &Value, field: &str) -> Vec<u8> {
    hex(text(case, field))
}

/// Bytes from hexadecimal.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    assert_eq!(text.len() % 2, 0, "{text}");
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}

/// A hash. Some published cases have one of another length, which our types cannot hold: a hash
/// of it stands for it, different from and equal to the same as before.
pub(crate) fn digest(case: &Value, field: &str) -> Digest {
    any_digest(bytes(case, field))
}

/// A list of hashes, read as [`digest`] does.
pub(crate) fn path(case: &Value, field: &str) -> Vec<Digest> {
    let list = case[field].as_array().unwrap();
    list.iter().map(|hash| any_digest(hex(hash.as_str().unwrap()))).collect()
}

fn any_digest(bytes: Vec<u8>) -> Digest {
    bytes
        .try_into()
        .map_or_else(|bytes: Vec<u8>| Digest::of(&[b"of another length", &bytes]), Digest)
}
