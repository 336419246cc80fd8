//! `cargo xtask demo`: the main story, told with the real binary through its command line and its
//! HTTP interface.
//!
//! The story is a list of steps ([`story::STEPS`]). This module runs them in order, stops at the
//! first that fails, and reports. The stage ([`stage::Stage`]) holds everything that a step leaves
//! to the next: the data folder, the running nodes, and notes.

mod reader;
mod stage;
mod story;

use crate::process;
use crate::setup;
use crate::workspace::Workspace;
use anyhow::Result;
use serde::Serialize;
use stage::Stage;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Arguments of `cargo xtask demo`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// End after the last step instead of leaving the nodes running
    #[arg(long)]
    once: bool,
    /// Print the results as one JSON object on the last line
    #[arg(long)]
    json: bool,
}

/// One step of the story.
struct Step {
    /// What happens, as a sentence without a full stop.
    name: &'static str,
    /// What a reader may conclude when it succeeds.
    proves: &'static str,
    /// Does it and returns what was seen; an error ends the story.
    act: fn(&mut Stage) -> Result<String>,
}

/// How the story went.
#[derive(Serialize)]
struct Report {
    ok: bool,
    steps: Vec<Outcome>,
}

/// How one step went.
#[derive(Serialize)]
struct Outcome {
    name: &'static str,
    ok: bool,
    /// What was seen, or why it failed.
    detail: String,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    setup::packages()?;
    let interrupts = process::interrupts()?;
    let mut stage = Stage::new(workspace.binary()?)?;
    let report = perform(story::STEPS, &mut stage, &interrupts);
    if report.ok && !arguments.once && stage.is_busy() {
        println!("\nThe nodes keep running: {}", stage.addresses());
        linger(&mut stage, &interrupts)?;
    }
    drop(stage);
    if arguments.json {
        println!("{}", serde_json::to_string(&report)?);
    }
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the steps until one fails or somebody interrupts.
fn perform(steps: &[Step], stage: &mut Stage, interrupts: &mpsc::Receiver<()>) -> Report {
    let mut outcomes = Vec::new();
    for (number, step) in (1..).zip(steps) {
        println!("\n{number}/{} {}", steps.len(), step.name);
        println!("    proves: {}", step.proves);
        let _ = std::io::stdout().flush();
        let start = Instant::now();
        let result = (step.act)(stage);
        let ok = result.is_ok() && interrupts.try_recv().is_err();
        let detail = match result {
            Ok(_) if !ok => "interrupted".to_owned(),
            Ok(detail) => detail,
            Err(error) => format!("{error:#}"),
        };
        let verdict = if ok { "ok" } else { "FAILED" };
        println!("    {verdict} ({:.1} s): {detail}", start.elapsed().as_secs_f64());
        outcomes.push(Outcome { name: step.name, ok, detail });
        if !ok {
            break;
        }
    }
    let ok = outcomes.len() == steps.len() && outcomes.iter().all(|outcome| outcome.ok);
    let done = outcomes.iter().filter(|outcome| outcome.ok).count();
    println!("\n{}: {done} of {} steps", if ok { "ok" } else { "FAILED" }, steps.len());
    Report { ok, steps: outcomes }
}

/// Waits for an interrupt, for Enter on a terminal, or for the end of a node.
fn linger(stage: &mut Stage, interrupts: &mpsc::Receiver<()>) -> Result<()> {
    let (sender, entered) = mpsc::channel();
    if std::io::stdin().is_terminal() {
        println!("Press Enter to end.");
        thread::spawn(move || {
            let _ = std::io::stdin().read_line(&mut String::new());
            let _ = sender.send(());
        });
    }
    while entered.try_recv().is_err() && stage.is_whole()? {
        if interrupts.recv_timeout(Duration::from_millis(200)).is_ok() {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::bail;

    fn report(steps: &[Step]) -> Report {
        let mut stage = Stage::new("/bin/true".into()).unwrap();
        perform(steps, &mut stage, &mpsc::channel().1)
    }

    const GOOD: Step = Step { name: "good", proves: "a", act: |_| Ok("seen".to_owned()) };
    const BAD: Step = Step { name: "bad", proves: "b", act: |_| bail!("because") };

    #[test]
    fn the_story_stops_at_the_first_failure() {
        let json = serde_json::to_value(report(&[GOOD, BAD, GOOD])).unwrap();
        let expected = serde_json::json!({"ok": false, "steps": [
            {"name": "good", "ok": true, "detail": "seen"},
            {"name": "bad", "ok": false, "detail": "because"},
        ]});
        assert_eq!(json, expected);
        assert!(report(&[GOOD, GOOD]).ok);
    }

    #[test]
    fn an_interrupt_fails_the_running_step() {
        let (sender, receiver) = mpsc::channel();
        sender.send(()).unwrap();
        let mut stage = Stage::new("/bin/true".into()).unwrap();
        let report = perform(&[GOOD, GOOD], &mut stage, &receiver);
        assert_eq!((report.ok, report.steps.len()), (false, 1));
        assert_eq!(report.steps[0].detail, "interrupted");
    }
}
