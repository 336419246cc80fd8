//! Forming a network of several organisations: from invitations to validators' data folders.
//!
//! One of them is the *convener*: it invites the others and collects what each says of itself
//! ([`Reception`]). What all are shown is the *agreement*; each checks it itself,
//! somebody there accepts it, and when everyone is ready they make a key directly with each other
//! (`touchmark_engine::Generation`). The convener can keep somebody out or stop everything, but
//! not change what anybody says, and learns no secret of the others (ADR 17).

mod attendance;
mod candidate;
mod draft;
mod invitation;
mod line;
mod note;
mod reception;
mod seal;
mod service;
#[cfg(test)]
mod tests;

pub use attendance::Attendance;
pub use draft::{Convening, Draft, Issued, Plan, Purpose, Role};
pub use invitation::{from_text, to_text};
pub use line::Line;
pub use reception::Reception;
pub use service::Service;

use crate::folder::{self, FolderError, Site};
use candidate::Candidate;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use touchmark_engine::GenerationError;
use touchmark_wire::formation::{AgreementError, RecordError, Refusal};
use touchmark_wire::genesis::{Committee, Genesis};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::NetworkId;

/// Why no network was formed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormationError {
    /// The data folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Nothing of a formation is in the folder, or it has another part in it.
    #[error("{0}")]
    Draft(&'static str),
    /// What somebody gave does not make a record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A setting that cannot work, in one sentence.
    #[error("{0}")]
    Setting(&'static str),
    /// The text is no invitation.
    #[error("this is no invitation")]
    Invitation,
    /// The formation's address is not free.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The convener does not answer.
    #[error("the convener at {address} does not answer: {reason}")]
    Silent {
        /// Where it should.
        address: String,
        /// What came instead.
        reason: String,
    },
    /// The convener does not take what this node hands in.
    #[error("{refusal}")]
    Refused {
        /// Why.
        refusal: Refusal,
        /// Whether it is certainly the convener who says so.
        is_sealed: bool,
    },
    /// The agreement is not one that this node may accept.
    #[error("{0}")]
    Agreement(#[from] Objection),
    /// Members are not there.
    #[error("not there: {}", .0.join(", "))]
    Missing(Vec<String>),
    /// A member broke the protocol.
    #[error("{member} broke the protocol: {how}")]
    Misbehaved {
        /// Its name.
        member: String,
        /// How, in one sentence.
        how: &'static str,
    },
    /// A member came to another conclusion.
    #[error("{0} formed another network: it was shown something else")]
    Disagreement(String),
    /// No key was made for another reason.
    #[error(transparent)]
    Generation(#[from] GenerationError),
    /// The candidate in the folder is of another network, or there is none.
    #[error("there is no candidate {0} here")]
    Candidate(Digest),
}

/// Why this node does not go along with an agreement.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Objection {
    /// It contradicts itself.
    #[error("the agreement is not sound: {0}")]
    Unsound(#[from] AgreementError),
    /// It is of another formation than the invitation.
    #[error("the agreement is of another formation")]
    Foreign,
    /// This node's record is not in it as it was handed in.
    #[error("this member's own record is not in the agreement as it was handed in")]
    Changed,
    /// The convener that invited this node is not a member.
    #[error("whoever invited this member is not a member")]
    Convener,
    /// It changed after it was accepted.
    #[error("the agreement is not the one that was accepted")]
    Other,
}

/// What a formation made, the same for all its members.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Formed {
    /// A network; the folder is that of one of its validators.
    Network(Genesis),
    /// A committee for a network that exists; the folder has this member's place in it.
    Committee(NetworkId, Committee),
}

impl Formed {
    /// What members compare: the network's id, or the digest of the committee.
    pub fn digest(&self) -> Digest {
        match self {
            Self::Network(genesis) => genesis.network_id().0,
            Self::Committee(_, committee) => committee.digest(),
        }
    }
}

/// What members compare of the candidate in this folder, if it has an unconfirmed one.
pub fn candidate(path: &Path) -> Result<Option<Digest>, FormationError> {
    let candidate: Option<Candidate> = folder::candidate(path)?;
    let candidate = candidate.filter(|candidate| !candidate.is_confirmed());
    Ok(candidate.map(|candidate| candidate.digest()))
}

/// Takes the candidate in the folder that has this digest, which its other members have confirmed
/// to the operator.
pub fn accept(path: &Path, digest: Digest) -> Result<Formed, FormationError> {
    let site = Site::take(path)?;
    let candidate: Option<Candidate> = folder::candidate(path)?;
    let candidate = candidate.filter(|candidate| candidate.digest() == digest);
    Ok(candidate.ok_or(FormationError::Candidate(digest))?.settle(&site)?)
}
