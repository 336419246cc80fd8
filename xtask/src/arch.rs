//! `cargo xtask arch`: the rooms keep their walls.
//!
//! [`rooms`] judges who depends on whom, from cargo's metadata; [`sources`] judges the files.
//! STYLE.md says the same in words.

mod rooms;
mod sources;

use crate::workspace::{self, Workspace};
use anyhow::{Context as _, Result};
use std::fs;
use std::process::ExitCode;

/// What the rules have to say.
#[derive(Debug, Default)]
struct Findings {
    /// Breaches: the command fails.
    faults: Vec<String>,
    /// Questions: worth a look at the next change.
    warnings: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace) -> Result<ExitCode> {
    let mut findings = Findings::default();
    for package in &workspace.packages {
        rooms::judge(package, &mut findings);
    }
    for package in &workspace.packages {
        let folder = package.manifest_path.parent().context("a manifest lies in a folder")?;
        for path in workspace::files(folder, "rs")? {
            let text = fs::read_to_string(&path)?;
            let place = workspace.relative(&path).to_string_lossy();
            let in_package = path.strip_prefix(folder)?;
            sources::judge(&package.name, &place, in_package, &text, &mut findings);
        }
    }
    for warning in &findings.warnings {
        println!("warning: {warning}");
    }
    for fault in &findings.faults {
        println!("fault: {fault}");
    }
    let (faults, warnings) = (findings.faults.len(), findings.warnings.len());
    println!("arch: {faults} faults, {warnings} warnings, {} crates", workspace.packages.len());
    Ok(if faults == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
