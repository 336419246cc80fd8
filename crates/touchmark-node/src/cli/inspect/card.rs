//! What cards present: URLs and signed payloads of the open card profile.

use super::signature::Signature;
use super::{Explained, line};
use crate::cli::explain;
use touchmark_core::evidence;
use touchmark_wire::algorithm::{PublicKey, SignedBytes};
use touchmark_wire::registry::EvidenceFormat;

pub(super) fn url(bytes: &[u8], keys: &[PublicKey]) -> Result<Explained, String> {
    let url = line(bytes)?;
    if !url.contains("://") {
        return Err("it is no URL".into());
    }
    explain(EvidenceFormat::CARD_URL, url.as_bytes(), keys)
        .map_err(|_| "the URL lacks i=, c= and, at its end, s= of the open card profile".into())
}

pub(super) fn payload(bytes: &[u8], keys: &[PublicKey]) -> Result<Explained, String> {
    explain(EvidenceFormat::CARD_PAYLOAD, bytes, keys)
}

fn explain(format: EvidenceFormat, bytes: &[u8], keys: &[PublicKey]) -> Result<Explained, String> {
    evidence::parse(format, bytes).map_err(|refusal| refusal.cause.to_owned())?;
    let sheet = explain::payload::evidence(format, bytes);
    Ok(Explained::new(sheet).signed(signatures(format, bytes, keys)))
}

/// The card's signature.
pub(super) fn signatures(
    format: EvidenceFormat,
    bytes: &[u8],
    keys: &[PublicKey],
) -> Vec<Signature> {
    let Ok(inner) = evidence::parse(format, bytes) else {
        return Vec::new();
    };
    let message = SignedBytes::new([&inner.message[..]]);
    vec![Signature::check(format!("card {}", inner.thing), keys, &message, &inner.signature)]
}
