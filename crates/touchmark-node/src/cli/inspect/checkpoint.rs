//! Checkpoints with their signature lines.

use super::Explained;
use super::signature::Signature;
use crate::cli::input;
use crate::cli::sheet::{Field, Sheet};
use touchmark_wire::algorithm::{PublicKey, PureVerifier};
use touchmark_wire::certificate::{CertificateError, Cosigner};
use touchmark_wire::checkpoint::SignedCheckpoint;

pub(super) fn explain(bytes: &[u8], keys: &[PublicKey]) -> Result<Explained, String> {
    let note = SignedCheckpoint::parse(bytes).map_err(|error| error.to_string())?;
    let checkpoint = note.checkpoint();
    let mut sheet = Sheet::default();
    sheet.add("origin", checkpoint.origin()).add("size", checkpoint.size.0);
    sheet.add("root", checkpoint.root.to_string());
    let lines = note.signatures().map(|line| {
        let id = input::to_hexadecimal(&line.key.0);
        format!("{} (key id {id})", line.name)
    });
    sheet.add("signature lines", lines.collect::<Field>());
    let signatures = note.signatures().map(|line| {
        let verified = keys.iter().map(|key| {
            let cosigner = Cosigner::new(line.name, key.clone())?;
            cosigner.verify(&note, &PureVerifier)
        });
        let whose = line.name.to_owned();
        match verified.reduce(Result::or) {
            Some(Ok(_)) => Signature::Right(whose),
            // Lines of other keys are no business of the reader's.
            None
            | Some(Err(CertificateError::NotCosigned | CertificateError::CosignerAlgorithm)) => {
                Signature::Unchecked(whose)
            }
            Some(Err(_)) => Signature::Wrong(whose),
        }
    });
    let signatures: Vec<_> = signatures.collect();
    Ok(Explained::new(sheet).signed(signatures))
}
