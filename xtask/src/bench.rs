//! `cargo xtask bench`: one benchmark by its name.
//!
//! A benchmark is a `[[bench]]` target (with `harness = false`) of any member; the list is the
//! workspace's own. It gets `--quick` if that was asked for, and prints one JSON object per row on
//! its standard output, everything else on its standard errors.

use crate::process;
use crate::workspace::Workspace;
use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};
use std::process::{ExitCode, Stdio};

/// Arguments of `cargo xtask bench`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Which benchmark; without it they are listed
    name: Option<String>,
    /// End within 40 seconds
    #[arg(long)]
    quick: bool,
    /// Print one JSON object per row
    #[arg(long)]
    json: bool,
}

/// One measurement.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    bench: String,
    case: String,
    value: f64,
    unit: String,
    /// The physical limit, or the peer measured in the same run, in the same unit.
    limit: Option<f64>,
    /// `value` as a part of `limit`.
    ratio: Option<f64>,
}

/// The exit code of a misuse.
const MISUSE: u8 = 2;

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    let names: Vec<&str> =
        workspace.targets("bench").map(|(_, target)| target.name.as_str()).collect();
    let Some(name) = &arguments.name else {
        println!("{}", names.join("\n"));
        return Ok(ExitCode::SUCCESS);
    };
    if !names.contains(&name.as_str()) {
        let known = if names.is_empty() { "none yet".to_owned() } else { names.join(", ") };
        eprintln!("error: no such benchmark: {name} (there is: {known})");
        return Ok(ExitCode::from(MISUSE));
    }
    // For the whole workspace, as the tests are: the same features, so nothing is built twice.
    let mut cargo = workspace.cargo(["bench", "--profile", "release", "--workspace", "--bench"]);
    cargo.args([name, "--"]).args(arguments.quick.then_some("--quick"));
    cargo.stderr(Stdio::inherit());
    let rows = rows(&process::output(&mut cargo)?)?;
    ensure!(!rows.is_empty(), "the benchmark printed no row");
    if arguments.json {
        for row in &rows {
            println!("{}", serde_json::to_string(row)?);
        }
    } else {
        print!("{}", table(&rows));
    }
    Ok(ExitCode::SUCCESS)
}

/// The rows that a benchmark printed.
fn rows(text: &str) -> Result<Vec<Row>> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| serde_json::from_str(line).with_context(|| format!("not a row: {line}")))
        .collect()
}

/// The rows in aligned columns: texts to the left, numbers to the right.
fn table(rows: &[Row]) -> String {
    let head = ["bench", "case", "value", "unit", "limit", "ratio"].map(String::from);
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), shown);
    let body = rows.iter().map(|row| {
        let Row { bench, case, value, unit, limit, ratio } = row;
        let ratio = ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.3}"));
        [bench.clone(), case.clone(), shown(*value), unit.clone(), number(*limit), ratio]
    });
    let lines: Vec<[String; 6]> = std::iter::once(head).chain(body).collect();
    let width =
        |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 6] = std::array::from_fn(width);
    let mut text = String::new();
    for line in &lines {
        let cells = (0..6).map(|column| {
            let (cell, width) = (&line[column], widths[column]);
            if matches!(column, 2 | 4 | 5) {
                format!("{cell:>width$}")
            } else {
                format!("{cell:<width$}")
            }
        });
        text += cells.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text
}

/// A number with at least three digits that matter.
fn shown(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str =
        r#"{"bench":"tap","case":"update","value":1234.5,"unit":"1/s","limit":2469.0,"ratio":0.5}"#;

    #[test]
    fn rows_are_read_and_printed_alike() {
        let rows = rows(&format!("{ROW}\n\n")).unwrap();
        assert_eq!(serde_json::to_string(&rows[0]).unwrap(), ROW);
    }

    #[test]
    fn anything_but_rows_on_standard_output_is_refused() {
        assert!(rows("running…").is_err());
        assert!(rows(r#"{"bench":"tap","case":"update"}"#).is_err());
        assert!(rows(&ROW.replace("ratio", "share")).is_err());
    }

    #[test]
    fn the_table_is_aligned() {
        let mut rows = rows(&format!("{ROW}\n{ROW}")).unwrap();
        let second = rows.remove(1);
        rows.push(Row { case: "v".into(), value: 0.5, limit: None, ratio: None, ..second });
        let expected = "\
bench  case     value  unit  limit  ratio
tap    update    1234  1/s    2469  0.500
tap    v       0.5000  1/s       -      -
";
        assert_eq!(table(&rows), expected);
    }
}
