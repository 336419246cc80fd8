//! The driver for the stable compiler: replays a target's corpus, then mutates it for some time.
//!
//! `drive --list`, or `drive TARGET [--seconds N] [--seed S]`.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, fs, panic};
use touchmark_fuzz::mutation::{Random, mutant};
use touchmark_fuzz::{TARGETS, Target};

fn main() -> ExitCode {
    match run(env::args().skip(1)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(mut arguments: impl Iterator<Item = String>) -> Result<ExitCode, Box<dyn Error>> {
    let name = arguments.next().ok_or("which target? --list names them")?;
    if name == "--list" {
        TARGETS.iter().for_each(|target| println!("{}", target.name));
        return Ok(ExitCode::SUCCESS);
    }
    let target = TARGETS.iter().find(|target| target.name == name);
    let target = target.ok_or("no such target; --list names them")?;
    let (mut seconds, mut seed) = (10, None);
    while let Some(option) = arguments.next() {
        let value: u64 = arguments.next().ok_or("an option needs a number")?.parse()?;
        match option.as_str() {
            "--seconds" => seconds = value,
            "--seed" => seed = Some(value),
            _ => return Err(format!("unknown option {option}").into()),
        }
    }
    let seed = seed.map_or_else(seed_of_now, Ok)?;
    drive(target, Duration::from_secs(seconds), seed)
}

/// A new seed for every run; it is printed, so the run can be repeated.
fn seed_of_now() -> Result<u64, Box<dyn Error>> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())
}

fn drive(target: &Target, time: Duration, seed: u64) -> Result<ExitCode, Box<dyn Error>> {
    let corpus: Vec<Vec<u8>> = target.corpus()?.into_iter().map(|(_, bytes)| bytes).collect();
    let mut random = Random::new(seed);
    let start = Instant::now();
    let mut count = 0_u64;
    let mut replayed = corpus.iter();
    // At least every kept input and one mutant, however short the time.
    loop {
        let input = match replayed.next() {
            Some(kept) => kept.clone(),
            None if count > corpus.len() as u64 && start.elapsed() >= time => break,
            None => mutant(&corpus, &mut random),
        };
        count += 1;
        if panic::catch_unwind(|| (target.run)(&input)).is_err() {
            let path = keep(target, &input)?;
            println!("{}: FAILED after {count} inputs, seed {seed}", target.name);
            println!("the input is {}; replay: cargo xtask fuzz {}", path.display(), target.name);
            return Ok(ExitCode::FAILURE);
        }
    }
    println!("{}: ok, {count} inputs in {} s, seed {seed}", target.name, start.elapsed().as_secs());
    Ok(ExitCode::SUCCESS)
}

/// Adds an input to the corpus, so that it is replayed from now on.
fn keep(target: &Target, input: &[u8]) -> Result<PathBuf, Box<dyn Error>> {
    // FNV-1a: only a name.
    let hash = input.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let path = target.corpus_folder().join(format!("broke-{hash:016x}"));
    fs::write(&path, input)?;
    Ok(path)
}
