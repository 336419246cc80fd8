//! Receipts of inclusion and consistency.

use super::Explained;
use super::signature::Signature;
use crate::cli::sheet::Sheet;
use touchmark_wire::algorithm::PublicKey;
use touchmark_wire::receipt::{Proof, Receipt};

pub(super) fn explain(bytes: &[u8], _: &[PublicKey]) -> Result<Explained, String> {
    let receipt = Receipt::decode(bytes).map_err(|error| error.to_string())?;
    let header = receipt.header();
    let mut sheet = Sheet::default();
    sheet.add("algorithm", header.algorithm.name());
    sheet.add_some("issuer", header.issuer).add_some("subject", header.subject);
    sheet.add_some("key id", header.kid);
    match receipt.proof() {
        Proof::Inclusion { size, index, path } => {
            sheet.add("proves", format!("leaf {index} is in the log of {size}"));
            sheet.add("path", path.len());
        }
        Proof::Consistency { old, new, path } => {
            sheet.add("proves", format!("the log of {new} begins with the log of {old}"));
            sheet.add("path", path.len());
        }
        _ => {
            sheet.add("proves", "something that this version does not know");
        }
    }
    sheet.add("check", "touchmark verify RECEIPT --trust GENESIS --leaf LEAF");
    // What is signed follows from the leaf, which a receipt does not contain.
    let whose = header.issuer.unwrap_or("the log").to_owned();
    Ok(Explained::new(sheet).signed([Signature::Unchecked(whose)]))
}
