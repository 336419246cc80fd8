//! A reader at work: it signs what cards present, keeps it, and sends it in order.

use crate::cli::failure::{Failure, Fault};
use crate::cli::identity::folder::Identity;
use crate::cli::identity::locking::locked_out;
use crate::cli::identity::signing::{self, Delivery, Proposal, Signing};
use crate::cli::session::Session;
use touchmark_api::client::Client;
use touchmark_core::directory::status::SetStatus;
use touchmark_core::entry::Purposes;
use touchmark_core::evidence::{Context, WrappedEvidence};
use touchmark_keys::software::SoftwareKey;
use touchmark_wire::codec;
use touchmark_wire::ids::KeyNumber;
use touchmark_wire::limits;
use touchmark_wire::registry::{ContentFormat, EvidenceFormat, StatementKind, Status};
use touchmark_wire::statement::Statement;

/// A reader's identity, and its keys while it is not locked.
pub(super) struct Station {
    client: Client,
    identity: Identity,
    keys: Vec<(KeyNumber, SoftwareKey)>,
}

/// What a card presented, with what the reader adds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Tap {
    pub(super) url: String,
    /// SenML in JSON: where, when, the reader's own measurements.
    pub(super) context: Option<String>,
}

impl Station {
    /// The reader of this command, locked or not. The node need not answer.
    pub(super) fn open(session: &mut Session<'_, '_>, signing: &Signing) -> Result<Self, Failure> {
        let client = session.client()?;
        let identity = signing.open_even_locked(session)?;
        let keys = if identity.has_keys() {
            signing.keys(session, &identity, Purposes::GENERAL)?
        } else {
            Vec::new()
        };
        Ok(Self { client, identity, keys })
    }

    /// Why the reader is locked, if it is. Another process may have locked it.
    pub(super) fn locked(&self) -> Result<Option<String>, Failure> {
        self.identity.locked()
    }

    /// Locks: nothing that cards present is signed from here on, whatever happens next.
    pub(super) fn lock(&self, session_home: &std::path::Path, reason: &str) -> Result<(), Failure> {
        crate::cli::identity::locking::lock(session_home, &self.identity.name, reason)
    }

    /// What a lock still leaves to do, from wherever a crash ended it: the alert is signed once and
    /// kept, then the keys are destroyed.
    pub(super) fn finish_alert(&mut self) -> Result<(), Failure> {
        let Some(reason) = self.locked()? else { return Ok(()) };
        if !self.keys.is_empty() && !self.alert_waits() {
            let thing = self.identity.thing()?;
            let alert =
                SetStatus { thing, status: Status::TAMPERED, reason: Some(reason), keys: None };
            self.keep(&Proposal::new(StatementKind::STATUS, &codec::encode(&alert)))?;
        }
        self.keys.clear();
        if self.identity.has_keys() {
            self.identity.destroy_keys()?;
        }
        Ok(())
    }

    /// Whether the last statement that waits is the alert.
    fn alert_waits(&self) -> bool {
        self.identity.newest().is_some_and(is_alert)
    }

    /// Signs what a card presented and keeps it.
    pub(super) fn pass_on(&mut self, tap: &Tap) -> Result<(), Failure> {
        if let Some(reason) = self.locked()? {
            return Err(locked_out(&self.identity.name, &reason));
        }
        let context = tap
            .context
            .as_ref()
            .map(|text| Context { format: ContentFormat::SENML_JSON, data: text.as_bytes() });
        let wrapped = WrappedEvidence {
            format: EvidenceFormat::CARD_URL,
            bytes: tap.url.as_bytes(),
            context,
        };
        self.keep(&Proposal::new(StatementKind::EVIDENCE, &codec::encode(&wrapped)))
    }

    /// Sends what a card presented as anybody could, without this reader's word.
    pub(super) fn pass_on_bare(&self, tap: &Tap) -> Result<(), Failure> {
        let sent = self.client.submit_evidence(EvidenceFormat::CARD_URL, tap.url.as_bytes());
        sent.map(drop).map_err(Failure::from)
    }

    fn keep(&mut self, proposal: &Proposal<'_>) -> Result<(), Failure> {
        if self.keys.is_empty() {
            return Err(Failure::new(Fault::Locked, "this reader has no key"));
        }
        signing::keep(&mut self.identity, &self.keys, proposal).map(drop)
    }

    /// Sends the oldest statement that waits. What the network has refused for good, because the
    /// reader was revoked meanwhile, is forgotten: it can never arrive.
    pub(super) fn deliver(&mut self) -> Result<Delivery, Failure> {
        match signing::deliver_oldest(&self.client, &mut self.identity) {
            Err(failure) if is_revoked(&failure) && self.locked()?.is_some() => {
                self.identity.discard()?;
                Ok(Delivery::Denied(failure))
            }
            delivery => delivery,
        }
    }

    /// Sends all that waits, without patience; says what of it has no effect.
    pub(super) fn deliver_all(&mut self) -> Result<Vec<Failure>, Failure> {
        let mut denied = Vec::new();
        loop {
            match self.deliver()? {
                Delivery::Nothing => return Ok(denied),
                Delivery::Arrived(_) => {}
                Delivery::Denied(failure) => denied.push(failure),
                Delivery::Later(failure) => return Err(failure),
            }
        }
    }

    pub(super) fn waiting(&self) -> usize {
        self.identity.waiting()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting() == 0
    }
}

/// The network takes no more from this reader.
fn is_revoked(failure: &Failure) -> bool {
    use touchmark_wire::registry::RefusalCode;
    let codes = [RefusalCode::REVOKED, RefusalCode::KEY_NOT_VALID];
    codes.iter().any(|code| failure.code == code.to_string())
}

fn is_alert(bytes: &[u8]) -> bool {
    let Ok(statement) = Statement::parse(bytes) else { return false };
    let change: Result<SetStatus, _> = codec::decode(statement.payload(), limits::STATEMENT);
    statement.protected().link.kind == StatementKind::STATUS
        && change.is_ok_and(|change| {
            change.status == Status::TAMPERED && change.thing == statement.protected().kid.thing
        })
}
