//! `cargo xtask openapi`: the description of the HTTP interface in docs/openapi.json is the one that
//! the code makes.

use crate::process;
use crate::workspace::Workspace;
use anyhow::{Context as _, Result, bail};
use std::fs;
use std::process::{Command, ExitCode};

/// Where the document is kept.
const KEPT: &str = "docs/openapi.json";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Change nothing; fail if the kept document differs
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    let made = process::output(Command::new(workspace.binary()?).args(["node", "openapi"]))?;
    let path = workspace.root.join(KEPT);
    if !arguments.check {
        fs::write(&path, made)?;
        println!("wrote {KEPT}");
        return Ok(ExitCode::SUCCESS);
    }
    let kept = fs::read_to_string(&path).with_context(|| KEPT.to_owned())?;
    if let Some(line) = difference(&kept, &made) {
        bail!("{KEPT} differs from the code from line {line} on; `cargo xtask openapi` writes it");
    }
    println!("openapi: ok, {} lines", kept.lines().count());
    Ok(ExitCode::SUCCESS)
}

/// The first line in which two texts differ.
fn difference(kept: &str, made: &str) -> Option<usize> {
    let same = kept.lines().zip(made.lines()).take_while(|(a, b)| a == b).count();
    (kept != made).then_some(same + 1)
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn every_drift_has_its_line() {
        assert_eq!(difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(difference("a\nb\n", "a\nc\n"), Some(2));
        assert_eq!(difference("a\n", "a\nb\n"), Some(2));
        assert_eq!(difference("", "a\n"), Some(1));
    }
}
