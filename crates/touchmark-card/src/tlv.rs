//! Data objects in BER-TLV (ISO/IEC 7816-4 §6.2) with tags of one or two bytes.

/// Writes a data object.
pub(crate) fn write(tag: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(value.len() + 6);
    if tag > 0xff {
        bytes.push((tag >> 8) as u8);
    }
    bytes.push(tag as u8);
    match value.len() {
        length @ 0..=0x7f => bytes.push(length as u8),
        length @ 0x80..=0xff => bytes.extend([0x81, length as u8]),
        length @ 0x100..=0xffff => {
            bytes.push(0x82);
            bytes.extend((length as u16).to_be_bytes());
        }
        length => {
            bytes.push(0x83);
            bytes.extend(&(length as u32).to_be_bytes()[1..]);
        }
    }
    bytes.extend_from_slice(value);
    bytes
}

/// Takes the data object with this tag off the front; gives its value and what follows.
pub(crate) fn read(tag: u16, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let tag_bytes = tag.to_be_bytes();
    let tag_bytes = if tag > 0xff { &tag_bytes[..] } else { &tag_bytes[1..] };
    let rest = bytes.strip_prefix(tag_bytes)?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for length in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x1_0000, 73_728] {
            let value = vec![5; length];
            for tag in [0x53, 0x7f49] {
                let mut bytes = write(tag, &value);
                bytes.push(9);
                assert_eq!(read(tag, &bytes), Some((&value[..], &[9][..])));
                assert_eq!(read(tag, &bytes[..bytes.len() - 2]), None, "cut off");
                assert_eq!(read(0x54, &bytes), None, "another tag");
            }
        }
        assert_eq!(read(0x53, &[0x53, 0x80, 0]), None, "indefinite length");
        assert_eq!(read(0x53, &[0x53]), None);
    }
}
