//! `cargo xtask dist`: the artefacts of a release, in `target/dist`.
//!
//! The binary that the tests ran, without its line tables, goes out in a tarball and, where
//! `dpkg-deb` is, in a Debian package, with manual, completions, an example configuration, a service
//! for systemd, a bill of materials and all licences. The same inputs give the same bytes: names are
//! sorted, everything is root's, and the time is `SOURCE_DATE_EPOCH`, else that of the last commit.

mod bill;
mod check;
mod contents;
mod debian;
mod notices;
mod parts;
mod tarball;

use crate::process;
use crate::workspace::{Package, Workspace};
use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Arguments of `cargo xtask dist`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Keep nothing: make the artefacts twice, compare them, unpack, install and try them
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    let release = Release::of(workspace)?;
    if arguments.check {
        check::run(workspace, &release)?;
        return Ok(ExitCode::SUCCESS);
    }
    let folder = workspace.target.join("dist");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let artefacts = make(workspace, &release, &folder)?;
    for artefact in artefacts {
        let path = folder.join(artefact);
        println!("wrote {}, {} bytes", workspace.relative(&path).display(), path.metadata()?.len());
    }
    Ok(ExitCode::SUCCESS)
}

/// What is released.
struct Release {
    binary: PathBuf,
    version: String,
    repository: String,
    /// What the binary runs on, as the compiler calls it.
    target: String,
    /// Of everything in the artefacts, seconds since 1970.
    time: u64,
}

/// The package whose version is the release's and whose parts are the binary's.
const PACKAGE: &str = "touchmark-node";
const SUMS: &str = "SHA256SUMS";

impl Release {
    fn of(workspace: &Workspace) -> Result<Self> {
        let package = workspace.packages.iter().find(|package| package.name == PACKAGE);
        let Package { version, repository, .. } =
            package.context("the binary's package is gone")?;
        Ok(Self {
            binary: workspace.binary()?,
            version: version.clone(),
            repository: repository.clone().context("the workspace names no repository")?,
            target: target()?,
            time: time(workspace)?,
        })
    }

    /// Name of the tarball without its ending, and of the one folder in it.
    fn name(&self) -> String {
        format!("touchmark-{}-{}", self.version, self.target)
    }
}

fn target() -> Result<String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = process::output(Command::new(rustc).arg("-vV"))?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc -vV names no host")?.to_owned())
}

fn time(workspace: &Workspace) -> Result<u64> {
    if let Ok(text) = env::var("SOURCE_DATE_EPOCH") {
        return text.parse().context("SOURCE_DATE_EPOCH is no number of seconds");
    }
    let mut git = Command::new("git");
    git.current_dir(&workspace.root).args(["log", "-1", "--format=%ct"]);
    let said = process::output(&mut git);
    let said = said.context("outside a clone, SOURCE_DATE_EPOCH must say the time")?;
    said.trim().parse().context("unexpected answer of git")
}

/// Makes all artefacts in a folder; their names, sorted.
fn make(workspace: &Workspace, release: &Release, folder: &Path) -> Result<Vec<String>> {
    fs::create_dir_all(folder)?;
    let contents = contents::gather(workspace, release)?;
    let mut names =
        vec![tarball::write(release, &contents, folder)?, bill::write(release, &contents, folder)?];
    match debian::Architecture::of(&release.target) {
        Some(architecture) if process::exists("dpkg-deb") => {
            names.push(debian::write(workspace, release, architecture, &contents, folder)?);
        }
        Some(_) => eprintln!("no Debian package: dpkg-deb is not there"),
        None => eprintln!("no Debian package: Debian has no name for {}", release.target),
    }
    names.sort();
    let mut sums = String::new();
    for name in &names {
        let digest = Sha256::digest(fs::read(folder.join(name))?);
        for byte in digest {
            write!(sums, "{byte:02x}")?;
        }
        writeln!(sums, "  {name}")?;
    }
    fs::write(folder.join(SUMS), sums)?;
    names.push(SUMS.to_owned());
    Ok(names)
}
