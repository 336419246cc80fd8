//! The developer commands of the workspace: `cargo xtask COMMAND`.
//!
//! One module per command. Commands start the programs a developer would start by hand and say
//! which, so that nothing here has to be believed: every line can be repeated in a shell.

mod arch;
mod bench;
mod demo;
mod dist;
mod docs;
mod fuzz;
mod network;
mod node;
mod openapi;
mod process;
mod setup;
mod simulate;
mod targets;
mod test;
mod vectors;
mod workspace;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;
use workspace::Workspace;

/// Developer commands of Touchmark.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Enforce the rooms: who may depend on whom, file lengths, names, purity
    Arch,
    /// Run one benchmark and print its rows
    Bench(bench::Arguments),
    /// Tell the main story with the real binary, set-up included
    Demo(demo::Arguments),
    /// Write the artefacts of a release to target/dist, or check them
    Dist(dist::Arguments),
    /// Run the commands of README.md and docs/ and check the links between documents
    Docs,
    /// Verify a proof on an emulated microcontroller, and measure what that takes
    Firmware(targets::Arguments),
    /// Fuzz the decoders
    Fuzz(fuzz::Arguments),
    /// Form a network of several validators on this machine and run it until Ctrl-C
    Network(network::Arguments),
    /// Write docs/openapi.json from the code, or check that it is up to date
    Openapi(openapi::Arguments),
    /// Install what a fresh machine lacks, or name it
    Setup(setup::Arguments),
    /// Run the whole node in virtual time, with faults and liars, once for each seed
    Simulate(simulate::Arguments),
    /// Build the shared crates for microcontrollers and for the browser
    Targets(targets::Arguments),
    /// Set up and run all tests
    Test(test::Arguments),
    /// Regenerate spec/vectors, or check that they are up to date
    Vectors(vectors::Arguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments.command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    let workspace = Workspace::open()?;
    match command {
        Command::Arch => arch::run(&workspace),
        Command::Bench(arguments) => bench::run(&workspace, &arguments),
        Command::Demo(arguments) => demo::run(&workspace, &arguments),
        Command::Dist(arguments) => dist::run(&workspace, &arguments),
        Command::Docs => docs::run(&workspace),
        Command::Firmware(arguments) => targets::firmware::run(&workspace, &arguments),
        Command::Fuzz(arguments) => fuzz::run(&workspace, &arguments),
        Command::Network(arguments) => network::run(&workspace, &arguments),
        Command::Openapi(arguments) => openapi::run(&workspace, &arguments),
        Command::Setup(arguments) => setup::run(&arguments),
        Command::Simulate(arguments) => simulate::run(&workspace, &arguments),
        Command::Targets(arguments) => targets::run(&workspace, &arguments),
        Command::Test(arguments) => test::run(&workspace, &arguments),
        Command::Vectors(arguments) => vectors::run(&workspace, &arguments),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Arguments::command().debug_assert();
    }
}
