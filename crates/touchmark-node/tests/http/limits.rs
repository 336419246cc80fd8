//! Limits per source and identity, and refusal before any signature is checked.

use crate::issuer::{Card, Issuer};
use crate::site::Site;
use serde_json::json;
use std::io::Read as _;
use std::thread;
use std::time::{Duration, Instant};
use touchmark_engine::Pacing;
use touchmark_node::http::{Limits, Rate};
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::registry::{StatementKind, ThingKind};

const SLOW: Rate = Rate { burst: 10, per_second: 1 };

#[test]
fn a_flood_of_one_source_does_not_stop_another() {
    let site = Site::with(Limits { reads: Some(SLOW), ..Limits::default() });
    let (flood, other) = ([127, 0, 0, 2], [127, 0, 0, 3]);
    let answers: Vec<(u16, String)> =
        (0..60).map(|_| site.get_from(flood, "/v1/network")).collect();
    assert!(answers[..10].iter().all(|(status, _)| *status == 200), "{answers:?}");
    let (_, text) = answers.iter().find(|(status, _)| *status == 429).expect("a limit");
    assert!(text.contains("retry-after: ") && text.contains("TM-QUOTA"), "{text}");
    let (status, text) = site.get_from(other, "/v1/network");
    assert_eq!(status, 200);
    assert!(text.contains("ratelimit-policy: \"source\";q=10;w=10"), "{text}");
    assert!(text.contains("ratelimit: \"source\";r=9;"), "{text}");
    assert_eq!(site.get_from(flood, "/health/live").0, 200, "probes are always answered");
}

#[test]
fn nobody_names_a_source_unless_a_proxy_is_trusted() {
    let ask = |site: &Site, named: u8| {
        let named = format!("198.51.100.{named}");
        site.ask("/v1/network", &[("x-forwarded-for", &named)]).status
    };
    let limits = Limits { reads: Some(SLOW), ..Limits::default() };
    let site = Site::with(limits.clone());
    assert!((0..30).any(|named| ask(&site, named) == 429), "the header is not believed");
    let trusted_proxies = vec![[127, 0, 0, 1].into()];
    let site = Site::with(Limits { trusted_proxies, ..limits });
    assert!((0..30).all(|named| ask(&site, named) == 200), "each is a source of its own");
    assert!((0..30).any(|_| ask(&site, 1) == 429));
}

#[test]
fn a_sequence_costs_what_is_in_it_before_any_signature_is_checked() {
    let rate = Rate { burst: 20, per_second: 1 };
    let site = Site::with(Limits { writes: Some(rate), ..Limits::default() });
    let mut device = Issuer::new(site.network(), ThingKind::DEVICE, Algorithm::Ed25519);
    site.submit(&[device.inception()]);
    let mut forged: Vec<Vec<u8>> = (0..15).map(|n| device.record(&[n])).collect();
    for record in &mut forged {
        *record.last_mut().unwrap() ^= 1;
    }
    let body = forged.concat();
    let first = site.post("/v1/statements", "application/cbor-seq", &body);
    assert_eq!((first.status, &first.json()[0]["code"]), (200, &json!("TM-SIGNATURE")));
    let second = site.post("/v1/statements", "application/cbor-seq", &body);
    assert_eq!((second.status, &second.json()["code"]), (429, &json!("TM-QUOTA")));
    assert!(second.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
}

#[test]
fn an_identity_pays_for_what_is_stored_and_not_for_forgeries() {
    let site = Site::with(Limits { identity: Some(SLOW), ..Limits::default() });
    let mut victim = Issuer::new(site.network(), ThingKind::DEVICE, Algorithm::Ed25519);
    let mut other = Issuer::new(site.network(), ThingKind::DEVICE, Algorithm::Ed25519);
    site.submit(&[victim.inception(), other.inception()]);
    let genuine = victim.record(b"genuine");
    let mut forged = genuine.clone();
    *forged.last_mut().unwrap() ^= 1;
    for _ in 0..30 {
        let answer = site.post("/v1/statements", "application/cose", &forged);
        assert_eq!((answer.status, &answer.json()["code"]), (400, &json!("TM-SIGNATURE")));
    }
    let answer = site.post("/v1/statements", "application/cose", &genuine);
    assert_eq!(answer.status, 201, "forgeries cost the victim nothing: {}", answer.json());

    let deadline = Instant::now() + Duration::from_secs(30);
    let refused = loop {
        let answer = site.post("/v1/statements", "application/cose", &victim.record(b"x"));
        if answer.status != 201 {
            break answer;
        }
        assert!(Instant::now() < deadline, "an identity writes without bounds");
    };
    assert_eq!((refused.status, &refused.json()["code"]), (429, &json!("TM-QUOTA")));
    assert!(refused.header("retry-after").is_some());
    let answer = site.post("/v1/statements", "application/cose", &other.record(b"x"));
    assert_eq!(answer.status, 201, "others go on");
}

#[test]
fn a_reader_without_identity_submits_evidence_without_key_or_invitation() {
    let site = Site::start();
    let mut maker = Issuer::new(site.network(), ThingKind::ORGANISATION, Algorithm::Ed25519);
    let card = Card::new(maker.id);
    site.submit(&[maker.inception(), maker.act(StatementKind::REGISTER, &card.inception)]);
    let answer = site.post("/v1/evidence/card-url", "text/plain", &card.url(1));
    assert_eq!((answer.status, &answer.json()["outcome"]), (201, &json!("accepted")));
    assert!(answer.header("ratelimit").is_some());
}

#[test]
fn a_full_pool_refuses_before_any_signature_is_checked() {
    const PAYLOAD: usize = 60_000;
    let never = Duration::from_secs(3_600);
    let pacing = Pacing { idle_interval: never, busy_interval: never };
    let site = Site::paced(Limits { writes: None, ..Limits::default() }, pacing);
    let mut waiting = Vec::new();
    while site.node.room() > 8_000_000 {
        let room = site.node.room();
        let mut device = Issuer::new(site.network(), ThingKind::DEVICE, Algorithm::Ed25519);
        let mut body = device.inception();
        for n in 0..130 {
            body.extend(device.record(&vec![n; PAYLOAD]));
        }
        // Answered with the next batch, which does not come; only the bytes count.
        let head = format!(
            "POST /v1/statements HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\
             content-type: application/cbor-seq\r\n\r\n",
            body.len()
        );
        waiting.push(site.speak([127, 0, 0, 1], &[head.as_bytes(), &body].concat()));
        let deadline = Instant::now() + Duration::from_secs(60);
        while site.node.room() > room - 7_000_000 {
            assert!(Instant::now() < deadline, "{} bytes of room", site.node.room());
            thread::sleep(Duration::from_millis(20));
        }
    }
    // The answer comes before any of the body: its length alone decides.
    let head = format!(
        "POST /v1/statements HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\
         content-type: application/cbor-seq\r\n\r\n",
        site.node.room() + 1
    );
    let mut answer = String::new();
    let mut refused = site.speak([127, 0, 0, 1], head.as_bytes());
    refused.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("TM-OVERLOADED"), "{answer}");
    assert!(answer.to_ascii_lowercase().contains("\r\nretry-after: "), "{answer}");
    assert_eq!(site.get("/v1/network").status, 200, "reading goes on");
}
