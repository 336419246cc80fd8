//! The rules: a pure, deterministic function from (state, statement) to (changes, events).
//!
//! No clock, no randomness, no I/O: the same code decides in the node, in simulation, in an
//! auditor's replay and in a browser.
//!
//! * [`admission`]: bytes become a [`admission::Submission`], checked against keys before the
//!   rules run, in parallel.
//! * [`rules`]: what a submission does to the state; [`chain`] is the part that all share.
//! * [`directory`], [`channel`], [`record`], [`evidence`], [`group`]: the families of statements, a
//!   module and a row of [`rules`]' table each.
//! * [`appointment`]: who certifies, and who comes next.
//! * [`roster`]: an organisation's cards, readers and sensors, as the log alone tells.
//! * [`confidence`]: how far a record can be believed, and why.
//! * [`verdict`]: what a bundle proves, step by step.
//! * [`entry`]: what the state holds; [`view`]: how rules read it; [`event`]: what happened.
#![no_std]
#![warn(missing_docs)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod admission;
pub mod appointment;
pub mod chain;
pub mod channel;
pub mod confidence;
pub mod directory;
pub mod entry;
pub mod event;
pub mod evidence;
pub mod group;
pub mod record;
pub mod refusal;
pub mod roster;
pub mod rules;
mod standing;
pub mod verdict;
pub mod view;
