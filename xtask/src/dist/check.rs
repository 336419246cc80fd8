//! `cargo xtask dist --check`: the artefacts are the same when they are made again, and what is in
//! them works where nothing else of us is.

use super::contents::{CONFIGURATION, PROGRAM, UNIT};
use super::{Release, SUMS, debian, make};
use crate::process;
use crate::workspace::Workspace;
use anyhow::{Context as _, Result, bail};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The most that systemd may find exposed of the service, in tenths of its scale from 0 to 10.
const EXPOSURE: u32 = 15;

pub(super) fn run(workspace: &Workspace, release: &Release) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let place = |name: &str| folder.path().join(name);
    let (first, second) = (place("first"), place("second"));
    let names = make(workspace, release, &first)?;
    if make(workspace, release, &second)? != names {
        bail!("made again, there are other artefacts");
    }
    for name in &names {
        if fs::read(first.join(name))? != fs::read(second.join(name))? {
            bail!("made again, {name} has other bytes");
        }
    }
    println!("dist: {} artefacts, made twice, are the same: {}", names.len(), names.join(", "));
    process::output(
        Command::new("sha256sum").args(["--check", "--strict", SUMS]).current_dir(&first),
    )?;
    let unpacked = tarball(release, &first, folder.path())?;
    println!("dist: the program of the tarball runs and takes the configuration beside it");
    println!("dist: {}", unit(&unpacked, &place("units"))?);
    match names.iter().find(|name| Path::new(name).extension().is_some_and(|it| it == "deb")) {
        Some(name) => println!("dist: {}", package(release, &first.join(name), &place("root"))?),
        None => println!("dist: no Debian package was made, so none was installed"),
    }
    Ok(())
}

/// Unpacks the tarball and tries what is in it; where it is.
fn tarball(release: &Release, artefacts: &Path, folder: &Path) -> Result<PathBuf> {
    let archive = artefacts.join(format!("{}.tar.gz", release.name()));
    process::output(Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(folder))?;
    let unpacked = folder.join(release.name());
    says_its_version(&unpacked.join("touchmark"), release)?;
    let mut check = alone(&unpacked.join("touchmark"));
    process::output(check.args(["config", "check", "--config"]).arg("touchmark.toml"))?;
    let pages = fs::read_dir(unpacked.join("man")).context("the tarball has no manual")?.count();
    if pages < 2 {
        bail!("the tarball has a manual of {pages} pages");
    }
    Ok(unpacked)
}

/// A program in its own folder, which the environment tells nothing.
fn alone(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().current_dir(program.parent().unwrap_or(program));
    command
}

fn says_its_version(program: &Path, release: &Release) -> Result<()> {
    let said = process::output(alone(program).arg("--version"))?;
    if said.trim_end() != format!("touchmark {}", release.version) {
        bail!("{} says that it is {said}", program.display());
    }
    Ok(())
}

/// Has systemd judge the service; what it says.
fn unit(unpacked: &Path, folder: &Path) -> Result<String> {
    if !process::exists("systemd-analyze") {
        return Ok("the service was not judged: systemd-analyze is not there".to_owned());
    }
    let text = fs::read_to_string(unpacked.join("systemd/touchmark.service"))?;
    let program = unpacked.join("touchmark").display().to_string();
    let text = text.replace("ExecStart=touchmark ", &format!("ExecStart={program} "));
    fs::create_dir(folder)?;
    let path = folder.join("touchmark.service");
    fs::write(&path, text)?;
    let mut verify = Command::new("systemd-analyze");
    let (status, said) = process::observed(verify.args(["verify", "--man=no"]).arg(&path))?;
    // A key that it does not know is no failure to it, and what it says of other services not ours.
    if !status.success() || said.contains("touchmark.service") {
        bail!("systemd does not take the service as it is");
    }
    let mut security = Command::new("systemd-analyze");
    let threshold = format!("--threshold={EXPOSURE}");
    process::output(security.args(["security", "--offline=true", &threshold]).arg(&path))?;
    Ok(format!(
        "systemd takes the service, whose exposure is at most {}",
        f64::from(EXPOSURE) / 10.0
    ))
}

/// Installs the package into an empty root, looks at it and purges it; how that went.
fn package(release: &Release, package: &Path, root: &Path) -> Result<String> {
    fs::create_dir(root)?;
    if !process::exists("dpkg") || !process::exists("systemd-sysusers") {
        process::output(Command::new("dpkg-deb").arg("--extract").args([package, root]))?;
        look(release, root)?;
        return Ok(
            "the package was unpacked, not installed: dpkg or systemd-sysusers is not there"
                .to_owned(),
        );
    }
    let state = root.join("var/lib/dpkg");
    for folder in ["info", "updates"] {
        fs::create_dir_all(state.join(folder))?;
    }
    for file in ["status", "available"] {
        fs::write(state.join(file), "")?;
    }
    process::output(dpkg(root).arg("--install").arg(package))?;
    look(release, root)?;
    let status = process::output(dpkg(root).args(["--status", "touchmark"]))?;
    for line in ["Status: install ok installed".to_owned(), format!(" /{CONFIGURATION} ")] {
        if !status.contains(&line) {
            bail!("dpkg does not say `{line}`:\n{status}");
        }
    }
    let users = fs::read_to_string(root.join("etc/passwd")).context("no user was made")?;
    if !users.lines().any(|line| line.starts_with("touchmark:")) {
        bail!("the user touchmark was not made:\n{users}");
    }
    process::output(dpkg(root).args(["--purge", "touchmark"]))?;
    for path in [PROGRAM, UNIT, CONFIGURATION] {
        if root.join(path).exists() {
            bail!("{path} is still there after a purge");
        }
    }
    Ok("the package was installed into an empty root, looked at, and purged".to_owned())
}

/// A dpkg that works in another root, whose scripts run outside it: there is no shell in it.
fn dpkg(root: &Path) -> Command {
    let path = env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    let path: OsString = env::join_paths(env::split_paths(&path).chain(system)).unwrap_or(path);
    let mut dpkg = Command::new("dpkg");
    dpkg.arg(format!("--root={}", root.display()))
        .arg(format!("--log={}", root.join("dpkg.log").display()))
        .args(["--force-script-chrootless", "--force-not-root", "--force-depends"])
        .env("PATH", path);
    dpkg
}

/// What must be there once a package is installed, and what must not be there yet.
fn look(release: &Release, root: &Path) -> Result<()> {
    debian::require(root, PROGRAM, 0o755)?;
    debian::require(root, UNIT, 0o644)?;
    debian::require(root, CONFIGURATION, 0o644)?;
    says_its_version(&root.join(PROGRAM), release)?;
    // Nobody has asked for a node yet: none is enabled, and no key was made.
    for path in ["etc/systemd", "var/lib/touchmark", "var/lib/systemd"] {
        if root.join(path).exists() {
            bail!("the package made {path}: an installation starts nothing");
        }
    }
    Ok(())
}
