//! Terms of office: heights in runs of one length, each with consensus of its own.
//!
//! The committee of a term follows from the last batch of the term before, which is final before
//! the term begins. So nobody has to guess, on a branch that is not final, who may vote.

use commonware_consensus::types::{Epoch, FixedEpocher};
use commonware_utils::NZU64;
use std::fmt;
use touchmark_wire::ids::Height;
use touchmark_wire::limits;

/// The terms as the library sees them; it calls them epochs.
pub(crate) const EPOCHS: FixedEpocher = FixedEpocher::new(NZU64!(limits::TERM));

/// Number of a term, from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(crate) struct Term(pub(crate) u64);

impl Term {
    /// The one that `height` is in.
    pub(crate) const fn of(height: Height) -> Self {
        Self(height.term().0)
    }

    /// The next one.
    pub(crate) const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The one before, if there is one.
    pub(crate) fn before(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }

    /// Its first height; the genesis is the first of term 0.
    pub(crate) const fn first(self) -> Height {
        Height(self.0.saturating_mul(limits::TERM))
    }

    /// Its last height.
    pub(crate) const fn last(self) -> Height {
        Height(self.first().0.saturating_add(limits::TERM - 1))
    }

    /// Its number, as the library and the certificates have it.
    pub(crate) const fn epoch(self) -> Epoch {
        Epoch::new(self.0)
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use commonware_consensus::types::{Epocher as _, Height as EngineHeight};

    #[test]
    fn terms_are_the_librarys_epochs() {
        for height in [0, 1, 511, 512, 513, 1_023, 1_024, 1 << 40] {
            let term = Term::of(Height(height));
            let info = EPOCHS.containing(EngineHeight::new(height)).unwrap();
            assert_eq!(info.epoch(), term.epoch());
            assert_eq!(EPOCHS.first(term.epoch()), Some(EngineHeight::new(term.first().0)));
            assert_eq!(EPOCHS.last(term.epoch()), Some(EngineHeight::new(term.last().0)));
            assert_eq!(Term::of(term.last()).next(), Term::of(Height(term.last().0 + 1)));
        }
    }
}
