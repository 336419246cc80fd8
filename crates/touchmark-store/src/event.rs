//! What happened, by leaf, and the events' stored form.
//!
//! ```text
//! event   a run ([`crate::run`]) of [submission, [thing in whose history it is, …],
//!         [mentioned thing, …], [event, …], ?0 (history) | ?1 (mention), ?channel]
//! ```
//! An event is a deterministic CBOR array: its number, then its fields in the order of
//! [`touchmark_core::event::Event`]. Stored events are derived: a rebuild writes them anew.

use crate::database::{Table, Write};
use crate::error::Error;
use crate::run;
use crate::snapshot::Snapshot;
use minicbor::{Decode, Decoder, Encode, Encoder};
use touchmark_core::event::{ChannelEvent, Event};
use touchmark_core::view::InChannel;
use touchmark_ledger::{Execution, Happened};
use touchmark_wire::codec;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{ChannelId, LeafIndex, ThingId};

/// Address of an event: its leaf and its place among the leaf's events.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct EventAddress {
    /// The leaf.
    pub leaf: LeafIndex,
    /// Place among the leaf's events, from 0.
    pub index: u16,
}

impl EventAddress {
    /// Where to go on after this event.
    #[must_use]
    pub const fn next(self) -> Self {
        Self { leaf: self.leaf, index: self.index + 1 }
    }
}

pub(crate) fn write(write: &mut Write<'_>, execution: &Execution) {
    let records = execution.happened.iter().map(|happened| {
        let events: Vec<_> = happened.events.iter().map(Stored).collect();
        let Happened { leaf, submission, about, mentioned, .. } = happened;
        let encoded = match happened.channel {
            None => codec::encode(&(submission, about, mentioned, events)),
            Some(InChannel::History(channel)) => {
                codec::encode(&(submission, about, mentioned, events, 0u8, channel))
            }
            Some(InChannel::Mention(channel)) => {
                codec::encode(&(submission, about, mentioned, events, 1u8, channel))
            }
        };
        (leaf.0, encoded)
    });
    run::write(write, Table::Event, records);
}

impl Snapshot {
    /// What a leaf says happened; `None` for a batch leaf and above the tip.
    pub fn happened(&self, leaf: LeafIndex) -> Result<Option<Happened>, Error> {
        let stored = self.database().in_run(Table::Event, leaf.0)?;
        stored.map(|stored| read(leaf, &stored)).transpose()
    }

    /// What happened in the leaves from `from` on, in order.
    pub fn happened_from(
        &self,
        from: LeafIndex,
    ) -> impl Iterator<Item = Result<Happened, Error>> + use<> {
        self.database().runs_from(Table::Event, from.0).map(|stored| {
            let (leaf, stored) = stored?;
            read(LeafIndex(leaf), &stored)
        })
    }

    /// Events from an address on (inclusive), in order.
    pub fn events_from(
        &self,
        from: EventAddress,
    ) -> impl Iterator<Item = Result<(EventAddress, Event), Error>> + use<> {
        let addressed = |happened: Happened| {
            let leaf = happened.leaf;
            (0..)
                .zip(happened.events)
                .map(move |(index, event)| (EventAddress { leaf, index }, event))
        };
        self.happened_from(from.leaf)
            .flat_map(move |happened| match happened {
                Ok(happened) => addressed(happened).map(Ok).collect(),
                Err(error) => vec![Err(error)],
            })
            .filter(move |event| !matches!(event, Ok((address, _)) if *address < from))
    }
}

fn read(leaf: LeafIndex, stored: &[u8]) -> Result<Happened, Error> {
    record(leaf, &mut Decoder::new(stored)).map_err(|_| Error::Corrupt("list of events"))
}

