//! The card that stays inside of a trusted reader and signs what it measures: it is locked when the
//! reader is tampered with.

use crate::cli::card::code;
use crate::cli::card::place::{Place, Reach};
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use std::path::PathBuf;
use touchmark_card::lifecycle::LifeCycle;
use zeroize::Zeroizing;

/// The card that stays inside of this reader, which is locked with it
#[derive(clap::Args, Debug)]
pub(crate) struct OwnCard {
    #[command(flatten)]
    place: Place,
    /// File with the code that the card was issued with
    #[arg(long, value_name = "FILE")]
    lock_code: Option<PathBuf>,
}

/// A card that can be locked at any moment.
pub(super) struct Held {
    reach: Reach,
    code: Option<Zeroizing<Vec<u8>>>,
}

impl OwnCard {
    /// Makes everything ready that locking needs; `None` where no card was named.
    pub(super) fn held(&self, session: &mut Session<'_, '_>) -> Result<Option<Held>, Failure> {
        if !self.place.is_named() {
            return Ok(None);
        }
        let code = code::read_some(session, self.lock_code.as_deref())?;
        Ok(Some(Held { reach: self.place.known(session)?, code }))
    }
}

impl Held {
    /// Locks the card, unless it is locked already: it never signs again.
    pub(super) fn lock(&self) -> Result<(), Failure> {
        let mut card = self.reach.card()?;
        if !matches!(card.info()?.lifecycle, LifeCycle::Deactivated | LifeCycle::Terminated) {
            card.lock(self.code.as_ref().map(|code| code.as_slice()))?;
        }
        Ok(())
    }
}
