//! `cargo xtask test`: set-up and all tests.

use crate::workspace::Workspace;
use crate::{process, setup, vectors};
use anyhow::Result;
use std::process::{Command, ExitCode};

/// Arguments of `cargo xtask test`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Passed on to the test runner, for example a part of a test's name
    filter: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    setup::packages()?;
    setup::test_packages();
    if !arguments.filter.is_empty() {
        let runner = Runner::found();
        return Ok(runner.run(workspace, &arguments.filter)?.code());
    }
    let vectors = vectors::check(workspace);
    let peers = peers(workspace);
    let documented = Runner::Cargo.run(workspace, &["--doc".to_owned()])?;
    // Last, so that the runner's own final lines are the last but ours.
    let tested = Runner::found().run(workspace, &[])?;
    println!("\nvectors:   {}", line(&vectors));
    println!("peers:     {}", line(&peers));
    println!("doc tests: {}", documented.summary);
    println!("tests:     {}", tested.summary);
    let passed = vectors.is_ok() && peers.is_ok() && documented.passed && tested.passed;
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn line(result: &Result<String>) -> String {
    match result {
        Ok(summary) => summary.clone(),
        Err(error) => format!("FAILED: {error:#}"),
    }
}

/// Has other implementations, from PyPI, read our vectors.
fn peers(workspace: &Workspace) -> Result<String> {
    setup::python_environments()?;
    let mut python = Command::new("python3");
    python.arg(workspace.root.join(SCRIPT)).arg(&workspace.target);
    Ok(process::output(&mut python)?.lines().last().unwrap_or_default().to_owned())
}

/// Reads statements and receipts with another COSE implementation.
const SCRIPT: &str = "crates/touchmark-testkit/interop/check.py";

/// The program that runs the tests.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Runner {
    Nextest,
    Cargo,
}

/// What a runner said.
struct Outcome {
    passed: bool,
    summary: String,
}

impl Outcome {
    fn code(&self) -> ExitCode {
        if self.passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

impl Runner {
    /// nextest where it is installed: it runs test programs in parallel and ends hanging ones.
    fn found() -> Self {
        if process::exists("cargo-nextest") { Self::Nextest } else { Self::Cargo }
    }

    fn run(self, workspace: &Workspace, more: &[String]) -> Result<Outcome> {
        let start: &[&str] = match self {
            Self::Nextest => &["nextest", "run", "--no-fail-fast", "--no-tests", "warn"],
            Self::Cargo => &["test", "--no-fail-fast"],
        };
        let mut cargo = workspace.cargo(start);
        cargo.args(["--release", "--workspace"]).args(more);
        let (status, text) = process::observed(&mut cargo)?;
        let passed = status.success();
        let summary = match self {
            Self::Nextest => nextest_summary(&text),
            Self::Cargo => cargo_summary(&text),
        };
        let verdict = if passed { "ok" } else { "FAILED" };
        Ok(Outcome { passed, summary: format!("{verdict}: {summary}") })
    }
}

/// The counts of nextest's own last summary, which leaves out that none failed.
fn nextest_summary(text: &str) -> String {
    let mut lines = text.lines().rev();
    let summary = lines.find(|line| line.trim_start().starts_with("Summary"));
    let Some((_, counts)) = summary.and_then(|line| line.split_once(']')) else {
        return "no summary (see above)".to_owned();
    };
    match counts.rsplit_once(", ") {
        Some((passed, skipped)) if !counts.contains(" failed") => {
            format!("{}, 0 failed, {skipped}", passed.trim())
        }
        _ => counts.trim().to_owned(),
    }
}

/// The sum over the test programs of `cargo test`.
fn cargo_summary(text: &str) -> String {
    let (mut passed, mut failed, mut ignored) = (0, 0, 0);
    for line in text.lines().filter(|line| line.starts_with("test result: ")) {
        passed += count(line, " passed");
        failed += count(line, " failed");
        ignored += count(line, " ignored");
    }
    format!("{passed} passed, {failed} failed, {ignored} ignored")
}

fn count(line: &str, of: &str) -> u64 {
    let before = line.split_once(of).map_or("", |(before, _)| before);
    before.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_all_test_programs_are_added() {
        let text = "running 2 tests\n\
            test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
            test result: FAILED. 10 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out\n";
        assert_eq!(cargo_summary(text), "12 passed, 3 failed, 1 ignored");
        assert_eq!(cargo_summary(""), "0 passed, 0 failed, 0 ignored");
    }

    #[test]
    fn the_counts_of_nextest_are_repeated() {
        let text =
            "     Summary [   0.033s] 7 tests run: 6 passed, 1 failed, 0 skipped\n  FAIL x\n";
        assert_eq!(nextest_summary(text), "7 tests run: 6 passed, 1 failed, 0 skipped");
        assert_eq!(
            nextest_summary(" Summary [ 1s] 7 tests run: 7 passed (1 slow), 2 skipped"),
            "7 tests run: 7 passed (1 slow), 0 failed, 2 skipped"
        );
        assert_eq!(nextest_summary("error: could not compile"), "no summary (see above)");
    }
}