fn record(leaf: LeafIndex, d: &mut Decoder<'_>) -> Result<Happened, minicbor::decode::Error> {
    let length = d.array()?;
    let (submission, about, mentioned): (Digest, Vec<ThingId>, Vec<ThingId>) =
        (d.decode()?, d.decode()?, d.decode()?);
    let events: Vec<Read> = d.decode()?;
    let events = events.into_iter().map(|Read(event)| event).collect();
    let channel = match length {
        Some(4) => None,
        Some(6) => Some(match d.u8()? {
            0 => InChannel::History(d.decode()?),
            1 => InChannel::Mention(d.decode()?),
            _ => return Err(minicbor::decode::Error::message("no such place in a channel")),
        }),
        _ => return Err(minicbor::decode::Error::message("not a list of events")),
    };
    Ok(Happened { leaf, submission, events, about, mentioned, channel })
}

/// Numbers of the events in their stored form; never used again for another.
mod kind {
    pub(super) const THING_REGISTERED: u8 = 1;
    pub(super) const ATTRIBUTES_CHANGED: u8 = 2;
    pub(super) const KEYS_ROTATED: u8 = 3;
    pub(super) const STATUS_CHANGED: u8 = 4;
    pub(super) const THING_ACCREDITED: u8 = 5;
    pub(super) const ACCREDITATION_WITHDRAWN: u8 = 6;
    pub(super) const DATA_RECORDED: u8 = 7;
    pub(super) const EVIDENCE_TAKEN: u8 = 8;
    pub(super) const EVIDENCE_CORROBORATED: u8 = 9;
    pub(super) const THING_SIGHTED: u8 = 10;
    pub(super) const STATEMENT_DENIED: u8 = 11;
    pub(super) const FORK_PROVED: u8 = 12;
    pub(super) const CHANNEL_OPENED: u8 = 13;
    pub(super) const ACCESS_GRANTED: u8 = 14;
    pub(super) const ACCESS_WITHDRAWN: u8 = 15;
    pub(super) const CHANNEL_CLOSED: u8 = 16;
    pub(super) const ENTRY_WRITTEN: u8 = 17;
    pub(super) const COMMITTEE_APPOINTED: u8 = 18;
}

/// An event to be encoded.
struct Stored<'a>(&'a Event);

impl<C> Encode<C> for Stored<'_> {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        match self.0 {
            Event::ThingRegistered { thing, kind, controller } => {
                e.encode((kind::THING_REGISTERED, thing, kind, controller))
            }
            Event::AttributesChanged { thing, set, removed } => {
                e.encode((kind::ATTRIBUTES_CHANGED, thing, set, removed))
            }
            Event::KeysRotated { thing, added, closed } => {
                e.encode((kind::KEYS_ROTATED, thing, added, closed))
            }
            Event::StatusChanged { thing, status, reason } => {
                e.encode((kind::STATUS_CHANGED, thing, status, reason))
            }
            Event::ThingAccredited { by, thing, roles } => {
                e.encode((kind::THING_ACCREDITED, by, thing, roles))
            }
            Event::AccreditationWithdrawn { by, thing } => {
                e.encode((kind::ACCREDITATION_WITHDRAWN, by, thing))
            }
            Event::DataRecorded { thing } => e.encode((kind::DATA_RECORDED, thing)),
            Event::EvidenceTaken { thing, evidence, format, counter, reader } => {
                e.encode((kind::EVIDENCE_TAKEN, thing, evidence, format, counter, reader))
            }
            Event::EvidenceCorroborated { thing, evidence, first, reader } => {
                e.encode((kind::EVIDENCE_CORROBORATED, thing, evidence, first, reader))
            }
            Event::ThingSighted { thing, evidence, code, reader } => {
                e.encode((kind::THING_SIGHTED, thing, evidence, code, reader))
            }
            Event::StatementDenied { issuer, code } => {
                e.encode((kind::STATEMENT_DENIED, issuer, code))
            }
            Event::ForkProved { issuer, first } => e.encode((kind::FORK_PROVED, issuer, first)),
            Event::CommitteeAppointed { number, since } => {
                e.encode((kind::COMMITTEE_APPOINTED, number, since))
            }
            Event::Channel { channel, event } => encode_in_channel(e, *channel, event),
        }?
        .ok()
    }
}

