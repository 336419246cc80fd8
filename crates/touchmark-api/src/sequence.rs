//! CBOR sequences (RFC 8742).

use minicbor::Decoder;

/// Ends an item of indefinite length, and is none.
const BREAK: u8 = 0xff;

/// Length of the item that bytes begin with; `None` where none does.
pub fn first(bytes: &[u8]) -> Option<usize> {
    if *bytes.first()? == BREAK {
        return None;
    }
    let mut decoder = Decoder::new(bytes);
    decoder.skip().ok()?;
    Some(decoder.position())
}

/// The items of a sequence, at most `limit`; `None` for what is none, or a longer one.
pub fn items(bytes: &[u8], limit: usize) -> Option<Vec<&[u8]>> {
    let (mut items, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        if items.len() == limit {
            return None;
        }
        let (item, after) = rest.split_at_checked(first(rest)?)?;
        items.push(item);
        rest = after;
    }
    Some(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_is_taken_apart_whole_or_not_at_all() {
        let bytes = [0x01, 0x82, 0x02, 0x03, 0x41, 0x00];
        let expected: Vec<&[u8]> = vec![&[0x01], &[0x82, 0x02, 0x03], &[0x41, 0x00]];
        assert_eq!(items(&bytes, 3), Some(expected));
        assert_eq!(items(&bytes, 2), None);
        assert_eq!(items(&bytes[..5], 3), None);
        assert_eq!(items(&[0x01, 0xff], 3), None);
        assert_eq!(items(&[], 3), Some(Vec::new()));
    }
}
