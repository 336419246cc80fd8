//! `touchmark doctor` beside a validator of several.

use super::member::{Member, Node, form, nodes};
use serde_json::Value;
use std::time::{Duration, Instant};

/// Exit code and verdicts of what is asked for, by name.
fn examine(member: &Member, node: &Node, against: &[&str]) -> (i32, Value) {
    let mut words = vec!["doctor", "--node", &node.url];
    words.extend(against.iter().flat_map(|url| ["--against", url]));
    let ended = member.run(&words);
    (ended.code, ended.document["checks"].clone())
}

fn verdicts<'c>(checks: &'c Value, name: &str) -> Vec<&'c str> {
    let checks = checks.as_array().unwrap().iter();
    let named = checks.filter(|check| check["name"] == name);
    named.map(|check| check["verdict"].as_str().unwrap()).collect()
}

#[test]
fn a_validator_knows_whom_it_reaches_and_when_they_are_too_few() {
    let members = form(&["alpha", "beta", "gamma", "delta"]);
    let mut nodes = nodes(&members);
    let limit = Instant::now() + Duration::from_secs(60);
    // Connections come and go one by one.
    let wait = |nodes: &[Node], wanted: &str, count: &str| loop {
        let others: Vec<_> = nodes[1..].iter().map(|node| node.url.as_str()).collect();
        let (exit, checks) = examine(&members[0], &nodes[0], &others);
        let counted = checks.to_string().contains(count);
        if counted
            && verdicts(&checks, "quorum") == [wanted]
            && verdicts(&checks, "node") == ["fine"]
        {
            break (exit, checks);
        }
        assert!(Instant::now() < limit, "{checks}");
        std::thread::sleep(Duration::from_millis(200));
    };
    let (exit, checks) = wait(&nodes, "fine", "4 of 4 members are there");
    assert_eq!(exit, 0, "{checks}");
    for name in ["ledger", "http port", "engine port", "peers", "committee"] {
        assert_eq!(verdicts(&checks, name), ["fine"], "{name}: {checks}");
    }
    // That of the log, and those of the others.
    assert_eq!(verdicts(&checks, "clock"), ["fine"; 4], "{checks}");
    nodes.truncate(2);
    let (exit, checks) = wait(&nodes, "failed", "2 of 4 members are there");
    assert_eq!((exit, verdicts(&checks, "peers")), (1, vec!["warning"]), "{checks}");
    assert!(checks.to_string().contains("gamma"), "{checks}");
}
