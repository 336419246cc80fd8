//! Signatures, checked on all cores: a node has its intake for that, a replay only its batches.

use crate::keyring::Keyring;
use std::thread;
use touchmark_core::admission::{Check, Verifier};

/// Fewest checks for which a thread is worth it.
const WORTHWHILE: usize = 64;

/// A keyring that is asked by several threads at once.
#[derive(Debug, Default)]
pub(super) struct Parallel(Keyring);

impl Verifier for Parallel {
    fn verify(&self, checks: &[Check<'_>]) -> Vec<bool> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let share = checks.len().div_ceil(cores).max(WORTHWHILE);
        if checks.len() <= share {
            return self.0.verify(checks);
        }
        thread::scope(|scope| {
            let shares = checks.chunks(share);
            let workers: Vec<_> =
                shares.map(|share| scope.spawn(|| self.0.verify(share))).collect();
            let answers = workers.into_iter().flat_map(|worker| {
                worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            answers.collect()
        })
    }
}
