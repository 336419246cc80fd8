//! Statements that are signed at once and sent when the node is there.

use crate::cli::failure::{Failure, Fault};
use crate::cli::identity::folder::Identity;
use crate::cli::identity::signing::{self, Delivery, Proposal, Signing};
use crate::cli::session::Session;
use touchmark_api::client::Client;
use touchmark_core::entry::Purposes;
use touchmark_keys::software::SoftwareKey;
use touchmark_wire::ids::{Did, KeyNumber};
use touchmark_wire::registry::{ContentFormat, StatementKind};
use touchmark_wire::statement::Content;

/// An identity that goes on stating while its node may be away.
pub(super) struct Publication {
    client: Client,
    identity: Identity,
    keys: Vec<(KeyNumber, SoftwareKey)>,
    sent: Sent,
    /// What was said last: a change is said once.
    link: Link,
}

/// What became of what was signed.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Sent {
    /// How many statements stand in the log.
    pub(super) delivered: u64,
    /// Where the last of them stands.
    pub(super) last: Option<u64>,
    /// How many stand in the log without effect.
    pub(super) denied: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Link {
    Up,
    /// The node does not answer.
    Away,
    /// Nothing more is taken until it does.
    Full,
}

impl Publication {
    pub(super) fn open(session: &mut Session<'_, '_>, signing: &Signing) -> Result<Self, Failure> {
        let client = session.client()?;
        let identity = signing.open(session)?;
        let keys = signing.keys(session, &identity, Purposes::RECORD)?;
        Ok(Self { client, identity, keys, sent: Sent::default(), link: Link::Up })
    }

    /// Who states.
    pub(super) fn did(&self) -> Result<Did, Failure> {
        super::did(&self.identity.state.thing, &self.identity.state.network)
    }

    pub(super) const fn sent(&self) -> Sent {
        self.sent
    }

    pub(super) fn waiting(&self) -> usize {
        self.identity.waiting()
    }

    /// Signs a record behind what waits and puts it on the disk; tells whether there was room.
    pub(super) fn keep(
        &mut self,
        session: &mut Session<'_, '_>,
        format: ContentFormat,
        payload: &[u8],
    ) -> Result<bool, Failure> {
        let content = Content::Inline(format);
        let proposal = Proposal { content, ..Proposal::new(StatementKind::RECORD, payload) };
        match signing::keep(&mut self.identity, &self.keys, &proposal) {
            Ok(_) => Ok(true),
            // Nothing was signed away: the place is free until the bytes are on the disk.
            Err(failure) if failure.code == Fault::OutboxFull.code() => {
                self.turn(session, Link::Full, &failure);
                Ok(false)
            }
            Err(failure) => Err(failure),
        }
    }

    /// Sends what waits, the oldest first, as far as the node takes it.
    pub(super) fn send(&mut self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        loop {
            match signing::deliver_oldest(&self.client, &mut self.identity)? {
                Delivery::Nothing => return Ok(()),
                Delivery::Arrived(written) => {
                    self.sent.delivered += 1;
                    self.sent.last = written.position;
                    if self.link != Link::Up {
                        session.say(&format!("the node answers again; {} wait", self.waiting()));
                    }
                    self.link = Link::Up;
                }
                Delivery::Denied(failure) => {
                    self.sent.denied += 1;
                    session.say(&failure.to_string());
                }
                Delivery::Later(failure) => {
                    if self.link == Link::Up {
                        self.turn(session, Link::Away, &failure);
                    }
                    return Ok(());
                }
            }
        }
    }

    fn turn(&mut self, session: &mut Session<'_, '_>, link: Link, failure: &Failure) {
        if self.link != link {
            let why = failure.why.as_deref().unwrap_or_default();
            session.say(&format!("{}: {why}; measurements wait in the outbox", failure.what));
        }
        self.link = link;
    }
}
