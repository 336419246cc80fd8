//! The gate before rules that this build does not have.
//!
//! A network names the version of its rules in its genesis document. Whoever executed its batches
//! under other rules would make another state and vote for it, or call the others liars: so nothing
//! is executed or judged under rules that are not here ([why](../../../docs/adr/version-gate.md)).

use touchmark_wire::genesis::{Genesis, RULES_VERSION};

/// What this build is called.
pub const BUILD: &str = env!("CARGO_PKG_VERSION");

/// A network whose rules this build does not have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "the network has rules of version {needed}, and this build (touchmark {BUILD}) has version \
     {RULES_VERSION}"
)]
pub struct UnknownRules {
    /// The version of its rules.
    pub needed: u16,
}

/// Refuses a network whose rules are not here.
pub const fn require(genesis: &Genesis) -> Result<(), UnknownRules> {
    match genesis.rules {
        1..=RULES_VERSION => Ok(()),
        needed => Err(UnknownRules { needed }),
    }
}
