//! What a release holds, and where: in the tarball, and in a system that it is installed into.

use super::Release;
use super::parts::Parts;
use super::{bill, notices};
use crate::process;
use crate::workspace::Workspace;
use anyhow::{Context as _, Result, bail};
use std::fs;
use std::path::Path;
use std::process::Command;

/// A file of a release.
pub(super) struct File {
    /// Its path in the tarball's folder.
    pub(super) bundled: String,
    /// Its path below `/`, once installed; one that ends in `.gz` is compressed there.
    pub(super) installed: String,
    pub(super) mode: u32,
    pub(super) bytes: Vec<u8>,
}

impl File {
    fn new(bundled: impl Into<String>, installed: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self { bundled: bundled.into(), installed: installed.into(), mode: 0o644, bytes }
    }
}

/// Where Debian wants what is only to be read.
const DOCUMENTS: &str = "usr/share/doc/touchmark";
/// The configuration, below `/`: an operator's to change.
pub(super) const CONFIGURATION: &str = "etc/touchmark/touchmark.toml";
pub(super) const UNIT: &str = "usr/lib/systemd/system/touchmark.service";
pub(super) const PROGRAM: &str = "usr/bin/touchmark";
/// What the service keeps, also said in packaging/touchmark.service.
const DATA: &str = "/var/lib/touchmark";

/// Files of the repository: where they are there, bundled and installed.
const KEPT: &[(&str, &str, &str)] = &[
    ("packaging/touchmark.service", "systemd/touchmark.service", UNIT),
    ("packaging/touchmark.sysusers", "systemd/touchmark.conf", "usr/lib/sysusers.d/touchmark.conf"),
    (
        "packaging/grafana/touchmark.json",
        "grafana/touchmark.json",
        "usr/share/doc/touchmark/grafana/touchmark.json",
    ),
    ("README.md", "README.md", "usr/share/doc/touchmark/README.md"),
    ("CHANGELOG.md", "CHANGELOG.md", "usr/share/doc/touchmark/changelog.gz"),
    ("SECURITY.md", "SECURITY.md", "usr/share/doc/touchmark/SECURITY.md"),
    ("LICENSE-APACHE", "LICENSE-APACHE", "usr/share/doc/touchmark/LICENSE-APACHE"),
    ("LICENSE-MIT", "LICENSE-MIT", "usr/share/doc/touchmark/LICENSE-MIT"),
];

/// Completion scripts: for which shell, bundled and installed.
const COMPLETIONS: &[(&str, &str, &str)] = &[
    ("bash", "completions/touchmark.bash", "usr/share/bash-completion/completions/touchmark"),
    ("fish", "completions/touchmark.fish", "usr/share/fish/vendor_completions.d/touchmark.fish"),
    ("zsh", "completions/_touchmark", "usr/share/zsh/vendor-completions/_touchmark"),
];

/// Everything, sorted by its path in the tarball.
pub(super) fn gather(workspace: &Workspace, release: &Release) -> Result<Vec<File>> {
    let binary = without_line_tables(&release.binary)?;
    let mut files = vec![
        File { mode: 0o755, ..File::new("touchmark", PROGRAM, binary) },
        configuration(release)?,
    ];
    for (kept, bundled, installed) in KEPT {
        let bytes = fs::read(workspace.root.join(kept)).context(*kept)?;
        files.push(File::new(*bundled, *installed, bytes));
    }
    for (shell, bundled, installed) in COMPLETIONS {
        let script = process::output(Command::new(&release.binary).args(["completions", shell]))?;
        files.push(File::new(*bundled, *installed, script.into_bytes()));
    }
    files.extend(manual(release)?);
    let parts = Parts::of(workspace, &release.target)?;
    let document = |name: &str, text: String| {
        File::new(name, format!("{DOCUMENTS}/{name}"), text.into_bytes())
    };
    files.push(document(bill::NAME, bill::document(&parts)?));
    files.push(document("THIRD-PARTY.txt", notices::text(&parts)?));
    files.sort_by(|a, b| a.bundled.cmp(&b.bundled));
    Ok(files)
}

/// The binary as it is, but for what only leads from addresses to lines: four fifths of it. Names
/// of functions stay, for backtraces.
fn without_line_tables(binary: &Path) -> Result<Vec<u8>> {
    let folder = tempfile::tempdir()?;
    let lean = folder.path().join("touchmark");
    process::output(Command::new("strip").arg("--strip-debug").arg("-o").arg(&lean).arg(binary))?;
    Ok(fs::read(lean)?)
}

/// One page for each command.
fn manual(release: &Release) -> Result<Vec<File>> {
    let folder = tempfile::tempdir()?;
    process::output(Command::new(&release.binary).args(["man", "--out"]).arg(folder.path()))?;
    let mut pages = Vec::new();
    for entry in fs::read_dir(folder.path())? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let installed = format!("usr/share/man/man1/{name}.gz");
        pages.push(File::new(format!("man/{name}"), installed, fs::read(entry.path())?));
    }
    Ok(pages)
}

fn configuration(release: &Release) -> Result<File> {
    let example = process::output(Command::new(&release.binary).args(["config", "example"]))?;
    let text = with_data_folder(&example)?;
    Ok(File::new("touchmark.toml", CONFIGURATION, text.into_bytes()))
}

/// The example configuration with every key at its default but for the data folder: commands of
/// upkeep find the service's folder by the same file.
fn with_data_folder(example: &str) -> Result<String> {
    let is_folder = |line: &&str| line.starts_with("# data = ");
    if example.lines().filter(is_folder).count() != 1 {
        bail!("`touchmark config example` has not one line `# data = …`");
    }
    let data = format!("data = \"{DATA}\"");
    let lines = example.lines().map(|line| if is_folder(&line) { &data } else { line });
    Ok(lines.flat_map(|line| [line, "\n"]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_names_the_folder_of_the_service() {
        let example = "[node]\n# Folder.\n# data = \"touchmark-data\"\n\n[http]\n";
        let text = with_data_folder(example).unwrap();
        assert_eq!(text, "[node]\n# Folder.\ndata = \"/var/lib/touchmark\"\n\n[http]\n");
        assert!(with_data_folder("[node]\n").is_err());
        let unit = include_str!("../../../packaging/touchmark.service");
        let state = DATA.strip_prefix("/var/lib/").unwrap();
        assert!(unit.contains(&format!("\nStateDirectory={state}\n")));
        assert!(unit.contains(&format!("--config /{CONFIGURATION}\n")));
    }
}
