//! The certificates that a bundle needs: that of its batch, and those by which each committee
//! handed over to the next.

use super::ProofError;
use crate::follow;
use crate::node::BATCH;
use crate::order::Order;
use std::path::Path;
use touchmark_core::appointment;
use touchmark_core::entry::Appointed;
use touchmark_engine::Finality;
use touchmark_store::Snapshot;
use touchmark_wire::bundle::Handovers;
use touchmark_wire::genesis::{Committee, Genesis};
use touchmark_wire::handover::{Appointment, Handover};
use touchmark_wire::ids::{Epoch, Height};
use touchmark_wire::limits;
use touchmark_wire::statement::Statement;

/// What leads from the genesis to a batch.
pub(crate) struct Certification {
    /// Of the batch.
    pub(super) batch: Finality,
    steps: Vec<Step>,
}

/// One committee hands over to the next.
struct Step {
    /// Of the last batch of the old one.
    finality: Finality,
    /// The statement that appointed the new one.
    statement: Vec<u8>,
    committee: Committee,
}

impl Certification {
    /// Of the last batch of `snapshot`, of a running node.
    pub(crate) async fn find(snapshot: &Snapshot, order: &Order) -> Result<Self, ProofError> {
        let finality = async |height| {
            let found = order.finality(snapshot, height).await?;
            found.ok_or(ProofError::NotCertified)
        };
        let mut steps = Vec::new();
        for appointed in in_office(snapshot)? {
            let finality = finality(last_before(&appointed)).await?;
            steps.push(Step::new(snapshot, appointed, finality)?);
        }
        let batch = finality(snapshot.height()).await?;
        Ok(Self { batch, steps })
    }

    /// As [`Self::find`], from what a stopped node left in the folder.
    pub(crate) fn archived(data: &Path, snapshot: &Snapshot) -> Result<Self, ProofError> {
        let archived = |height| {
            let found = match Finality::archived(data, BATCH, height)? {
                None => follow::kept(snapshot, height)?,
                found => found,
            };
            found.ok_or(ProofError::NotCertified)
        };
        let steps = in_office(snapshot)?.into_iter().map(|appointed| {
            let finality = archived(last_before(&appointed))?;
            Step::new(snapshot, appointed, finality)
        });
        Ok(Self { steps: steps.collect::<Result<_, _>>()?, batch: archived(snapshot.height())? })
    }

    /// The last batches of the committees before the one that certified the last batch: a proof needs
    /// the certificate of each.
    pub(crate) fn ends(snapshot: &Snapshot) -> Result<Vec<Height>, ProofError> {
        Ok(in_office(snapshot)?.iter().map(last_before).collect())
    }

    /// Whether the committee with this number has handed over, and a stopped node has in its folder
    /// what proves it, or others have had it for a whole term: nobody needs its votes again.
    pub(crate) fn is_over(
        data: &Path,
        snapshot: &Snapshot,
        number: Epoch,
    ) -> Result<bool, ProofError> {
        let next = Epoch(number.0.saturating_add(1));
        let Some(appointed) = appointment::appointed(snapshot, next)? else {
            return Ok(false);
        };
        let last = last_before(&appointed);
        if snapshot.height() < last {
            return Ok(false);
        }
        if snapshot.height().0 - last.0 > limits::TERM {
            return Ok(true);
        }
        let found = Finality::archived(data, BATCH, last)?;
        Ok(found.is_some_and(|finality| finality.headers.len() == 1))
    }

    /// Who certified the batch, in the network of `genesis`.
    pub(super) fn committee<'c>(&'c self, genesis: &'c Genesis) -> &'c Committee {
        self.steps.last().map_or(&genesis.committee, |step| &step.committee)
    }

    /// As a bundle has them.
    pub(super) fn handovers(&self) -> Result<Handovers<'_>, ProofError> {
        self.steps.iter().map(Step::handover).collect::<Result<_, _>>().map(Handovers)
    }
}

impl Step {
    fn new(
        snapshot: &Snapshot,
        appointed: Appointed,
        finality: Finality,
    ) -> Result<Self, ProofError> {
        let statement = snapshot.leaf(appointed.at)?;
        Ok(Self { finality, statement, committee: appointed.committee })
    }

    fn handover(&self) -> Result<Handover<'_>, ProofError> {
        // What was appointed was read before, by the rules.
        let statement = Statement::parse(&self.statement).map_err(|_| ProofError::Unreadable)?;
        let appointment =
            Appointment::decode(statement.payload()).map_err(|_| ProofError::Unreadable)?;
        // A term's last batch has a certificate of its own: none follows it under the old key.
        let [header] = &self.finality.headers[..] else {
            return Err(ProofError::NotCertified);
        };
        Ok(Handover {
            header,
            certificate: &self.finality.certificate,
            approvals: appointment.approvals,
            committee: self.committee.clone(),
        })
    }
}

/// The last batch of the committee that hands over to this one.
fn last_before(appointed: &Appointed) -> Height {
    Height(appointed.since.0.saturating_sub(1))
}

/// The committees after genesis', up to the one that certified the last batch.
fn in_office(snapshot: &Snapshot) -> Result<Vec<Appointed>, ProofError> {
    let last = appointment::in_office(snapshot, snapshot.height())?.epoch;
    let numbers = (1..=last.0).map(Epoch);
    let found = numbers.map(|number| Ok(appointment::appointed(snapshot, number)?));
    let found: Result<Option<Vec<_>>, ProofError> = found.collect();
    found?.ok_or(ProofError::Unreadable)
}
