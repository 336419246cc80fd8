//! `touchmark network status` of a node that runs.

use super::member::{form, nodes};
use serde_json::Value;
use std::time::{Duration, Instant};

fn standings(status: &Value) -> Vec<&str> {
    let members = status["members"].as_array().unwrap().iter();
    members.map(|member| member["is"].as_str().unwrap()).collect()
}

#[test]
fn a_node_says_where_it_stands_whom_it_sees_and_what_it_waits_for() {
    let members = form(&["alpha", "beta", "gamma", "delta"]);
    let mut nodes = nodes(&members);
    let url = nodes[0].url.clone();
    let limit = Instant::now() + Duration::from_secs(60);
    let status = |is_awaited: &dyn Fn(&Value) -> bool| loop {
        let ended = members[0].ask(&["network", "status", "--node", &url]);
        assert_eq!(ended.code, 0, "{ended:?}");
        if is_awaited(&ended.document) {
            return ended.document;
        }
        assert!(Instant::now() < limit, "{ended:?}");
        std::thread::sleep(Duration::from_millis(100));
    };
    let whole = status(&|status| status["peers"] == 3 && status["height"] != 0);
    let mut seen = standings(&whole);
    seen.sort_unstable();
    assert_eq!(seen, ["connected", "connected", "connected", "this node"], "{whole}");
    assert_eq!(whole["waits_for"], serde_json::json!([]), "{whole}");
    for (name, value) in [("votes", true), ("ready", true)] {
        assert_eq!(whole[name], value, "{name}: {whole}");
    }
    for (name, value) in [("term", 0), ("term_ends_at", 511), ("threshold", 3), ("pending", 0)] {
        assert_eq!(whole[name], value, "{name}: {whole}");
    }
    assert!(whole["milliseconds_since"].as_u64().unwrap() < 60_000, "{whole}");
    nodes.truncate(2);
    let halved = status(&|status| status["peers"] == 1);
    let waits = halved["waits_for"][0].as_str().unwrap();
    assert!(waits.starts_with("1 more of ") && waits.contains("gamma"), "{halved}");
    let last = halved["height"].clone();
    let stalled = status(&|status| status["milliseconds_since"].as_u64() > Some(3_000));
    assert!(stalled["height"].as_u64() <= last.as_u64().map(|last| last + 1), "{stalled}");
}
