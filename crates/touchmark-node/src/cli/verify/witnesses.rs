//! Witnesses that a reader trusts, besides the network: so many of them must have cosigned.

use super::verdict::{failed, passed};
use crate::cli::failure::{Failure, Fault};
use touchmark_core::verdict::{self, Check};
use touchmark_wire::algorithm::PureVerifier;
use touchmark_wire::bundle::Bundle;
use touchmark_wire::certificate::{CertificateError, Cosigner, NoteKey, verify_quorum};
use touchmark_wire::checkpoint::SignedCheckpoint;
use touchmark_wire::genesis::Genesis;

const CHECK: &str = "witnesses";
const FEW: &str = "TM-FEW-WITNESSES";

/// The witnesses, and how many of them are wanted.
pub(super) struct Witnesses {
    vkeys: Vec<String>,
    fewest: usize,
}

impl Witnesses {
    /// Those of the command line, if there are any; without a number all of them are wanted.
    pub(super) fn of(vkeys: &[String], fewest: Option<u16>) -> Result<Option<Self>, Failure> {
        for vkey in vkeys {
            NoteKey::parse(vkey).and_then(Cosigner::try_from).map_err(|error| {
                Failure::new(Fault::Malformed, format!("`{vkey}` is no witness's key"))
                    .because(error)
                    .hint("give it as C2SP signed-note writes it: name+id+key")
            })?;
        }
        let fewest = fewest.map_or(vkeys.len(), usize::from);
        if fewest > vkeys.len() {
            let what = format!("{fewest} witnesses are wanted and {} are named", vkeys.len());
            return Err(Failure::new(Fault::Usage, what)
                .hint("name each with --witness, or want fewer with --witnesses"));
        }
        Ok((!vkeys.is_empty()).then(|| Self { vkeys: vkeys.to_vec(), fewest }))
    }

    /// Whether enough of them cosigned a checkpoint.
    pub(super) fn of_note(&self, note: &SignedCheckpoint<'_>) -> Check {
        let cosigners: Result<Vec<_>, CertificateError> =
            self.vkeys.iter().map(|vkey| Cosigner::try_from(NoteKey::parse(vkey)?)).collect();
        let verified = cosigners
            .and_then(|cosigners| verify_quorum(note, &cosigners, self.fewest, &PureVerifier));
        match verified {
            Ok(()) => {
                let (fewest, all) = (self.fewest, self.vkeys.len());
                passed(CHECK, format!("at least {fewest} of the {all} witnesses cosigned it"))
            }
            Err(CertificateError::Quorum { valid, threshold }) => {
                let reason = format!("{valid} of your witnesses cosigned it, you want {threshold}");
                failed(CHECK, FEW, reason)
            }
            Err(error) => failed(CHECK, "TM-SIGNATURE", error.to_string()),
        }
    }

    /// Whether enough of them cosigned the log that a bundle is of.
    pub(super) fn of_bundle(&self, bytes: &[u8], verdict: &verdict::Verdict) -> Check {
        let bundle = Bundle::decode(bytes).ok();
        let note = bundle.as_ref().and_then(|bundle| bundle.note);
        let note = note.and_then(|note| SignedCheckpoint::parse(note.as_bytes()).ok());
        let genesis = bundle.as_ref().and_then(|bundle| Genesis::decode(bundle.genesis).ok());
        let (Some(note), Some(genesis), Some(as_of)) = (note, genesis, &verdict.as_of) else {
            return Self::nothing();
        };
        let checkpoint = note.checkpoint();
        let is_its_log = checkpoint.origin() == genesis.origin
            && (checkpoint.size, checkpoint.root) == (as_of.size, as_of.root);
        if is_its_log { self.of_note(&note) } else { Self::nothing() }
    }

    /// There is no checkpoint that anybody could have cosigned.
    pub(super) fn nothing() -> Check {
        let reason = "it has no cosigned checkpoint; `proof fetch --certificate cosigned` and \
                      `proof checkpoint --witnesses N` fetch one";
        failed(CHECK, FEW, reason)
    }
}
