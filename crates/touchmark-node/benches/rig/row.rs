//! Rows of the table that `cargo xtask bench` shows.

use serde_json::{Value, json};

/// Prints a measurement; `limit` is what is physically possible, or a peer, in the same unit.
pub(crate) fn print(bench: &str, case: &str, value: f64, unit: &str, limit: Option<f64>) {
    let ratio: Value = limit.map_or(Value::Null, |limit| json!(value / limit));
    let limit: Value = limit.map_or(Value::Null, |limit| json!(limit));
    let row = json!({
        "bench": bench, "case": case, "value": value, "unit": unit, "limit": limit, "ratio": ratio,
    });
    println!("{row}");
}
