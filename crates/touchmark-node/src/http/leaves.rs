//! What a body brings to the ledger. It is taken apart once, at the gate.

use super::answer::Negative;
use super::negotiation;
use axum::body::Bytes;
use axum::http::HeaderMap;
use std::slice;
use touchmark_api::{media, sequence};
use touchmark_wire::registry::RefusalCode;

/// Leaves by the media type of the body.
#[derive(Clone, Debug)]
pub(super) enum Leaves {
    /// The body is a leaf.
    One(Bytes),
    /// The body has them one after the other.
    Many(Sequence),
    /// The media type is that of no leaf.
    Other,
}

impl Leaves {
    pub(super) fn of(headers: &HeaderMap, body: &Bytes) -> Self {
        match &*negotiation::sent(headers) {
            media::COSE | media::CBOR => Self::One(body.clone()),
            media::CBOR_SEQ => Self::Many(Sequence::of(body)),
            _ => Self::Other,
        }
    }

    /// How many items the body counts for.
    pub(super) const fn count(&self) -> usize {
        match self {
            Self::One(_) | Self::Other => 1,
            Self::Many(sequence) => sequence.count,
        }
    }

    /// Those that may be taken.
    pub(super) fn items(&self) -> &[Bytes] {
        match self {
            Self::One(body) => slice::from_ref(body),
            Self::Many(sequence) => &sequence.items,
            Self::Other => &[],
        }
    }
}

/// A CBOR sequence (RFC 8742), as far as it is one.
#[derive(Clone, Debug)]
pub(super) struct Sequence {
    /// The first of its items.
    items: Vec<Bytes>,
    /// How many there are.
    count: usize,
    /// Whether nothing but items is in it.
    is_whole: bool,
}

impl Sequence {
    /// Most items that are taken.
    const ITEMS: usize = 10_000;

    fn of(body: &Bytes) -> Self {
        let (mut items, mut count, mut from) = (Vec::new(), 0, 0);
        while let Some(length) = sequence::first(&body[from..]) {
            let to = from + length;
            if count < Self::ITEMS {
                items.push(body.slice(from..to));
            }
            count += 1;
            from = to;
        }
        Self { items, count, is_whole: from == body.len() }
    }

    /// All items, if it is a sequence to its end and not too long.
    pub(super) fn into_items(self) -> Result<Vec<Bytes>, Negative> {
        if self.count > Self::ITEMS {
            let detail = format!("a sequence has at most {} items", Self::ITEMS);
            return Err(Negative::new(RefusalCode::TOO_LONG, detail));
        }
        if !self.is_whole {
            let detail = format!("item {} of the sequence is not CBOR", self.count);
            return Err(Negative::malformed(detail));
        }
        Ok(self.items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::header;

    fn sequence(body: &[u8]) -> Sequence {
        Sequence::of(&Bytes::copy_from_slice(body))
    }

    #[test]
    fn items_are_counted_as_far_as_they_can_be_read() {
        assert_eq!(sequence(&[0x01, 0x82, 0x02, 0x03, 0x41, 0x00]).count, 3);
        assert_eq!(sequence(&[]).count, 0);
        assert_eq!(sequence(&[0x01, 0x82]).count, 1);
        assert_eq!(sequence(&[0xff; 100]).count, 0);
    }

    #[test]
    fn a_sequence_is_taken_whole_or_not_at_all() {
        let items = sequence(&[0x01, 0x82, 0x02, 0x03]).into_items().unwrap();
        assert_eq!(items, [&[0x01][..], &[0x82, 0x02, 0x03]]);
        assert_eq!(sequence(&[]).into_items().unwrap(), <[Bytes; 0]>::default());
        let code = |body: &[u8]| sequence(body).into_items().unwrap_err().problem.code();
        assert_eq!(code(&[0x01, 0x82]), Some(RefusalCode::MALFORMED));
        assert_eq!(code(&[0x01, 0xff]), Some(RefusalCode::MALFORMED));
        assert_eq!(code(&[0x01; Sequence::ITEMS + 1]), Some(RefusalCode::TOO_LONG));
        assert_eq!(sequence(&[0x01; Sequence::ITEMS]).into_items().unwrap().len(), Sequence::ITEMS);
    }

    #[test]
    fn the_media_type_says_what_a_body_is() {
        let leaves = |kind: &str| {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind.parse().unwrap())]);
            Leaves::of(&headers, &Bytes::from_static(&[0x01, 0x02]))
        };
        let taken = |kind| (leaves(kind).count(), leaves(kind).items().len());
        assert_eq!(taken("application/cose"), (1, 1));
        assert_eq!(taken("application/cbor-seq ; x=y"), (2, 2));
        assert_eq!(taken("text/plain"), (1, 0));
    }
}