fn encode_in_channel<'e, W: minicbor::encode::Write>(
    e: &'e mut Encoder<W>,
    channel: ChannelId,
    event: &ChannelEvent,
) -> Result<&'e mut Encoder<W>, minicbor::encode::Error<W::Error>> {
    match event {
        ChannelEvent::Opened { author, writers } => {
            e.encode((kind::CHANNEL_OPENED, channel, author, writers))
        }
        ChannelEvent::AccessGranted { thing, rights } => {
            e.encode((kind::ACCESS_GRANTED, channel, thing, rights))
        }
        ChannelEvent::AccessWithdrawn { thing } => {
            e.encode((kind::ACCESS_WITHDRAWN, channel, thing))
        }
        ChannelEvent::Closed => e.encode((kind::CHANNEL_CLOSED, channel)),
        ChannelEvent::EntryWritten { thing } => e.encode((kind::ENTRY_WRITTEN, channel, thing)),
    }
}

fn decode_in_channel(kind: u8, d: &mut Decoder<'_>) -> Result<Event, minicbor::decode::Error> {
    let channel: ChannelId = d.decode()?;
    let event = match kind {
        kind::CHANNEL_OPENED => ChannelEvent::Opened { author: d.decode()?, writers: d.decode()? },
        kind::ACCESS_GRANTED => {
            ChannelEvent::AccessGranted { thing: d.decode()?, rights: d.decode()? }
        }
        kind::ACCESS_WITHDRAWN => ChannelEvent::AccessWithdrawn { thing: d.decode()? },
        kind::CHANNEL_CLOSED => ChannelEvent::Closed,
        _ => ChannelEvent::EntryWritten { thing: d.decode()? },
    };
    Ok(event.of(channel))
}

/// A decoded event.
struct Read(Event);

impl<'b, C> Decode<'b, C> for Read {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        d.array()?;
        let event = match d.u8()? {
            kind::THING_REGISTERED => Event::ThingRegistered {
                thing: d.decode()?,
                kind: d.decode()?,
                controller: d.decode()?,
            },
            kind::ATTRIBUTES_CHANGED => Event::AttributesChanged {
                thing: d.decode()?,
                set: d.decode()?,
                removed: d.decode()?,
            },
            kind::KEYS_ROTATED => {
                Event::KeysRotated { thing: d.decode()?, added: d.decode()?, closed: d.decode()? }
            }
            kind::STATUS_CHANGED => Event::StatusChanged {
                thing: d.decode()?,
                status: d.decode()?,
                reason: d.decode()?,
            },
            kind::THING_ACCREDITED => {
                Event::ThingAccredited { by: d.decode()?, thing: d.decode()?, roles: d.decode()? }
            }
            kind::ACCREDITATION_WITHDRAWN => {
                Event::AccreditationWithdrawn { by: d.decode()?, thing: d.decode()? }
            }
            kind::DATA_RECORDED => Event::DataRecorded { thing: d.decode()? },
            kind::EVIDENCE_TAKEN => Event::EvidenceTaken {
                thing: d.decode()?,
                evidence: d.decode()?,
                format: d.decode()?,
                counter: d.decode()?,
                reader: d.decode()?,
            },
            kind::EVIDENCE_CORROBORATED => Event::EvidenceCorroborated {
                thing: d.decode()?,
                evidence: d.decode()?,
                first: d.decode()?,
                reader: d.decode()?,
            },
            kind::THING_SIGHTED => Event::ThingSighted {
                thing: d.decode()?,
                evidence: d.decode()?,
                code: d.decode()?,
                reader: d.decode()?,
            },
            kind::STATEMENT_DENIED => {
                Event::StatementDenied { issuer: d.decode()?, code: d.decode()? }
            }
            kind::FORK_PROVED => Event::ForkProved { issuer: d.decode()?, first: d.decode()? },
            kind::COMMITTEE_APPOINTED => {
                Event::CommitteeAppointed { number: d.decode()?, since: d.decode()? }
            }
            kind @ kind::CHANNEL_OPENED..=kind::ENTRY_WRITTEN => decode_in_channel(kind, d)?,
            _ => return Err(minicbor::decode::Error::message("not an event")),
        };
        Ok(Self(event))
    }
}
