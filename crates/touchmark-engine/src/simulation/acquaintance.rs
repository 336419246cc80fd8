//! Who is connected with whom: on the real network two members have to know each other, and one of
//! them has to call.

use crate::keys::PublicKey;
use crate::succession::Peering;
use commonware_utils::ordered::Set;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use touchmark_batch::Member;

/// Whom each member knows.
#[derive(Clone, Default)]
pub(super) struct Acquaintances(Arc<Mutex<BTreeMap<Member, Known>>>);

/// Whom one knows.
#[derive(Clone)]
struct Known {
    me: PublicKey,
    /// Whom it calls.
    called: Set<PublicKey>,
    /// Who may call it.
    accepted: Set<PublicKey>,
}

impl Acquaintances {
    /// Where one member writes whom it knows.
    pub(super) fn of(&self, member: Member, me: PublicKey) -> Acquaintance {
        Acquaintance { all: self.clone(), member, me }
    }

    /// It runs no more.
    pub(super) fn forget(&self, member: Member) {
        self.lock().remove(&member);
    }

    /// Whether these two are connected.
    pub(super) fn are(&self, one: Member, other: Member) -> bool {
        let known = self.lock();
        let (Some(one), Some(other)) = (known.get(&one), known.get(&other)) else { return false };
        one.knows(other) && other.knows(one) && (one.calls(other) || other.calls(one))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Member, Known>> {
        // An entry is replaced whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn calls(&self, other: &Self) -> bool {
        self.called.position(&other.me).is_some()
    }

    fn knows(&self, other: &Self) -> bool {
        self.calls(other) || self.accepted.position(&other.me).is_some()
    }
}

/// One member's part.
pub(super) struct Acquaintance {
    all: Acquaintances,
    member: Member,
    me: PublicKey,
}

impl Peering for Acquaintance {
    fn track(&mut self, _set: u64, called: Set<PublicKey>, accepted: Set<PublicKey>) {
        let known = Known { me: self.me.clone(), called, accepted };
        self.all.lock().insert(self.member, known);
    }
}
