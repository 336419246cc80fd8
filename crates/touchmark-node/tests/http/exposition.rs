//! `/metrics` as a reader of OpenMetrics takes it apart.

use crate::site::Site;
use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

/// Samples of each family, after the rules of the format: metadata first, each family once and in
/// one piece, no sample twice, one end.
fn families(text: &str) -> BTreeMap<String, usize> {
    let body = text.strip_suffix("# EOF\n").expect("it ends");
    let (mut families, mut samples) = (BTreeMap::new(), BTreeSet::new());
    let mut family = String::new();
    for line in body.lines() {
        if let Some(rest) = line.strip_prefix("# ") {
            let mut words = rest.splitn(3, ' ');
            let (word, name) = (words.next().unwrap(), words.next().unwrap());
            assert!(["HELP", "TYPE", "UNIT"].contains(&word), "{line}");
            if name != family {
                name.clone_into(&mut family);
                let again = families.insert(family.clone(), 0);
                assert_eq!(again, None, "{name} is in two pieces");
            }
            continue;
        }
        let (sample, value) = line.rsplit_once(' ').unwrap();
        let name = sample.split('{').next().unwrap();
        let suffix = name.strip_prefix(&family).unwrap_or_else(|| panic!("{line} in {family}"));
        assert!(["", "_total", "_bucket", "_sum", "_count"].contains(&suffix), "{line}");
        assert!(value.parse::<f64>().is_ok(), "{line}");
        assert!(samples.insert(sample.to_owned()), "{line} twice");
        *families.get_mut(&family).unwrap() += 1;
    }
    families
}

/// Consensus, and with it its counters, may begin a moment after the node takes submissions.
const BEGINNING: Duration = Duration::from_secs(10);

#[test]
fn the_exposition_is_whole_with_the_engines_part() {
    let site = Site::start();
    site.get("/v1/network");
    let look = || families(&String::from_utf8(site.get("/metrics").body).unwrap());
    let of_engine = |name: &&String| name.starts_with("touchmark_engine_");
    let limit = Instant::now() + BEGINNING;
    let mut families = look();
    while families.keys().filter(of_engine).count() < 5 && Instant::now() < limit {
        thread::sleep(Duration::from_millis(20));
        families = look();
    }
    let documented = include_str!("../../../../docs/operations.md");
    let engine: Vec<_> = families.keys().filter(of_engine).collect();
    assert_eq!(engine.len(), 5, "{engine:?} of {}", site.node.engine_metrics());
    for name in engine {
        assert!(documented.contains(&format!("`{name}`")), "{name} is in no document");
        assert!((1..=64).contains(&families[name]), "{name}: {}", families[name]);
    }
    assert!(families.keys().all(|name| name.starts_with("touchmark_")));
    assert!(families["touchmark_http_requests"] >= 1);
}
