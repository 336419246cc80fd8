//! `cargo xtask firmware`: a proof of status on an emulated microcontroller.
//!
//! The workspace `firmware/` has two programs: one gives the whole verdict, the other one follows by
//! approvals and cosignatures. Both read the proof of spec/vectors/status-proof.json in QEMU, then
//! the same with one bit changed in each part that they rest on. QEMU counts instructions; time on a
//! chip also depends on its memory.

use super::{Arguments, Compiler, MICROCONTROLLER};
use crate::workspace::Workspace;
use crate::{process, setup};
use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// The programs, and what the parts that each rests on are marked with.
const PROGRAMS: [(&str, Reading); 2] =
    [("verdict", |part| part.certified), ("cosigned", |part| part.cosigned)];

type Reading = fn(&Part) -> bool;

/// An emulated verdict takes less than a second; coreutils' `timeout` ends what hangs.
const LIMIT: &str = "60";

/// What the firmware's loop has, to see that QEMU counts.
const LOOP: u64 = 2_000_000;

/// The file of vectors.
#[derive(Deserialize)]
struct Vectors {
    network: String,
    bundle: String,
    regions: Vec<Part>,
}

/// A part of the bundle.
#[derive(Deserialize)]
struct Part {
    name: String,
    start: usize,
    end: usize,
    certified: bool,
    cosigned: bool,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    setup::emulator()?;
    let text = fs::read_to_string(workspace.root.join("spec/vectors/status-proof.json"))?;
    let vectors: Vectors = serde_json::from_str(&text)?;
    let bundle = bytes(&vectors.bundle).context("the bundle is hexadecimal")?;
    let folder = build(workspace, arguments, &vectors.network)?;
    let inputs = tempfile::tempdir()?;
    println!("program   text, bytes  constants  statics  stack    heap     instructions");
    for (program, rests_on) in PROGRAMS {
        let judge = |bundle: &[u8]| -> Result<Figures> {
            let path = inputs.path().join("proof.tmb");
            fs::write(&path, bundle)?;
            Figures::read(&process::output(&mut emulator(&folder.join(program), &path))?)
        };
        let good = judge(&bundle)?;
        ensure!(good.verdict == "valid", "{program}: the proof is not valid: {}", good.verdict);
        println!("{program:<9} {good}");
        let parts: Vec<_> = vectors.regions.iter().filter(|part| rests_on(part)).collect();
        ensure!(parts.len() > 5, "{program} rests on few parts of the proof");
        for part in parts {
            let verdict = judge(&changed(&bundle, part))?.verdict;
            ensure!(verdict != "valid", "{program} takes a proof with a changed {}", part.name);
            eprintln!("{program}, one bit of the {}: {verdict}", part.name);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds the programs for a network; gives the folder that they are in.
fn build(workspace: &Workspace, arguments: &Arguments, network: &str) -> Result<PathBuf> {
    let target = workspace.target.join("firmware");
    let mut cargo =
        workspace.cargo(["build", "--release", "--locked", "--target", MICROCONTROLLER]);
    cargo.current_dir(workspace.root.join("firmware"));
    cargo.env("CARGO_TARGET_DIR", &target).env("TOUCHMARK_NETWORK", network);
    if let Compiler::Debian(compiler) = Compiler::of(workspace, &[MICROCONTROLLER], arguments)? {
        compiler.apply(&mut cargo, &target);
    }
    process::run(&mut cargo)?;
    Ok(target.join(MICROCONTROLLER).join("release"))
}

/// A Cortex-M4 that runs one instruction in each nanosecond of its own time.
fn emulator(program: &Path, bundle: &Path) -> Command {
    let mut emulator = Command::new("timeout");
    emulator.args([
        LIMIT,
        "qemu-system-arm",
        "-M",
        "mps2-an386",
        "-display",
        "none",
        "-monitor",
        "none",
        "-serial",
        "none",
    ]);
    emulator.args(["-icount", "shift=0", "-semihosting-config"]);
    emulator.arg(format!("enable=on,target=native,arg=firmware,arg={}", bundle.display()));
    emulator.arg("-kernel").arg(program);
    emulator
}

/// The bundle with one bit changed in the middle of a part.
fn changed(bundle: &[u8], part: &Part) -> Vec<u8> {
    let mut changed = bundle.to_vec();
    changed[usize::midpoint(part.start, part.end)] ^= 4;
    changed
}

fn bytes(hexadecimal: &str) -> Option<Vec<u8>> {
    let byte = |at| u8::from_str_radix(hexadecimal.get(at..at + 2)?, 16).ok();
    (0..hexadecimal.len()).step_by(2).map(byte).collect()
}

/// What a program says.
#[derive(Debug)]
struct Figures {
    verdict: String,
    numbers: BTreeMap<String, u64>,
}

impl Figures {
    fn read(output: &str) -> Result<Self> {
        let lines = output.lines().filter_map(|line| line.strip_prefix("figure "));
        let figures: BTreeMap<_, _> = lines.filter_map(|line| line.split_once(": ")).collect();
        let Some(verdict) = figures.get("verdict") else { bail!("no verdict in:\n{output}") };
        let numbers = figures
            .iter()
            .filter_map(|(name, value)| Some(((*name).to_owned(), value.parse().ok()?)));
        let figures = Self { verdict: (*verdict).to_owned(), numbers: numbers.collect() };
        let counted = figures.number("loop");
        ensure!(counted.abs_diff(LOOP) < 200, "a loop of {LOOP} instructions counts as {counted}");
        Ok(figures)
    }

    fn number(&self, name: &str) -> u64 {
        self.numbers.get(name).copied().unwrap_or_default()
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let of = |name| self.number(name);
        write!(f, "{:<12} {:<10} {:<8} ", of("text"), of("rodata"), of("statics"))?;
        write!(f, "{:<8} {:<8} {}", of("stack"), of("heap"), of("instructions"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "figure loop: 2000040\nfigure text: 7\nfigure verdict: valid\n";

    #[test]
    fn figures_are_read_and_an_emulator_that_does_not_count_is_noticed() {
        let figures = Figures::read(SAID).unwrap();
        assert_eq!((figures.verdict.as_str(), figures.number("text")), ("valid", 7));
        assert!(Figures::read(&SAID.replace("2000040", "2001040")).is_err());
        assert!(Figures::read("panicked").is_err());
    }

    #[test]
    fn one_bit_within_the_part_is_changed() {
        let part = Part { name: "x".into(), start: 2, end: 4, certified: true, cosigned: true };
        assert_eq!(changed(&[0; 6], &part), [0, 0, 0, 4, 0, 0]);
        assert_eq!(bytes("00ff"), Some(vec![0, 255]));
        assert_eq!(bytes("0"), None);
    }
}
