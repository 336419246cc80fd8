//! What a check found.

use crate::cli::failure::Failure;
use serde::Serialize;
use std::fmt;

/// How a check went.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Debug)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    Fine,
    /// The node works, but not as well or as safely as it could.
    Warning,
    /// The node does not work, or not for long.
    Failed,
}

/// The outcome of one check.
#[derive(Clone, Serialize, Debug)]
pub(super) struct Finding {
    pub(super) name: &'static str,
    pub(super) verdict: Verdict,
    pub(super) found: String,
    /// How to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hint: Option<String>,
}

impl Finding {
    pub(super) fn fine(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Fine, found: found.into(), hint: None }
    }

    pub(super) fn warning(
        name: &'static str,
        found: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { verdict: Verdict::Warning, hint: Some(hint.into()), ..Self::fine(name, found) }
    }

    pub(super) fn failed(
        name: &'static str,
        found: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { verdict: Verdict::Failed, hint: Some(hint.into()), ..Self::fine(name, found) }
    }

    /// What any other command would fail with.
    pub(super) fn of(name: &'static str, failure: &Failure) -> Self {
        let why = failure.why.as_ref().map(|why| format!(": {why}"));
        let found = format!("{}{}", failure.what, why.unwrap_or_default());
        let hint = failure.hint.clone();
        Self { verdict: Verdict::Failed, hint, ..Self::fine(name, found) }
    }
}

/// All checks.
#[derive(Serialize, Debug)]
pub(super) struct Report {
    /// Whether none failed.
    pub(super) healthy: bool,
    checks: Vec<Finding>,
}

impl Report {
    pub(super) fn new(checks: Vec<Finding>) -> Self {
        let healthy = checks.iter().all(|check| check.verdict != Verdict::Failed);
        Self { healthy, checks }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.checks.iter().map(|check| check.name.len()).max().unwrap_or_default();
        for Finding { name, verdict, found, hint } in &self.checks {
            let verdict = match verdict {
                Verdict::Fine => "fine",
                Verdict::Warning => "warning",
                Verdict::Failed => "FAILED",
            };
            let hint = hint.as_ref().map(|hint| format!(" (hint: {hint})")).unwrap_or_default();
            let line = format!("{found}{hint}").replace('\n', " ");
            writeln!(f, "{verdict:<7}  {name:<width$}  {line}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_failed_makes_ill_and_each_check_is_one_line() {
        let fine = Finding::fine("a", "well");
        let warning = Finding::warning("longer", "so\nso", "look");
        let failed = Finding::failed("b", "ill", "mend");
        let report = Report::new(vec![fine.clone(), warning.clone()]);
        assert!(report.healthy);
        assert_eq!(
            report.to_string(),
            "fine     a       well\nwarning  longer  so so (hint: look)\n"
        );
        assert!(!Report::new(vec![fine, failed, warning]).healthy);
    }
}
