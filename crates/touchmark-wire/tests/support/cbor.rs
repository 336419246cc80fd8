//! CBOR written by hand, so that tests need not trust the encoder under test and can write what it
//! never would.

#![allow(dead_code, reason = "each test file uses some of these")]

/// A head of `major` type in its shortest form.
pub(crate) fn head(major: u8, value: u64) -> Vec<u8> {
    let form = match value {
        0..=23 => return vec![major << 5 | value as u8],
        24..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xffff_ffff => 4,
        _ => 8,
    };
    wide_head(major, value, form)
}

/// A head whose argument takes `width` bytes, needed or not.
pub(crate) fn wide_head(major: u8, value: u64, width: usize) -> Vec<u8> {
    let additional = 24 + width.trailing_zeros() as u8;
    let mut bytes = vec![major << 5 | additional];
    bytes.extend_from_slice(&value.to_be_bytes()[8 - width..]);
    bytes
}

pub(crate) fn uint(value: u64) -> Vec<u8> {
    head(0, value)
}

pub(crate) fn int(value: i64) -> Vec<u8> {
    if value < 0 { head(1, (!value).cast_unsigned()) } else { head(0, value.cast_unsigned()) }
}

pub(crate) fn bytes(content: &[u8]) -> Vec<u8> {
    [head(2, content.len() as u64), content.to_vec()].concat()
}

pub(crate) fn text(content: &str) -> Vec<u8> {
    [head(3, content.len() as u64), content.as_bytes().to_vec()].concat()
}

pub(crate) fn array(items: &[Vec<u8>]) -> Vec<u8> {
    [head(4, items.len() as u64), items.concat()].concat()
}

pub(crate) fn map(entries: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let content: Vec<u8> =
        entries.iter().flat_map(|(key, value)| [key.clone(), value.clone()].concat()).collect();
    [head(5, entries.len() as u64), content].concat()
}

pub(crate) fn tag(number: u64, content: &[u8]) -> Vec<u8> {
    [head(6, number), content.to_vec()].concat()
}

/// Every input that is one step away: each byte set to each value, each byte left out, each of
/// CBOR's telling bytes put in at each place, every proper beginning.
pub(crate) fn neighbours(origin: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    const TELLING: [u8; 12] =
        [0x00, 0x17, 0x18, 0x19, 0x1a, 0x40, 0x58, 0x5f, 0x80, 0xa0, 0xd8, 0xff];
    let changed = (0..origin.len()).flat_map(move |at| {
        (1..=255u8).map(move |difference| {
            let mut copy = origin.to_vec();
            copy[at] ^= difference;
            copy
        })
    });
    let shortened = (0..origin.len()).map(|at| [&origin[..at], &origin[at + 1..]].concat());
    let lengthened = (0..=origin.len()).flat_map(move |at| {
        TELLING.iter().map(move |byte| [&origin[..at], &[*byte], &origin[at..]].concat())
    });
    let cut = (0..origin.len()).map(|at| origin[..at].to_vec());
    changed.chain(shortened).chain(lengthened).chain(cut)
}
