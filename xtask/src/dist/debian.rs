//! The Debian package: the same files where Debian wants them, put together by `dpkg-deb`.

use super::Release;
use super::contents::{CONFIGURATION, File};
use super::tarball::compressed;
use crate::process;
use crate::workspace::Workspace;
use anyhow::{Context as _, Result, bail};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

/// What Debian calls the machines that a package is for.
#[derive(Clone, Copy)]
pub(super) struct Architecture(&'static str);

impl Architecture {
    pub(super) fn of(target: &str) -> Option<Self> {
        match target {
            "x86_64-unknown-linux-gnu" => Some(Self("amd64")),
            "aarch64-unknown-linux-gnu" => Some(Self("arm64")),
            _ => None,
        }
    }
}

/// Texts of packaging/debian that dpkg reads or runs, with their modes.
const CONTROL: &[(&str, u32)] =
    &[("control", 0o644), ("postinst", 0o755), ("prerm", 0o755), ("postrm", 0o755)];

/// Writes the package into a folder; its name.
pub(super) fn write(
    workspace: &Workspace,
    release: &Release,
    architecture: Architecture,
    contents: &[File],
    folder: &Path,
) -> Result<String> {
    let version = version(&release.version);
    let name = format!("touchmark_{version}_{}.deb", architecture.0);
    let temporary = tempfile::tempdir()?;
    let tree = temporary.path().join("touchmark");
    let mut bytes = 0;
    for file in contents {
        let is_packed = Path::new(&file.installed).extension().is_some_and(|it| it == "gz");
        let packed = is_packed.then(|| compressed(&file.bytes)).transpose()?;
        let packed = packed.as_ref().unwrap_or(&file.bytes);
        bytes += packed.len();
        put(&tree, &file.installed, file.mode, packed)?;
    }
    let program = contents.iter().find(|file| file.mode == 0o755).context("there is no program")?;
    let fields = [
        ("@VERSION@", version),
        ("@ARCHITECTURE@", architecture.0.to_owned()),
        ("@HOMEPAGE@", release.repository.clone()),
        ("@KIBIBYTES@", bytes.div_ceil(1024).to_string()),
        ("@GLIBC@", glibc(&program.bytes).context("the program names no version of glibc")?),
    ];
    let kept = |name: &str| -> Result<String> {
        let path = workspace.root.join("packaging/debian").join(name);
        let text = fs::read_to_string(&path).context(path.display().to_string())?;
        Ok(fields.iter().fold(text, |text, (field, value)| text.replace(field, value)))
    };
    put(&tree, "usr/share/doc/touchmark/copyright", 0o644, kept("copyright")?.as_bytes())?;
    for (name, mode) in CONTROL {
        put(&tree, &format!("DEBIAN/{name}"), *mode, kept(name)?.as_bytes())?;
    }
    put(&tree, "DEBIAN/conffiles", 0o644, format!("/{CONFIGURATION}\n").as_bytes())?;
    let mut build = Command::new("dpkg-deb");
    // gzip: the other forms pack by as many threads as there are, and older systems lack some.
    build.args(["--root-owner-group", "-Zgzip", "--build"]).arg(&tree).arg(folder.join(&name));
    process::output(build.env("SOURCE_DATE_EPOCH", release.time.to_string()))?;
    Ok(name)
}

/// Writes a file of the tree; folders and file have their modes whatever the caller's mask is.
fn put(tree: &Path, path: &str, mode: u32, bytes: &[u8]) -> Result<()> {
    let file = tree.join(path);
    let folder = file.parent().context("a file is in a folder")?;
    fs::create_dir_all(folder)?;
    for folder in folder.ancestors().take_while(|folder| folder.starts_with(tree)) {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    }
    fs::write(&file, bytes)?;
    fs::set_permissions(&file, fs::Permissions::from_mode(mode))?;
    Ok(())
}

/// A version as Debian orders it: what comes before a release has a tilde.
fn version(version: &str) -> String {
    version.replace('-', "~")
}

/// The newest version of the C library whose symbols a program names.
fn glibc(program: &[u8]) -> Option<String> {
    const SYMBOLS: &[u8] = b"GLIBC_2.";
    let found = program.windows(SYMBOLS.len()).enumerate().filter(|(_, it)| *it == SYMBOLS);
    let minor = found.filter_map(|(at, _)| {
        let digits = program[at + SYMBOLS.len()..].iter().take_while(|it| it.is_ascii_digit());
        String::from_utf8(digits.copied().collect()).ok()?.parse::<u32>().ok()
    });
    Some(format!("2.{}", minor.max()?))
}

/// Fails unless a package's file is there as it was packed.
pub(super) fn require(root: &Path, path: &str, mode: u32) -> Result<()> {
    let file = root.join(path);
    let metadata = fs::metadata(&file).with_context(|| format!("the package lacks {path}"))?;
    let found = metadata.permissions().mode() & 0o7777;
    if found != mode {
        bail!("{path} has mode {found:o} and not {mode:o}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_symbol_decides_the_version_of_the_library() {
        assert_eq!(glibc(b"..GLIBC_2.2.5\0GLIBC_2.34\0GLIBC_2.9\0GLIBC_2.x").unwrap(), "2.34");
        assert_eq!(glibc(b"GLIBC_PRIVATE"), None);
    }

    #[test]
    fn a_candidate_is_older_than_its_release() {
        assert_eq!(version("1.2.0-rc.1"), "1.2.0~rc.1");
        assert_eq!(version("1.2.0"), "1.2.0");
    }

    #[test]
    fn what_is_put_has_its_mode_and_so_have_its_folders() {
        let folder = tempfile::tempdir().unwrap();
        let tree = folder.path().join("tree");
        put(&tree, "usr/bin/program", 0o755, b"").unwrap();
        for path in ["", "usr", "usr/bin", "usr/bin/program"] {
            require(&tree, path, 0o755).unwrap();
        }
        assert!(require(&tree, "usr/bin/program", 0o644).is_err());
        assert!(require(&tree, "usr/bin/other", 0o755).is_err());
    }
}
