//! What is submitted to a node that follows is passed on to a source, and answered when its batch
//! comes.

use super::{Following, excerpt};
use crate::judgement::judge;
use crate::keyring::Keyring;
use crate::pauses::Pauses;
use std::time::{Duration, Instant};
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
/// After this time what still waits is passed on again, to the next source.
const AGAIN: Duration = Duration::from_secs(10);
/// How long the log may take to become as long as the source's, whose verdicts it is to understand.
const PATIENCE: Duration = Duration::from_secs(3);

/// Passes on until all is to end.
pub(super) fn run(following: &Following) {
    let verifier = Keyring::default();
    let mut pauses = Pauses::new(Duration::from_millis(100), Duration::from_secs(5));
    let (mut round, mut since) = (0, Instant::now());
    while following.goes_on() {
        if since.elapsed() > AGAIN {
            (round, since) = (round + 1, Instant::now());
            if following.ledger.backlog().items > 0 {
                following.takers.pass(following.takers.now().0);
            }
        }
        let seen = following.lock().submitted;
        let leaves = following.ledger.pass_on(round, TOGETHER);
        if leaves.is_empty() {
            // A little longer, so that the round is over then.
            let left = AGAIN.saturating_sub(since.elapsed()) + Duration::from_millis(100);
            following.wait(left, |standing| standing.submitted != seen);
            continue;
        }
        let (turn, client) = following.takers.now();
        let mut portions = leaves.chunks(MANY);
        match portions.try_for_each(|portion| pass(following, &verifier, client, portion)) {
            Ok(()) => pauses.reset(),
            Err(reason) => {
                tracing::warn!(%reason, "a source does not take all");
                following.takers.pass(turn);
                (round, since) = (round + 1, Instant::now());
                following.pause(pauses.longer());
            }
        }
    }
}

/// Gives leaves to a source; an error says why it does not take all of them now.
fn pass(
    following: &Following,
    verifier: &Keyring,
    client: &Client,
    leaves: &[Vec<u8>],
) -> Result<(), String> {
    match client.submit_sequence(&leaves.concat()) {
        Ok(written) if written.len() == leaves.len() => {
            let patience = Instant::now() + PATIENCE;
            let mut open = Ok(());
            for (leaf, written) in leaves.iter().zip(&written) {
                if !answer(following, verifier, leaf, written, patience) {
                    open = Err(format!("{} says what this log does not", client.base()));
                }
            }
            open
        }
        Ok(written) => Err(format!("{} answers came for {}", written.len(), leaves.len())),
        // What is wrong with one of them must not keep back the others.
        Err(ClientError::Refused(problem)) if leaves.len() > 1 && is_of_form(&problem.code) => {
            let (first, rest) = leaves.split_at(leaves.len() / 2);
            let first = pass(following, verifier, client, first);
            first.and(pass(following, verifier, client, rest))
        }
        Err(error) => Err(excerpt(&error)),
    }
}

/// Whether it says that something cannot be read, whoever is asked.
fn is_of_form(code: &str) -> bool {
    [RefusalCode::MALFORMED, RefusalCode::TOO_LONG].iter().any(|form| form.to_string() == code)
}

/// Answers those who wait for a leaf of which no batch will tell; all others hear of it when the
/// batch is here. The verdict is this node's own, on its own log: if it does not come to the
/// source's, the leaf waits for another source.
fn answer(
    following: &Following,
    verifier: &Keyring,
    leaf: &[u8],
    written: &Written,
    patience: Instant,
) -> bool {
    let wanted = match written.outcome {
        OutcomeName::Known => written.position.map(|position| position.saturating_add(1)),
        OutcomeName::Refused => None,
        _ => return true,
    };
    let own = || judge(&following.store.snapshot(), verifier, leaf.to_vec());
    let agrees = |outcome: &Outcome| match outcome {
        Outcome::Known(_) => written.outcome == OutcomeName::Known,
        Outcome::Refused(Refusal { code, .. }) => {
            written.outcome == OutcomeName::Refused && written.code == Some(code.to_string())
        }
        _ => false,
    };
    let mut outcome = own();
    if !agrees(&outcome) {
        let newer = following.store.snapshot().size().0.saturating_add(1);
        let size = TreeSize(wanted.unwrap_or(newer));
        following.reach(size, patience.saturating_duration_since(Instant::now()));
        outcome = own();
    }
    let agreed = agrees(&outcome);
    if agreed {
        following.ledger.answer(merkle::leaf_hash(leaf), outcome);
    }
    agreed
}
