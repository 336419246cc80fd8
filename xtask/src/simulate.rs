//! `cargo xtask simulate`: the whole node in virtual time, seed after seed.

use crate::process;
use crate::workspace::Workspace;
use anyhow::{Context as _, Result};
use std::process::{Command, ExitCode};

/// Arguments of `cargo xtask simulate`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many seeds
    #[arg(long, value_name = "N", default_value_t = 100)]
    seeds: u64,
    /// The first of them
    #[arg(long, value_name = "S", default_value_t = 0)]
    from: u64,
    /// One JSON object for each seed, and one with the counts at the end
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    // With a test beside it cargo takes the features that tests are built with, and so the engine
    // that they have built: another one would take minutes.
    let build = ["build", "--release", "--workspace", "--bin", "simulate", "--test", "seeds"];
    process::run(&mut workspace.cargo(build))?;
    let form = if arguments.json { "json" } else { "text" };
    let mut simulate = Command::new(workspace.target.join("release/simulate"));
    simulate.args([&arguments.from.to_string(), &arguments.seeds.to_string(), form]);
    let line = process::shown(&simulate);
    eprintln!("> {line}");
    let status = simulate.status().with_context(|| format!("cannot start {line}"))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
