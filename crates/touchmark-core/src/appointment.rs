//! Appointment: a quorum of the committee in office names the one that comes after it.
//!
//! Heights are divided into terms ([`touchmark_wire::limits::TERM`]), and the committee changes only
//! between two of them. Who certifies a height follows from the state as any batch of the terms
//! before it left it, so nothing happens at the boundary itself: [`in_office`] reads the entry of the
//! committee that was appointed last and compares its first height.

use crate::admission::{SingleVerifier, Verifier};
use crate::entry::{Appointed, Entry, Purposes};
use crate::event::Event;
use crate::refusal::{Refusal, Unreadable};
use crate::rules::{Action, Family, Stop};
use crate::view::{Draft, Read, View};
use alloc::sync::Arc;
use touchmark_wire::genesis::{Committee, CommitteeError};
use touchmark_wire::handover::{self, Appointment, HandoverError};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Epoch, Height};
use touchmark_wire::registry::{RefusalCode, StatementKind};
use touchmark_wire::state::StateKey;

pub(crate) const FAMILY: Family = Family {
    kind: StatementKind::APPOINT,
    // Who carries it does not matter: its authority are the approvals within.
    purpose: Purposes::RECORD,
    while_paused: false,
    in_group: false,
    reads_payload: true,
    apply,
};

/// Who certifies the batch at `height`, as the state says that is before it, or after it. What
/// comes after the present term may still change.
pub fn in_office(view: &dyn View, height: Height) -> Result<Arc<Committee>, Unreadable> {
    let mut held = last(view)?;
    while let Some(Appointed { committee, since, .. }) = held {
        if since <= height {
            return Ok(Arc::new(committee));
        }
        held = appointed(view, predecessor(&committee)?)?;
    }
    view.genesis_committee()
}

/// Who was appointed and is not in office at `height`, with the first height that it certifies.
pub fn waiting(view: &dyn View, height: Height) -> Result<Option<Appointed>, Unreadable> {
    Ok(last(view)?.filter(|last| last.since > height))
}

/// The committee with this number, if there has been one or it was appointed.
pub fn numbered(view: &dyn View, number: Epoch) -> Result<Option<Arc<Committee>>, Unreadable> {
    let genesis = view.genesis_committee()?;
    if genesis.epoch == number {
        return Ok(Some(genesis));
    }
    let found = appointed(view, number)?;
    Ok(found.map(|found| Arc::new(found.committee)))
}

/// The appointment of the committee with this number, from which a verifier is led on: who, since
/// when, and the leaf that has the approvals. None of genesis'.
pub fn appointed(view: &dyn View, number: Epoch) -> Result<Option<Appointed>, Unreadable> {
    let last = last(view)?.filter(|last| last.committee.epoch >= number);
    match last {
        Some(last) if last.committee.epoch == number => Ok(Some(last)),
        Some(_) => {
            let key = StateKey::former_committee(view.network(), number);
            Ok(view.appointed(&key)?.map(|former| former.copied()))
        }
        None => Ok(None),
    }
}

fn last(view: &dyn View) -> Result<Option<Appointed>, Unreadable> {
    let key = StateKey::committee(view.network());
    Ok(view.appointed(&key)?.map(|last| last.copied()))
}

/// The number of the committee before an appointed one.
fn predecessor(appointed: &Committee) -> Result<Epoch, Unreadable> {
    appointed.epoch.0.checked_sub(1).map(Epoch).ok_or(Unreadable)
}

/// An appointment whose approvals are those of a committee, in force or not.
#[derive(Clone, Debug)]
pub struct VerifiedAppointment {
    /// Who is to certify.
    committee: Committee,
    /// Digest of the committee that approved.
    by: Digest,
}

/// An appointment in a payload, before its signatures are checked, with the committee whose
/// approvals it needs.
pub(crate) struct Proposed<'a> {
    payload: Appointment<'a>,
    committee: Committee,
    by: Arc<Committee>,
}

