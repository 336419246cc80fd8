//! Statements, with one or several signers.

use super::Explained;
use super::signature::Signature;
use crate::cli::explain;
use touchmark_core::directory::inception::Inception;
use touchmark_wire::algorithm::PublicKey;
use touchmark_wire::codec;
use touchmark_wire::limits;
use touchmark_wire::registry::StatementKind;
use touchmark_wire::statement::{Kid, Signatures, Statement};

pub(super) fn explain(bytes: &[u8], keys: &[PublicKey]) -> Result<Explained, String> {
    let statement = Statement::parse(bytes).map_err(|error| error.to_string())?;
    Ok(Explained::new(explain::statement(&statement)).signed(signatures(&statement, keys)))
}

/// An inception brings the keys that sign it; for all else the reader gives them.
pub(super) fn signatures(statement: &Statement<'_>, keys: &[PublicKey]) -> Vec<Signature> {
    let protected = statement.protected();
    let inception: Option<Inception> = (protected.link.kind == StatementKind::INCEPTION)
        .then(|| codec::decode(statement.payload(), limits::STATEMENT).ok())
        .flatten()
        .filter(|_| Inception::id_of(statement.payload()) == protected.kid.thing);
    let usable = |kid: Kid| -> Vec<PublicKey> {
        let own = inception.as_ref().and_then(|inception| {
            let place = usize::try_from(kid.key?.0).ok()?;
            inception.keys.get(place)?.key.check().ok()
        });
        own.map_or_else(|| keys.to_vec(), |key| vec![key])
    };
    match statement.signatures() {
        Signatures::One(signature) => {
            let structure = statement.sig_structure();
            let kid = protected.kid;
            let message = structure.signed_bytes();
            vec![Signature::check(kid.to_string(), &usable(kid), &message, signature)]
        }
        Signatures::Many(many) => many
            .iter()
            .map(|entry| {
                let structure = statement.sig_structure_of(&entry);
                let (kid, message) = (entry.kid(), structure.signed_bytes());
                Signature::check(kid.to_string(), &usable(kid), &message, entry.signature())
            })
            .collect(),
    }
}
