//! Runs seeds, two at a time, and says which fail. `cargo xtask simulate` calls it.

use std::collections::VecDeque;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;
use touchmark_simulation::{Plan, Report, simulate};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [from, seeds, form] = &arguments[..] else {
        eprintln!("usage: simulate FROM SEEDS json|text (or: cargo xtask simulate --help)");
        return ExitCode::from(2);
    };
    let (Ok(from), Ok(seeds)) = (from.parse::<u64>(), seeds.parse::<u64>()) else {
        eprintln!("FROM and SEEDS are numbers");
        return ExitCode::from(2);
    };
    let json = form == "json";
    // A member whose storage fails panics, which is what it should do. What else does is in the
    // report, and where is shown by a run of that seed alone.
    if seeds > 1 {
        std::panic::set_hook(Box::new(|_| {}));
    }
    let waiting: Mutex<VecDeque<u64>> = Mutex::new((from..from.saturating_add(seeds)).collect());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let failed = Mutex::new(0u64);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(seed) = next() {
                    let report = simulate(seed);
                    let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                    *failed += u64::from(!report.violations.is_empty());
                    show(&report, json);
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    if json {
        println!("{}", serde_json::json!({ "seeds": seeds, "failed": failed }));
    } else {
        println!("{seeds} seeds, {failed} failed");
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One line or object for each seed: what it did, or what it violated and how to repeat it.
fn show(report: &Report, json: bool) {
    let Report { seed, trace, batches, acknowledged, resumed, caught_up, duration, .. } = report;
    let Report { stopped, violations, .. } = report;
    let plan = Plan::of(*seed);
    let founders = plan.founders().len();
    let next = plan.change.as_ref().map(|change| change.next.len());
    let violations: Vec<_> = violations.iter().map(ToString::to_string).collect();
    let replay = format!("cargo xtask simulate --seeds 1 --from {seed}");
    if json {
        let mut row = serde_json::json!({
            "seed": seed, "members": founders, "next_members": next, "liars": plan.lies.len(),
            "trace": trace, "batches": batches, "acknowledged": acknowledged,
            "resumed_views": resumed, "caught_up_views": caught_up,
            "virtual_seconds": duration.as_secs_f64(), "stopped": stopped.len(),
            "violations": violations,
        });
        if !violations.is_empty() {
            row["replay"] = replay.into();
        }
        println!("{row}");
    } else if violations.is_empty() {
        println!(
            "seed {seed}: ok, {}, {batches} batches, {acknowledged} statements, {:.1} s, trace {}",
            outline(&plan, stopped.len()),
            duration.as_secs_f64(),
            &trace[..16]
        );
    } else {
        println!("seed {seed}: FAILED: {}\n  replay: {replay}", violations.join("; "));
    }
}

/// Who took part, and how many stopped because their storage failed.
fn outline(plan: &Plan, stopped: usize) -> String {
    let members = match (plan.founders().len(), &plan.change) {
        (1, None) => "1 member".to_owned(),
        (members, None) => format!("{members} members"),
        (members, Some(change)) => format!("{members} hand over to {}", change.next.len()),
    };
    let troubles = [(plan.lies.len(), "lying"), (stopped, "stopped by their storage")];
    let troubles = troubles.into_iter().filter(|(count, _)| *count > 0);
    let troubles = troubles.map(|(count, what)| format!(", {count} {what}"));
    [members].into_iter().chain(troubles).collect()
}
