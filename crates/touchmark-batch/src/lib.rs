//! The seam between order and ledger: a [`Batch`], what the engine asks of an [`Application`], and
//! what members ask each other beside it ([`Respondent`]).
//!
//! It knows neither: the engine orders batches without knowing the rules, the ledger executes them
//! without knowing who ordered them, and a change of the rules does not touch the engine.
#![warn(missing_docs)]

mod application;
mod batch;
mod respondent;

pub use application::{Application, Backlog, CheckError, Halt, Invalid, Member, Proposal};
pub use batch::{Batch, BatchLimits, leaves};
pub use respondent::{Mute, Reply, Respondent, Unanswered};
