//! How a member cuts another one off.

use crate::keys::PublicKey;
use commonware_actor::Feedback;
use commonware_p2p::simulated::Control;
use commonware_p2p::{BlockedSubscription, Blocker};
use commonware_runtime::deterministic::Context;

/// What happens when a part of a member finds that another member misbehaves.
#[derive(Clone)]
pub(super) enum Barrier {
    /// The connection is closed.
    Closing(Control<PublicKey, Context>),
    /// Nothing: a twin hears answers to what the other one asked, which it must not resent.
    Open(Control<PublicKey, Context>),
}

impl Blocker for Barrier {
    type PublicKey = PublicKey;

    fn block(&mut self, peer: PublicKey) -> Feedback {
        match self {
            Self::Closing(control) => control.block(peer),
            Self::Open(_) => Feedback::Ok,
        }
    }

    fn blocked(&mut self) -> BlockedSubscription<PublicKey> {
        let (Self::Closing(control) | Self::Open(control)) = self;
        control.blocked()
    }
}