impl<'a> Proposed<'a> {
    /// Reads a payload. Whose approvals it needs follows from the committee's number, so it does not
    /// depend on a height.
    pub(crate) fn read(payload: &'a [u8], view: &dyn View) -> Result<Self, Refusal> {
        let shape = |_| Refusal::new(RefusalCode::PAYLOAD, "the payload is not an appointment");
        let payload = Appointment::decode(payload).map_err(shape)?;
        let committee = Committee::decode(payload.committee).map_err(|_| {
            let cause = "the appointment does not have a committee within its limits";
            Refusal::new(RefusalCode::PAYLOAD, cause)
        })?;
        let number = committee.epoch.0.checked_sub(1).map(Epoch);
        let by = number.map(|number| numbered(view, number)).transpose()?.flatten();
        let by = by.ok_or_else(|| {
            let cause = "there is no committee with the number before this one's";
            Refusal::new(RefusalCode::OTHER_COMMITTEE, cause)
        })?;
        Ok(Self { payload, committee, by })
    }

    /// Digest of the committee whose approvals it needs.
    pub(crate) fn by(&self) -> Digest {
        self.by.digest()
    }

    /// Checks the approvals one after the other, so a bad one ends it, then the committee: of what a
    /// quorum did not approve, no more is looked at.
    pub(crate) fn verify(
        &self,
        view: &dyn View,
        verifier: &dyn Verifier,
    ) -> Result<VerifiedAppointment, Refusal> {
        let (approvals, network) = (&self.payload.approvals, view.network());
        let verifier = SingleVerifier(verifier);
        handover::verify_approvals(approvals, network, &self.by, &self.committee, &verifier)
            .map_err(unapproved)?;
        self.committee.check().map_err(unsound)?;
        Ok(VerifiedAppointment { committee: self.committee.clone(), by: self.by() })
    }
}

fn unsound(error: CommitteeError) -> Refusal {
    let cause = match error {
        CommitteeError::Count => "a committee has 1 to 16 validators",
        CommitteeError::Threshold => "the threshold is not the quorum of the validators",
        CommitteeError::Name { .. } => "a validator's name cannot stand in notes",
        CommitteeError::Key { .. } => "a validator's key is not of its kind",
        CommitteeError::Shared { .. } => "two validators have the same name or key",
        CommitteeError::CertificateKey => "the certificate key is not a valid point",
        _ => "a network cannot be handed over to this committee",
    };
    Refusal::new(RefusalCode::COMMITTEE, cause)
}

fn unapproved(error: HandoverError) -> Refusal {
    let cause = match error {
        HandoverError::Order => "the approvals are not sorted by validator, each once",
        HandoverError::Stranger { .. } => "an approval is of no validator of the committee before",
        HandoverError::Quorum { .. } => "fewer validators approved than the committee's threshold",
        _ => "an approval is not signed by the validator that it names",
    };
    Refusal::new(RefusalCode::NOT_APPROVED, cause)
}

fn apply(draft: &mut Draft<'_>, action: &Action<'_>) -> Result<(), Stop> {
    let appointment = match action.appointment {
        Some(Ok(appointment)) => appointment,
        Some(Err(refusal)) => return Err(Stop::Denied(refusal.clone())),
        None => {
            let cause = "an appointment stands in the payload itself";
            return Err(Stop::denied(RefusalCode::PAYLOAD, cause));
        }
    };
    let (view, height) = (draft.view(), draft.position.height);
    if waiting(view, height)?.is_some() {
        let cause = "another committee was appointed and is not in office yet";
        return Err(Stop::denied(RefusalCode::APPOINTMENT_PENDING, cause));
    }
    let present = in_office(view, height)?;
    if present.digest() != appointment.by {
        let cause = "the committee that approved is not in office";
        return Err(Stop::denied(RefusalCode::OTHER_COMMITTEE, cause));
    }
    let network = view.network();
    if let Some(former) = last(view)? {
        let key = StateKey::former_committee(network, former.committee.epoch);
        draft.set(key, Entry::Committee(former));
    }
    let (committee, since) = (appointment.committee.clone(), height.next_term());
    let number = committee.epoch;
    let appointed = Appointed { committee, since, at: draft.position.leaf };
    draft.set(StateKey::committee(network), Entry::Committee(appointed));
    draft.happened(Event::CommitteeAppointed { number, since });
    Ok(())
}
