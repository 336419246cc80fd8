//! Genesis documents.

use super::Explained;
use crate::cli::explain;
use crate::cli::sheet::Sheet;
use touchmark_wire::algorithm::PublicKey;
use touchmark_wire::genesis::Genesis;

pub(super) fn explain(bytes: &[u8], _: &[PublicKey]) -> Result<Explained, String> {
    let genesis = Genesis::decode(bytes).map_err(|error| error.to_string())?;
    let mut sheet = Sheet::default();
    sheet.add("network", genesis.network_id().to_string());
    sheet.add("origin", genesis.origin.as_str()).add("began", genesis.time);
    sheet.add("rules", genesis.rules);
    explain::committee(&genesis.committee, &mut sheet);
    Ok(Explained::new(sheet))
}
