//! Debian's compiler for the web with the sources of the standard library.
//!
//! Its packages conflict with a compiler that is installed already, so they are unpacked into a
//! folder of ours and never installed. Cargo stays the one that runs us; only the compiler changes.

use crate::{process, setup};
use anyhow::{Context as _, Result, bail};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// An unpacked compiler.
pub(super) struct Compiler {
    root: PathBuf,
}

impl Compiler {
    /// Uses what an earlier run unpacked into `folder`, else downloads it.
    pub(super) fn provide(folder: &Path) -> Result<Self> {
        let compiler = Self { root: folder.join("root") };
        // Written last, so that an interrupted download is no compiler.
        let complete = folder.join("complete");
        if complete.is_file() {
            return Ok(compiler);
        }
        if !process::exists("apt-get") || !process::exists("dpkg") {
            bail!("neither rustup nor Debian's packages can provide the targets on this machine");
        }
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(&compiler.root)?;
        setup::apt_update()?;
        let mut download = Command::new("apt-get");
        let names = packages()?;
        process::run(download.args(["download", "-q"]).args(names).current_dir(folder))?;
        unpack(folder, &compiler.root)?;
        fs::write(complete, "")?;
        Ok(compiler)
    }

    /// Makes a cargo command build the standard library and everything else with this compiler.
    /// `core` and `alloc` are enough: the shared crates have no more, and that is part of the check.
    pub(super) fn apply(&self, cargo: &mut Command, target: &Path) {
        let path = env::var_os("PATH").unwrap_or_default();
        let linkers = fs::read_dir(self.root.join("usr/lib")).into_iter().flatten().flatten();
        let linkers = linkers.map(|entry| entry.path().join("bin")).filter(|bin| bin.is_dir());
        let path = env::join_paths(linkers.chain(env::split_paths(&path)));
        cargo
            .arg("-Zbuild-std=core,alloc")
            .env("RUSTC", self.root.join("usr/bin/rustc"))
            // Debian's compiler is a stable one, and building its library is not stable yet.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("LD_LIBRARY_PATH", self.root.join("usr/lib/x86_64-linux-gnu"))
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld")
            .env("CARGO_TARGET_THUMBV7EM_NONE_EABI_LINKER", "ld.lld")
            .env("CARGO_TARGET_DIR", target);
        if let Ok(path) = path {
            cargo.env("PATH", path);
        }
    }
}

/// The names of the packages: those of the libraries change with every version of the compiler.
fn packages() -> Result<Vec<String>> {
    let apt = |name: &str| process::output(Command::new("apt-cache").args(["depends", name]));
    let library = depended(&apt("libstd-rust-web-dev")?, "libstd-rust-web-")
        .context("Debian's lists have no libstd-rust-web-dev; as root: apt-get update")?;
    let llvm = depended(&apt(&library)?, "libllvm").context("no libllvm below libstd-rust-web")?;
    let linker = llvm.replace("libllvm", "lld-");
    let fixed = ["rustc-web", "rust-web-src", "libstd-rust-web-dev"].map(String::from);
    Ok(fixed.into_iter().chain([library, llvm, linker]).collect())
}

/// The dependency that is `prefix` and a version, from the output of `apt-cache depends`.
fn depended(output: &str, prefix: &str) -> Option<String> {
    let names = output.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
    let mut names = names.filter(|name| {
        let version = name.strip_prefix(prefix);
        version.is_some_and(|version| version.starts_with(|sign: char| sign.is_ascii_digit()))
    });
    names.next().map(String::from)
}

fn unpack(folder: &Path, root: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            process::run(Command::new("dpkg").arg("-x").arg(&path).arg(root))?;
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versioned_packages_are_read_from_their_dependents() {
        let output = "libstd-rust-web-dev\n  Depends: libc6\n  Depends: libstd-rust-web-dev\n  \
                      Depends: libstd-rust-web-1.96\n  Suggests: rust-web-src\n";
        assert_eq!(depended(output, "libstd-rust-web-").as_deref(), Some("libstd-rust-web-1.96"));
        assert_eq!(depended(output, "libllvm"), None);
    }
}
