//! The whole node in virtual time: the real engine, ledger and rules, a network and disks that
//! fail, issuers that never stop, and members that lie. One number, the seed, decides everything.
//!
//! [`simulate`] makes a [`Plan`] from a seed, runs it and reports what went wrong: a list of
//! [`Violation`]s that has to be empty. `docs/simulation.md` says which properties are looked at
//! and what is not simulated.

mod chain;
mod deviation;
mod disk;
mod healing;
mod issuer;
mod lead;
mod lie;
mod parts;
mod plan;
mod record;
mod replay;
mod run;
mod site;
mod trouble;
mod views;

pub use deviation::{Deviating, Deviation};
pub use disk::{Disk, Unsure};
pub use lie::{Credulous, Liar, Lie};
pub use parts::{Acknowledged, Parts, Sound};
pub use plan::{Change, Event, Plan, Store};
pub use record::Violation;
pub use run::{LIMITS, Report, execute};

/// Runs the plan of `seed`.
pub fn simulate(seed: u64) -> Report {
    execute(&Plan::of(seed), &mut Sound)
}
