//! What is submitted to a node that follows is passed on to a source, and answered when its batch
//! comes.

use super::Following;
use crate::judgement::judge;
use crate::keyring::Keyring;
use std::time::Duration;
use touchmark_api::client::{Client, ClientError};
use touchmark_api::{OutcomeName, Written};
use touchmark_batch::Application as _;
use touchmark_core::refusal::{Outcome, Refusal};
use touchmark_wire::ids::TreeSize;
use touchmark_wire::merkle;
use touchmark_wire::registry::RefusalCode;

/// Most bytes that are passed on at once.
const TOGETHER: usize = 1 << 20;
/// Most leaves of one request: a node takes a few more.
const MANY: usize = 8_192;
/// After this time what still waits is passed on again.
const AGAIN: Duration = Duration::from_secs(10);
/// The first pause after a failure, and the longest.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(5)];
/// How long the batch may take that has what a source calls known.
const PATIENCE: Duration = Duration::from_secs(10);

/// Passes on until all is to end.
pub(super) fn run(following: &Following) {
    let verifier = Keyring::default();
    let (mut round, mut seen, mut pause) = (0, 0, PAUSES[0]);
    while following.goes_on() {
        let leaves = following.ledger.pass_on(round, TOGETHER);
        if leaves.is_empty() {
            let before = seen;
            following.wait(AGAIN, |standing| standing.submitted != before);
            let submitted = following.lock().submitted;
            if submitted == seen {
                round += 1;
            }
            seen = submitted;
            continue;
        }
        let (turn, client) = following.sources.now();
        let mut portions = leaves.chunks(MANY);
        match portions.try_for_each(|portion| pass(following, &verifier, client, portion)) {
            Ok(()) => pause = PAUSES[0],
            Err(reason) => {
                tracing::warn!(%reason, "a source takes nothing");
                following.sources.pass(turn);
                round += 1;
                following.wait(pause, |_| false);
                pause = PAUSES[1].min(pause * 2);
            }
        }
    }
}

/// Gives leaves to a source; an error says why it takes none of them now.
fn pass(
    following: &Following,
    verifier: &Keyring,
    client: &Client,
    leaves: &[Vec<u8>],
) -> Result<(), String> {
    match client.submit_sequence(&leaves.concat()) {
        Ok(written) if written.len() == leaves.len() => {
            for (leaf, written) in leaves.iter().zip(&written) {
                answer(following, verifier, leaf, written);
            }
            Ok(())
        }
        Ok(written) => Err(format!("{} answers came for {}", written.len(), leaves.len())),
        // What is wrong with one of them must not keep back the others.
        Err(ClientError::Refused(problem)) if problem.status < 500 => match leaves {
            [leaf] => {
                let outcome = Outcome::Refused(refused(Some(&problem.code)));
                following.ledger.answer(merkle::leaf_hash(leaf), outcome);
                Ok(())
            }
            several => {
                let (first, rest) = several.split_at(several.len() / 2);
                pass(following, verifier, client, first)?;
                pass(following, verifier, client, rest)
            }
        },
        Err(error) => Err(error.to_string()),
    }
}

/// Answers those who wait for a leaf of which no batch will tell; all others hear of it when the
/// batch is here.
fn answer(following: &Following, verifier: &Keyring, leaf: &[u8], written: &Written) {
    if let (OutcomeName::Known, Some(position)) = (written.outcome, written.position) {
        following.reach(TreeSize(position.saturating_add(1)), PATIENCE);
    } else if written.outcome != OutcomeName::Refused {
        return;
    }
    let outcome = match judge(&following.store.snapshot(), verifier, leaf.to_vec()) {
        // The same verdict, from this node's own state.
        own @ (Outcome::Known(_) | Outcome::Refused(_)) => own,
        // What is not in this log is not known, whatever a source says: it is passed on again.
        _ if written.outcome == OutcomeName::Known => return,
        _ => Outcome::Refused(refused(written.code.as_deref())),
    };
    following.ledger.answer(merkle::leaf_hash(leaf), outcome);
}

fn refused(code: Option<&str>) -> Refusal {
    let code = code.and_then(RefusalCode::from_name).unwrap_or(RefusalCode::NOT_READY);
    Refusal::new(code, "the node that this one follows refuses it")
}
