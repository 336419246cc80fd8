//! Batch headers, and the certificates over them.

use super::Explained;
use crate::cli::sheet::Sheet;
use touchmark_wire::algorithm::PublicKey;
use touchmark_wire::certificate::ThresholdCertificate;
use touchmark_wire::header::BatchHeader;

pub(super) fn explain(bytes: &[u8], _: &[PublicKey]) -> Result<Explained, String> {
    let header = BatchHeader::decode(bytes).map_err(|error| error.to_string())?;
    Ok(Explained::new(sheet(&header, bytes)))
}

/// A header whose encoding is `bytes`.
pub(super) fn sheet(header: &BatchHeader<'_>, bytes: &[u8]) -> Sheet {
    let mut sheet = Sheet::default();
    sheet.add("height", header.height.0).add("time", header.time);
    sheet.add("epoch", header.epoch.0).add("digest", BatchHeader::digest(bytes).to_string());
    sheet.add("parent", header.parent.to_string());
    sheet.add("size", header.size.0).add("root", header.root.to_string());
    sheet.add("data root", header.data_root.to_string());
    sheet.add("next committee", header.next.to_string());
    sheet
}

/// A threshold certificate, which only the committee's key checks: `verify` does, in a bundle.
pub(super) fn certificate(bytes: &[u8], _: &[PublicKey]) -> Result<Explained, String> {
    let certificate = ThresholdCertificate::parse(bytes).map_err(|error| error.to_string())?;
    Ok(Explained::new(certificate_sheet(&certificate)))
}

pub(super) fn certificate_sheet(certificate: &ThresholdCertificate<'_>) -> Sheet {
    let mut sheet = Sheet::default();
    sheet.add("epoch", certificate.epoch().0).add("view", certificate.view());
    sheet.add("header digest", certificate.digest().to_string());
    sheet
}
