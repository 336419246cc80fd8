//! What happened, as a node tells it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use touchmark_core::event::{ChannelEvent, Event};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::LeafIndex;

/// An event with its address.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct EventView {
    /// The leaf that says so.
    pub leaf: u64,
    /// Place among the leaf's events, from 0.
    pub index: u16,
    /// Statement id or evidence id, hexadecimal.
    pub submission: String,
    /// What happened.
    #[serde(flatten)]
    pub event: Happening,
}

/// One thing that happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Happening {
    /// A thing has an identity.
    ThingRegistered {
        /// The thing.
        thing: String,
        /// What it stands for.
        kind: String,
        /// Who controls it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        controller: Option<String>,
    },
    /// Attributes were set or removed.
    AttributesChanged {
        /// Whose.
        thing: String,
        /// Set to these values.
        set: BTreeMap<String, String>,
        /// Removed.
        removed: Vec<String>,
    },
    /// Keys were exchanged.
    KeysRotated {
        /// Whose.
        thing: String,
        /// Numbers of keys that are valid from now on.
        added: Vec<u32>,
        /// Numbers of keys that are no longer valid.
        closed: Vec<u32>,
    },
    /// The status changed.
    StatusChanged {
        /// Whose.
        thing: String,
        /// To what.
        status: String,
        /// The application's own reason.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A controller vouches for a thing.
    ThingAccredited {
        /// Who vouches.
        by: String,
        /// For whom.
        thing: String,
        /// As what.
        roles: Vec<String>,
    },
    /// A controller no longer vouches for a thing.
    AccreditationWithdrawn {
        /// Who vouched.
        by: String,
        /// For whom.
        thing: String,
    },
    /// A device wrote data.
    DataRecorded {
        /// Which device.
        thing: String,
    },
    /// Evidence of a thing counted.
    EvidenceTaken {
        /// Which thing.
        thing: String,
        /// Evidence id, hexadecimal.
        evidence: String,
        /// Its format.
        format: String,
        /// Its counter.
        counter: u64,
        /// Who wrapped it; nobody when it came bare.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reader: Option<String>,
    },
    /// Evidence that was known arrived again in a reader's statement.
    EvidenceCorroborated {
        /// Which thing.
        thing: String,
        /// Evidence id, hexadecimal.
        evidence: String,
        /// Leaf where it is first.
        first: u64,
        /// Who wrapped it.
        reader: String,
    },
    /// Evidence of a thing that is not authorised.
    ThingSighted {
        /// Which thing.
        thing: String,
        /// Evidence id, hexadecimal.
        evidence: String,
        /// Why it does not count.
        code: String,
        /// Who wrapped it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reader: Option<String>,
    },
    /// A statement used its place without effect.
    StatementDenied {
        /// Whose.
        issuer: String,
        /// Why.
        code: String,
    },
    /// Two statements at one place of a chain.
    ForkProved {
        /// Whose chain.
        issuer: String,
        /// The first of the two.
        first: u64,
    },
    /// The next committee is known; it takes over at the end of the term.
    CommitteeAppointed {
        /// Its number.
        number: u64,
        /// The first height that it certifies.
        since: u64,
    },
    /// A channel is open.
    ChannelOpened {
        /// Which channel.
        channel: String,
        /// Who opened it.
        author: String,
        /// Who may write, beside the author: `granted` or `anyone`.
        writers: String,
    },
    /// A thing has rights in a channel.
    AccessGranted {
        /// Which channel.
        channel: String,
        /// Which thing.
        thing: String,
        /// All rights that it has now.
        rights: Vec<String>,
    },
    /// A thing has no rights in a channel any more.
    AccessWithdrawn {
        /// Which channel.
        channel: String,
        /// Which thing.
        thing: String,
    },
    /// A channel takes no more entries.
    ChannelClosed {
        /// Which channel.
        channel: String,
    },
    /// A thing wrote an entry into a channel.
    EntryWritten {
        /// Which channel.
        channel: String,
        /// Which thing.
        thing: String,
    },
}

impl EventView {
    /// The event at an address.
    pub fn new(leaf: LeafIndex, index: u16, submission: &Digest, event: &Event) -> Self {
        Self { leaf: leaf.0, index, submission: submission.to_string(), event: event.into() }
    }
}

impl Happening {
    /// The names of all.
    pub const NAMES: [&str; 18] = [
        "thing-registered",
        "attributes-changed",
        "keys-rotated",
        "status-changed",
        "thing-accredited",
        "accreditation-withdrawn",
        "data-recorded",
        "evidence-taken",
        "evidence-corroborated",
        "thing-sighted",
        "statement-denied",
        "fork-proved",
        "committee-appointed",
        "channel-opened",
        "access-granted",
        "access-withdrawn",
        "channel-closed",
        "entry-written",
    ];

