//! `cargo xtask vectors`: the files of spec/vectors are the contract between all implementations.
//!
//! Our own files are written by generators: every example target called `vectors` in the workspace
//! is run with a folder as its argument and writes files there, each with the member
//! `"generator"`. All other files were published by somebody else and name their `"source"`.

use crate::process;
use crate::workspace::{self, Workspace};
use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

/// Arguments of `cargo xtask vectors`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Fail when a file differs from what its generator writes, and change nothing
    #[arg(long)]
    check: bool,
}

/// Name of the example targets that write vectors.
const GENERATOR: &str = "vectors";

/// Contents of files by their path below a folder.
#[derive(Default)]
struct Files(BTreeMap<String, String>);

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    if arguments.check {
        println!("vectors: {}", check(workspace)?);
        return Ok(ExitCode::SUCCESS);
    }
    let folder = folder(workspace);
    for (name, text) in generated(workspace)?.0 {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&folder))?;
        fs::write(&path, text)?;
        println!("wrote {}", workspace.relative(&path).display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Compares spec/vectors with the generators and returns one sentence of summary.
pub(crate) fn check(workspace: &Workspace) -> Result<String> {
    let kept = read(&folder(workspace))?;
    let faults = faults(&kept, &generated(workspace)?);
    if !faults.is_empty() {
        bail!("{}\n`cargo xtask vectors` writes our own files anew", faults.join("\n"));
    }
    let own = kept.0.values().filter(|text| text.contains("\"generator\"")).count();
    Ok(format!("ok: {own} generated files, {} published files", kept.0.len() - own))
}

fn folder(workspace: &Workspace) -> std::path::PathBuf {
    workspace.root.join("spec/vectors")
}

/// Everything that is wrong with the kept files.
fn faults(kept: &Files, generated: &Files) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, text) in &generated.0 {
        match kept.0.get(name) {
            None => faults.push(format!("{name}: missing")),
            Some(known) if known != text => {
                let line = known.lines().zip(text.lines()).take_while(|(a, b)| a == b).count() + 1;
                faults.push(format!("{name}: differs from its generator from line {line} on"));
            }
            Some(_) => {}
        }
    }
    for (name, text) in &kept.0 {
        match serde_json::from_str::<Value>(text) {
            Err(error) => faults.push(format!("{name}: not JSON: {error}")),
            Ok(json) if generated.0.contains_key(name) => {
                if !json["generator"].is_string() {
                    faults.push(format!("{name}: generated, but without \"generator\""));
                }
            }
            Ok(json) if json["generator"].is_string() => {
                faults.push(format!("{name}: no generator writes it any more"));
            }
            Ok(json) if !is_sourced(&json) => {
                faults.push(format!("{name}: published vectors name their \"source\""));
            }
            Ok(_) => {}
        }
    }
    faults
}

/// Whether a file names its source, or several.
fn is_sourced(json: &Value) -> bool {
    let is_name = |value: &Value| value.as_str().is_some_and(|name| !name.is_empty());
    let source = &json["source"];
    is_name(source)
        || source.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(is_name))
}

/// Runs all generators.
fn generated(workspace: &Workspace) -> Result<Files> {
    if !workspace.targets("example").any(|(_, target)| target.name == GENERATOR) {
        return Ok(Files::default());
    }
    // For the whole workspace, as the tests are: the same features, so nothing is built twice.
    let build = ["build", "--release", "--workspace", "--example", GENERATOR];
    process::run(&mut workspace.cargo(build))?;
    let folder = tempfile::tempdir()?;
    let program = workspace.target.join("release/examples").join(GENERATOR);
    process::run(Command::new(program).arg(folder.path()))?;
    read(folder.path())
}

fn read(folder: &Path) -> Result<Files> {
    let mut files = Files::default();
    for path in workspace::files(folder, "json")? {
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let name = path.strip_prefix(folder)?.to_string_lossy().into_owned();
        files.0.insert(name, text);
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "{\"generator\": \"vectors\",\n\"x\": 1}";

    fn files(files: &[(&str, &str)]) -> Files {
        Files(files.iter().map(|(name, text)| (String::from(*name), String::from(*text))).collect())
    }

    #[test]
    fn equal_files_and_published_files_with_a_source_are_fine() {
        let kept = files(&[
            ("own.json", OWN),
            ("ndef/foreign.json", r#"{"source": "RFC 9162"}"#),
            ("two.json", r#"{"source": ["a", "b"]}"#),
        ]);
        assert_eq!(faults(&kept, &files(&[("own.json", OWN)])), [""; 0]);
    }

    #[test]
    fn every_kind_of_drift_is_a_fault() {
        let generated = files(&[("own.json", OWN)]);
        let cases: [(&[(&str, &str)], &str); 7] = [
            (&[], "own.json: missing"),
            (
                &[("own.json", "{\"generator\": \"vectors\",\n\"x\": 2}")],
                "own.json: differs from its generator from line 2 on",
            ),
            (&[("own.json", OWN), ("a.json", "{")], "a.json: not JSON"),
            (&[("own.json", OWN), ("a.json", "{}")], "a.json: published vectors name"),
            (&[("own.json", OWN), ("a.json", "[]")], "a.json: published vectors name"),
            (
                &[("own.json", OWN), ("a.json", r#"{"source": []}"#)],
                "a.json: published vectors name",
            ),
            (&[("own.json", OWN), ("b.json", OWN)], "b.json: no generator writes it any more"),
        ];
        for (kept, expected) in cases {
            let faults = faults(&files(kept), &generated);
            assert_eq!(faults.len(), 1, "{faults:?}");
            assert!(faults[0].starts_with(expected), "{faults:?}");
        }
        let anonymous = files(&[("own.json", "{}")]);
        assert_eq!(
            faults(&anonymous, &anonymous),
            ["own.json: generated, but without \"generator\""]
        );
    }
}
