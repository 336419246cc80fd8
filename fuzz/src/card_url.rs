//! URLs that cards present.

use touchmark_core::evidence::{self, CardUrl};
use touchmark_wire::registry::EvidenceFormat;

/// What is signed and the signature make up the URL.
pub fn target(data: &[u8]) {
    let parsed = evidence::parse(EvidenceFormat::CARD_URL, data);
    let url = std::str::from_utf8(data).ok().and_then(|text| CardUrl::parse(text).ok());
    assert_eq!(parsed.is_ok(), url.is_some());
    let (Ok(inner), Some(url)) = (parsed, url) else { return };
    assert_eq!((inner.thing, inner.counter), (url.thing, url.counter));
    assert!(url.counter <= u64::from(u32::MAX));
    assert_eq!(url.signature.len(), 64);
    assert_eq!(url.signed.len() + 128, data.len(), "all but the signature is signed");
    assert!(data.starts_with(&inner.message));
}
