//! What happened, in past tense; an event is addressed by (leaf, index within the leaf).

use crate::entry::Rights;
use alloc::string::String;
use alloc::vec::Vec;
use touchmark_wire::ids::{ChannelId, Epoch, EvidenceId, Height, KeyNumber, LeafIndex, ThingId};
use touchmark_wire::registry::{EvidenceFormat, RefusalCode, Status, ThingKind, Writers};

/// One thing that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A thing has an identity.
    ThingRegistered {
        /// The thing.
        thing: ThingId,
        /// What it stands for.
        kind: ThingKind,
        /// Who controls it.
        controller: Option<ThingId>,
    },
    /// Attributes were set or removed.
    AttributesChanged {
        /// Whose.
        thing: ThingId,
        /// Set to these values.
        set: Vec<(String, String)>,
        /// Removed.
        removed: Vec<String>,
    },
    /// Keys were exchanged.
    KeysRotated {
        /// Whose.
        thing: ThingId,
        /// Valid from now on.
        added: Vec<KeyNumber>,
        /// No longer valid.
        closed: Vec<KeyNumber>,
    },
    /// The status changed.
    StatusChanged {
        /// Whose.
        thing: ThingId,
        /// To what.
        status: Status,
        /// The application's own reason.
        reason: Option<String>,
    },
    /// A controller vouches for a thing.
    ThingAccredited {
        /// Who vouches.
        by: ThingId,
        /// For whom.
        thing: ThingId,
        /// As what.
        roles: Vec<String>,
    },
    /// A controller no longer vouches for a thing.
    AccreditationWithdrawn {
        /// Who vouched.
        by: ThingId,
        /// For whom.
        thing: ThingId,
    },
    /// A device wrote data.
    DataRecorded {
        /// Which device.
        thing: ThingId,
    },
    /// Evidence of a thing counted.
    EvidenceTaken {
        /// Which thing.
        thing: ThingId,
        /// Which evidence.
        evidence: EvidenceId,
        /// Its format.
        format: EvidenceFormat,
        /// Its counter.
        counter: u64,
        /// Who wrapped it; nobody when it came bare.
        reader: Option<ThingId>,
    },
    /// Evidence that was known arrived again in a reader's statement.
    EvidenceCorroborated {
        /// Which thing.
        thing: ThingId,
        /// Which evidence.
        evidence: EvidenceId,
        /// Where it is first.
        first: LeafIndex,
        /// Who wrapped it.
        reader: ThingId,
    },
    /// Evidence of a thing that is not authorised.
    ThingSighted {
        /// Which thing.
        thing: ThingId,
        /// Which evidence.
        evidence: EvidenceId,
        /// Why it does not count.
        code: RefusalCode,
        /// Who wrapped it.
        reader: Option<ThingId>,
    },
    /// A statement used its place without effect.
    StatementDenied {
        /// Whose.
        issuer: ThingId,
        /// Why.
        code: RefusalCode,
    },
    /// Two statements at one place of a chain.
    ForkProved {
        /// Whose chain.
        issuer: ThingId,
        /// The first of the two.
        first: LeafIndex,
    },
    /// The next committee is known; it takes over at the end of the term.
    CommitteeAppointed {
        /// Its number.
        number: Epoch,
        /// The first height that it certifies.
        since: Height,
    },
    /// Something happened in or to a channel.
    Channel {
        /// Which channel.
        channel: ChannelId,
        /// What.
        event: ChannelEvent,
    },
}

/// One thing that happened in or to a channel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ChannelEvent {
    /// It is open.
    Opened {
        /// Who opened it.
        author: ThingId,
        /// Who may write, beside the author.
        writers: Writers,
    },
    /// A thing has rights in it.
    AccessGranted {
        /// Which thing.
        thing: ThingId,
        /// All rights that it has now.
        rights: Rights,
    },
    /// A thing has no rights in it any more.
    AccessWithdrawn {
        /// Which thing.
        thing: ThingId,
    },
    /// It takes no more entries.
    Closed,
    /// A thing wrote an entry into it.
    EntryWritten {
        /// Which thing.
        thing: ThingId,
    },
}

impl ChannelEvent {
    /// The event of a channel.
    pub const fn of(self, channel: ChannelId) -> Event {
        Event::Channel { channel, event: self }
    }
}
