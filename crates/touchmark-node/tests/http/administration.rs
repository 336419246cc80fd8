//! API keys, drain, metrics, and what every answer wears.

use crate::issuer::Issuer;
use crate::site::Site;
use serde_json::{Value, json};
use std::thread;
use std::time::{Duration, Instant};
use touchmark_node::apikey::Scope;
use touchmark_node::http::{Limits, Rate};
use touchmark_node::node::now;
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::ids::Timestamp;
use touchmark_wire::registry::ThingKind;

#[test]
fn administration_needs_a_key_and_says_what_is_wrong_with_one() {
    let site = Site::start();
    let later = Timestamp(now().0 + 60_000);
    let (_, reads) = site.keys.create("reads", &[Scope::Read], now(), later).unwrap();
    let (_, expired) = site.keys.create("expired", &[Scope::Read], now(), now()).unwrap();
    let load = |key| {
        let answer = site.demand("GET", "/v1/admin/load", key);
        (answer.status, answer.json()["code"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(load(None), (401, "TM-API-KEY-MISSING".into()));
    assert_eq!(load(Some("tmk_00000000_guess")), (401, "TM-API-KEY-UNKNOWN".into()));
    assert_eq!(load(Some(&expired)), (401, "TM-API-KEY-EXPIRED".into()));
    assert_eq!(load(Some(&reads)), (200, String::new()));
    let drain = site.demand("POST", "/v1/admin/drain", Some(&reads));
    assert_eq!((drain.status, &drain.json()["code"]), (403, &json!("TM-API-KEY-SCOPE")));
    assert_eq!(drain.header("access-control-allow-origin"), None, "no other site asks for it");
}

#[test]
fn a_drained_node_reads_and_does_not_write_until_it_is_resumed() {
    let site = Site::start();
    let later = Timestamp(now().0 + 60_000);
    let (_, key) = site.keys.create("ops", &[Scope::Operate], now(), later).unwrap();
    let mut device = Issuer::new(site.network(), ThingKind::DEVICE, Algorithm::Ed25519);
    let inception = device.inception();
    let drained = site.demand("POST", "/v1/admin/drain", Some(&key));
    assert_eq!((drained.status, &drained.json()["draining"]), (200, &json!(true)));
    let refused = site.post("/v1/statements", "application/cose", &inception);
    assert_eq!((refused.status, &refused.json()["code"]), (503, &json!("TM-NOT-READY")));
    assert!(refused.header("retry-after").is_some());
    assert_eq!(site.get("/v1/network").status, 200);
    // A key has nothing to do with the ledger.
    let code = || site.keys.setup_code(now()).unwrap().text();
    let body = json!({ "code": code() }).to_string();
    assert_eq!(site.post("/v1/setup", "application/json", body.as_bytes()).status, 201);
    let form = format!("code={}", code());
    assert_eq!(site.post("/setup", FORM, form.as_bytes()).status, 200);
    let ready = site.get("/health/ready");
    assert_eq!((ready.status, &ready.json()["ready"]), (503, &json!(false)));
    assert_eq!(site.get("/health/live").status, 200);
    assert_eq!(site.demand("DELETE", "/v1/admin/drain", Some(&key)).status, 200);
    assert_eq!(site.post("/v1/statements", "application/cose", &inception).status, 201);
    assert_eq!(site.get("/health/ready").status, 200);
}

const FORM: &str = "application/x-www-form-urlencoded";

#[test]
fn an_attempt_to_set_up_is_short_and_dear_in_both_ways() {
    let writes = Some(Rate { burst: 1_000, per_second: 1 });
    let site = Site::with(Limits { writes, ..Limits::default() });
    for (path, kind) in [("/v1/setup", "application/json"), ("/setup", FORM)] {
        let long = site.post(path, kind, &[b'a'; 1_025]);
        assert_eq!((long.status, &long.json()["code"]), (413, &json!("TM-TOO-LONG")), "{path}");
        let left = || {
            let answer = site.post(path, kind, b"{}");
            let (_, left) = answer.header("ratelimit").unwrap().split_once("r=").unwrap();
            left.split(';').next().unwrap().parse::<u32>().unwrap()
        };
        let (first, second) = (left(), left());
        // Some may have come back between the two.
        assert!((40..=50).contains(&(first - second)), "{path}: {first} {second}");
    }
}

/// Until the node says that the backup is no longer being made.
fn backup_ended(site: &Site, key: &str) -> Value {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let view = site.demand("GET", "/v1/admin/backup", Some(key)).json();
        if view["state"] != "running" {
            return view;
        }
        assert!(Instant::now() < deadline, "{view}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_running_node_makes_a_backup_while_it_writes() {
    let site = Site::start();
    let later = Timestamp(now().0 + 60_000);
    let (_, reads) = site.keys.create("reads", &[Scope::Read], now(), later).unwrap();
    let scopes = [Scope::Read, Scope::Operate];
    let (_, key) = site.keys.create("ops", &scopes, now(), later).unwrap();
    let mut device = Issuer::new(site.network(), ThingKind::DEVICE, Algorithm::Ed25519);
    site.submit(&[device.inception(), device.record(b"before")]);
    assert_eq!(site.demand("GET", "/v1/admin/backup", Some(&key)).status, 404);
    assert_eq!(site.demand("POST", "/v1/admin/backup", Some(&reads)).status, 403);
    let size = site.get("/v1/network").json()["size"].as_u64().unwrap();
    let begun = site.demand("POST", "/v1/admin/backup", Some(&key));
    assert_eq!(begun.status, 202);
    site.submit(&[device.record(b"meanwhile")]);
    let done = backup_ended(&site, &key);
    assert_eq!((&done["state"], &done["name"]), (&json!("done"), &begun.json()["name"]));
    let folder = site.data().join("backups").join(done["name"].as_str().unwrap());
    let trusted = Some(site.network());
    let verified = touchmark_node::upkeep::verify_backup(&folder, trusted, None, drop).unwrap();
    assert_eq!(done["contents"]["state_root"], verified.state_root.to_string());
    assert!(verified.size.0 >= size, "{verified:?}");

    let blocked = site.data().join("backups");
    std::fs::remove_dir_all(&blocked).unwrap();
    std::fs::write(&blocked, "no folder").unwrap();
    assert_eq!(site.demand("POST", "/v1/admin/backup", Some(&key)).status, 202);
    let failed = backup_ended(&site, &key);
    assert_eq!(failed["state"], "failed");
    assert!(failed["detail"].as_str().unwrap().contains("backups"), "{failed}");
}

#[test]
fn everything_is_counted() {
    let site = Site::start();
    let mut device = Issuer::new(site.network(), ThingKind::DEVICE, Algorithm::Ed25519);
    site.submit(&[device.inception()]);
    site.post("/v1/statements", "application/cose", b"x");
    let answer = site.get("/metrics");
    let text = String::from_utf8(answer.body.clone()).unwrap();
    assert!(answer.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    for line in [
        "touchmark_http_requests_total{method=\"post\",route=\"/v1/statements\",status=\"200\"} 1",
        "touchmark_http_requests_total{method=\"post\",route=\"/v1/statements\",status=\"400\"} 1",
        "touchmark_http_refused_total{code=\"TM-MALFORMED\"} 1",
        "touchmark_http_duration_seconds_count{method=\"post\",route=\"/v1/statements\"} 2",
        "touchmark_http_listeners 0",
        "touchmark_pool_bytes 0",
        "# EOF",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    let value = |name: &str| -> f64 {
        let line = text.lines().find(|line| line.starts_with(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("{name}\n{text}"))
            .rsplit(' ')
            .next()
            .unwrap()
            .parse()
            .unwrap()
    };
    let leaves = site.node.store.snapshot().counts().leaves;
    assert!((value("touchmark_log_leaves") - leaves as f64).abs() < 0.5);
    assert!(value("touchmark_commit_duration_seconds_count") >= 1.0);
    assert!(value("touchmark_batch_leaves_count") >= 1.0);
}

#[test]
fn every_answer_has_an_id_and_what_browsers_shall_not_do() {
    let site = Site::start();
    for path in ["/v1/network", "/v1/nothing", "/health/live"] {
        let answer = site.ask(path, &[("x-request-id", "mine-1")]);
        assert_eq!(answer.header("x-request-id"), Some("mine-1"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert!(answer.header("content-security-policy").unwrap().contains("default-src 'none'"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        let made = site.get(path).header("x-request-id").unwrap().to_owned();
        assert!(made.len() > 16 && made != site.get(path).header("x-request-id").unwrap());
    }
}
