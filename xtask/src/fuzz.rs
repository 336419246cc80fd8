//! `cargo xtask fuzz`: feeds decoders with bytes nobody meant.
//!
//! The targets live in the workspace `fuzz/`, which works with a stable compiler: its own driver
//! replays the corpus and mutates it for the given time. Where cargo-fuzz and a nightly compiler
//! are installed, libFuzzer searches with the feedback of coverage instead.

use crate::process;
use crate::workspace::Workspace;
use anyhow::{Result, bail};
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

/// Arguments of `cargo xtask fuzz`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only this target; without it all, one after the other
    target: Option<String>,
    /// For how long each target is fuzzed
    #[arg(long, value_name = "N", default_value_t = 10)]
    seconds: u64,
    /// Start of the stable driver's random numbers, to repeat a run
    #[arg(long)]
    seed: Option<u64>,
    /// The stable driver also where cargo-fuzz is installed
    #[arg(long)]
    stable: bool,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    // The corpus and the driver's own tests first: they are quick and need no luck.
    process::run(&mut cargo(workspace, &["test", "--release", "--quiet"]))?;
    let mut list = cargo(workspace, &["run", "--release", "--quiet", "--bin", "drive", "--"]);
    let known = process::output(list.arg("--list"))?;
    let known: Vec<&str> = known.lines().collect();
    let targets = match &arguments.target {
        None => known,
        Some(target) if known.contains(&target.as_str()) => vec![target.as_str()],
        Some(target) => bail!("no fuzz target {target} (there is: {})", known.join(", ")),
    };
    let guided = !arguments.stable && has_cargo_fuzz();
    for target in targets {
        let mut fuzzer = if guided {
            guided_run(workspace, target, arguments.seconds)
        } else {
            stable_run(workspace, target, arguments)
        };
        process::run(&mut fuzzer)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.root.join("fuzz")
}

/// Cargo in the workspace of the targets, whose build products lie beside ours.
fn cargo(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut cargo = workspace.cargo(arguments);
    cargo.current_dir(folder(workspace)).env("CARGO_TARGET_DIR", workspace.target.join("fuzz"));
    cargo
}

fn stable_run(workspace: &Workspace, target: &str, arguments: &Arguments) -> Command {
    let mut driver = cargo(workspace, &["run", "--release", "--quiet", "--bin", "drive", "--"]);
    driver.args([target, "--seconds", &arguments.seconds.to_string()]);
    if let Some(seed) = arguments.seed {
        driver.args(["--seed", &seed.to_string()]);
    }
    driver
}

fn guided_run(workspace: &Workspace, target: &str, seconds: u64) -> Command {
    // Through rustup's own cargo, as the one that started us belongs to one toolchain.
    let mut fuzzer = Command::new("cargo");
    fuzzer.args(["+nightly", "fuzz", "run", "--fuzz-dir", ".", "--features", "libfuzzer", target]);
    fuzzer.args(["--", &format!("-max_total_time={seconds}")]);
    fuzzer.current_dir(folder(workspace)).env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO");
    fuzzer
}

/// Whether cargo-fuzz and a nightly compiler answer.
fn has_cargo_fuzz() -> bool {
    let mut version = Command::new("cargo");
    version.args(["+nightly", "fuzz", "--version"]).env_remove("RUSTUP_TOOLCHAIN");
    version.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    process::exists("cargo-fuzz")
        && process::run_within(&mut version, Duration::from_secs(20)).is_ok()
}