    /// Its name in JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ThingRegistered { .. } => "thing-registered",
            Self::AttributesChanged { .. } => "attributes-changed",
            Self::KeysRotated { .. } => "keys-rotated",
            Self::StatusChanged { .. } => "status-changed",
            Self::ThingAccredited { .. } => "thing-accredited",
            Self::AccreditationWithdrawn { .. } => "accreditation-withdrawn",
            Self::DataRecorded { .. } => "data-recorded",
            Self::EvidenceTaken { .. } => "evidence-taken",
            Self::EvidenceCorroborated { .. } => "evidence-corroborated",
            Self::ThingSighted { .. } => "thing-sighted",
            Self::StatementDenied { .. } => "statement-denied",
            Self::ForkProved { .. } => "fork-proved",
            Self::CommitteeAppointed { .. } => "committee-appointed",
            Self::ChannelOpened { .. } => "channel-opened",
            Self::AccessGranted { .. } => "access-granted",
            Self::AccessWithdrawn { .. } => "access-withdrawn",
            Self::ChannelClosed { .. } => "channel-closed",
            Self::EntryWritten { .. } => "entry-written",
        }
    }
}

impl From<&Event> for Happening {
    fn from(event: &Event) -> Self {
        let text = |id: &Option<_>| id.as_ref().map(ToString::to_string);
        let numbers =
            |keys: &[touchmark_wire::ids::KeyNumber]| keys.iter().map(|it| it.0).collect();
        match event {
            Event::ThingRegistered { thing, kind, controller } => Self::ThingRegistered {
                thing: thing.to_string(),
                kind: kind.to_string(),
                controller: text(controller),
            },
            Event::AttributesChanged { thing, set, removed } => Self::AttributesChanged {
                thing: thing.to_string(),
                set: set.iter().cloned().collect(),
                removed: removed.clone(),
            },
            Event::KeysRotated { thing, added, closed } => Self::KeysRotated {
                thing: thing.to_string(),
                added: numbers(added),
                closed: numbers(closed),
            },
            Event::StatusChanged { thing, status, reason } => Self::StatusChanged {
                thing: thing.to_string(),
                status: status.to_string(),
                reason: reason.clone(),
            },
            Event::ThingAccredited { by, thing, roles } => Self::ThingAccredited {
                by: by.to_string(),
                thing: thing.to_string(),
                roles: roles.clone(),
            },
            Event::AccreditationWithdrawn { by, thing } => {
                Self::AccreditationWithdrawn { by: by.to_string(), thing: thing.to_string() }
            }
            Event::DataRecorded { thing } => Self::DataRecorded { thing: thing.to_string() },
            Event::EvidenceTaken { thing, evidence, format, counter, reader } => {
                Self::EvidenceTaken {
                    thing: thing.to_string(),
                    evidence: evidence.to_string(),
                    format: format.to_string(),
                    counter: *counter,
                    reader: text(reader),
                }
            }
            Event::EvidenceCorroborated { thing, evidence, first, reader } => {
                Self::EvidenceCorroborated {
                    thing: thing.to_string(),
                    evidence: evidence.to_string(),
                    first: first.0,
                    reader: reader.to_string(),
                }
            }
            Event::ThingSighted { thing, evidence, code, reader } => Self::ThingSighted {
                thing: thing.to_string(),
                evidence: evidence.to_string(),
                code: code.to_string(),
                reader: text(reader),
            },
            Event::StatementDenied { issuer, code } => {
                Self::StatementDenied { issuer: issuer.to_string(), code: code.to_string() }
            }
            Event::ForkProved { issuer, first } => {
                Self::ForkProved { issuer: issuer.to_string(), first: first.0 }
            }
            Event::CommitteeAppointed { number, since } => {
                Self::CommitteeAppointed { number: number.0, since: since.0 }
            }
            Event::Channel { channel, event } => Self::in_channel(channel.to_string(), event),
        }
    }
}

impl Happening {
    fn in_channel(channel: String, event: &ChannelEvent) -> Self {
        match event {
            ChannelEvent::Opened { author, writers } => Self::ChannelOpened {
                channel,
                author: author.to_string(),
                writers: writers.to_string(),
            },
            ChannelEvent::AccessGranted { thing, rights } => Self::AccessGranted {
                channel,
                thing: thing.to_string(),
                rights: rights.names().map(str::to_owned).collect(),
            },
            ChannelEvent::AccessWithdrawn { thing } => {
                Self::AccessWithdrawn { channel, thing: thing.to_string() }
            }
            ChannelEvent::Closed => Self::ChannelClosed { channel },
            ChannelEvent::EntryWritten { thing } => {
                Self::EntryWritten { channel, thing: thing.to_string() }
            }
        }
    }
}
