//! Payloads that cards sign.

use touchmark_core::evidence::{self, CardPayload};
use touchmark_wire::codec;
use touchmark_wire::registry::EvidenceFormat;

/// Whatever decodes encodes to the same bytes, and is what the plug-in finds.
pub fn target(data: &[u8]) {
    let parsed = evidence::parse(EvidenceFormat::CARD_PAYLOAD, data);
    let payload = CardPayload::decode(data);
    assert_eq!(parsed.is_ok(), payload.is_ok());
    let (Ok(inner), Ok(payload)) = (parsed, payload) else { return };
    assert_eq!(codec::encode(&payload), data, "a second encoding of the same payload");
    assert_eq!((inner.thing, inner.counter), (payload.thing, payload.counter));
    assert_eq!(inner.signature, payload.signature);
}
