//! Rows of the table that `cargo xtask bench` shows.

use serde_json::{Value, json};
use std::time::Duration;

/// Prints a measurement; `limit` is what is physically possible, or a peer, in the same unit.
pub(crate) fn print(bench: &str, case: &str, value: f64, unit: &str, limit: Option<f64>) {
    let ratio: Value = limit.map_or(Value::Null, |limit| json!(value / limit));
    let limit: Value = limit.map_or(Value::Null, |limit| json!(limit));
    let row = json!({
        "bench": bench, "case": case, "value": value, "unit": unit, "limit": limit, "ratio": ratio,
    });
    println!("{row}");
}

/// Prints within which time half, and 99 of a hundred, were answered; returns the latter, ms.
pub(crate) fn percentiles(bench: &str, case: &str, mut waits: Vec<Duration>) -> f64 {
    waits.sort_unstable();
    let [_, most] = [50, 99].map(|percent| {
        let wait = waits[(waits.len() - 1) * percent / 100].as_secs_f64() * 1e3;
        print(bench, &format!("{case}-p{percent}"), wait, "ms", None);
        wait
    });
    most
}
