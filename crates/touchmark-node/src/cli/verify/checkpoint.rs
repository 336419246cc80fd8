//! The verdict on a checkpoint: enough validators cosigned the log's size and root.

use super::Root;
use super::office::Office;
use super::verdict::{AsOf, Verdict, failed, no_freshness, passed, undecided};
use crate::cli::assurance::Assurance;
use touchmark_core::verdict::Check;
use touchmark_wire::algorithm::{PublicKey, PureVerifier};
use touchmark_wire::certificate::{CertificateError, Cosigner, verify_quorum};
use touchmark_wire::checkpoint::SignedCheckpoint;
use touchmark_wire::genesis::Genesis;

pub(super) fn verdict(file: String, note: &SignedCheckpoint<'_>, root: &Root<'_>) -> Verdict {
    let mut checks = vec![passed("format", "it is a well-formed checkpoint")];
    let checkpoint = note.checkpoint();
    let before = checks.len();
    match (&root.genesis, &root.office, &root.keys[..]) {
        (Some(genesis), Some(office), _) => {
            checks.push(origin(note, genesis));
            checks.push(quorum(note, office));
        }
        (_, _, keys @ [_, ..]) => {
            checks.push(passed("network", "the keys that you gave stand for the network"));
            checks.extend(keys.iter().map(|key| cosigned(note, key)));
        }
        (_, _, []) => checks.push(undecided(
            "network",
            "TM-NO-TRUST",
            "a checkpoint is checked with validators' keys: give the genesis document with --trust, or --key",
        )),
    }
    let certified = checks[before..].iter().all(|check| check.code.is_none());
    checks.push(no_freshness(root.nonce.as_ref()));
    let as_of = certified.then(|| AsOf::log(checkpoint.size, &checkpoint.root));
    Verdict::new(file, checks).of(root.network, as_of).resting_on(Assurance::Cosigned)
}

fn origin(note: &SignedCheckpoint<'_>, genesis: &Genesis) -> Check {
    let own = note.checkpoint().origin();
    if own == genesis.origin {
        passed("network", "the checkpoint is of the log that you trust")
    } else {
        let reason = format!("the checkpoint is of {own}, you trust {}", genesis.origin);
        failed("network", "TM-WRONG-NETWORK", reason)
    }
}

fn quorum(note: &SignedCheckpoint<'_>, office: &Office) -> Check {
    let committee = &office.committee;
    let threshold = usize::from(committee.threshold);
    match verify_quorum(note, &committee.cosigners(), threshold, &PureVerifier) {
        Ok(()) => {
            let reason = format!("at least {threshold} validators of {office} cosigned it");
            passed("cosignatures", reason)
        }
        Err(error) => failed("cosignatures", code(&error), error.to_string()),
    }
}

fn cosigned(note: &SignedCheckpoint<'_>, key: &PublicKey) -> Check {
    let mut last = CertificateError::NotCosigned;
    for line in note.signatures() {
        let verified = Cosigner::new(line.name, key.clone())
            .and_then(|cosigner| cosigner.verify(note, &PureVerifier));
        match verified {
            Ok(time) => {
                let reason = format!("the given key cosigned it as {} at {}", line.name, time.0);
                return passed("cosignatures", reason);
            }
            Err(CertificateError::NotCosigned) => {}
            Err(error) => last = error,
        }
    }
    failed("cosignatures", code(&last), last.to_string())
}

const fn code(error: &CertificateError) -> &'static str {
    match error {
        CertificateError::Quorum { .. } => "TM-QUORUM-MISSING",
        _ => "TM-SIGNATURE",
    }
}
