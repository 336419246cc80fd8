//! What an answer is worth, if some of a list lie.

use crate::agreement::Policy;
use crate::cli::sheet::Sheet;
use serde::Serialize;

/// Probabilities, if so many of a list tell the same lie.
#[derive(Clone, Copy, Serialize, Debug)]
pub(in crate::cli) struct Chance {
    lying: usize,
    /// That the lie is agreed on.
    deceived: f64,
    /// That the truth is not, though all others answer.
    prevented: f64,
}

impl Chance {
    /// With this policy, if one of so many listed nodes lies, rounded up.
    pub(in crate::cli) fn one_of(part: usize, policy: Policy, listed: usize) -> Self {
        let lying = listed.div_ceil(part);
        let deceived = policy.deceived(listed, lying);
        Self { lying, deceived, prevented: policy.prevented(listed, lying) }
    }

    /// For people.
    pub(in crate::cli) fn sheet(self) -> Sheet {
        let mut sheet = Sheet::default();
        sheet.add("lying", self.lying);
        sheet.add("deceived", format!("{:.1e}", self.deceived));
        sheet.add("prevented", format!("{:.1e}", self.prevented));
        sheet
    }
}
