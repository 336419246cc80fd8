//! Ratchets: what a light client has seen last.

use super::Explained;
use crate::cli::sheet::Sheet;
use touchmark_wire::algorithm::PublicKey;
use touchmark_wire::ratchet::Ratchet;

pub(super) fn explain(bytes: &[u8], _: &[PublicKey]) -> Result<Explained, String> {
    let Ratchet { network, position } =
        Ratchet::decode(bytes).map_err(|error| error.to_string())?;
    let mut sheet = Sheet::default();
    sheet.add("network", network.to_string());
    sheet.add("height", position.height.0).add("time", position.time);
    sheet.add("size", position.size.0).add("root", position.root.to_string());
    sheet.add("header digest", position.header.to_string());
    sheet.add("epoch", position.epoch.0).add("committee", position.committee.to_string());
    Ok(Explained::new(sheet))
}
