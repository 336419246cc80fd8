//! Channels: audit trails into which many write, each in a chain of its own there.
//!
//! A channel is opened by its author, who says who may write. Entries are records and wrapped
//! evidence whose link names the channel; everything else is stated in the issuer's main chain.
//! A channel's history has what its author states about it and what those who may write there
//! state in it; what others say in it is counted apart (docs/adr/0013-public-channels.md).

pub mod access;
pub mod opening;

use crate::entry::{Channel, Rights};
use crate::refusal::Refusal;
use touchmark_wire::ids::ThingId;
use touchmark_wire::registry::{RefusalCode, StatementKind};

/// Whether statements of this kind are entries; all others are stated in main chains only.
pub(crate) const fn takes(kind: StatementKind) -> bool {
    matches!(kind, StatementKind::RECORD | StatementKind::EVIDENCE)
}

/// Why a thing with these rights may not write into a channel.
pub(crate) fn refuses_writer(channel: &Channel, thing: ThingId, rights: Rights) -> Option<Refusal> {
    if channel.closed.is_some() {
        return Some(Refusal::new(RefusalCode::CLOSED, "the channel is closed"));
    }
    (!channel.has_writer(thing, rights)).then(|| {
        let cause = "the issuer may not write into the channel";
        Refusal::new(RefusalCode::NOT_AUTHORISED, cause)
    })
}
