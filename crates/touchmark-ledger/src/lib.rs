//! The ledger room: builds and checks a batch on (finalized view + unfinalized ancestors).
//!
//! Synchronous, no I/O, no clock, no randomness: node, simulation, audit and rebuild call the same
//! code. The engine reaches it through [`touchmark_batch::Application`], the store through [`StateView`] and
//! [`Durable`].
//!
//! The path of a statement: [`Ledger::submit`] checks its signatures and queues it;
//! [`touchmark_batch::Application::propose`] executes it into a batch; the engine orders and certifies the batch's
//! header; [`touchmark_batch::Application::deliver`] makes it durable and answers the submitter.
#![warn(missing_docs)]

mod execution;
mod growth;
mod ledger;
pub mod memory;
mod pool;
mod replay;
mod standing;
pub mod trie;
mod view;

pub use execution::{Execution, Happened, genesis_batch};
pub use growth::Node;
pub use ledger::{Ledger, LedgerLimits, Observer};
pub use pool::Ticket;
pub use replay::{Deviation, ReplayError, replay};
pub use standing::Standing;
pub use view::{Durable, StateView, Tip};
