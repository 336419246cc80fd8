//! The seam between order and ledger: a [`Batch`], and what the engine asks of an [`Application`].
//!
//! It knows neither: the engine orders batches without knowing the rules, the ledger executes them
//! without knowing who ordered them, and a change of the rules does not touch the engine.
#![warn(missing_docs)]

mod application;
mod batch;

pub use application::{Application, Backlog, Halt, Invalid, Member, Proposal};
pub use batch::{Batch, BatchLimits};
