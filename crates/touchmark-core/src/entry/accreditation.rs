//! One thing's word for another, with the times at which it held.

use alloc::string::String;
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use touchmark_wire::codec;
use touchmark_wire::ids::LeafIndex;
use touchmark_wire::limits;

/// One thing's word for another: the times at which it was given, each with its roles.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
#[cbor(array)]
pub struct Accreditation {
    /// Times that do not overlap, the latest last; only the last can be without end. At most
    /// [`Accreditation::PERIODS`], and no more than an entry holds.
    #[n(0)]
    pub periods: Vec<Period>,
    /// Up to and including this leaf the entry no longer tells: older periods were dropped.
    #[n(1)]
    pub forgotten: Option<LeafIndex>,
}

/// A time during which a word held in the same roles.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Period {
    /// What for, in the words of who vouches (`control-center`, `reader`, `laboratory`).
    #[n(0)]
    pub roles: Vec<String>,
    /// Leaf that gave it; it holds from the next leaf on.
    #[n(1)]
    pub from: LeafIndex,
    /// Leaf that took it back or gave it other roles: the last that it holds for.
    #[n(2)]
    pub to: Option<LeafIndex>,
}

/// What an accreditation tells of a position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WordThen<'a> {
    /// It was never given before.
    Never,
    /// It held.
    Given(&'a Period),
    /// It had been given before, and taken back.
    Withdrawn,
    /// The entry keeps the last [`Accreditation::PERIODS`] periods, and this was before them: it is
    /// not known from the state alone.
    Forgotten,
}

impl Accreditation {
    /// Most periods that the entry remembers.
    pub const PERIODS: usize = 16;

    /// The word that holds now.
    pub fn present(&self) -> Option<&Period> {
        self.periods.last().filter(|period| period.to.is_none())
    }

    /// The word that held for a leaf at `position`.
    pub fn at(&self, position: LeafIndex) -> WordThen<'_> {
        let given = self.periods.iter().rev().find(|period| period.from < position);
        match given {
            Some(period) if period.to.is_none_or(|to| position <= to) => WordThen::Given(period),
            Some(_) => WordThen::Withdrawn,
            None if self.forgotten.is_some_and(|end| position <= end) => WordThen::Forgotten,
            None if self.forgotten.is_some() => WordThen::Withdrawn,
            None => WordThen::Never,
        }
    }

    /// Gives the word from a leaf on. To give it again in the same roles changes nothing, so what
    /// happened under it keeps its authority.
    pub(crate) fn give(&mut self, roles: Vec<String>, at: LeafIndex) {
        if self.present().is_some_and(|period| period.roles == roles) {
            return;
        }
        self.withdraw(at);
        self.periods.push(Period { roles, from: at, to: None });
        while self.periods.len() > Self::PERIODS
            || codec::encode(&*self).len() > limits::STATE_VALUE
        {
            self.forgotten = self.periods.remove(0).to;
        }
    }

    /// Takes the word back from a leaf on; what held for no leaf at all leaves nothing.
    pub(crate) fn withdraw(&mut self, at: LeafIndex) {
        match self.periods.last_mut() {
            Some(period) if period.to.is_none() && period.from == at => {
                self.periods.pop();
            }
            Some(period) => {
                period.to.get_or_insert(at);
            }
            None => {}
        }
    }
}
