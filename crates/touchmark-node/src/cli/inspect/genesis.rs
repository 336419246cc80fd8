//! Genesis documents.

use super::Explained;
use crate::cli::sheet::{Field, Sheet};
use touchmark_wire::algorithm::PublicKey;
use touchmark_wire::genesis::Genesis;

pub(super) fn explain(bytes: &[u8], _: &[PublicKey]) -> Result<Explained, String> {
    let genesis = Genesis::decode(bytes).map_err(|error| error.to_string())?;
    let committee = &genesis.committee;
    let mut sheet = Sheet::default();
    sheet.add("network", genesis.network_id().to_string());
    sheet.add("origin", genesis.origin.as_str()).add("began", genesis.time);
    sheet.add("rules", genesis.rules).add("epoch", committee.epoch.0);
    let validators = committee.validators.iter().map(|validator| {
        let mut one = Sheet::default();
        one.add("name", validator.name.as_str());
        one.add("log key", validator.log_key.digest().to_string());
        one.add("cosigner key", validator.cosigner_key.digest().to_string());
        one
    });
    sheet.add("validators", validators.collect::<Field>());
    sheet.add("threshold", committee.threshold);
    sheet.add("committee", committee.digest().to_string());
    Ok(Explained::new(sheet))
}
