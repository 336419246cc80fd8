//! Public keys and key files.

use super::Explained;
use crate::cli::sheet::Sheet;
use touchmark_keys::file::KeyFile;
use touchmark_wire::algorithm::{CoseKey, PublicKey};

pub(super) fn cose(bytes: &[u8], _: &[PublicKey]) -> Result<Explained, String> {
    let key = CoseKey::decode(bytes).map_err(|error| error.to_string())?;
    Ok(Explained::new(sheet(&key)))
}

pub(super) fn file(bytes: &[u8], _: &[PublicKey]) -> Result<Explained, String> {
    let file = KeyFile::decode(bytes).map_err(|error| error.to_string())?;
    let mut sheet = sheet(file.public());
    let protection = if file.is_encrypted() {
        "encrypted under a passphrase"
    } else {
        "NONE: the private key is readable"
    };
    sheet.add("protection", protection);
    Ok(Explained::new(sheet))
}

fn sheet(key: &CoseKey) -> Sheet {
    let mut sheet = Sheet::default();
    sheet.add("algorithm", key.algorithm().name());
    sheet.add("x", &key.x()[..]);
    sheet.add_some("y", key.y().map(|y| &y[..]));
    sheet.add("digest", key.digest().to_string());
    let usable = key.check().map_or_else(|error| format!("no: {error}"), |_| "yes".into());
    sheet.add("usable", usable);
    sheet
}
