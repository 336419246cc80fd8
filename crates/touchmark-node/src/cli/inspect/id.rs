//! Ids as text.

use super::{Explained, line};
use crate::cli::input;
use crate::cli::sheet::{Field, Sheet};
use touchmark_wire::algorithm::PublicKey;
use touchmark_wire::ids::{Did, StatementId, ThingId};

pub(super) fn did(bytes: &[u8], _: &[PublicKey]) -> Result<Explained, String> {
    let text = line(bytes)?;
    if !text.starts_with("did:") {
        return Err("it does not begin with did:".into());
    }
    let did: Did =
        text.parse().map_err(|_| "it is a DID of another method, or malformed".to_owned())?;
    let mut sheet = Sheet::default();
    sheet.add("thing", did.thing.to_string());
    sheet.add("network begins with", input::to_hexadecimal(&did.network));
    Ok(Explained::new(sheet))
}

pub(super) fn thing(bytes: &[u8], _: &[PublicKey]) -> Result<Explained, String> {
    let id: ThingId =
        line(bytes)?.parse().map_err(|_| "it does not have 32 characters of base32".to_owned())?;
    let mut sheet = Sheet::default();
    sheet.add("thing", id.to_string());
    sheet.add("look up", format!("touchmark thing show {id}"));
    sheet.add("or, as a channel", format!("touchmark channel show {id}"));
    Ok(Explained::new(sheet))
}

/// Ids that are whole hashes look the same; only a ledger knows what they are of.
pub(super) fn hash(bytes: &[u8], _: &[PublicKey]) -> Result<Explained, String> {
    let text = line(bytes)?;
    let text = text.strip_prefix("0x").unwrap_or(text);
    let id: StatementId =
        text.parse().map_err(|_| "it does not have 64 hexadecimal digits".to_owned())?;
    let mut sheet = Sheet::default();
    sheet.add("hash", id.to_string());
    let kinds = ["network id", "statement id", "evidence id", "root or other hash"];
    sheet.add("may be", kinds.into_iter().collect::<Field>());
    Ok(Explained::new(sheet))
}
