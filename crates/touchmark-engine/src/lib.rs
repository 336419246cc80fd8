//! Orders batches, certifies them, and hands them to the ledger: the one crate that knows the
//! consensus library (`commonware`).
//!
//! [`Engine`] runs simplex consensus among a [`Committee`] whose members jointly hold one BLS
//! key. Each block is one [`touchmark_batch::Batch`], named by the SHA-256 of its header, so a
//! light client needs a [`Finality`] and Merkle paths and never a batch's body. One member is a
//! committee like any other.
//!
//! # The ledger's side
//!
//! The engine calls a [`touchmark_batch::Application`] from threads of its runtime, never two
//! deliveries at once; proposing, checking and delivering may overlap. A finalized batch counts
//! as delivered when `deliver` has returned, so it is delivered again after a crash.
//!
//! # Deviations
//!
//! - A header does not hold consensus's whole context: epoch and parent are fields of their own
//!   ([`genesis_context`] and the module it comes from say how the rest is encoded).
//! - A member of a committee of one refuses to start with a ledger that is ahead of its store.

mod audience;
mod block;
pub mod ceremony;
mod committees;
mod context;
mod courier;
mod delivery;
mod engine;
mod error;
mod executor;
mod finality;
pub mod generation;
mod inquiry;
mod keys;
mod network;
mod order;
mod pacing;
mod proposals;
mod signal;
// Once in a build of the workspace: the library's own tests have no use for it.
#[cfg(all(feature = "simulation", not(test)))]
pub mod simulation;
mod status;
mod storage;
mod succession;
mod term;
#[cfg(test)]
mod tests;

pub use ceremony::{Committee, Office, PeerKey, Seat};
pub use context::genesis_context;
pub use engine::{Config, Engine};
pub use error::Error;
pub use finality::{Finality, has_ordered};
pub use generation::{EXCHANGE, Exchange, Fault, Generation, GenerationError, Nothing};
pub use inquiry::{Answer, Answers};
pub use pacing::Pacing;
pub use status::{Phase, Status};
