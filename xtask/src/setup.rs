//! What a command needs from the machine: installed when missing and possible, else named.

use crate::process;
use anyhow::{Result, bail};
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

/// Arguments of `cargo xtask setup`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Also what the checks of continuous integration need
    #[arg(long)]
    ci: bool,
}

/// A system package that some command cannot do without.
struct Package {
    /// Its name in Debian.
    name: &'static str,
    /// There if any of these is: a program's name or an absolute path.
    proof: &'static [&'static str],
    /// What it is needed for, to be told when it cannot be installed.
    purpose: &'static str,
}

/// What building and testing needs.
const PACKAGES: &[Package] =
    &[Package { name: "gcc", proof: &["cc"], purpose: "links every program" }];

/// What some tests need, which say so and do without where it is not there.
const TEST_PACKAGES: &[Package] = &[
    Package {
        name: "pcscd",
        proof: &["/usr/sbin/pcscd"],
        purpose: "the smart card service, for tests of cards in readers",
    },
    Package {
        name: "libpcsclite1",
        proof: &[
            "/usr/lib/x86_64-linux-gnu/libpcsclite.so.1",
            "/usr/lib/aarch64-linux-gnu/libpcsclite.so.1",
        ],
        purpose: "the library of the smart card service",
    },
    Package {
        name: "vsmartcard-vpcd",
        proof: &["/etc/reader.conf.d/vpcd"],
        purpose: "a virtual reader for the smart card service",
    },
    Package { name: "iproute2", proof: &["ip"], purpose: "brings up a test's own network" },
];

/// What runs firmware.
const EMULATOR: &[Package] = &[Package {
    name: "qemu-system-arm",
    proof: &["qemu-system-arm"],
    purpose: "the microcontroller that firmware is run on",
}];

/// What Python's environments need; Debian packages it apart from Python.
const PYTHON_ENVIRONMENTS: &[Package] = &[Package {
    name: "python3-venv",
    proof: &[],
    purpose: "environments for the peers from PyPI that some tests compare with",
}];

/// A cargo subcommand that the checks of continuous integration need.
struct Subcommand {
    program: &'static str,
    /// How to get it: a component of rustup, or a crate that is built from source.
    origin: Origin,
}

enum Origin {
    Component(&'static str),
    Crate(&'static str),
}

const SUBCOMMANDS: &[Subcommand] = &[
    Subcommand { program: "cargo-fmt", origin: Origin::Component("rustfmt") },
    Subcommand { program: "cargo-clippy", origin: Origin::Component("clippy") },
    Subcommand { program: "cargo-deny", origin: Origin::Crate("cargo-deny") },
];

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    packages()?;
    if arguments.ci {
        provide(TEST_PACKAGES, is_present)?;
        for subcommand in SUBCOMMANDS {
            subcommand.provide()?;
        }
    }
    eprintln!("setup: everything is there");
    Ok(ExitCode::SUCCESS)
}

/// Provides the system packages for building, testing and the demo.
pub(crate) fn packages() -> Result<()> {
    provide(PACKAGES, is_present)
}

/// Provides what some tests need, or says what is going to be left out.
pub(crate) fn test_packages() {
    if let Err(error) = provide(TEST_PACKAGES, is_present) {
        eprintln!("some tests are going to be skipped: {error:#}");
    }
}

/// Provides what an environment for peers from PyPI is made with.
pub(crate) fn python_environments() -> Result<()> {
    provide(PYTHON_ENVIRONMENTS, |_| {
        let mut python = Command::new("python3");
        process::output(python.args(["-c", "import ensurepip, venv"])).is_ok()
    })
}

/// Provides the emulated microcontroller.
pub(crate) fn emulator() -> Result<()> {
    provide(EMULATOR, is_present)
}

fn provide(packages: &[Package], is_present: impl Fn(&Package) -> bool) -> Result<()> {
    let missing: Vec<&Package> = packages.iter().filter(|package| !is_present(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !process::exists("apt-get") || !is_root()? {
        bail!("{}", named(&missing));
    }
    apt_update()?;
    let names = missing.iter().map(|package| package.name);
    let mut install = Command::new("apt-get");
    install.env("DEBIAN_FRONTEND", "noninteractive");
    process::run(install.args(["install", "-y", "--no-install-recommends"]).args(names))?;
    if missing.iter().any(|package| !is_present(package)) {
        bail!("still missing after installation: {}", named(&missing));
    }
    Ok(())
}

fn named(missing: &[&Package]) -> String {
    let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
    let lines: Vec<String> =
        missing.iter().map(|package| format!("  {}: {}", package.name, package.purpose)).collect();
    let (lines, names) = (lines.join("\n"), names.join(" "));
    format!("this machine lacks\n{lines}\nInstall as root: apt-get install {names}")
}

fn is_present(package: &Package) -> bool {
    package.proof.iter().any(|proof| {
        if proof.starts_with('/') { Path::new(proof).exists() } else { process::exists(proof) }
    })
}

/// Refreshes apt's lists where this user may: a list from the machine's installation names
/// versions that the mirror has dropped since.
pub(crate) fn apt_update() -> Result<()> {
    if is_root()? {
        process::run(Command::new("apt-get").args(["update", "-qq"]))?;
    }
    Ok(())
}

/// Whether this user may install packages.
fn is_root() -> Result<bool> {
    Ok(process::output(Command::new("id").arg("-u"))?.trim() == "0")
}

impl Subcommand {
    fn provide(&self) -> Result<()> {
        if process::exists(self.program) || cargo_home().join("bin").join(self.program).is_file() {
            return Ok(());
        }
        match self.origin {
            Origin::Component(name) => {
                let limit = Duration::from_secs(60);
                let mut add = Command::new("rustup");
                if process::run_within(add.args(["component", "add", name]), limit).is_err() {
                    bail!("this machine lacks {}: rustup component add {name}", self.program);
                }
                Ok(())
            }
            Origin::Crate(name) => install(name),
        }
    }
}

/// Where cargo keeps its subcommands, also when that is not in `PATH`.
fn cargo_home() -> PathBuf {
    let home = || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cargo");
    env::var_os("CARGO_HOME").map_or_else(home, PathBuf::from)
}

/// Builds a tool from source. It runs for seconds, so building it quickly matters more than its
/// speed.
fn install(name: &str) -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo
        .args(["install", "--locked", "--no-default-features", name])
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "false")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    process::run(&mut cargo)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMPOSSIBLE: Package =
        Package { name: "unobtainium", proof: &["/nowhere/unobtainium"], purpose: "tests" };

    #[test]
    fn presence_is_proved_by_a_program_or_a_path() {
        assert!(is_present(&Package { name: "dash", proof: &["sh"], purpose: "" }));
        assert!(is_present(&Package { name: "base", proof: &["/none", "/etc"], purpose: "" }));
        assert!(!is_present(&IMPOSSIBLE));
    }

    #[test]
    fn what_is_missing_is_named_with_the_command_that_installs_it() {
        let text = named(&[&IMPOSSIBLE]);
        assert!(text.contains("unobtainium: tests"), "{text}");
        assert!(text.ends_with("apt-get install unobtainium"), "{text}");
    }

    #[test]
    fn nothing_is_installed_when_nothing_is_missing() {
        assert!(provide(&[IMPOSSIBLE], |_| true).is_ok());
    }
}
