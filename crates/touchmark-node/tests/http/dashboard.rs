//! The dashboard for Grafana asks for what a node shows.

use crate::site::Site;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};
use touchmark_node::http::{Limits, Rate};

const DASHBOARD: &str = include_str!("../../../../packaging/grafana/touchmark.json");

/// Names of samples that the families of an exposition can have.
fn samples(exposition: &str) -> BTreeSet<String> {
    let types = exposition.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let mut samples = BTreeSet::new();
    for (name, kind) in types.filter_map(|line| line.split_once(' ')) {
        let suffixes: &[&str] = match kind {
            "counter" => &["_total"],
            "histogram" => &["_bucket", "_sum", "_count"],
            _ => &[""],
        };
        samples.extend(suffixes.iter().map(|suffix| format!("{name}{suffix}")));
    }
    samples
}

/// Every text under the key `expr`, and every query of a variable.
fn expressions<'d>(value: &'d Value, found: &mut Vec<&'d str>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str() {
                    Some(text) if ["expr", "definition"].contains(&name.as_str()) => {
                        found.push(text);
                    }
                    _ => expressions(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| expressions(item, found)),
        _ => {}
    }
}

/// Names of ours in an expression.
fn names(expression: &str) -> impl Iterator<Item = &str> {
    let words = expression.split(|it: char| !it.is_ascii_alphanumeric() && it != '_');
    words.filter(|word| word.starts_with("touchmark_"))
}

#[test]
fn every_metric_of_the_dashboard_is_shown_by_a_node() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let mut asked = Vec::new();
    expressions(&dashboard, &mut asked);
    assert!(asked.len() > 25, "{}", asked.len());
    // A family that counts by what happened is shown once that has happened.
    let writes = Some(Rate { per_second: 1, burst: 1 });
    let site = Site::with(Limits { writes, ..Limits::default() });
    let statuses = [(); 2].map(|()| site.post("/v1/statements", "application/cose", b"x").status);
    assert_eq!(statuses[1], 429, "{statuses:?}");
    let look = || samples(&String::from_utf8(site.get("/metrics").body).unwrap());
    // Consensus, and with it its counters, may begin a moment after the node answers.
    let limit = Instant::now() + Duration::from_secs(10);
    let mut shown = look();
    while !shown.contains("touchmark_engine_view") && Instant::now() < limit {
        thread::sleep(Duration::from_millis(20));
        shown = look();
    }
    for expression in asked {
        assert!(names(expression).count() > 0, "{expression}");
        for name in names(expression) {
            assert!(shown.contains(name), "{name} of {expression} is not in {shown:#?}");
        }
    }
}

#[test]
fn what_is_measured_of_the_process_and_its_part_is_real() {
    let site = Site::start();
    site.get("/v1/network");
    let limit = Instant::now() + Duration::from_secs(10);
    let look = || {
        let text = String::from_utf8(site.get("/metrics").body).unwrap();
        let samples = text.lines().filter_map(|line| line.rsplit_once(' '));
        let numbers =
            samples.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)));
        numbers.collect::<BTreeMap<String, f64>>()
    };
    let mut shown = look();
    while shown["touchmark_consensus_votes"] < 1.0 && Instant::now() < limit {
        thread::sleep(Duration::from_millis(20));
        shown = look();
    }
    assert_eq!(
        (shown["touchmark_consensus_members"], shown["touchmark_consensus_peers"]),
        (1.0, 0.0)
    );
    assert_eq!((shown["touchmark_consensus_votes"], shown["touchmark_store_halted"]), (1.0, 0.0));
    let mebibyte = f64::from(1 << 20);
    assert!(shown["touchmark_process_resident_bytes"] > mebibyte, "{shown:#?}");
    assert!(shown["touchmark_store_free_bytes"] > mebibyte, "{shown:#?}");
    assert!(shown["touchmark_process_cpu_seconds_total"] > 0.0, "{shown:#?}");
    let age = now_seconds() - shown["touchmark_process_start_time_seconds"];
    assert!((-5.0..3_600.0).contains(&age), "{age}");
}

fn now_seconds() -> f64 {
    touchmark_node::node::now().0 as f64 / 1e3
}
