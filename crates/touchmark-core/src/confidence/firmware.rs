//! Firmware revisions: what a thing has, and what its organisation asks for.

use alloc::vec::Vec;
use touchmark_wire::registry::ThingKind;

/// Attribute of a reader or device with its firmware revision: numbers with dots between.
pub const FIRMWARE: &str = "firmware";

/// Attribute of an organisation with the oldest firmware that it still believes, for things of a
/// kind.
pub fn minimum_of(kind: ThingKind) -> Option<&'static str> {
    match kind {
        ThingKind::READER => Some("reader-firmware-minimum"),
        ThingKind::DEVICE => Some("device-firmware-minimum"),
        _ => None,
    }
}

/// A revision such as `2.10.1`; parts at the end that are zero do not count.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Revision(Vec<u64>);

impl Revision {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = |part: &&str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit());
        let parts = text.strip_prefix('v').unwrap_or(text).split('.');
        let parts = parts.map(|part| Some(part).filter(digits)?.parse().ok());
        let mut parts: Vec<u64> = parts.collect::<Option<_>>()?;
        while parts.last() == Some(&0) {
            parts.pop();
        }
        Some(Self(parts))
    }
}

#[cfg(test)]
mod tests {
    use super::Revision;

    #[test]
    fn revisions_are_compared_by_number() {
        let revision = |text| Revision::parse(text).unwrap();
        assert!(revision("2.10") > revision("2.9.9"));
        assert!(revision("v2.0.0") == revision("2"));
        assert!(revision("2.0.1") > revision("2"));
        for wrong in ["", "2.", ".2", "2.x", "2 1", "-1", "+1", "99999999999999999999"] {
            assert!(Revision::parse(wrong).is_none(), "{wrong}");
        }
    }
}
