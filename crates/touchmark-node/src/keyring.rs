//! Checks the signatures of submissions: keys that were checked before are remembered, and what
//! one call brings is checked as a batch.

use crate::verifier::FastVerifier;
use quick_cache::sync::Cache;
use std::sync::Arc;
use touchmark_core::admission::{Check, Verifier};
use touchmark_wire::algorithm::{Claim, CoseKey, PublicKey};

/// Most keys that are remembered; some 300 bytes each.
const REMEMBERED: usize = 100_000;

/// The node's verifier for admission.
#[derive(Debug)]
pub struct Keyring {
    keys: Cache<CoseKey, Arc<PublicKey>>,
}

impl Default for Keyring {
    fn default() -> Self {
        Self { keys: Cache::new(REMEMBERED) }
    }
}

impl Keyring {
    /// The checked key, if its point is valid.
    fn key(&self, cose: &CoseKey) -> Option<Arc<PublicKey>> {
        self.keys.get_or_insert_with(cose, || cose.check().map(Arc::new)).ok()
    }
}

impl Verifier for Keyring {
    fn verify(&self, checks: &[Check<'_>]) -> Vec<bool> {
        let keys: Vec<_> = checks.iter().map(|check| self.key(check.key)).collect();
        let claims: Vec<_> = checks
            .iter()
            .zip(&keys)
            .filter_map(|(check, key)| {
                let (message, signature) = (&check.message, check.signature);
                key.as_deref().map(|key| Claim { key, message, signature })
            })
            .collect();
        let mut answers = FastVerifier.verify_batch(&claims).into_iter();
        keys.iter()
            .map(|key| key.is_some() && answers.next().is_some_and(|it| it.is_ok()))
            .collect()
    }
}
