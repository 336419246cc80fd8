//! Who certifies in which term, for whoever checks certificates.

use crate::keys::{Scheme, Standing};
use crate::term::Term;
use commonware_consensus::types::Epoch;
use commonware_cryptography::certificate::{Provider, Scoped};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The committees of the present term and of the one before. Certificates of later terms are not
/// looked at: their committee is not known before the present term is over.
#[derive(Clone, Default)]
pub(crate) struct Committees {
    terms: Arc<Mutex<BTreeMap<Term, Standing>>>,
}

impl Committees {
    /// A term begins.
    pub(crate) fn enter(&self, term: Term, standing: Standing) {
        let mut terms = self.lock();
        terms.retain(|other, _| other.next() == term);
        terms.insert(term, standing);
    }

    /// The present term and who certifies in it. `None` before the first one is entered.
    pub(crate) fn present(&self) -> Option<(Term, Standing)> {
        self.lock().last_key_value().map(|(term, standing)| (*term, standing.clone()))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Term, Standing>> {
        // No call leaves the map half changed.
        self.terms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Provider for Committees {
    type Scope = Epoch;
    type Scheme = Scheme;

    fn scoped(&self, epoch: Epoch) -> Option<Scoped<Scheme>> {
        let standing = self.lock().get(&Term(epoch.get())).cloned()?;
        Some(if standing.votes {
            Scoped::scheme(standing.scheme)
        } else {
            Scoped::verifier(standing.scheme)
        })
    }
}
