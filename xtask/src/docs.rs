//! `cargo xtask docs`: what the documents say works.
//!
//! The lines that start with `$ ` in blocks of the language `console` are commands. All commands of
//! one document run in order in one shell, in an empty folder, with the built `touchmark` in the
//! path; the first that fails ends it. A block marked `console,no-run` is for reading only.
//! Relative links must lead to a file, and to a heading where they name one.

mod blocks;
mod links;

use crate::process::{self, Owned};
use crate::workspace::{self, Workspace};
use anyhow::{Context as _, Result};
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// A document's commands end within this time.
const LIMIT: Duration = Duration::from_secs(300);

pub(crate) fn run(workspace: &Workspace) -> Result<ExitCode> {
    let mut faults = links::broken(&workspace.root)?;
    for fault in &faults {
        println!("{fault}");
    }
    let mut binary = None;
    let mut count = 0;
    for document in documents(workspace)? {
        let text = fs::read_to_string(&document)?;
        let commands = blocks::commands(&text);
        if commands.is_empty() {
            continue;
        }
        if binary.is_none() {
            binary = Some(workspace.binary()?);
        }
        let folder = binary.as_deref().and_then(Path::parent).context("a binary has a folder")?;
        let name = workspace.relative(&document).display().to_string();
        let start = Instant::now();
        count += commands.len();
        match perform(&blocks::script(&commands), folder) {
            Ok(()) => println!(
                "{name}: {} commands, {:.1} s",
                commands.len(),
                start.elapsed().as_secs_f64()
            ),
            Err(error) => {
                println!("{name}: {error:#}");
                faults.push(name);
            }
        }
    }
    println!("docs: {} faults, {count} commands run", faults.len());
    Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// README.md and everything in docs/.
fn documents(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let readme = Some(workspace.root.join("README.md")).filter(|path| path.is_file());
    let docs = workspace::files(&workspace.root.join("docs"), "md")?;
    Ok(readme.into_iter().chain(docs).collect())
}

/// Runs a script in an empty folder, with the programs of `bin` in the path.
fn perform(script: &str, bin: &Path) -> Result<()> {
    let home = tempfile::tempdir()?;
    let folder = home.path().join("work");
    fs::create_dir(&folder)?;
    let said = home.path().join("output");
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([bin.to_path_buf()].into_iter().chain(env::split_paths(&path)))?;
    let output = File::create(&said)?;
    let mut bash = Command::new("bash");
    bash.args(["-c", script])
        .current_dir(&folder)
        .env("PATH", path)
        // A reader's own configuration must neither help nor hurt.
        .env("HOME", home.path())
        .env_remove("XDG_CONFIG_HOME")
        .env_remove("XDG_DATA_HOME")
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output);
    let result = Owned::start(&mut bash)?.wait(LIMIT);
    let verdict = result.and_then(|status| process::succeeded(status, "the last command above"));
    verdict.with_context(|| {
        let text = fs::read_to_string(&said).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        format!("a command failed\n{}", lines[lines.len().saturating_sub(40)..].join("\n"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(document: &str) -> Result<()> {
        perform(&blocks::script(&blocks::commands(document)), Path::new("/bin"))
    }

    #[test]
    fn commands_share_one_shell_and_start_in_an_empty_folder() {
        let document = "```console\n$ test -z \"$(ls)\"\n$ x=1\n$ echo $x > file\nshown output\n```\n\
                        text\n```console\n$ test \"$(cat file)\" = 1\n```\n";
        outcome(document).unwrap();
    }

    #[test]
    fn a_failing_command_fails_its_document_and_is_shown() {
        let error = outcome("```console\n$ echo before\n$ false\n$ echo after\n```\n").unwrap_err();
        let error = format!("{error:#}");
        assert!(error.contains("before\n$ false") && !error.contains("after"), "{error}");
        assert!(outcome("```console\n$ false | cat\n```\n").is_err());
        assert!(outcome("```console\n$ echo $undefined_name\n```\n").is_err());
    }

    #[test]
    fn programs_left_in_the_background_are_ended() {
        let start = Instant::now();
        outcome("```console\n$ sleep 60 &\n$ true\n```\n").unwrap();
        assert!(start.elapsed() < Duration::from_secs(10));
    }
}
