//! What the members of a run are made of. Only controls, which show that the properties bite,
//! make them of anything but the sound parts.

use crate::disk::Disk;
use std::sync::Arc;
use touchmark_batch::{Application, Member};
use touchmark_core::admission::{OneByOne, Verifier};
use touchmark_engine::Office;
use touchmark_ledger::Ledger;
use touchmark_wire::handover::Approval;

/// Makes the parts of honest members.
pub trait Parts {
    /// Checks signatures.
    fn verifier(&self) -> Arc<dyn Verifier + Send + Sync> {
        Arc::new(OneByOne)
    }

    /// The member's ledger as its engine sees it.
    fn application(&self, _member: Member, ledger: Arc<Ledger>) -> Arc<dyn Application> {
        ledger
    }

    /// The places in committees that the member has taken.
    fn offices(&self, _member: Member, offices: Vec<Office>) -> Vec<Office> {
        offices
    }

    /// What the appointment of the next committee carries, of what its first one approved.
    fn approvals(&self, approvals: Vec<Approval>) -> Vec<Approval> {
        approvals
    }

    /// What a crash does to the member's disk.
    fn crash(&self, _disk: &Disk) {}

    /// When a submitter takes a statement as acknowledged.
    fn acknowledged(&self) -> Acknowledged {
        Acknowledged::Logged
    }
}

/// When a submitter takes its statement as acknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Acknowledged {
    /// When the member that it asked has it in its finalized log.
    Logged,
    /// When the member has taken it, which promises nothing.
    Taken,
}

/// What a node is made of.
#[derive(Clone, Copy, Debug)]
pub struct Sound;

impl Parts for Sound {}
