//! `cargo xtask targets`: the shared crates build for microcontrollers and for the browser.
//!
//! A target comes from rustup where rustup can reach its server, else from Debian's compiler for
//! the web ([`debian`]), whose sources let cargo build the standard library for any target.

mod debian;
pub(crate) mod firmware;

use crate::process;
use crate::workspace::Workspace;
use anyhow::Result;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

/// Arguments of `cargo xtask targets`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Use Debian's compiler even where rustup has the targets
    #[arg(long)]
    debian: bool,
}

/// One build that must succeed.
struct Build {
    target: &'static str,
    packages: &'static [&'static str],
    default_features: bool,
}

const MICROCONTROLLER: &str = "thumbv7em-none-eabi";
const BROWSER: &str = "wasm32-unknown-unknown";
const WIRE: &str = "touchmark-wire";
const CORE: &str = "touchmark-core";

const BUILDS: &[Build] = &[
    Build { target: MICROCONTROLLER, packages: &[WIRE], default_features: false },
    Build { target: MICROCONTROLLER, packages: &[WIRE], default_features: true },
    Build { target: BROWSER, packages: &[WIRE, CORE], default_features: true },
];

/// Without a network rustup hangs instead of failing.
const RUSTUP_LIMIT: Duration = Duration::from_secs(20);

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    let targets = [MICROCONTROLLER, BROWSER];
    let compiler = Compiler::of(workspace, &targets, arguments)?;
    for build in BUILDS {
        process::run(&mut compiler.cargo(workspace, build))?;
    }
    println!("targets: {} builds for {}", BUILDS.len(), targets.join(" and "));
    Ok(ExitCode::SUCCESS)
}

/// Whether rustup has the target, or gets it in time.
fn is_given_by_rustup(target: &str) -> bool {
    if !process::exists("rustup") {
        return false;
    }
    let installed = process::output(Command::new("rustup").args(["target", "list", "--installed"]));
    if installed.is_ok_and(|list| list.lines().any(|line| line == target)) {
        return true;
    }
    let mut add = Command::new("rustup");
    match process::run_within(add.args(["target", "add", target]), RUSTUP_LIMIT) {
        Ok(()) => true,
        Err(error) => {
            eprintln!("rustup has no {target} ({error:#}); using Debian's compiler");
            false
        }
    }
}

/// Where the standard library of a target comes from.
enum Compiler {
    Rustup,
    Debian(debian::Compiler),
}

impl Compiler {
    fn of(workspace: &Workspace, targets: &[&str], arguments: &Arguments) -> Result<Self> {
        if !arguments.debian && targets.iter().copied().all(is_given_by_rustup) {
            return Ok(Self::Rustup);
        }
        Self::debian(workspace)
    }

    fn debian(workspace: &Workspace) -> Result<Self> {
        debian::Compiler::provide(&workspace.target.join("web-toolchain")).map(Self::Debian)
    }

    fn cargo(&self, workspace: &Workspace, build: &Build) -> Command {
        let mut cargo = workspace.cargo(["build", "--release", "--target", build.target]);
        for package in build.packages {
            cargo.args(["-p", package]);
        }
        if !build.default_features {
            cargo.arg("--no-default-features");
        }
        // The question is whether it builds; firmware and pages choose their own optimisation.
        cargo.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
        cargo.env("CARGO_PROFILE_RELEASE_DEBUG", "none");
        if let Self::Debian(compiler) = self {
            compiler.apply(&mut cargo, &separate(&workspace.target));
        }
        cargo
    }
}

/// A folder for products of the other compiler: sharing one would make both build anew each time.
fn separate(target: &Path) -> std::path::PathBuf {
    target.join("web")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_room_is_built_without_any_feature_for_microcontrollers() {
        let workspace: Workspace = serde_json::from_value(serde_json::json!({
            "workspace_root": "/w", "target_directory": "/t", "packages": [],
        }))
        .unwrap();
        let lines: Vec<String> = BUILDS
            .iter()
            .map(|build| process::shown(&Compiler::Rustup.cargo(&workspace, build)))
            .collect();
        assert_eq!(
            lines,
            [
                "cargo build --release --target thumbv7em-none-eabi -p touchmark-wire \
                 --no-default-features",
                "cargo build --release --target thumbv7em-none-eabi -p touchmark-wire",
                "cargo build --release --target wasm32-unknown-unknown -p touchmark-wire \
                 -p touchmark-core",
            ]
        );
    }
}
