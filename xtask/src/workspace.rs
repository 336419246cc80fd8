//! What cargo knows about the workspace, and where files lie in it.

use crate::process;
use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The answer of `cargo metadata --no-deps`: members only.
#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    /// Folder of the root manifest.
    #[serde(rename = "workspace_root")]
    pub(crate) root: PathBuf,
    /// Folder of build products, wherever the environment put it.
    #[serde(rename = "target_directory")]
    pub(crate) target: PathBuf,
    /// The members.
    pub(crate) packages: Vec<Package>,
}

/// One member of the workspace.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) repository: Option<String>,
    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) targets: Vec<Target>,
}

/// A dependency as its member declares it.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    /// Name of the package, also where the manifest renames it.
    pub(crate) name: String,
    /// `None` for ordinary ones, else `dev` or `build`.
    pub(crate) kind: Option<String>,
}

/// Something that a member builds.
#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) kind: Vec<String>,
}

impl Workspace {
    /// Asks cargo about the workspace of the current folder.
    pub(crate) fn open() -> Result<Self> {
        let mut cargo = Command::new(cargo());
        cargo.args(["metadata", "--format-version", "1", "--no-deps"]);
        let json = process::output(&mut cargo).context("cargo metadata")?;
        serde_json::from_str(&json).context("unexpected answer of cargo metadata")
    }

    /// A cargo command that runs in the root.
    pub(crate) fn cargo<S: AsRef<std::ffi::OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Command {
        let mut command = Command::new(cargo());
        command.current_dir(&self.root).args(arguments);
        command
    }

    /// The members that have a target called `name` of that kind (`bin`, `bench`, `example`).
    pub(crate) fn targets<'a>(
        &'a self,
        kind: &'a str,
    ) -> impl Iterator<Item = (&'a Package, &'a Target)> {
        self.packages.iter().flat_map(move |package| {
            let of_kind = move |target: &&Target| target.kind.iter().any(|known| known == kind);
            package.targets.iter().filter(of_kind).map(move |target| (package, target))
        })
    }

    /// The `touchmark` binary: `TOUCHMARK_BIN` where it is set, else built now in release.
    pub(crate) fn binary(&self) -> Result<PathBuf> {
        if let Some(given) = env::var_os("TOUCHMARK_BIN") {
            let given = self.root.join(given);
            if !given.is_file() {
                bail!("TOUCHMARK_BIN names {}, which is not a file", given.display());
            }
            return Ok(given);
        }
        if !self.targets("bin").any(|(_, target)| target.name == "touchmark") {
            bail!("no member builds a binary called touchmark yet");
        }
        let mut build = self.cargo(["build", "--release", "--workspace", "--bin", "touchmark"]);
        process::run(&mut build)?;
        Ok(self.target.join("release/touchmark"))
    }

    /// `path` as a reader of a message wants it: relative to the root.
    pub(crate) fn relative<'a>(&self, path: &'a Path) -> &'a Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }
}

/// The cargo that started this program.
fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// All files under `folder` whose name ends in `.extension`, sorted; build products, installed
/// packages and hidden folders are left out. A missing folder has none.
pub(crate) fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        if !folder.is_dir() {
            continue;
        }
        let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                let skipped = name.starts_with('.') || name == "target" || name == "node_modules";
                if !skipped {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|known| known == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_by_extension_outside_build_products() {
        let folder = tempfile::tempdir().unwrap();
        for path in ["a.md", "sub/b.md", "sub/c.rs", "target/d.md", "node_modules/e.md", ".f/g.md"]
        {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let found = files(folder.path(), "md").unwrap();
        assert_eq!(found, [folder.path().join("a.md"), folder.path().join("sub/b.md")]);
        assert!(files(&folder.path().join("missing"), "md").unwrap().is_empty());
    }
}
