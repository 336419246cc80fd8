//! Agreement: several nodes of a list, none of which is trusted, asked for the same, and enough of
//! them saying the same. For a reader that can check no certificate (`spec/agreement.md`).

mod asking;
mod ballot;
mod list;
mod policy;
mod rounds;

use crate::foreign::plain;
pub use asking::{Inquiry, draw};
pub use ballot::{Ballot, Count, Outcome, Place, Reply, Said};
pub use list::{NodeList, NodeUrl};
pub use policy::Policy;

/// Why nobody can be asked: the caller's fault, but for the last.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AgreementError {
    /// Numbers with which two different answers could both be agreed on, or none.
    #[error("{equal} equal answers of {ask}: {reason}")]
    Policy {
        /// How many are asked.
        ask: usize,
        /// How many of them have to say the same.
        equal: usize,
        /// What is wrong with that.
        reason: String,
    },
    /// A list of nodes that cannot be used.
    #[error("the list of nodes cannot be used: {reason}")]
    List {
        /// What is wrong with it.
        reason: String,
    },
    /// The system gives no random bytes.
    #[error("the system has no randomness")]
    Randomness,
}

impl AgreementError {
    fn list(reason: impl Into<String>) -> Self {
        // It repeats what is in the list.
        let reason: Vec<_> = reason.into().lines().map(plain).collect();
        Self::List { reason: reason.join("\n") }
    }
}
