//! Log leaves other than accepted statements.

use super::Explained;
use super::{card, statement};
use crate::cli::explain;
use touchmark_wire::algorithm::PublicKey;
use touchmark_wire::leaf::Leaf;
use touchmark_wire::merkle;
use touchmark_wire::statement::Statement;

pub(super) fn explain(bytes: &[u8], keys: &[PublicKey]) -> Result<Explained, String> {
    let leaf = Leaf::decode(bytes).map_err(|error| error.to_string())?;
    let mut sheet = explain::leaf(bytes).map_err(|error| error.to_string())?;
    sheet.add("leaf hash", merkle::leaf_hash(bytes).to_string());
    let inner = leaf.statement().and_then(|bytes| Statement::parse(bytes).ok());
    let signatures = match (&leaf, inner) {
        (_, Some(inner)) => statement::signatures(&inner, keys),
        (Leaf::Evidence(bare), None) => card::signatures(bare.format, bare.bytes, keys),
        _ => Vec::new(),
    };
    Ok(Explained::new(sheet).signed(signatures))
}
