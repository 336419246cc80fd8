//! The order engine's certificates and the validators' cosignatures.

use touchmark_wire::certificate::{Cosignature, ThresholdCertificate};

/// What is read lies within the input; a cosignature is written as the same bytes.
pub fn target(data: &[u8]) {
    if let Ok(certificate) = ThresholdCertificate::parse(data) {
        let signed = certificate.signed_bytes();
        assert!(data.windows(signed.len().max(1)).any(|window| window == signed));
        let _ = (certificate.epoch(), certificate.view(), certificate.digest());
    }
    if let Ok(bytes) = data.try_into()
        && let Ok(cosignature) = Cosignature::from_bytes(bytes)
    {
        assert_eq!(cosignature.to_bytes(), *bytes, "a second encoding of the same cosignature");
    }
}
