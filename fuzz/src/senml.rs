//! Measurements in CBOR.

use touchmark_api::senml::Pack;

/// Whatever is read is read again from what we write of it, and its values never panic.
pub fn target(data: &[u8]) {
    let Ok(pack) = Pack::from_cbor(data) else { return };
    let again = Pack::from_cbor(&pack.to_cbor()).expect("what we write is a pack");
    // Compared as written: a number that is none equals nothing, not even itself.
    assert_eq!(again.to_cbor(), pack.to_cbor());
    if let Ok(measurements) = pack.resolve() {
        assert!(measurements.len() <= pack.0.len());
    }
}
