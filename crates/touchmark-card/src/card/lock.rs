//! The turns of a card's life: activated, locked, terminated.

use super::{Card, check_bare};
use crate::apdu::{Answer, Command, Status};
use crate::lifecycle::LifeCycle;
use crate::store::{CardStore, Locking};

impl<S: CardStore> Card<S> {
    /// ACTIVATE FILE: ends the personalisation for ever.
    pub(super) fn activate(&mut self, command: &Command<'_>) -> Result<Answer, Status> {
        check_bare(command)?;
        self.require(LifeCycle::Initialisation)?;
        self.id()?;
        self.url_base()?;
        if self.key.is_none() {
            return Err(Status::CONDITIONS);
        }
        self.change(|memory| memory.lifecycle = LifeCycle::Activated)?;
        Ok(Status::OK.into())
    }

    /// DEACTIVATE FILE: locks the card at once. A locked card may be locked again.
    pub(super) fn deactivate(&mut self, command: &Command<'_>) -> Result<Answer, Status> {
        check_bare(command)?;
        if self.memory.lifecycle != LifeCycle::Deactivated {
            self.require(LifeCycle::Activated)?;
            self.require_locking()?;
        }
        self.enter(LifeCycle::Deactivated)?;
        Ok(Status::OK.into())
    }

    /// TERMINATE CARD USAGE: destroys the private key. What fails on the way may be repeated.
    pub(super) fn terminate(&mut self, command: &Command<'_>) -> Result<Answer, Status> {
        check_bare(command)?;
        if !matches!(self.memory.lifecycle, LifeCycle::Initialisation | LifeCycle::Terminated) {
            self.require_locking()?;
        }
        self.enter(LifeCycle::Terminated)?;
        self.key = None;
        self.store.destroy_key().map_err(|_| Status::MEMORY)?;
        Ok(Status::OK.into())
    }

    /// Holds from now on, also when it cannot be kept: a card that must not sign does not wait for
    /// its disk.
    fn enter(&mut self, lifecycle: LifeCycle) -> Result<(), Status> {
        self.session.ndef = None;
        self.memory.lifecycle = lifecycle;
        self.store.keep(&self.memory).map_err(|_| Status::MEMORY)
    }

    fn require_locking(&self) -> Result<(), Status> {
        let allowed = match self.memory.locking {
            Locking::Nobody => false,
            Locking::Anyone => true,
            Locking::Code(_) => self.session.presented.locking,
        };
        if allowed { Ok(()) } else { Err(Status::SECURITY) }
    }
}
