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
pub(super) struct Witnesses<'v> {
    cosigners: Vec<Cosigner<'v>>,
    fewest: usize,
}

impl<'v> Witnesses<'v> {
    /// Those of the command line, if there are any; without a number all of them are wanted.
    pub(super) fn of(vkeys: &'v [String], fewest: Option<u16>) -> Result<Option<Self>, Failure> {
        let cosigner = |vkey: &'v String| {
            NoteKey::parse(vkey).and_then(Cosigner::try_from).map_err(|error| {
                Failure::new(Fault::Malformed, format!("`{vkey}` is no witness's key"))
                    .because(error)
                    .hint("give it as C2SP signed-note writes it: name+id+key")
            })
        };
        let cosigners: Vec<_> = vkeys.iter().map(cosigner).collect::<Result<_, _>>()?;
        let fewest = fewest.map_or(vkeys.len(), usize::from);
        if fewest > vkeys.len() {
            let what = format!("{fewest} witnesses are wanted and {} are named", vkeys.len());
            return Err(Failure::new(Fault::Usage, what)
                .hint("name each with --witness, or want fewer with --witnesses"));
        }
        Ok((!cosigners.is_empty()).then_some(Self { cosigners, fewest }))
    }

    /// Whether enough of them cosigned a checkpoint.
    pub(super) fn of_note(&self, note: &SignedCheckpoint<'_>) -> Check {
        match verify_quorum(note, &self.cosigners, self.fewest, &PureVerifier) {
            Ok(()) => {
                let (fewest, all) = (self.fewest, self.cosigners.len());
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
